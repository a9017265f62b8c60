"""Google's page of activity (MyActivity.html), read as it comes: a cell for each entry, however many there are."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.markup import plain_text

_PIECE = 65_536
_LARGEST = 4_000_000
"""Characters of a cell, a long answer included."""
_OUTER, _HEADER, _CONTENT = (
    re.compile(rf'<div class="[^"<>]*\b{name}-cell\b[^"<>]*">') for name in ("outer", "header", "content")
)
_TIME = re.compile(r"(?=.*\b\d{4}\b).*\b\d{1,2}[:.]\d{2}[:.]\d{2}\b.*")
_LONGEST_TIME = 60
_WRITTEN = re.compile(r"\b(\d{1,2})[.º]? (?:de )?([^\W\d_]{3,12})\.?(?: de)? (\d{4})\b(?: г\.)?,?")


@dataclass(frozen=True, slots=True)
class ActivityCell:
    """One cell: whose activity it is, what its first line says, when it was, and what stands below."""

    header: str
    title: str
    time: str
    answers: tuple[str, ...]


def activity_entries(bundle: Bundle, name: str) -> Iterator[ActivityCell]:
    """Yield the entries of a page in its order; raises `TransferError` for one that is larger than any is."""
    for cell in _cells(bundle, name):
        header, *contents = _CONTENT.split(cell)
        # the first says what was done, the others where and why it is kept
        lines = [line for line in plain_text(contents[0]).splitlines() if line] if contents else []
        if not lines or not _HEADER.search(header):
            continue
        place = next((number for number, line in enumerate(lines) if _is_time(line)), len(lines))
        answer = "\n".join(lines[place + 1 :])
        yield ActivityCell(
            plain_text(header), "\n".join(lines[:place]), "".join(lines[place : place + 1]), (answer,) if answer else ()
        )


def in_figures(written: str) -> str:
    """Return a time with its date as ISO 8601 has it: "20 abr 2026, 9:00:11" is "2026-04-20 9:00:11"."""

    def iso(match: re.Match[str]) -> str:
        month = match[2].casefold()
        numbers = {number for number, names in _months() for name in names if name.startswith(month)}
        return f"{match[3]}-{numbers.pop():02}-{int(match[1]):02}" if len(numbers) == 1 else match[0]

    return _WRITTEN.sub(iso, " ".join(written.split()), count=1)


def offset_of(zone: str) -> str:
    """Return the offset of a zone whose letters mean one everywhere: "MESZ" is "+02:00"; "" for any other."""
    return str(_table()["zones"].get(zone, ""))


def _months() -> Iterator[tuple[int, list[str]]]:
    return ((number, names.split()) for number, names in enumerate(_table()["months"], 1))


@cache
def _table() -> dict[str, Any]:
    source = files("persona_cli.importers") / "activity_page.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _cells(bundle: Bundle, name: str) -> Iterator[str]:
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    with bundle.open(name) as file:
        while piece := file.read(_PIECE):
            *whole, rest = _OUTER.split(rest + decode.decode(piece))
            yield from whole
            if len(rest) > _LARGEST:
                raise TransferError(f"{name} has an entry that does not end", fix="Export it as JSON.")
    yield rest


def _is_time(line: str) -> bool:
    return len(line) <= _LONGEST_TIME and _TIME.match(line) is not None
