"""Procedural memory: habits and goals as versions of a key's sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from persona_cli.memory.tables.table import Versions, columns_of
from persona_cli.records import Author, ProceduralMemory


class Habits(Versions[ProceduralMemory]):
    """The table of habits and goals."""

    table, noun, record = "habit", "habit", ProceduralMemory

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
            old = self._first("key = ? AND valid_to IS NULL", key)
            if old is not None and (old.text == text or (author is Author.MODEL and _stands(old, at))):
                return old
            if old is not None:
                self.end(key, at)
            new = ProceduralMemory(0, key, text, at, session_id, author=author)
            return replace(new, id=self._connection.insert("habit", columns_of(new)))


def _stands(habit: ProceduralMemory, at: datetime) -> bool:
    return habit.author is Author.PERSON or habit.recorded_at > at
