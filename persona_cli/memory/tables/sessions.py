"""Sessions: where one conversation ends and the next begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from sqlite3 import Row

from persona_cli.memory.tables.columns import from_column, instant, just_after, maybe_from_column, to_column
from persona_cli.memory.tables.connection import Connection, missing
from persona_cli.records import Session


class Sessions:
    """The table of sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, at: datetime, gap: timedelta) -> Session | None:
        """Return the open session whose last turn is no further than `gap` from `at`."""
        row = self._connection.row(
            "SELECT * FROM session WHERE closed_at IS NULL AND last_at >= ? AND last_at < ?"
            " ORDER BY last_at DESC, id DESC",
            (instant(at - gap), just_after(at + gap)),
        )
        return None if row is None else _session(row)

    def start(self, at: datetime) -> Session:
        """Open a session whose first turn is at `at`."""
        stored = to_column(at)
        return Session(self._connection.insert("session", {"started_at": stored, "last_at": stored}), at, at)

    def touch(self, session_id: int, at: datetime) -> None:
        """Note a turn: the session lasts at least until `at`."""
        self._connection.write(
            "UPDATE session SET last_at = ? WHERE id = ? AND last_at < ?", (to_column(at), session_id, instant(at))
        )

    def overdue(self, at: datetime, gap: timedelta) -> tuple[Session, ...]:
        """Return the open sessions that ended because more than `gap` has passed, oldest first."""
        rows = self._connection.rows(
            "SELECT * FROM session WHERE closed_at IS NULL AND last_at < ? ORDER BY last_at, id", (instant(at - gap),)
        )
        return tuple(_session(row) for row in rows)

    def close(self, session_id: int, at: datetime) -> None:
        """End a session; one that is closed stays as it is."""
        if self.get(session_id).closed_at is None:
            self._connection.update("session", session_id, {"closed_at": to_column(at)})

    def get(self, session_id: int) -> Session:
        """Return one session; raises `NotFoundError`."""
        row = self._connection.row("SELECT * FROM session WHERE id = ?", (session_id,))
        if row is None:
            raise missing("session", session_id)
        return _session(row)

    def all(self) -> tuple[Session, ...]:
        """Return every session, oldest first."""
        return tuple(_session(row) for row in self._connection.rows("SELECT * FROM session ORDER BY started_at, id"))


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        started_at=from_column(row["started_at"]),
        last_at=from_column(row["last_at"]),
        closed_at=maybe_from_column(row["closed_at"]),
    )
