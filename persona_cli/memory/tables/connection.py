"""One SQLite connection, shared by the answering thread and the update worker, and what can go wrong with it.

A lock lets one thread at a time use the connection; every read is fetched whole under that lock and long
reads go page by page, so nobody waits for a reader. Another process is waited for as long as the busy
timeout says. SQLite's errors are mapped to ours here and nowhere else.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from persona_cli.errors import BusyError, NotFoundError, PersonaError, StorageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Value = str | int | float | bytes | None

_TEXTS_OUT_OF_STEP = """
    WITH truth (kind, place, content, answer) AS (
        SELECT 'core', id * 8, key || ': ' || value, '' FROM core
        UNION ALL SELECT 'semantic', id * 8 + 1, content, '' FROM semantic
        UNION ALL SELECT 'episodic', id * 8 + 2, summary, '' FROM episode
        UNION ALL SELECT 'procedural', id * 8 + 3, text, '' FROM habit
        UNION ALL SELECT 'message', id * 8 + 4, user, answer FROM turn
        UNION ALL SELECT 'image', id * 8 + 5, caption, '' FROM image)
    SELECT (SELECT count(*) FROM truth LEFT JOIN text ON text.rowid = place
            WHERE text.content IS NOT truth.content OR text.answer IS NOT truth.answer)
        + (SELECT count(*) FROM text WHERE rowid NOT IN (SELECT place FROM truth))
