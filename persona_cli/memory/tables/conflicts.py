"""Contradictions that cannot be ordered: two active memories of which at most one holds, until a person says which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from persona_cli.memory.tables.columns import from_column, to_column
from persona_cli.memory.tables.connection import Connection
from persona_cli.memory.tables.semantic import Semantics
from persona_cli.records import SemanticMemory


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two memories that contradict each other, the one known first before the other."""

    one: SemanticMemory
    other: SemanticMemory
    at: datetime
    """When it was noticed."""


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
        rows = self._connection.rows(
            "SELECT conflict.* FROM conflict JOIN semantic AS one ON one.id = one_id"
            " JOIN semantic AS other ON other.id = other_id"
            " WHERE one.status = 'active' AND other.status = 'active' ORDER BY conflict.id"
        )
        ids = {row[name] for row in rows for name in ("one_id", "other_id")}
        sides = {memory.id: memory for memory in self._memories.many(ids)}
        return tuple(Conflict(sides[row["one_id"]], sides[row["other_id"]], from_column(row["at"])) for row in rows)

    def settle(self, kept_id: int, at: datetime) -> tuple[SemanticMemory, ...]:
        """Let `kept_id` hold against all that contradicts it; return what it has superseded."""
        with self._connection.transaction():
            beaten = [
                conflict.other if conflict.one.id == kept_id else conflict.one
                for conflict in self.open()
                if kept_id in (conflict.one.id, conflict.other.id)
            ]
            for memory in beaten:
                self._memories.supersede(memory.id, kept_id, at)
        return tuple(self._memories.many([memory.id for memory in beaten]))
