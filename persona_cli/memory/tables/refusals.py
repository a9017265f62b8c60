"""Drafts that a turn did not leave in memory, and which rule refused each."""

from __future__ import annotations

from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Refusal


class Refusals:
    """The table of refused drafts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, turn_id: int, refusal: Refusal) -> None:
        """Note one refused draft of a turn."""
        row = {"content": refusal.content, "rule": refusal.rule, "reason": refusal.reason}
        self._connection.insert("refusal", {"turn_id": turn_id, **row})

    def of_turn(self, turn_id: int) -> tuple[Refusal, ...]:
        """Return the refused drafts of a turn, in the order in which they were proposed."""
        rows = self._connection.rows("SELECT * FROM refusal WHERE turn_id = ? ORDER BY id", (turn_id,))
        return tuple(Refusal(row["content"], row["rule"], row["reason"]) for row in rows)
