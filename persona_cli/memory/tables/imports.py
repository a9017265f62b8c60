"""Which messages of other programs were taken in, by a hash of where they came from: importing twice adds nothing.

A message that was forgotten since keeps its key, without a turn, so that the next import does not bring it back.
"""

from __future__ import annotations

from typing import NamedTuple

from persona_cli.memory.tables.connection import Connection


class Imported(NamedTuple):
    """A message that was taken in before."""

    turn_id: int | None
    """None where its turn was forgotten since, or where it became a memory without one."""


class Imports:
    """The table of imported messages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: bytes, turn_id: int | None = None) -> None:
        """Note that a message became a turn, or a memory that belongs to none."""
        self._connection.write("INSERT OR IGNORE INTO imported (key, turn_id) VALUES (?, ?)", (key, turn_id))

    def find(self, key: bytes) -> Imported | None:
        """Return what became of a message; None for one that was never taken in."""
        row = self._connection.row("SELECT turn_id FROM imported WHERE key = ?", (key,))
        return None if row is None else Imported(row["turn_id"])

    def has_key(self, turn_id: int) -> bool:
        """Tell whether a turn stands for a message that has a key."""
        return bool(self._connection.number("SELECT EXISTS (SELECT 1 FROM imported WHERE turn_id = ?)", (turn_id,)))
