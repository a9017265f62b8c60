"""What can still be read of a damaged database, and full text written anew.

SQLite's own shell recovers most (`.recover` reads every page for itself); where it is not installed, each table is
read range by range, and around the rows that cannot be.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from persona_cli.errors import PersonaError, StorageError
from persona_cli.memory.schema.gram_tables import gram_rows
from persona_cli.memory.schema.search_tables import text_rows
from persona_cli.memory.tables.changes import EVERYTHING
from persona_cli.memory.tables.connection import Connection
from persona_cli.memory.tables.copying import lenient
from persona_cli.memory.tables.rows import TABLES

Row = Mapping[str, Any]
_SECONDS = 600
_PATIENCE = 5_000
"""Reads of a table that may fail: a bad page costs one for each row it had, and a bad root nothing makes up for."""


def recover(damaged: Path, into: Path) -> bool:
    """Let SQLite's shell write what it can recover into another file; False where there is no shell, or it failed."""
    shell = shutil.which("sqlite3")
    if shell is None:
        return False
    with suppress(OSError, subprocess.TimeoutExpired):
        reading = subprocess.Popen(
            [shell, "-readonly", str(damaged), ".recover"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        writing = subprocess.run(
            [shell, "-batch", str(into)], stdin=reading.stdout, capture_output=True, timeout=_SECONDS, check=False
        )
        reading.communicate(timeout=_SECONDS)
        return writing.returncode in (0, 1) and into.stat().st_size > 0
    return False


def readable_rows(path: Path, table: str) -> Iterator[Row]:
    """Yield every row of a table that can be read, in the order of their places."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as raw:
        raw.row_factory = sqlite3.Row
        raw.text_factory = lenient
        yield from _Ranges(raw, table).rows()


class _Ranges:
    """The rows of a table, range by range: one that cannot be read whole is halved."""

    def __init__(self, raw: sqlite3.Connection, table: str) -> None:
        self._raw = raw
        self._table = table
        self._failures = 0

    def rows(self) -> Iterator[Row]:
        """Yield what can be read."""
        low, high = 1, 2**20
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError, TypeError):
            query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
            high = int(self._raw.execute(query, (self._table,)).fetchone()[0])
        with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
            ends = f"SELECT min(rowid), max(rowid) FROM {self._table}"  # noqa: S608 - a constant
            low, high = self._raw.execute(ends).fetchone()
        if low is not None:
            yield from self._between(low, high)

    def _between(self, low: int, high: int) -> Iterator[Row]:
        try:
            sql = f"SELECT * FROM {self._table} WHERE rowid BETWEEN ? AND ? ORDER BY rowid"  # noqa: S608 - a constant
            rows = [dict(row) for row in self._raw.execute(sql, (low, high))]
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            self._failures += 1
            if low < high and self._failures < _PATIENCE:
                middle = (low + high) // 2
                yield from self._between(low, middle)
                yield from self._between(middle + 1, high)
        else:
            yield from rows


def load(connection: Connection, source: Path, is_sound: Callable[[str, Row], bool]) -> tuple[int, int]:
    """Write every readable, sound row of `source` into an empty store; return how many those were, and how many not.

    A message whose session is lost gets one of its own; what refers to something else that is lost goes.
    """
    kept = lost = 0
    with connection.transaction():
        connection.write("PRAGMA defer_foreign_keys = ON")
        for table in TABLES:
            with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                for row in readable_rows(source, table):
                    kept, lost = (kept + 1, lost) if _write(connection, table, row, is_sound) else (kept, lost + 1)
        connection.write(
            "INSERT INTO session (id, started_at, last_at, closed_at)"
            " SELECT session_id, min(at), max(at), max(at) FROM turn"
            " WHERE session_id NOT IN (SELECT id FROM session) GROUP BY session_id"
        )
        while dangling := connection.rows('SELECT DISTINCT "table", rowid FROM pragma_foreign_key_check'):
            for table, place in dangling:
                connection.write(f'DELETE FROM "{table}" WHERE rowid = ?', (place,))  # noqa: S608 - of the schema
                kept, lost = kept - 1, lost + 1
        connection.write("INSERT OR REPLACE INTO text_change (place) VALUES (?)", (EVERYTHING,))
    return kept, lost


def _write(connection: Connection, table: str, row: Row, is_sound: Callable[[str, Row], bool]) -> bool:
    if not is_sound(table, row):
        return False
    try:
        connection.insert(table, dict(row))
    except PersonaError:
        # the same row twice, or one that breaks a rule of the schema
        return False
    return True


def rebuild_texts(connection: Connection) -> bool:
    """Write full text anew where it is damaged or not in step with the rows; returns whether it was."""
    try:
        for table in ("text", "gram"):
            connection.write(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 0)")  # noqa: S608 - constants
        if not connection.texts_out_of_step():
            return False
    except StorageError:
        pass
    with connection.transaction():
        for table, statements in (("text", text_rows()), ("gram", gram_rows())):
            sql = connection.rows("SELECT sql FROM sqlite_master WHERE name = ?", (table,))[0]["sql"]
            connection.write(f"DROP TABLE {table}")
            connection.write(sql)
            for statement in statements:
                connection.write(statement)
        connection.write("INSERT OR REPLACE INTO text_change (place) VALUES (?)", (EVERYTHING,))
    return True
