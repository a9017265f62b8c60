"""What ranking has to know of facts and topics: a line each, without the words and links that only the best need.

A question has some two hundred candidates and shows ten. A line costs a sixth of the whole memory, and its times
stay as their columns have them until somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from persona_cli.memory.tables.columns import from_column, maybe_from_column, seconds
from persona_cli.memory.tables.connection import Connection, id_list
from persona_cli.memory.tables.uses import Use
from persona_cli.records import Window


class FactLine(NamedTuple):
    """A semantic memory as ranking sees it; the names without `stored_` are those of the memory."""

    id: int
    subject: str
    slot: str
    seen: int
    turn_id: int | None
    status: str
    author: str
    pictured: int
    """How many pictures belong to it."""
    stored_from: str
    stored_to: str | None
    stored_seen: str | None
    stored_start: str | None
    stored_end: str | None
    uses: int | None
    stored_use: str | None

    @property
    def valid_from(self) -> datetime:
        """From when on it held."""
        return from_column(self.stored_from)

    @property
    def valid_to(self) -> datetime | None:
        """Until when it held."""
        return maybe_from_column(self.stored_to)

    @property
    def last_said(self) -> float:
        """When it was last said, in seconds since 1970."""
        return seconds(self.stored_seen or self.stored_from)

    @property
    def over(self) -> float | None:
        """When what it tells of is over, in seconds since 1970."""
        return None if self.stored_end is None else seconds(self.stored_end)

    @property
    def event(self) -> Window | None:
        """When what it tells of happened."""
        if self.stored_start is None and self.stored_end is None:
            return None
        return Window(maybe_from_column(self.stored_start), maybe_from_column(self.stored_end))

    @property
    def use(self) -> Use | None:
        """How often answers made use of it."""
        return _use(self.uses, self.stored_use)


class TopicLine(NamedTuple):
    """An episode as ranking sees it; the names without `stored_` are those of the memory."""

    id: int
    status: str
    author: str
    parted: int
    """1 for a summary, which has parts."""
    turns: int
    """How many turns it has, a summary those of its parts."""
    stored_start: str
    stored_end: str
    stored_at: str
    stored_merged: str | None
    uses: int | None
    stored_use: str | None

    @property
    def started_at(self) -> datetime:
        """When its first turn was."""
        return from_column(self.stored_start)

    @property
    def ended_at(self) -> datetime:
        """When its last turn was."""
        return from_column(self.stored_end)

    @property
    def last_said(self) -> float:
        """When its last turn was, in seconds since 1970."""
        return seconds(self.stored_end)

    @property
    def recorded_at(self) -> datetime:
        """When it was stored."""
        return from_column(self.stored_at)

    @property
    def merged_at(self) -> datetime | None:
        """Since when a summary stands for it."""
        return maybe_from_column(self.stored_merged)

    @property
    def use(self) -> Use | None:
        """How often answers made use of it."""
        return _use(self.uses, self.stored_use)


class Lines:
    """Reads lines of memories."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def facts(self, ids: Collection[int]) -> list[FactLine]:
        """Return the semantic memories among `ids` that exist, by id."""
        rows = self._connection.tuples(
            "SELECT one.id, subject, slot, seen, turn_id, status, author,"
            " (SELECT count(*) FROM semantic_image WHERE semantic_id = one.id),"
            " valid_from, valid_to, last_seen, event_start, event_end, used.count, used.last_at"
            " FROM semantic AS one LEFT JOIN used ON used.kind = 'semantic' AND used.memory_id = one.id"
            " WHERE one.id IN (SELECT value FROM json_each(?)) ORDER BY one.id",
            (id_list(ids),),
        )
        return list(map(FactLine._make, rows))

    def topics(self, ids: Collection[int]) -> list[TopicLine]:
        """Return the episodes among `ids` that exist, by id."""
        rows = self._connection.tuples(
            "SELECT one.id, status, author, EXISTS (SELECT 1 FROM episode WHERE merged_into = one.id) AS parted,"
            " CASE WHEN EXISTS (SELECT 1 FROM episode WHERE merged_into = one.id) THEN"
            "  (SELECT count(DISTINCT turn_id) FROM episode_turn WHERE episode_id = one.id"
            "   OR episode_id IN (SELECT id FROM episode WHERE merged_into = one.id))"
            "  ELSE (SELECT count(*) FROM episode_turn WHERE episode_id = one.id) END,"
            " started_at, ended_at, recorded_at, merged_at, used.count, used.last_at"
            " FROM episode AS one LEFT JOIN used ON used.kind = 'episodic' AND used.memory_id = one.id"
            " WHERE one.id IN (SELECT value FROM json_each(?)) ORDER BY one.id",
            (id_list(ids),),
        )
        return list(map(TopicLine._make, rows))


def _use(count: int | None, last_at: str | None) -> Use | None:
    return None if count is None or last_at is None else Use(count, from_column(last_at))
