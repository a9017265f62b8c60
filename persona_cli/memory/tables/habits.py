"""Procedural memory: habits and goals as versions of a key's sentence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from persona_cli.memory.tables.columns import Columns, from_column, maybe_from_column, to_column
from persona_cli.memory.tables.connection import Connection, id_list, missing
from persona_cli.records import Author, ProceduralMemory, Status


class Habits:
    """The table of habits and goals; keys are the same in any case."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self) -> tuple[ProceduralMemory, ...]:
        """Return the habits and goals that hold now, in the order they were learnt."""
        return self._where("valid_to IS NULL AND status = 'active' ORDER BY id")

    def put(
        self,
        key: str,
        text: str,
        at: datetime,
        session_id: int | None = None,
        author: Author = Author.MODEL,
    ) -> ProceduralMemory:
        """Give a key a new sentence and return the habit that holds from now on.

        The sentence it has already is no change; what a person wrote is not overwritten by a model, nor is what was
        learnt later: the end of an old session may be read again.
        """
        with self._connection.transaction():
            old = next(iter(self._where("key = ? AND valid_to IS NULL", key)), None)
            if old is not None and (old.text == text or (author is Author.MODEL and _stands(old, at))):
                return old
            if old is not None:
                self.end(key, at)
            row_id = self._connection.insert(
                "habit",
                {
                    "key": key,
                    "text": text,
                    "recorded_at": to_column(at),
                    "session_id": session_id,
                    "author": author,
                    "status": Status.ACTIVE,
                },
            )
        return ProceduralMemory(row_id, key, text, at, session_id, author=author)

    def end(self, key: str, at: datetime) -> None:
        """Let a habit hold no more from `at` on; its history stays."""
        self._connection.write(
            "UPDATE habit SET valid_to = ?, status = 'superseded' WHERE key = ? AND valid_to IS NULL",
            (to_column(at), key),
        )

    def history(self, key: str | None = None) -> tuple[ProceduralMemory, ...]:
        """Return every version, of one key or of all, oldest first."""
        return self._where("?1 IS NULL OR key = ?1 ORDER BY id", key)

    def many(self, ids: Collection[int]) -> tuple[ProceduralMemory, ...]:
        """Return the versions among `ids` that exist, by id."""
        return self._where("id IN (SELECT value FROM json_each(?)) ORDER BY id", id_list(ids))

    def get(self, habit_id: int) -> ProceduralMemory:
        """Return one version; raises `NotFoundError`."""
        found = self._where("id = ?", habit_id)
        if not found:
            raise missing("habit", habit_id)
        return found[0]

    def _where(self, tests: str, *values: str | int | None) -> tuple[ProceduralMemory, ...]:
        rows = self._connection.rows(f"SELECT * FROM habit WHERE {tests}", values)  # noqa: S608 - from above
        return tuple(parse_row(row) for row in rows)


def _stands(habit: ProceduralMemory, at: datetime) -> bool:
    return habit.author is Author.PERSON or habit.recorded_at > at


def parse_row(row: Columns) -> ProceduralMemory:
    """Return the record of a row."""
    return ProceduralMemory(
        id=row["id"],
        key=row["key"],
        text=row["text"],
        recorded_at=from_column(row["recorded_at"]),
        session_id=row["session_id"],
        valid_to=maybe_from_column(row["valid_to"]),
        status=Status(row["status"]),
        author=Author(row["author"]),
    )
