"""Google's page of activity (MyActivity.html), read as it comes: a cell for each entry, however many there are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from persona_cli.errors import TransferError
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.streaming import LARGEST

_PIECE = 65_536
_TIME = re.compile(r"(?=.*\b\d{4}\b).*\b\d{1,2}[:.]\d{2}[:.]\d{2}\b.*")
_LONGEST_TIME = 60
_BLOCKS = frozenset({"br", "p", "div", "li", "h1", "h2", "h3", "h4", "pre", "tr"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell: whose activity it is, what its first line says, when it was, and what stands below."""

    header: str
    title: str
    time: str
    answers: tuple[str, ...]


def activity_entries(bundle: Bundle, name: str) -> Iterator[Entry]:
    """Yield the entries of a page in its order; raises `TransferError` for one that is larger than any is."""
    reading, decode = _Cells(), codecs.getincrementaldecoder("utf-8")("replace")
    with bundle.open(name) as file:
        while piece := file.read(_PIECE):
            reading.feed(decode.decode(piece))
            if reading.size > LARGEST:
                raise TransferError(f"{name} has an entry that does not end", fix="Export it as JSON.")
            yield from reading.taken()
    reading.close()
    reading.finish()
    yield from reading.taken()


@dataclass(slots=True)
class _Cell:
    header: list[str] = field(default_factory=list)
    content: list[str] = field(default_factory=list)


class _Cells(HTMLParser):
    """Takes the words of a page apart by the classes of its cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.size = 0
        self._done: list[Entry] = []
        self._cell: _Cell | None = None
        self._into: list[str] | None = None

    def taken(self) -> list[Entry]:
        """Return the entries that are complete since the last call."""
        done, self._done = self._done, []
        return done

    def finish(self) -> None:
        """End the entry that was begun."""
        if self._cell is not None and (entry := _entry(self._cell)):
            self._done.append(entry)
        self._cell, self._into, self.size = None, None, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = set((dict(attrs).get("class") or "").split())
        if "outer-cell" in named:
            self.finish()
            self._cell = _Cell()
        elif self._cell is not None and "header-cell" in named:
            self._into = self._cell.header
        elif self._cell is not None and "content-cell" in named:
            # the first is what was done, the others say where and why it is kept
            self._into = None if self._cell.content else self._cell.content
        elif self._into is not None and tag in _BLOCKS:
            self._into.append("\n")

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)
            self.size += len(data)


def _entry(cell: _Cell) -> Entry | None:
    lines = [" ".join(line.split()) for line in "".join(cell.content).splitlines()]
    lines = [line for line in lines if line]
    place = next(
        (number for number, line in enumerate(lines) if len(line) <= _LONGEST_TIME and _TIME.match(line)), len(lines)
    )
    if not lines:
        return None
    title, time = "\n".join(lines[:place]), lines[place] if place < len(lines) else ""
    answer = "\n".join(lines[place + 1 :])
    return Entry(" ".join("".join(cell.header).split()), title, time, (answer,) if answer else ())
