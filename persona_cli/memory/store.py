"""The store: SQLite, the truth. One attribute per noun; the SQL is in `tables`, the schema in `migrations`.

Two threads may share one `Store`; other processes may have the same file open. What a caller writes inside
`transaction()` is stored as one change.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from persona_cli.errors import StorageError
from persona_cli.memory.schema import bring_up_to_date
from persona_cli.memory.snapshot import read_snapshot
from persona_cli.memory.tables.conflicts import Conflicts
from persona_cli.memory.tables.connection import Connection, explain
from persona_cli.memory.tables.copying import says
from persona_cli.memory.tables.core import Core
from persona_cli.memory.tables.episodes import Episodes
from persona_cli.memory.tables.forget import Foreseen, Forgetting, Receipt
from persona_cli.memory.tables.habits import Habits
from persona_cli.memory.tables.images import Images
from persona_cli.memory.tables.imports import Imports
from persona_cli.memory.tables.jobs import Jobs
from persona_cli.memory.tables.journal import Journal
from persona_cli.memory.tables.lines import Lines
from persona_cli.memory.tables.looks import Looks
from persona_cli.memory.tables.quarantine import Quarantine
from persona_cli.memory.tables.readings import Readings
from persona_cli.memory.tables.recovering import load, rebuild_texts
from persona_cli.memory.tables.refusals import Refusals
from persona_cli.memory.tables.rows import Rows
from persona_cli.memory.tables.semantic import Semantics
from persona_cli.memory.tables.sessions import Sessions
from persona_cli.memory.tables.table import Table
from persona_cli.memory.tables.texts import Texts
from persona_cli.memory.tables.tidies import Tidies
from persona_cli.memory.tables.turns import Turns
from persona_cli.memory.tables.uses import Uses
from persona_cli.memory.tables.vectors import Vectors
from persona_cli.records import CoreEntry, EpisodicMemory, Image, Kind, ProceduralMemory, Ref, SemanticMemory, Turn

__all__ = ["Foreseen", "Receipt", "Record", "Store", "is_new", "open_snapshot", "open_store"]

Record = CoreEntry | SemanticMemory | EpisodicMemory | ProceduralMemory | Turn | Image

BUSY_SECONDS = 10.0
"""How long a write waits for another process before it gives up."""

_OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""


def open_store(path: Path | None, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open, or create, the database at `path`, with the schema brought up to date; None is one in memory.

    Raises `StorageError` for a place that cannot be written, a damaged file or one of a newer persona.
    """
    _check_sqlite()
    if path is None:
        return _opened(":memory:", ":memory:", busy_seconds)
    is_new(path)
    _create(path)
    return _opened(str(path), str(path), busy_seconds, back_up=lambda: _back_up(path))


def open_snapshot(path: Path) -> Store:
    """Open a copy, in this process's memory, of the database at `path` as it is now, an empty one where there is none.

    Nothing is written beside it, and what is written to the copy is gone with it. Raises `StorageError` where it cannot
    be read, is damaged or of a newer persona.
    """
    _check_sqlite()
    is_new(path)
    return _opened(":memory:", str(path), BUSY_SECONDS, content=read_snapshot(path))


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageError(
            f"This Python has SQLite {sqlite3.sqlite_version}; persona needs 3.37 or newer.",
            fix="Use a Python from python.org, uv or your system's newer release.",
        )


