"""Episodic memory: the topics of closed sessions, each with its turns, and summaries of old topics."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from persona_cli.memory.tables.columns import (
    Columns,
    bounds,
    from_column,
    just_after,
    maybe_from_column,
    to_column,
    words_from_column,
    words_to_column,
)
from persona_cli.memory.tables.connection import Connection, Value, id_list, missing
from persona_cli.records import Author, EpisodicMemory, Status, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOLD = "SELECT episode_id FROM episode_turn WHERE turn_id IN (SELECT value FROM json_each(?1))"


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
        return self._where("id IN (SELECT value FROM json_each(?)) ORDER BY id", id_list(ids)) if ids else ()

    def of_session(self, session_id: int) -> tuple[EpisodicMemory, ...]:
        """Return the topics of a session, in order."""
        return self._where("session_id = ? ORDER BY started_at, id", session_id)

    def of_turns(self, turn_ids: Collection[int]) -> tuple[EpisodicMemory, ...]:
        """Return the episodes that any of these turns belongs to, and the summaries of those, in order."""
        return self._where(
            f"(id IN ({_TOLD}) OR id IN (SELECT merged_into FROM episode WHERE id IN ({_TOLD})))"  # noqa: S608 - a constant
            " ORDER BY started_at, id",
            id_list(turn_ids),
        )

    def told(self, turn_ids: Collection[int]) -> builtins.list[tuple[int, int]]:
        """Return (id, turn) of what `of_turns` returns, for each of these turns that belongs to it, in any order."""
        return self._connection.tuples(
            "WITH mine AS (SELECT episode_id, turn_id FROM episode_turn"
            " WHERE turn_id IN (SELECT value FROM json_each(?)))"
            " SELECT episode_id, turn_id FROM mine UNION ALL SELECT merged_into, turn_id FROM mine"
            " JOIN episode ON id = episode_id WHERE merged_into IS NOT NULL",
            (id_list(turn_ids),),
        )

    def ids(self, window: Window, most: int, *, every: bool = False) -> NDArray[np.int64]:
        """Return the ids of what `list` returns, in any order, at most so many: (n,)."""
        start, end = bounds(window)
        return self._connection.numbers(
            f"SELECT id AS number FROM episode WHERE {_held(every)} AND started_at < ? AND ended_at >= ? LIMIT ?",  # noqa: S608 - a constant
            (end, start, most),
        )

    def list(
        self, window: Window | None = None, limit: int | None = None, *, every: bool = False
    ) -> tuple[EpisodicMemory, ...]:
        """Return active episodes that overlap a window, newest first; with `every` also those a summary sums up."""
        start, end = bounds(window)
        return self._where(
            f"{_held(every)} AND started_at < ? AND ended_at >= ? ORDER BY started_at DESC, id DESC LIMIT ?",
            end,
            start,
            -1 if limit is None else limit,
        )

    def count_ended(self, since: datetime | None, until: datetime, most: int) -> int:
        """Return how many active episodes began after `since` and until `until`, `most` at most."""
        began = "SELECT 1 FROM episode WHERE started_at > ? AND started_at <= ? AND status = 'active' LIMIT ?"
        start = "" if since is None else just_after(since)
        return self._connection.number(f"SELECT count(*) FROM ({began})", (start, just_after(until), most))  # noqa: S608 - from above

    def merge(self, summary: EpisodicMemory, parts: Sequence[EpisodicMemory], at: datetime) -> EpisodicMemory:
        """Let a summary stand for its parts from `at` on; one that has an id already takes them in as well."""
        with self._connection.transaction():
            if summary.id:
                told: dict[str, Value] = {
                    "session_id": summary.session_id,
                    "summary": summary.summary,
                    "keywords": words_to_column(summary.keywords),
                    "started_at": to_column(summary.started_at),
                    "ended_at": to_column(summary.ended_at),
                }
                self._connection.update("episode", summary.id, told)
            else:
                summary = self.add(replace(summary, turn_ids=()))
            for part in parts:
                merged: dict[str, Value] = {
                    "status": Status.SUPERSEDED,
                    "merged_into": summary.id,
                    "merged_at": to_column(at),
                }
                self._connection.update("episode", part.id, merged)
        return self.get(summary.id)

    def _where(self, tests: str, *values: Value) -> tuple[EpisodicMemory, ...]:
        rows = self._connection.rows(f"SELECT * FROM episode WHERE {tests}", values)  # noqa: S608 - from above
        if not rows:
            return ()
        ids = id_list(row["id"] for row in rows)
        merged = self._connection.rows(
            "SELECT id, merged_into FROM episode"
            " WHERE merged_into IN (SELECT value FROM json_each(?)) ORDER BY started_at, id",
            (ids,),
        )
        # a summary's turns are those of its parts
        homes = {row["id"]: [row["id"]] for row in rows}
        parts: defaultdict[int, list[int]] = defaultdict(list)
        for row in merged:
            homes.setdefault(row["id"], []).append(row["merged_into"])
            parts[row["merged_into"]].append(row["id"])
        turns: defaultdict[int, list[int]] = defaultdict(list)
        for episode_id, turn_id in self._connection.rows(
            "SELECT episode_id, turn_id FROM episode_turn"
            " WHERE episode_id IN (SELECT value FROM json_each(?)) ORDER BY episode_id, place",
            (id_list(homes),),
        ):
            for home in homes[episode_id]:
                turns[home].append(turn_id)
        return tuple(parse_row(row, _once(turns.get(row["id"], ())), tuple(parts.get(row["id"], ()))) for row in rows)


def _held(every: bool) -> str:
    return "status IN ('active', 'superseded')" if every else "status = 'active'"


def _once(turn_ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(turn_ids))


def parse_row(row: Columns, turn_ids: tuple[int, ...] = (), parts: tuple[int, ...] = ()) -> EpisodicMemory:
    """Return the record of a row."""
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
        parts=parts,
        merged_into=row["merged_into"],
        merged_at=maybe_from_column(row["merged_at"]),
    )
