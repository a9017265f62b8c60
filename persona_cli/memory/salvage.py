"""Saving what can be read of a damaged database: into a new one, row by row, each checked as an archive's are.

The damaged file is set aside as it is. What is derived, full text and vectors, is made anew.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from persona_cli.errors import StorageError
from persona_cli.memory.backup import Backup, Backups
from persona_cli.memory.tables.recovering import Row, readable_rows, recover
from persona_cli.memory.tables.steps import references


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of it."""

    kept: int
    """Rows that could be read and are sound."""
    lost: int
    """Rows that were seen but were not."""
    messages: int
    aside: Path
    """The folder with the damaged database as it was."""
    backup: Backup | None
    """The backup that was put in its place, because nothing could be read."""


def salvage(database: Path, now: datetime) -> Salvaged:
    """Put a new database with all that can be read in the place of a damaged one; raises `StorageError`."""
    from persona_cli.memory.store import open_store

    backups = Backups(database)
    with backups.unfinished() as place:
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".persona-salvage-") as folder:
            # a copy: opening even for reading writes beside a database that has a log
            damaged = Path(folder) / database.name
            for end in ("", "-wal"):
                part = database.with_name(database.name + end)
                if part.exists():
                    shutil.copyfile(part, damaged.with_name(damaged.name + end))
            recovered = Path(folder) / "recovered.db"
            source = recovered if recover(damaged, recovered) else damaged
            store = open_store(place)
            try:
                kept, lost = store.load(source, _is_sound)
                messages = store.turns.count()
            finally:
                store.close()
        aside = backups.set_aside(now)
        newest = next((backup for backup in backups.all() if backup.messages > 0), None)
        if not messages and newest is not None:
            backups.put_back(newest.path, now)
            return Salvaged(0, lost, newest.messages, aside, newest)
        place.replace(database)
    return Salvaged(kept, lost, messages, aside, None)


def unreadable(database: Path) -> str:
    """Return what is wrong with a value in a database whose pages are whole; "" where every row can be read."""
    from persona_cli.memory.store import open_snapshot

    try:
        with closing(open_snapshot(database)) as store:
            for read in (
                store.turns.all, store.core.history, store.habits.history, store.readings.all, store.images.all,
                store.jobs.failed, store.sessions.all, partial(store.semantic.list, None),
                partial(store.episodes.list, every=True),
            ):  # fmt: skip
                deque(read(), maxlen=0)
        for row in readable_rows(database, "turn"):
            references(str(row.get("steps") or "[]"))
    except StorageError as exc:
        return exc.message
    return ""


def _is_sound(table: str, row: Row) -> bool:
    from pydantic import ValidationError

    from persona_cli.memory.archive.row_schemas import ROWS

    try:
        ROWS[table].model_validate(dict(row))
    except ValidationError:
        return False
    return True
