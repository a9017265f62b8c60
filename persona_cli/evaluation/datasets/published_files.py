"""Reading published files: every file that is read is hashed, and whatever is wrong with one says where and what to do.

Rows are checked by pydantic models that name only the fields used, so that a data set may grow columns.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from dateutil import parser as dates
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from persona_cli.errors import TransferError
from persona_cli.evaluation.cases import Recorded

R = TypeVar("R")


class PublishedRow(BaseModel):
    """A record of a published file; fields that are not named are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PublishedFolder:
    """The folder a person has a data set in."""

    def __init__(self, root: Path, *, name: str, source: str) -> None:
        if not root.is_dir():
            raise TransferError(f"{root} is no folder", fix=f"Name the folder that holds {name}; it is at {source}.")
        self.root = root
        self.inputs: dict[str, str] = {}
        self.notes: list[str] = []
        self._name, self._source = name, source

    def find(self, *patterns: str) -> list[Path]:
        """Return the files that match any pattern, in order; raises `TransferError` where there are none."""
        found = sorted({path for pattern in patterns for path in self.root.glob(pattern) if path.is_file()})
        if not found:
            raise self.wrong(f"{self.root} has no {' or '.join(patterns)}")
        return found

    def one(self, *patterns: str) -> Path:
        """Return the first file that matches."""
        return self.find(*patterns)[0]

    def text(self, path: Path) -> str:
        """Return a file's text, and remember its hash."""
        if not path.is_file():
            raise self.wrong(f"{path} is missing")
        content = path.read_bytes()
        self.inputs[str(path.relative_to(self.root))] = hashlib.sha256(content).hexdigest()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise self.wrong(f"{path} is no text in UTF-8") from exc

    def json(self, path: Path, kind: type[R]) -> R:
        """Return a JSON file as `kind`, a pydantic model or a list or dictionary of them."""
        return self._check(path, self._parse(path, self.text(path)), kind)

    def lines(self, path: Path, kind: type[R]) -> list[R]:
        """Return a JSON Lines file as a list of `kind`."""
        lines = self.text(path).splitlines()
        rows = [self._parse(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
        return self._check(path, rows, list[kind])  # type: ignore[valid-type] # a type of the run time

    def table(self, path: Path, kind: type[R]) -> list[R]:
        """Return a CSV file as a list of `kind`, by the names of its columns."""
        # cells hold whole conversations, beyond the 128 KiB the module allows
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        rows = list(csv.DictReader(self.text(path).splitlines(keepends=True)))
        return self._check(path, rows, list[kind])  # type: ignore[valid-type] # a type of the run time

    def expect(self, what: str, count: int, published: int | Sequence[int]) -> None:
        """Note a count that is not the published one: a part of a data set can be run, and is said to be one."""
        known = [published] if isinstance(published, int) else published
        if count not in known:
            expected = " or ".join(f"{number:,}" for number in known)
            self.notes.append(f"{count:,} {what}, where {expected} are published")

    def wrong(self, problem: str) -> TransferError:
        """Return the error that says what is wrong and where the data set is had."""
        return TransferError(problem, fix=f"This should be {self._name}, as published at {self._source}.")

    def _parse(self, where: object, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise self.wrong(f"{where} is no JSON: {exc}") from exc

    def _check(self, path: Path, value: Any, kind: type[R]) -> R:
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise self.wrong(f"{path}: {place}: {first['msg']} ({exc.error_count()} such)") from exc


def parse_time(text: str) -> datetime:
    """Return a time as data sets write it ("2023/05/20 (Sat) 02:21", "1:56 pm on 8 May, 2023"), in UTC."""
    plain = re.sub(r"\([^)]*\)?", " ", text)
    try:
        return dates.parse(plain.replace(" on ", " ")).replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise TransferError(f"{text!r} is no time", fix="Is this the published file?") from exc


def pair_messages(messages: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (user, assistant) from messages of either role; several of one side in a row become one."""
    user, assistant = "", ""
    for message in messages:
        content = str(message["content"]).strip()
        if message["role"] == "user":
            if assistant:
                yield user, assistant
                user, assistant = "", ""
            user = f"{user}\n{content}".strip()
        elif message["role"] == "assistant":
            assistant = f"{assistant}\n{content}".strip()
    if user or assistant:
        yield user, assistant


def invented_times(
    sessions: Sequence[Sequence[tuple[str, str]]], first: datetime, *, days: int = 1
) -> tuple[Recorded, ...]:
    """Return exchanges of a data set without times: order only, sessions `days` apart, exchanges two minutes."""
    return tuple(
        Recorded(
            f"{number}:{place}", first + timedelta(days=number * days, minutes=2 * place), user, said, session=number
        )
        for number, session in enumerate(sessions)
        for place, (user, said) in enumerate(session)
    )


def letter(index: int) -> str:
    """Return "a" for 0, "b" for 1, and so on."""
    return "abcdefghijklmnopqrstuvwxyz"[index]


def clipped(text: str, most: int = 60) -> str:
    """Return the beginning of a text, for messages."""
    return text if len(text) <= most else text[: most - 1] + "…"
