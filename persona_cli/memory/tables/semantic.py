"""Semantic memories: facts, when they held, and what took their place."""

from __future__ import annotations

import builtins
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from persona_cli.memory.tables.columns import (
    Columns,
    bounds,
    just_after,
    maybe_from_column,
    maybe_to_column,
    to_column,
    words_to_column,
)
from persona_cli.memory.tables.connection import Value, id_list
from persona_cli.memory.tables.table import Table, columns_of, record_of
from persona_cli.records import Author, SemanticMemory, Status, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Semantics(Table[SemanticMemory]):
    """The table of semantic memories."""

    table, noun, record = "semantic", "semantic memory", SemanticMemory

    def add(self, memory: SemanticMemory) -> SemanticMemory:
        """Store a new memory and return it with its id; the id it came with does not count."""
        with self._connection.transaction():
            row_id = self._connection.insert("semantic", _columns(memory))
            for place, image in enumerate(memory.images):
                self._connection.insert("semantic_image", {"semantic_id": row_id, "place": place, "hash": image})
        return replace(memory, id=row_id)

    def list(
        self,
        status: Status | None = Status.ACTIVE,
        window: Window | None = None,
        subject: str | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
    ) -> tuple[SemanticMemory, ...]:
        """Return memories, newest first.

        The window holds for when it was said or when it happened. With `as_of` the result is what was held to
        be true at that moment, whatever has become of it since, and `status` does not count.
        """
        tests, values = _held(window, status, as_of)
        if subject is not None:
            tests.append("lower(subject) = lower(?)")
            values.append(subject)
        values.append(-1 if limit is None else limit)
        return self._where(" AND ".join(tests) + " ORDER BY recorded_at DESC, id DESC LIMIT ?", *values)

    def ids(
        self, window: Window | None = None, as_of: datetime | None = None, most: int | None = None
    ) -> NDArray[np.int64]:
        """Return the ids of what `list` returns, in any order: (n,)."""
        tests, values = _held(window, Status.ACTIVE, as_of)
        return self._connection.numbers(
            f"SELECT id AS number FROM semantic WHERE {' AND '.join(tests)} LIMIT ?",  # noqa: S608 - from below
            (*values, -1 if most is None else most),
        )

    def newest(self, after_id: int, most: int) -> tuple[SemanticMemory, ...]:
        """Return the last active memories behind an id, at most so many, oldest first."""
        return self._where("id > ? AND status = 'active' ORDER BY id DESC LIMIT ?", after_id, most)[::-1]

    def active_in_slot(self, slot: str) -> tuple[SemanticMemory, ...]:
        """Return the active memories that fill a slot, oldest first."""
        return self._where("slot = ? AND slot <> '' AND status = 'active' ORDER BY valid_from, id", slot)

    def same(self, content: str) -> SemanticMemory | None:
        """Return the active memory that says exactly this, up to case, spaces and punctuation."""
        return self._first("folded = ? AND status = 'active' ORDER BY id", _fold(content))

    def seen_again(self, memory_id: int, at: datetime) -> SemanticMemory:
        """Count one more time that it was said, and return the memory."""
        with self._connection.transaction():
            memory = self.get(memory_id)
            last = max(at, memory.last_seen or at)
            self._connection.update("semantic", memory_id, {"seen": memory.seen + 1, "last_seen": to_column(last)})
        return replace(memory, seen=memory.seen + 1, last_seen=last)

    def supersede(self, old_id: int, new_id: int, at: datetime, rule: str = "") -> None:
        """Let `new_id` take the place of `old_id` from `at` on; the old one stays for questions about the past.

        The journal keeps the name of the `rule` that said so.
        """
        ended: dict[str, Value] = {"valid_to": to_column(at), "status": Status.SUPERSEDED, "superseded_by": new_id}
        with self._connection.transaction():
            self._connection.write("UPDATE cause SET rule = ?", (rule,))
            self._connection.update("semantic", old_id, ended)
            self._connection.write("UPDATE cause SET rule = ''")

    def end(self, memory_id: int, at: datetime) -> None:
        """Note that it stopped being true at `at`, with nothing in its place."""
        self._connection.update("semantic", memory_id, {"valid_to": to_column(at), "status": Status.SUPERSEDED})

    def absorb(self, kept: SemanticMemory, again: SemanticMemory) -> None:
        """Let a fact count another that says the same; that one stays, and is held to be true at no time."""
        said = [moment for memory in (kept, again) if (moment := memory.last_seen) is not None]
        with self._connection.transaction():
            last = maybe_to_column(max(said, default=None))
            self._connection.update("semantic", kept.id, {"seen": kept.seen + again.seen, "last_seen": last})
            self.supersede(again.id, kept.id, again.valid_from)

    def of_turn(self, turn_id: int) -> tuple[SemanticMemory, ...]:
        """Return what was learnt from a turn, whatever has become of it."""
        return self._where("turn_id = ? ORDER BY id", turn_id)

    def former(self, successors: Collection[int], turns: Collection[int]) -> tuple[SemanticMemory, ...]:
        """Return what once held: of which one of `successors` took the place, or what was said in one of `turns`."""
        return self._where(
            "status = 'superseded' AND (superseded_by IN (SELECT value FROM json_each(?))"
            " OR turn_id IN (SELECT value FROM json_each(?))) ORDER BY valid_to DESC, id",
            id_list(successors),
            id_list(turns),
        )

    def of_image(self, hash: str) -> tuple[SemanticMemory, ...]:  # noqa: A002 - the field's name in the record
        """Return the active memories a picture belongs to, oldest first."""
        return self._where(
            "id IN (SELECT semantic_id FROM semantic_image WHERE hash = ?) AND status = 'active' ORDER BY id", hash
        )

    def update(
        self,
        memory_id: int,
        content: str | None = None,
        keywords: Sequence[str] | None = None,
        subject: str | None = None,
        event: Window | None = None,
        author: Author | None = None,
    ) -> SemanticMemory:
        """Change what is given, leave the rest, and return the memory."""
        columns: dict[str, Value] = {}
        if content is not None:
            columns |= {"content": content, "folded": _fold(content)}
        if keywords is not None:
            columns["keywords"] = words_to_column(keywords)
        if subject is not None:
            columns["subject"] = subject
        if event is not None:
            columns |= {"event_start": maybe_to_column(event.start), "event_end": maybe_to_column(event.end)}
        if author is not None:
            columns["author"] = author
        if columns:
            self._connection.update("semantic", memory_id, columns)
        return self.get(memory_id)

    def _records(self, rows: Sequence[Columns]) -> tuple[SemanticMemory, ...]:
        if not rows:
            return ()
        links = self._connection.rows(
            "SELECT semantic_id, hash FROM semantic_image"
            " WHERE semantic_id IN (SELECT value FROM json_each(?)) ORDER BY semantic_id, place",
            (id_list(row["id"] for row in rows),),
        )
        images: defaultdict[int, list[str]] = defaultdict(list)
        for link in links:
            images[link["semantic_id"]].append(link["hash"])
        return tuple(parse_row(row, tuple(images.get(row["id"], ()))) for row in rows)


