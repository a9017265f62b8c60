"""Copies of a whole database: SQLite's online backup one way and the other, and whether a file is whole.

The online backup copies pages under a read lock: it is of one moment, whoever writes meanwhile, and the copy is one
file without a log beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from persona_cli.errors import StorageError
from persona_cli.memory.schema import wanting
from persona_cli.memory.tables.changes import EVERYTHING
from persona_cli.memory.tables.connection import explain

_PICTURES = """
    SELECT hash FROM image WHERE id IN (SELECT image_id FROM turn_image) OR hash IN (SELECT hash FROM semantic_image)
"""


_WRITE_VERSION = 18  # its byte in the header of a database (the file format of SQLite, 1.3)


def copy_database(raw: sqlite3.Connection, target: Path) -> None:
    """Write what a connection reads now into `target`, an empty file; raises `StorageError`."""
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            raw.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        raise explain(exc, str(target)) from exc


def copy_file(source: Path, target: Path) -> None:
    """Write the database in one file, log included, into another that is empty; raises `StorageError`."""
    try:
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as raw:
            copy_database(raw, target)
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        raise explain(exc, str(source)) from exc


def put_in_place(source: Path, target: Path) -> None:
    """Let a database be what another file holds, also where other processes have it open; raises `StorageError`."""
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as kept,
            closing(sqlite3.connect(target, isolation_level=None)) as current,
        ):
            kept.backup(current)
            # who follows the texts by their ids must look at all of them again
            current.execute("INSERT OR REPLACE INTO text_change (place) VALUES (?)", (EVERYTHING,))
            current.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, UnicodeDecodeError) as exc:
        raise explain(exc, str(target)) from exc


def lenient(text: bytes) -> str:
    """Return a text whatever its bytes are: where pages are damaged, also what SQLite says of them is no UTF-8."""
    return text.decode("utf-8", "replace")


def _may_be_written(path: Path) -> bool:
    """Tell whether the header names a way of writing that SQLite knows; one that it does not makes a file read-only."""
    with path.open("rb") as file:
        return file.read(_WRITE_VERSION + 1)[_WRITE_VERSION:] in (b"\x01", b"\x02")


def count_messages(path: Path) -> int:
    """Return how many messages a database holds that nobody writes to, -1 where it cannot be read or is damaged."""
    try:
        # immutable: no log is made beside it, and no lock
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as raw:
            raw.text_factory = lenient
            if raw.execute("PRAGMA quick_check(1)").fetchone() != ("ok",) or not _may_be_written(path):
                return -1
            return int(raw.execute("SELECT count(*) FROM turn").fetchone()[0])
    except (sqlite3.Error, UnicodeDecodeError):
        return -1


def damage(path: Path) -> str:
    """Return what is wrong with the pages of a database that others may have open; "" when it is whole.

    Full text is derived and left out: it is written anew from the rest.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as raw:
            raw.text_factory = lenient
            faults = [fault for (fault,) in raw.execute("PRAGMA quick_check(100)") if "fts5" not in fault.casefold()]
            if faults != ["ok"] and faults:
                return str(faults[0])
            if raw.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                raw.execute("SELECT count(*) FROM turn").fetchone()
    except sqlite3.OperationalError as exc:
        # another process holds it, or the disk is gone: that is no damage
        return "" if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR else str(exc)
    # of a damaged schema SQLite's message itself may be no UTF-8
    except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
        return str(exc)
    return ""


def is_current(path: Path) -> bool:
    """Tell whether a copy has the schema of today, and can be read."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as raw:
            return not wanting(raw, str(path))
    except (sqlite3.Error, UnicodeDecodeError, StorageError):
        return False


def pictures_of(path: Path) -> frozenset[str]:
    """Return the SHA-256 of each picture that a copy shows or names; none where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as raw:
            return frozenset(digest for (digest,) in raw.execute(_PICTURES))
    except (sqlite3.Error, UnicodeDecodeError):
        return frozenset()


def says(raw: sqlite3.Connection, texts: Collection[str]) -> frozenset[str]:
    """Return those of `texts` that a text in any column of a database contains."""
    left = set(texts)
    for (table,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0").fetchall():
        columns = [row[1] for row in raw.execute(f'PRAGMA table_info("{table}")') if row[2].upper() in ("TEXT", "")]
        wanted = " OR ".join(f'instr("{column}", ?1)' for column in columns)
        sql = f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE {wanted})'  # noqa: S608 - names of its own schema
        if columns:
            left -= {text for text in left if raw.execute(sql, (text,)).fetchone()[0]}
    return frozenset(texts) - left
