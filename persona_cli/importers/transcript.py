"""Reading a transcript: JSONL lines {"time", "user", "assistant", "images"}, checked whole before any is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from persona_cli.agent.replay import Exchange
from persona_cli.errors import TransferError
from persona_cli.importers.times import DateOrder, order_of, parse_time

_FIELDS = {"time", "user", "assistant", "images"}

LONGEST_LINE = 100_000
"""Characters of one exchange: five times what a message may have."""


def read_transcript(path: Path, said: DateOrder | None = None) -> tuple[Exchange, ...]:
    """Return the exchanges in `path`; times without a zone are in the zone of this machine.

    `said` is which of day and month stands first, where the file itself leaves that open.

    Pictures are named relative to the transcript. Raises `TransferError` that names the first line that is wrong.
    """
    read: list[tuple[str, dict[str, Any]]] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            # a line at a time and no more of it than counts: a file of one line may be as large as the disk
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), ""), 1):
                place = f"{path}, line {number}"
                if len(line) > LONGEST_LINE:
                    raise TransferError(
                        f"{place} has more than {LONGEST_LINE:,} characters", fix="Cut the exchange into several lines."
                    )
                if line.strip():
                    read.append((place, _fields(line, place)))
    except UnicodeDecodeError as exc:
        raise TransferError(f"{path} is not UTF-8 text", fix="Save it as UTF-8, one JSON object per line.") from exc
    except OSError as exc:
        raise TransferError(f"{path} cannot be read: {exc.strerror}", fix="Check its permissions.") from exc
    if not read:
        raise TransferError(f"{path} is empty", fix="A transcript has one exchange per line.")
    order = order_of(((place, fields["time"]) for place, fields in read), said)
    return tuple(_exchange(fields, order, place, path.parent) for place, fields in read)


def _fields(line: str, place: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as exc:
        raise TransferError(f"{place}: no JSON: {exc.msg}", fix="Each line is one object with time and user.") from exc
    # a number of 5,000 digits, and brackets 1,000 deep
    except (ValueError, RecursionError) as exc:
        said = "it is too deep" if isinstance(exc, RecursionError) else "a number has too many digits"
        raise TransferError(f"{place}: {said}", fix="Each line is one object with time and user.") from exc
    if not isinstance(fields, dict) or not {"time", "user"} <= set(fields) or set(fields) - _FIELDS:
        raise TransferError(
            f"{place}: not an exchange", fix='Fields: "time", "user", and if there are any "assistant" and "images".'
        )
    if not isinstance(fields["time"], str):
        raise TransferError(f"{place}: the time is no text", fix='Write it as "2023-04-27 18:30".')
    return fields


def _exchange(fields: dict[str, Any], order: DateOrder | None, place: str, folder: Path) -> Exchange:
    return Exchange(
        at=parse_time(fields["time"], order, place),
        user=_text(fields["user"], "user", place),
        assistant=_text(fields.get("assistant") or "", "assistant", place),
        images=tuple(_picture(folder / name, place) for name in _names(fields.get("images") or [], place)),
    )


def _text(value: Any, name: str, place: str) -> str:
    if not isinstance(value, str):
        raise TransferError(f"{place}: {name} is no text", fix="Put it in quotes.")
    return value


def _picture(path: Path, place: str) -> Path:
    if not path.is_file():
        raise TransferError(
            f"{place}: there is no picture {path}", fix="Pictures are named relative to the transcript."
        )
    return path


def _names(value: Any, place: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TransferError(f"{place}: images is no list of file names", fix='Write it as ["photo.jpg"].')
    return value
