"""Where the same words stand: every memory and message that holds all of some words."""

from __future__ import annotations

from collections.abc import Sequence

from persona_cli.memory.tables.changes import KINDS
from persona_cli.memory.tables.connection import Connection
from persona_cli.memory.tables.grams import phrase, runs_together
from persona_cli.records import Ref


class Repeats:
    """The full-text table, asked for all words at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def saying(self, words: Sequence[str], most: int) -> tuple[Ref, ...]:
        """Return what holds each of the words in any of its forms, the newest of a kind first, `most` at most."""
        # a text that has pairs of letters has its other words there, too
        table = "gram" if any(map(runs_together, words)) else "text"
        query = " AND ".join(map(phrase, words))
        rows = self._connection.rows(
            f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT ?",  # noqa: S608 - constants
            (query, most),
        )
        return tuple(Ref(KINDS[row[0] % 8], row[0] // 8) for row in rows)
