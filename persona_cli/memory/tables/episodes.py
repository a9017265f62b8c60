"""Episodic memory: the topics of closed sessions, each with its turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from sqlite3 import Row

from persona_cli.memory.tables.columns import bounds, from_column, to_column, words_from_column, words_to_column
from persona_cli.memory.tables.connection import Connection, Value, id_list, missing
from persona_cli.records import Author, EpisodicMemory, Status, Window


class Episodes:
    """The table of episodes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, episode: EpisodicMemory) -> EpisodicMemory:
        """Store a new episode and return it with its id; the id it came with does not count."""
        with self._connection.transaction():
            row_id = self._connection.insert(
                "episode",
                {
                    "session_id": episode.session_id,
                    "summary": episode.summary,
                    "keywords": words_to_column(episode.keywords),
                    "started_at": to_column(episode.started_at),
                    "ended_at": to_column(episode.ended_at),
                    "recorded_at": to_column(episode.recorded_at),
                    "status": episode.status,
                    "author": episode.author,
                },
            )
            for place, turn_id in enumerate(episode.turn_ids):
                self._connection.insert("episode_turn", {"episode_id": row_id, "place": place, "turn_id": turn_id})
        return replace(episode, id=row_id)

    def get(self, episode_id: int) -> EpisodicMemory:
        """Return one episode; raises `NotFoundError`."""
        found = self.many([episode_id])
        if not found:
            raise missing("episode", episode_id)
        return found[0]

    def many(self, ids: Collection[int]) -> tuple[EpisodicMemory, ...]:
        """Return the episodes among `ids` that exist, by id."""
        return self._where("id IN (SELECT value FROM json_each(?)) ORDER BY id", id_list(ids))

    def of_session(self, session_id: int) -> tuple[EpisodicMemory, ...]:
        """Return the topics of a session, in order."""
        return self._where("session_id = ? ORDER BY started_at, id", session_id)

    def of_turns(self, turn_ids: Collection[int]) -> tuple[EpisodicMemory, ...]:
        """Return the episodes that any of these turns belongs to, in order."""
        return self._where(
            "id IN (SELECT episode_id FROM episode_turn WHERE turn_id IN (SELECT value FROM json_each(?)))"
            " ORDER BY started_at, id",
            id_list(turn_ids),
        )

    def list(self, window: Window | None = None, limit: int | None = None) -> tuple[EpisodicMemory, ...]:
        """Return active episodes that overlap a window, newest first."""
        start, end = bounds(window)
        return self._where(
            "status = 'active' AND started_at < ? AND ended_at >= ? ORDER BY started_at DESC, id DESC LIMIT ?",
            end,
            start,
            -1 if limit is None else limit,
        )

    def _where(self, tests: str, *values: Value) -> tuple[EpisodicMemory, ...]:
        rows = self._connection.rows(f"SELECT * FROM episode WHERE {tests}", values)  # noqa: S608 - from above
        links = self._connection.rows(
            "SELECT episode_id, turn_id FROM episode_turn"
            " WHERE episode_id IN (SELECT value FROM json_each(?)) ORDER BY episode_id, place",
            (id_list(row["id"] for row in rows),),
        )
        turns: defaultdict[int, list[int]] = defaultdict(list)
        for link in links:
            turns[link["episode_id"]].append(link["turn_id"])
        return tuple(_episode(row, tuple(turns.get(row["id"], ()))) for row in rows)


def _episode(row: Row, turn_ids: tuple[int, ...]) -> EpisodicMemory:
    return EpisodicMemory(
        id=row["id"],
        session_id=row["session_id"],
        summary=row["summary"],
        keywords=words_from_column(row["keywords"]),
        turn_ids=turn_ids,
        started_at=from_column(row["started_at"]),
        ended_at=from_column(row["ended_at"]),
        recorded_at=from_column(row["recorded_at"]),
        status=Status(row["status"]),
        author=Author(row["author"]),
    )
