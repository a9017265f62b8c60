"""The schema: which steps there are, and bringing a database up to the last of them.

`migrations` is the list of steps, only ever appended to; the tables of the larger ones stand beside it by what they
are for: `search_tables`, `gram_tables`, `journal_tables`, `summary_tables`. Whether a step is wanting is asked here in
plain SQL, because sqlite-utils, which runs the steps, takes 190 ms to import (it imports numpy).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from persona_cli.errors import StorageError

STEPS = (
    "conversation",
    "memories",
    "updates",
    "search",
    "life",
    "summing",
    "looks",
    "windows",
    "captions",
    "changes",
    "embedded",
    "rulings",
    "grams",
    "likenesses",
    "imports",
    "growth",
)
"""The released order: append to it with each new migration, never change it."""


def bring_up_to_date(raw: sqlite3.Connection, place: str, before: Callable[[], object] | None = None) -> int:
    """Bring the schema up to date, all or nothing, and return how many steps that took.

    `before` is called where there are steps to go and something to lose. Raises `StorageError` for a database that a
    newer persona has written.
    """
    steps = wanting(raw, place)
    if not steps:
        return 0
    if before is not None and steps < len(STEPS):
        before()
    from sqlite_utils import Database

    from persona_cli.memory.schema.migrations import migrate

    return migrate(Database(raw, execute_plugins=False))


def wanting(raw: sqlite3.Connection, place: str) -> int:
    """Return how many steps a database has still to go; raises `StorageError` for one of a newer persona."""
    done = _done(raw)
    if done - set(STEPS):
        raise StorageError(
            f"{place} was written by a newer persona.", fix="Upgrade with `pip install --upgrade persona-cli`."
        )
    return len(STEPS) - len(done)


def _done(raw: sqlite3.Connection) -> set[str]:
    if not raw.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
        return set()
    rows = raw.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'persona'")
    return {name for (name,) in rows}
