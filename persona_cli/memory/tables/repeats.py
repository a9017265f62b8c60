"""Where the same words stand: every memory and message that holds all of some words."""

from __future__ import annotations

from collections.abc import Sequence

from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Kind, Ref


class Repeats:
    """The full-text table, asked for all words at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def saying(self, words: Sequence[str], most: int) -> tuple[Ref, ...]:
        """Return what holds each of the words in any of its forms, the newest of a kind first, `most` at most."""
        # quoted, nothing in a word is an operator
        query = " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
        rows = self._connection.rows(
            "SELECT rowid / 8 AS id, kind FROM text WHERE text MATCH ? ORDER BY rowid DESC LIMIT ?", (query, most)
        )
        return tuple(Ref(Kind(row["kind"]), row["id"]) for row in rows)
