"""Core memory: the user's profile as versions of keys and values."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from persona_cli.memory.tables.columns import Columns, from_column, maybe_from_column, to_column
from persona_cli.memory.tables.connection import Connection, id_list, missing
from persona_cli.records import Aspect, Author, CoreEntry, CoreMemory, Status


class Core:
    """The table of core memory; keys are the same in any case."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self) -> CoreMemory:
        """Return the current entry of every key, in the order the keys were first learnt."""
        rows = self._connection.rows(
            "SELECT * FROM core WHERE valid_to IS NULL AND status = 'active'"
            " ORDER BY (SELECT min(id) FROM core AS first WHERE first.key = core.key)"
        )
        return CoreMemory(tuple(parse_row(row) for row in rows))

    def put(
        self,
        key: str,
        value: str,
        aspect: Aspect,
        at: datetime,
        turn_id: int | None = None,
        author: Author = Author.MODEL,
    ) -> CoreEntry:
        """Give a key a new value and return the entry that holds from now on.

        The value it has already is no change; what a person wrote is not overwritten by a model.
        """
        with self._connection.transaction():
            row = self._connection.row("SELECT * FROM core WHERE key = ? AND valid_to IS NULL", (key,))
            old = None if row is None else parse_row(row)
            if old is not None and (_unchanged(old, value, aspect) or _guarded(old.author, author)):
                return old
            if old is not None:
                self.end(old.key, at)
            row_id = self._connection.insert(
                "core",
                {
                    "key": key,
                    "value": value,
                    "aspect": aspect,
                    "recorded_at": to_column(at),
                    "turn_id": turn_id,
                    "author": author,
                    "status": Status.ACTIVE,
                },
            )
        return CoreEntry(row_id, key, value, aspect, at, turn_id, author)

    def end(self, key: str, at: datetime) -> None:
        """Let a key have no value from `at` on; its history stays."""
        self._connection.write(
            "UPDATE core SET valid_to = ?, status = 'superseded' WHERE key = ? AND valid_to IS NULL",
            (to_column(at), key),
        )

    def history(self, key: str | None = None) -> tuple[CoreEntry, ...]:
        """Return every version, of one key or of all, oldest first."""
        rows = self._connection.rows("SELECT * FROM core WHERE ?1 IS NULL OR key = ?1 ORDER BY id", (key,))
        return tuple(parse_row(row) for row in rows)

    def many(self, ids: Collection[int]) -> tuple[CoreEntry, ...]:
        """Return the versions among `ids` that exist, by id."""
        rows = self._connection.rows(
            "SELECT * FROM core WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (id_list(ids),)
        )
        return tuple(parse_row(row) for row in rows)

    def get(self, entry_id: int) -> CoreEntry:
        """Return one version; raises `NotFoundError`."""
        row = self._connection.row("SELECT * FROM core WHERE id = ?", (entry_id,))
        if row is None:
            raise missing("core memory", entry_id)
        return parse_row(row)


def _unchanged(old: CoreEntry, value: str, aspect: Aspect) -> bool:
    return (old.value, old.aspect) == (value, aspect)


def _guarded(old: Author, new: Author) -> bool:
    return old is Author.PERSON and new is Author.MODEL


def parse_row(row: Columns) -> CoreEntry:
    """Return the record of a row."""
    return CoreEntry(
        id=row["id"],
        key=row["key"],
        value=row["value"],
        aspect=Aspect(row["aspect"]),
        recorded_at=from_column(row["recorded_at"]),
        turn_id=row["turn_id"],
        author=Author(row["author"]),
        valid_to=maybe_from_column(row["valid_to"]),
        status=Status(row["status"]),
    )
