"""Core memory: the user's profile as versions of keys and values."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from persona_cli.memory.tables.table import Versions, columns_of
from persona_cli.records import Aspect, Author, CoreEntry, CoreMemory


class Core(Versions[CoreEntry]):
    """The table of core memory."""

    table, noun, record = "core", "core memory", CoreEntry

    def current(self) -> CoreMemory:
        """Return the current entry of every key, in the order the keys were first learnt."""
        return CoreMemory(
            self._where(
                "valid_to IS NULL AND status = 'active'"
                " ORDER BY (SELECT min(id) FROM core AS first WHERE first.key = core.key)"
            )
        )

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
            old = self._first("key = ? AND valid_to IS NULL", key)
            if old is not None and (_unchanged(old, value, aspect) or _guarded(old.author, author)):
                return old
            if old is not None:
                self.end(old.key, at)
            new = CoreEntry(0, key, value, aspect, at, turn_id, author)
            return replace(new, id=self._connection.insert("core", columns_of(new)))


def _unchanged(old: CoreEntry, value: str, aspect: Aspect) -> bool:
    return (old.value, old.aspect) == (value, aspect)


def _guarded(old: Author, new: Author) -> bool:
    return old is Author.PERSON and new is Author.MODEL
