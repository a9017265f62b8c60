"""Where one conversation ends: a session is over when no turn came for longer than the gap."""

from __future__ import annotations

from datetime import datetime, timedelta

from persona_cli.agent.update import AFTER_SESSION
from persona_cli.memory.store import Store
from persona_cli.records import Session

BETWEEN_TIDYINGS = timedelta(days=1)


def close_sessions(store: Store, now: datetime, gap: timedelta) -> int:
    """Close every open session whose gap has passed and queue its jobs; returns how many were closed."""
    with store.transaction():
        over = store.sessions.overdue(now, gap)
        for session in over:
            close_session(store, session)
        return len(over)


def close_session(store: Store, session: Session) -> None:
    """Close a session at its last turn and queue what follows the end of one, once a day a tidying as well."""
    with store.transaction():
        store.sessions.close(session.id, session.last_at)
        for task in AFTER_SESSION:
            store.jobs.add(task, session_id=session.id)
        store.jobs.add_tidy(session, BETWEEN_TIDYINGS)


def session_at(store: Store, at: datetime, gap: timedelta) -> Session:
    """Return the session a turn at `at` belongs to: the one under way, or a new one."""
    with store.transaction():
        close_sessions(store, at, gap)
        session = store.sessions.current(at, gap) or store.sessions.start(at)
        store.sessions.touch(session.id, at)
        return session
