"""Tidyings: when old topics were merged, after which turn, and what no tidying merges by itself again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from persona_cli.memory.tables.columns import maybe_from_column, maybe_to_column
from persona_cli.memory.tables.table import Table, columns_of


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


class Tidies(Table[Tidy]):
    """The table of tidyings, and of episodes that are left apart."""

    table, noun, record = "tidy", "tidying", Tidy

    def begin(self, at: datetime, session_id: int | None = None) -> Tidy:
        """Begin a tidying, or go on with the one the same session has brought about."""
        begun = self._first("session_id = ? ORDER BY id DESC", session_id)
        if begun is None:
            last = self._connection.row("SELECT id FROM turn ORDER BY id DESC LIMIT 1")
            begun = Tidy(0, at, session_id, None if last is None else last["id"])
            begun = replace(begun, id=self._connection.insert("tidy", columns_of(begun)))
        return begun

    def latest(self) -> Tidy | None:
        """Return the last tidying that can be taken back."""
        return self._first("id IN (SELECT tidy_id FROM journal) ORDER BY id DESC")

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