"""

_MEANINGS: tuple[tuple[tuple[int, ...], type[StorageError], str, str], ...] = (
    (
        (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
        BusyError,
        "Another persona is writing to {place}.",
        "Try again when it has finished, or close it.",
    ),
    (
        (sqlite3.SQLITE_FULL,),
        StorageError,
        "The disk that holds {place} is full; what was not yet saved has not been saved.",
        "Free some space and try again: everything saved before is intact.",
    ),
    (
        # on a full disk also the file that processes share (-shm) fails like this
        (sqlite3.SQLITE_IOERR,),
        StorageError,
        "The disk that holds {place} could not be read or written.",
        "Check that it is not full and still connected, and try again: everything saved before is intact.",
    ),
    (
        (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
        StorageError,
        "{place} cannot be opened or written.",
        "Check that its directory exists and is yours to write, or choose another with PERSONA_HOME.",
    ),
    (
        (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
        StorageError,
        "{place} is damaged or is not a database.",
        "`persona doctor --fix` saves what can be read and keeps the damaged file; `persona restore newest` goes back.",
    ),
)


class Connection:
    """A connection in autocommit mode; `transaction()` is the only way to make several writes one."""

    def __init__(self, raw: sqlite3.Connection, place: str) -> None:
        self.raw = raw
        self.place = place
        self.rollbacks = 0
        """How often what was written within a transaction came to nothing."""
        self._depth = 0
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is written inside one change: all of it, or after any exception nothing.

        Inside another transaction of the same thread it is a savepoint of that one.
        """
        with self._lock, self.mapping_errors():
            if self._in_transaction():
                with self._savepoint():
                    yield
                return
            try:
                # the write lock at once: a deferred transaction that upgrades later fails without waiting
                self.raw.execute("BEGIN IMMEDIATE")
                yield
                self.raw.execute("COMMIT")
            except BaseException:
                self.rollbacks += 1
                # a full disk may have rolled back already
                if self._in_transaction():
                    self.raw.execute("ROLLBACK")
                raise

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._depth += 1
        name = f"inner_{self._depth}"
        self.raw.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self.rollbacks += 1
            # a full disk may have rolled back everything already
            if self._in_transaction():
                self.raw.execute(f"ROLLBACK TO {name}")
                self.raw.execute(f"RELEASE {name}")
            raise
        else:
            self.raw.execute(f"RELEASE {name}")
        finally:
            self._depth -= 1

    @contextmanager
    def steady(self) -> Iterator[bool]:
        """Let everything read inside be of one moment, whoever writes meanwhile.

        Yields False inside a transaction: what is read there may come to nothing.
        """
        with self._lock, self.mapping_errors():
            if self._in_transaction():
                yield False
                return
            try:
                self.raw.execute("BEGIN")
                yield True
            finally:
                if self._in_transaction():
                    self.raw.execute("ROLLBACK")

    def rows(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[sqlite3.Row]:
        """Return every row of a query."""
        with self._lock, self.mapping_errors():
            cursor = self._run(sql, values)
            cursor.row_factory = sqlite3.Row
            return cursor.fetchall()

    def tuples(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[tuple[Any, ...]]:
        """Return every row of a query, its columns by their places only: for hundreds of rows, a third quicker."""
        with self._lock, self.mapping_errors():
            return self._run(sql, values).fetchall()

    def numbers(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> NDArray[np.int64]:
        """Return the whole numbers a query has in a column called `number`, in its order: (n,).

        As one text: 10,000 ids take 1 ms, and as rows 7.
        """
        import numpy as np

        listed = self.rows(f"SELECT group_concat(number) FROM ({sql})", values)[0][0]  # noqa: S608 - our own query
        return np.fromstring(listed, dtype=np.int64, sep=",") if listed else np.zeros(0, dtype=np.int64)

    def row(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def number(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> int:
        """Return the one whole number a query asks for."""
        return int(self.rows(sql, values)[0][0])

    def write(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> int:
        """Run one change and return how many rows it touched."""
        with self._lock, self.mapping_errors():
            return self._run(sql, values).rowcount

    def insert(self, table: str, columns: Mapping[str, Value]) -> int:
        """Add one row and return its id; the names come from our code or were checked against the schema."""
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        with self._lock, self.mapping_errors():
            sql = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names, not values
            return self._run(sql, tuple(columns.values())).lastrowid or 0

    def update(self, table: str, row_id: int, columns: Mapping[str, Value]) -> None:
        """Change columns of one row; raises `NotFoundError` where there is no such row."""
        sets = ", ".join(f'"{name}" = ?' for name in columns)
        sql = f'UPDATE "{table}" SET {sets} WHERE id = ?'  # noqa: S608 - names, not values
        if not self.write(sql, (*columns.values(), row_id)):
            raise missing(table, row_id)

    def verify(self) -> tuple[str, ...]:
        """Return what is wrong with the file, its links or its full text, one sentence each."""
        found = [row[0] for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"a row of {row['table']} refers to a row of {row['parent']} that is not there"
            for row in self.rows("SELECT * FROM pragma_foreign_key_check")
        ]
        if out_of_step := self.texts_out_of_step():
            found.append(f"{out_of_step} memories are not in the full text, or differ there")
        return tuple(found)

    def texts_out_of_step(self) -> int:
        """Return how many rows full text lacks, has otherwise, or has too many."""
        return self.number(_TEXTS_OUT_OF_STEP)

    def close(self) -> None:
        """Close the connection; what was committed is on disk."""
        with self._lock:
            self.raw.close()

    @contextmanager
    def mapping_errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as exc:
            raise explain(exc, self.place) from exc

    def _in_transaction(self) -> bool:
        return self.raw.in_transaction

    def _run(self, sql: str, values: Sequence[Value] | Mapping[str, Value]) -> sqlite3.Cursor:
        try:
            return self.raw.execute(sql, values)
        except UnicodeEncodeError:
            # half a surrogate pair, as a terminal in another encoding gives: SQLite keeps UTF-8 only
            return self.raw.execute(sql, _encodable(values))


def missing(noun: str, row_id: int) -> NotFoundError:
    """Say that a row does not exist."""
    return NotFoundError(
        f"There is no {noun} number {row_id}.", fix="`persona memory list` shows what there is, with its numbers."
    )


def id_list(ids: Iterable[int]) -> str:
    """Return ids as the JSON array that `json_each(?)` takes, so that any number of them is one value."""
    return json.dumps([int(number) for number in ids])


def explain(exc: sqlite3.Error | UnicodeDecodeError, place: str) -> PersonaError:
    """Return the error of ours that says what `exc` means and what to do about it."""
    # of a damaged schema SQLite's message itself may be no UTF-8, and Python cannot raise it
    damaged = sqlite3.SQLITE_CORRUPT if isinstance(exc, UnicodeDecodeError) else 0
    code = getattr(exc, "sqlite_errorcode", damaged) & 0xFF
    if code == sqlite3.SQLITE_CONSTRAINT and "FOREIGN KEY" in str(exc):
        return NotFoundError(
            "What was to be saved refers to a turn, session, memory or picture that does not exist.",
            fix="It may have been forgotten in the meantime; there is nothing to do.",
        )
    for codes, kind, message, fix in _MEANINGS:
        if code in codes:
            return kind(message.format(place=place), fix=fix)
    return StorageError(f"{place}: {exc}", fix="`persona doctor` checks the database.")


def _encodable(values: Sequence[Value] | Mapping[str, Value]) -> Sequence[Value] | Mapping[str, Value]:
    def repair(value: Value) -> Value:
        return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value

    if isinstance(values, Mapping):
        return {name: repair(value) for name, value in values.items()}
    return tuple(repair(value) for value in values)