def _opened(
    file: str, place: str, busy_seconds: float, *, content: bytes = b"", back_up: Callable[[], None] | None = None
) -> Store:
    """Open a database, `content` in its place in memory; `place` is what errors call it."""
    raw: sqlite3.Connection | None = None
    try:
        raw = sqlite3.connect(file, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        if content:
            raw.deserialize(content)
        _write_ahead(raw, busy_seconds)
        # FULL: a turn that was answered survives a power cut, not only a crash
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        # KiB; with SQLite's own 2,000 the messages of 100,000 memories are read from the disk's cache at every search
        raw.execute("PRAGMA cache_size = -16000")
        # what is forgotten is overwritten, not only unlinked
        raw.execute("PRAGMA secure_delete = ON")
        connection = Connection(raw, place)
        bring_up_to_date(raw, place, back_up)
    except BaseException as exc:
        if raw is not None:
            raw.close()
        if isinstance(exc, sqlite3.Error | UnicodeDecodeError):
            raise explain(exc, place) from exc
        raise
    return Store(connection)


def is_new(path: Path) -> bool:
    """Tell whether there is no database yet; raises `StorageError` where what lies beside says that there was one."""
    if path.exists() and path.stat().st_size:
        return False
    pictures = next((path.parent / "media").glob("??/*"), None)
    backups = next((path.parent / "backups").glob("*.db"), None)
    if pictures is None and backups is None:
        return True
    missing = "is empty" if path.exists() else "is missing"
    way = "`persona restore newest` puts back the last backup" if backups else "`persona restore FILE` reads an archive"
    raise StorageError(
        f"{path} {missing}, but there {'are backups' if backups else 'is a media folder with pictures'} beside it",
        fix=f"{way}; to begin anew, move {path.parent} away first.",
    )


class Store:
    """Everything that is remembered, by noun."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._opened_at = connection.raw.total_changes
        self.sessions = Sessions(connection)
        self.images = Images(connection)
        self.turns = Turns(connection, self.images, self.find)
        self.semantic = Semantics(connection)
        self.conflicts = Conflicts(connection, self.semantic)
        self.quarantine = Quarantine(connection)
        self.core = Core(connection)
        self.episodes = Episodes(connection)
        self.lines = Lines(connection)
        self.habits = Habits(connection)
        self.readings = Readings(connection)
        self.jobs = Jobs(connection)
        self.imports = Imports(connection)
        self.journal = Journal(connection, self.readings, self.episodes)
        self.refusals = Refusals(connection)
        self.tidies = Tidies(connection)
        self.uses = Uses(connection)
        self.vectors = Vectors(connection)
        self.looks = Looks(connection)
        self.texts = Texts(connection)
        self._of_kind: Mapping[Kind, Table[Any]] = {
            Kind.SEMANTIC: self.semantic,
            Kind.EPISODIC: self.episodes,
            Kind.MESSAGE: self.turns,
            Kind.IMAGE: self.images,
            Kind.PROCEDURAL: self.habits,
            Kind.CORE: self.core,
        }
        rows, self._forgetting = Rows(connection), Forgetting(connection, self.jobs, self.readings)
        self.empty, self.naming, self.links, self.tables = rows.empty, rows.naming, rows.links, rows.counts
        self.export_rows, self.import_rows, self.foresee = rows.export, rows.load, self._forgetting.foresee

    @property
    def written(self) -> bool:
        """Tell whether anything was written since it was opened."""
        return self._connection.raw.total_changes > self._opened_at

    def transaction(self) -> AbstractContextManager[None]:
        """Make what is written inside one change; may be nested."""
        return self._connection.transaction()

    def get(self, ref: Ref) -> Record:
        """Return the record of any kind; raises `NotFoundError`."""
        record: Record = self._of_kind[ref.kind].get(ref.id)
        return record

    def find(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        """Return the records among `refs` that exist; turns come without their steps."""
        ids: defaultdict[Kind, list[int]] = defaultdict(list)
        for ref in refs:
            ids[ref.kind].append(ref.id)
        return {
            Ref(kind, record.id): record for kind, table in self._of_kind.items() for record in table.many(ids[kind])
        }

    def rehearse(self, *refs: Ref) -> frozenset[str]:
        """Return the words that stand nowhere any more once these are forgotten; nothing is changed."""
        return self._forgetting.rehearse(refs)

    def says(self, words: Collection[str]) -> bool:
        """Tell whether any of `words` stands in any text of any table."""
        return bool(says(self._connection.raw, words))

    def forget(self, *refs: Ref) -> Receipt:
        """Delete memories and everything made from them, for good; the receipt names the files left to delete."""
        receipt = self._forgetting.forget(refs)
        self._connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return receipt

    def forget_everything(self) -> Mapping[str, int]:
        """Delete every row there is, for good; return how many of what those were."""
        counts = self._forgetting.forget_everything()
        self._connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return counts

    def load(self, source: Path, is_sound: Callable[[str, Mapping[str, object]], bool]) -> tuple[int, int]:
        """Write what can be read of a damaged database into this empty one; returns rows written, and rows not."""
        return load(self._connection, source, is_sound)

    def verify(self) -> tuple[str, ...]:
        """Return what is wrong with the database, one sentence each; empty when it is whole."""
        try:
            return self._connection.verify()
        except StorageError as exc:
            return (exc.message,)

    def rebuild_texts(self) -> bool:
        """Write full text anew where it is not in step with the memories, or damaged; returns whether it was."""
        return rebuild_texts(self._connection)

    def close(self) -> None:
        """Close the database; what was written stays."""
        self.texts.close()
        self._connection.close()


def _write_ahead(raw: sqlite3.Connection, busy_seconds: float) -> None:
    """Keep a write-ahead log, so that readers never wait; of two processes on a new home only one may change to it."""
    until = time.monotonic() + busy_seconds
    while raw.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            # SQLite itself does not wait here
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _back_up(path: Path) -> None:
    from datetime import UTC, datetime

    from persona_cli.memory.backup import Backups, Reason

    Backups(path).add(Reason.MIGRATION, datetime.now(UTC))


def _create(path: Path) -> None:
    try:
        missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=0o700, exist_ok=True)
        # before SQLite does, with the umask's mode; its own -wal and -shm take the mode of the database
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise StorageError(
            f"{path} cannot be opened or written: {exc.strerror}.",
            fix="Check that its directory exists and is yours to write, or choose another with PERSONA_HOME.",
        ) from exc
