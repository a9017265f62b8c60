"""Readings of the user's personality, each with the turn that is its evidence."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Row

from persona_cli.memory.tables.columns import from_column, to_column, traits_from_column, traits_to_column
from persona_cli.memory.tables.connection import Connection
from persona_cli.personality import Traits, blend
from persona_cli.records import Reading


class Readings:
    """The table of readings; the last one's `after` is how the user is seen now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, turn_id: int, at: datetime, inferred: Traits, momentum: float, before: Traits, after: Traits
    ) -> Reading:
        """Store one reading with the vector before and after it."""
        row_id = self._connection.insert(
            "reading",
            {
                "turn_id": turn_id,
                "at": to_column(at),
                "inferred": traits_to_column(inferred),
                "momentum": momentum,
                "before": traits_to_column(before),
                "after": traits_to_column(after),
            },
        )
        return Reading(row_id, turn_id, at, inferred, momentum, before, after)

    def latest(self) -> Traits:
        """Return the vector after the last reading; neutral before the first."""
        row = self._connection.row("SELECT after FROM reading ORDER BY id DESC LIMIT 1")
        return Traits() if row is None else traits_from_column(row["after"])

    def all(self) -> tuple[Reading, ...]:
        """Return every reading, oldest first."""
        return tuple(_reading(row) for row in self._connection.rows("SELECT * FROM reading ORDER BY id"))

    def of_turn(self, turn_id: int) -> tuple[Reading, ...]:
        """Return the readings a turn has caused."""
        rows = self._connection.rows("SELECT * FROM reading WHERE turn_id = ? ORDER BY id", (turn_id,))
        return tuple(_reading(row) for row in rows)

    def replay(self, after_id: int) -> None:
        """Work out the vectors again from reading `after_id` on, after one of them was deleted."""
        row = self._connection.row("SELECT after FROM reading WHERE id < ? ORDER BY id DESC LIMIT 1", (after_id,))
        vector = Traits() if row is None else traits_from_column(row["after"])
        for reading in self.all():
            if reading.id < after_id:
                continue
            moved = blend(vector, reading.inferred, reading.momentum)
            self._connection.update(
                "reading", reading.id, {"before": traits_to_column(vector), "after": traits_to_column(moved)}
            )
            vector = moved


def _reading(row: Row) -> Reading:
    return Reading(
        id=row["id"],
        turn_id=row["turn_id"],
        at=from_column(row["at"]),
        inferred=traits_from_column(row["inferred"]),
        momentum=row["momentum"],
        before=traits_from_column(row["before"]),
        after=traits_from_column(row["after"]),
    )