def _held(
    window: Window | None, status: Status | None, as_of: datetime | None
) -> tuple[builtins.list[str], builtins.list[Value]]:
    """Return tests, with their values, for what lies in a window and is held to be true."""
    tests: list[str] = ["true"]
    values: list[Value] = []
    if window is not None:
        start, end = bounds(window)
        tests.append(
            "((valid_from >= ? AND valid_from < ?)"
            " OR (coalesce(event_start, event_end) IS NOT NULL"
            " AND coalesce(event_start, '') < ? AND coalesce(event_end, '~') > ?))"
        )
        # event_end is exclusive: an event that ends when the window starts is outside
        values += [start, end, end, start and start + "]"]
    if as_of is not None:
        tests.append("status IN ('active', 'superseded') AND valid_from < ? AND coalesce(valid_to, '~') >= ?")
        values += [just_after(as_of), just_after(as_of)]
    elif status is not None:
        tests.append("status = ?")
        values.append(status)
    return tests, values


def _fold(content: str) -> str:
    return " ".join(re.findall(r"\w+", content.casefold()))


def _columns(memory: SemanticMemory) -> dict[str, Value]:
    event = memory.event or Window()
    return columns_of(memory, but=("images",)) | {
        "event_start": maybe_to_column(event.start),
        "event_end": maybe_to_column(event.end),
        "folded": _fold(memory.content),
    }


def parse_row(row: Columns, images: tuple[str, ...]) -> SemanticMemory:
    """Return the record of a row."""
    event = Window(maybe_from_column(row["event_start"]), maybe_from_column(row["event_end"]))
    return record_of(SemanticMemory, row, images=images, event=None if event == Window() else event)
