"""Sessions: where one conversation ends and the next begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from persona_cli.memory.tables.columns import instant, just_after, to_column
from persona_cli.memory.tables.table import Table, columns_of
from persona_cli.records import Session


class Sessions(Table[Session]):
    """The table of sessions."""

    table, noun, record = "session", "session", Session

    def current(self, at: datetime, gap: timedelta) -> Session | None:
        """Return the open session whose last turn is no further than `gap` from `at`."""
        return self._first(
            "closed_at IS NULL AND last_at >= ? AND last_at < ? ORDER BY last_at DESC, id DESC",
            instant(at - gap),
            just_after(at + gap),
        )

    def start(self, at: datetime) -> Session:
        """Open a session whose first turn is at `at`."""
        return replace(session := Session(0, at, at), id=self._connection.insert("session", columns_of(session)))

    def touch(self, session_id: int, at: datetime) -> None:
        """Note a turn: the session lasts at least until `at`."""
        self._connection.write(
            "UPDATE session SET last_at = ? WHERE id = ? AND last_at < ?", (to_column(at), session_id, instant(at))
        )

    def overdue(self, at: datetime, gap: timedelta) -> tuple[Session, ...]:
        """Return the open sessions that ended because more than `gap` has passed, oldest first."""
        return self._where("closed_at IS NULL AND last_at < ? ORDER BY last_at, id", instant(at - gap))

    def close(self, session_id: int, at: datetime) -> None:
        """End a session; one that is closed stays as it is."""
        if self.get(session_id).closed_at is None:
            self._connection.update("session", session_id, {"closed_at": to_column(at)})

    def all(self) -> tuple[Session, ...]:
        """Return every session, oldest first."""
        return self._where("true ORDER BY started_at, id")
