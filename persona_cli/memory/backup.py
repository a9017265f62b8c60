"""Backups in the home: whole copies of the database, one a day and one before each migration and restore, a few kept.

They hold no pictures: these never change, and lie in media/ beside them. What a person forgets is forgotten here too:
each backup is rewritten without it, or dropped where that cannot be done. For a place outside the home there is the
archive (`persona backup FILE`), which holds everything and can be sealed; where such copies were written is noted, so
that forgetting can name them.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from persona_cli.errors import NotFoundError, StorageError
from persona_cli.memory.private_file import UNFINISHED, hold, remove_unfinished
from persona_cli.memory.tables.copying import copy_file, count_messages, put_in_place
from persona_cli.paths import MARKER, SERVER_MARKER

_NAME = re.compile(r"(\d{8}T\d{6}Z)-([a-z]+)\.db")
DAMAGED = "damaged-"
"""How the names of folders begin that hold a damaged database as it was."""
_STAMP = "%Y%m%dT%H%M%SZ"
_EVERY = timedelta(days=1)


class Reason(StrEnum):
    """What a backup was made for."""

    DAILY = "daily"
    MIGRATION = "migration"
    RESTORE = "restore"
    ASKED = "asked"


_KEPT = {Reason.DAILY: 3, Reason.MIGRATION: 2, Reason.RESTORE: 2, Reason.ASKED: 5}
"""How many of each are kept; the newest."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy of the database."""

    path: Path
    at: datetime
    reason: Reason

    @property
    def name(self) -> str:
        """What it is called by."""
        return self.path.stem

    @property
    def messages(self) -> int:
        """How many messages it holds; -1 where it cannot be read."""
        return count_messages(self.path)


class Backups:
    """The backups of one home."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._folder = database.parent / "backups"

    def all(self) -> tuple[Backup, ...]:
        """Return every backup, newest first."""
        found = []
        for path in self._folder.glob("*.db") if self._folder.is_dir() else ():
            if match := _NAME.fullmatch(path.name):
                with suppress(ValueError):
                    at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                    found.append(Backup(path, at, Reason(match[2])))
        return tuple(sorted(found, key=lambda backup: (backup.at, backup.name), reverse=True))

    def find(self, name: str) -> Backup:
        """Return the backup of this name, or the newest for "newest"; raises `NotFoundError`."""
        backups = self.all()
        if name == "newest" and backups:
            return backups[0]
        for backup in backups:
            if name in (backup.name, backup.path.name):
                return backup
        raise NotFoundError(f"there is no backup {name}", fix="`persona backup --list` shows what there is.")

    def is_due(self, now: datetime) -> bool:
        """Tell whether the last backup is a day old."""
        return not any(now - backup.at < _EVERY for backup in self.all())

    def add(self, reason: Reason, now: datetime, spare: Path | None = None) -> Backup:
        """Copy the database as it is now and drop what is beyond the number that is kept, but never `spare`.

        Raises `StorageError`.
        """
        at = now.astimezone(UTC).replace(microsecond=0)
        with self.unfinished() as copy:
            copy_file(self.database, copy)
            if (others := self.all()) and others[0].at >= at:
                # a name has seconds: of two in one second neither takes the other's place, and the later is the newest
                at = others[0].at + timedelta(seconds=1)
            path = self._folder / f"{at:{_STAMP}}-{reason.value}.db"
            copy.replace(path)
        self._drop_old(spare)
        return Backup(path, at, reason)

    def remove_unfinished(self) -> int:
        """Delete copies that a kill has left half written, and return how many files that were."""
        return remove_unfinished(self._folder)

    def damaged(self) -> tuple[Path, ...]:
        """Return the folders with what was set aside as damaged."""
        return tuple(sorted(self.database.parent.glob(f"{DAMAGED}*")))

    def put_back(self, source: Path, now: datetime) -> Backup | Path | None:
        """Let the database be what `source` holds; returns where what was there is kept, None where nothing was.

        Whole, it is a backup; damaged, it is set aside as it is. Raises `StorageError` for a source that is damaged.
        """
        if count_messages(source) < 0:
            raise StorageError(f"{source} is damaged", fix="`persona backup --list` shows others.")
        kept: Backup | Path | None = None
        if self.database.exists() and self.database.stat().st_size:
            try:
                kept = self.add(Reason.RESTORE, now, spare=source)
            except StorageError:
                kept = None
            if kept is None or kept.messages < 0:
                if kept is not None:
                    kept.path.unlink(missing_ok=True)
                kept = self.set_aside(now)
        os.close(os.open(self.database, os.O_CREAT | os.O_RDWR, 0o600))
        # what is put back may have other vectors under the same revisions; and before, for a kill may come behind it
        for marker in (self.database.with_name("chroma") / MARKER, self.database.with_name(SERVER_MARKER)):
            marker.unlink(missing_ok=True)
        put_in_place(source, self.database)
        return kept

    def set_aside(self, now: datetime) -> Path:
        """Move the database, with its log, out of the way as it is, and return the folder it is in now."""
        aside = self.database.with_name(f"{DAMAGED}{now.astimezone(UTC):{_STAMP}}")
        aside.mkdir(mode=0o700, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            part = self.database.with_name(self.database.name + end)
            if part.exists():
                part.replace(aside / part.name)
        return aside

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Yield an empty file of mode 0600 in the folder; what a kill leaves of it the next one removes."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            remove_unfinished(self._folder)
            handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=self._folder)
            path = Path(name)
            try:
                with os.fdopen(handle, "rb") as held:
                    hold(held)
                    yield path
            finally:
                for left in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
                    left.unlink(missing_ok=True)
        except OSError as exc:
            raise StorageError(
                f"{self._folder} cannot be written: {exc.strerror or exc}", fix="Free some space and try again."
            ) from exc

    def _drop_old(self, spare: Path | None) -> None:
        seen = Counter[Reason]()
        for backup in self.all():
            seen[backup.reason] += 1
            if seen[backup.reason] > _KEPT[backup.reason] and backup.path != spare:
                backup.path.unlink(missing_ok=True)
