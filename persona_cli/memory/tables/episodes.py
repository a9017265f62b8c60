"""Episodic memory: the topics of closed sessions, each with its turns, and summaries of old topics."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from persona_cli.memory.tables.columns import Columns, bounds, just_after, to_column
from persona_cli.memory.tables.connection import Value, id_list
from persona_cli.memory.tables.table import Table, columns_of, record_of
from persona_cli.records import EpisodicMemory, Status, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOLD = "SELECT episode_id FROM episode_turn WHERE turn_id IN (SELECT value FROM json_each(?1))"


class Episodes(Table[EpisodicMemory]):
    """The table of episodes."""

    table, noun, record = "episode", "episode", EpisodicMemory

    def add(self, episode: EpisodicMemory) -> EpisodicMemory:
        """Store a new episode and return it with its id; the id it came with does not count."""
        with self._connection.transaction():
            row_id = self._connection.insert("episode", columns_of(episode))
            for place, turn_id in enumerate(episode.turn_ids):
                self._connection.insert("episode_turn", {"episode_id": row_id, "place": place, "turn_id": turn_id})
        return replace(episode, id=row_id)

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
                kept = ("recorded_at", "status", "author", "merged_into", "merged_at")
                self._connection.update("episode", summary.id, columns_of(summary, but=kept))
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

    def _records(self, rows: Sequence[Columns]) -> tuple[EpisodicMemory, ...]:
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
        return tuple(
            parse_row(row, tuple(dict.fromkeys(turns.get(row["id"], ()))), tuple(parts.get(row["id"], ())))
            for row in rows
        )


def _held(every: bool) -> str:
    return "status IN ('active', 'superseded')" if every else "status = 'active'"


def parse_row(row: Columns, turn_ids: tuple[int, ...] = (), parts: tuple[int, ...] = ()) -> EpisodicMemory:
    """Return the record of a row."""
    return record_of(EpisodicMemory, row, turn_ids=turn_ids, parts=parts)
