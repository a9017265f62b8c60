"""Tidyings: when old topics were merged, after which turn, and what no tidying merges by itself again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from persona_cli.memory.tables.columns import from_column, maybe_from_column, maybe_to_column, to_column
from persona_cli.memory.tables.connection import Connection, missing


@dataclass(frozen=True, slots=True)
class Tidy:
    """One tidying; a long one is worked off in several jobs and is one all the same."""

    id: int
    at: datetime
    session_id: int | None
    """The session whose end brought it about; None for one that a person asked for."""
    turn_id: int | None
    """The last turn there was then."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Until where tidying has looked at what there is."""

    until: datetime | None = None
    """The end of the last episode that was old enough; None before the first tidying."""
    episodes: int = 0
    """How many there were to be compared."""
    fact_id: int = 0
    """The last fact that was compared with those before it."""


NOWHERE = Looked()
"""Where nothing has been looked at."""


class Tidies:
    """The table of tidyings, and of episodes that are left apart."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, at: datetime, session_id: int | None = None) -> Tidy:
        """Begin a tidying, or go on with the one the same session has brought about."""
        row = self._connection.row("SELECT * FROM tidy WHERE session_id = ? ORDER BY id DESC LIMIT 1", (session_id,))
        if row is not None:
            return _tidy(row)
        last = self._connection.row("SELECT id FROM turn ORDER BY id DESC LIMIT 1")
        turn_id = None if last is None else last["id"]
        row_id = self._connection.insert("tidy", {"at": to_column(at), "session_id": session_id, "turn_id": turn_id})
        return Tidy(row_id, at, session_id, turn_id)

    def get(self, tidy_id: int) -> Tidy:
        """Return one tidying; raises `NotFoundError`."""
        row = self._connection.row("SELECT * FROM tidy WHERE id = ?", (tidy_id,))
        if row is None:
            raise missing("tidying", tidy_id)
        return _tidy(row)

    def latest(self) -> Tidy | None:
        """Return the last tidying that can be taken back."""
        row = self._connection.row(
            "SELECT * FROM tidy WHERE id IN (SELECT tidy_id FROM journal) ORDER BY id DESC LIMIT 1"
        )
        return None if row is None else _tidy(row)

    def looked(self) -> Looked:
        """Return until where tidying has looked."""
        row = self._connection.row("SELECT * FROM tidied")
        return NOWHERE if row is None else Looked(maybe_from_column(row["until"]), row["episodes"], row["fact_id"])

    def note_looked(self, looked: Looked) -> None:
        """Note until where tidying has looked."""
        self._connection.write(
            "INSERT OR REPLACE INTO tidied VALUES (1, ?, ?, ?)",
            (maybe_to_column(looked.until), looked.episodes, looked.fact_id),
        )

    def apart(self) -> frozenset[int]:
        """Return the episodes that no tidying merges by itself."""
        return frozenset(row["episode_id"] for row in self._connection.rows("SELECT episode_id FROM apart"))

    def set_apart(self, episode_ids: Collection[int], reason: str) -> None:
        """Leave episodes out of every tidying from now on that nobody asks to look at them again."""
        for episode_id in episode_ids:
            self._connection.write(
                "INSERT OR REPLACE INTO apart (episode_id, reason) VALUES (?, ?)", (episode_id, reason)
            )


def _tidy(row: Row) -> Tidy:
    return Tidy(row["id"], from_column(row["at"]), row["session_id"], row["turn_id"])
