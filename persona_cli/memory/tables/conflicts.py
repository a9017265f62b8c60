"""Contradictions that cannot be ordered: two active memories of which at most one holds, until a person says which.

Beside them stand doubts: a later memory that may have ended an earlier one. Who keeps the earlier one then keeps both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from persona_cli.memory.tables.columns import from_column, to_column
from persona_cli.memory.tables.connection import Connection, Value, id_list
from persona_cli.memory.tables.semantic import Semantics
from persona_cli.records import Author, SemanticMemory

AT_ONCE = timedelta(hours=12)
"""Within which two sayings are of one time; later ones may tell of a change."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two memories that contradict each other, the one known first before the other."""

    one: SemanticMemory
    other: SemanticMemory
    at: datetime
    """When it was noticed."""

    @property
    def doubt(self) -> bool:
        """Tell whether it is only asked if the earlier one still holds: both are a model's, and said apart."""
        models = {self.one.author, self.other.author} == {Author.MODEL}
        return models and abs(self.other.valid_from - self.one.valid_from) > AT_ONCE

    @property
    def earlier(self) -> SemanticMemory:
        """Return the side that was said first."""
        return min(self.one, self.other, key=lambda side: (side.valid_from, side.id))

    @property
    def later(self) -> SemanticMemory:
        """Return the side that was said last."""
        return self.one if self.earlier is self.other else self.other


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of those that a memory was kept against."""

    beaten: tuple[SemanticMemory, ...]
    """What it has superseded."""
    beside: tuple[SemanticMemory, ...] = ()
    """What holds beside it."""


class Conflicts:
    """The table of contradictions; one is over as soon as a side of it no longer holds."""

    def __init__(self, connection: Connection, memories: Semantics) -> None:
        self._connection = connection
        self._memories = memories

    def add(self, one_id: int, other_id: int, at: datetime) -> None:
        """Note that two memories contradict each other."""
        self._connection.write(
            "INSERT OR IGNORE INTO conflict (one_id, other_id, at) VALUES (?, ?, ?)",
            (min(one_id, other_id), max(one_id, other_id), to_column(at)),
        )

    def open(self) -> tuple[Conflict, ...]:
        """Return the contradictions nobody has settled, oldest first."""
        return self._where("true")

    def of(self, memory_ids: Collection[int]) -> tuple[Conflict, ...]:
        """Return those of them that have one of some memories for a side, oldest first."""
        ids = id_list(memory_ids)
        sides = "SELECT value FROM json_each(?)"
        return self._where(f"(one_id IN ({sides}) OR other_id IN ({sides}))", ids, ids)

    def doubts(self, memory_ids: Collection[int]) -> dict[int, SemanticMemory]:
        """Return by its id each of some memories of which it is asked whether it still holds, with the later one."""
        asked = (conflict for conflict in self.of(memory_ids) if conflict.doubt)
        return {conflict.earlier.id: conflict.later for conflict in asked}

    def _where(self, test: str, *values: Value) -> tuple[Conflict, ...]:
        rows = self._connection.rows(
            "SELECT conflict.* FROM conflict JOIN semantic AS one ON one.id = one_id"  # noqa: S608 - from above
            " JOIN semantic AS other ON other.id = other_id"
            f" WHERE one.status = 'active' AND other.status = 'active' AND {test} ORDER BY conflict.id",
            values,
        )
        ids = {row[name] for row in rows for name in ("one_id", "other_id")}
        sides = {memory.id: memory for memory in self._memories.many(ids)}
        return tuple(Conflict(sides[row["one_id"]], sides[row["other_id"]], from_column(row["at"])) for row in rows)

    def settle(self, kept_id: int, at: datetime) -> Settled:
        """Let `kept_id` hold against all that contradicts it, and beside what was only thought to have ended it."""
        with self._connection.transaction():
            asked = self.of([kept_id])
            beside = [conflict.later for conflict in asked if conflict.doubt and conflict.earlier.id == kept_id]
            beaten = [
                side
                for conflict in asked
                for side in (conflict.one, conflict.other)
                if side.id != kept_id and side not in beside
            ]
            for memory in beaten:
                self._memories.supersede(memory.id, kept_id, at)
            for memory in beside:
                self.drop(kept_id, memory.id)
        return Settled(tuple(self._memories.many([memory.id for memory in beaten])), tuple(beside))

    def drop(self, one_id: int, other_id: int) -> None:
        """Forget that two memories were thought to contradict each other: both hold."""
        self._connection.write(
            "DELETE FROM conflict WHERE one_id = ? AND other_id = ?", (min(one_id, other_id), max(one_id, other_id))
        )
