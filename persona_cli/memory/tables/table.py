"""One table and its records: a field is the column of its name, read and written by the type of the field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

from persona_cli.memory.tables.columns import (
    Columns,
    from_column,
    maybe_from_column,
    maybe_to_column,
    to_column,
    traits_from_column,
    traits_to_column,
    words_from_column,
    words_to_column,
)
from persona_cli.memory.tables.connection import Connection, Value, id_list, missing
from persona_cli.personality import Traits


class Identified(Protocol):
    """A record of a row."""

    @property
    def id(self) -> int:
        """Return the id of the row."""
        ...


R = TypeVar("R", bound=Identified)

_Way = Callable[[Any], Any]
_PLAIN = frozenset((str, int, float, str | None, int | None))
_WAYS: Mapping[object, tuple[_Way, _Way]] = {
    datetime: (from_column, to_column),
    datetime | None: (maybe_from_column, maybe_to_column),
    tuple[str, ...]: (words_from_column, words_to_column),
    Traits: (traits_from_column, traits_to_column),
}
"""How a value is read from its column and written to it."""


@lru_cache(maxsize=256)
def _plan(record: type[Any], columns: tuple[str, ...]) -> tuple[tuple[str, _Way | None, _Way | None], ...]:
    """Return the fields that stand in one of these columns, each with how it is read and written."""
    hints = get_type_hints(record)
    plan: list[tuple[str, _Way | None, _Way | None]] = []
    for name in (field.name for field in fields(record) if field.name in columns):
        hint = hints[name]
        if hint in _PLAIN:
            plan.append((name, None, None))
        elif hint in _WAYS:
            plan.append((name, *_WAYS[hint]))
        elif isinstance(hint, type) and issubclass(hint, StrEnum):
            plan.append((name, hint, None))
    return tuple(plan)


def record_of(record: type[R], row: Columns, **more: object) -> R:
    """Return a row as a record; `more` are the fields that stand in no column of their own."""
    values = {
        name: row[name] if read is None else read(row[name]) for name, read, _ in _plan(record, tuple(row.keys()))
    }
    return record(**values, **more)


def columns_of(record: Identified, but: Collection[str] = ()) -> dict[str, Value]:
    """Return a record as the columns of its row, without its id; fields that are no column's type are left out."""
    names = tuple(field.name for field in fields(record) if field.name not in ("id", *but))  # type: ignore[arg-type]
    values = ((name, write, getattr(record, name)) for name, _, write in _plan(type(record), names))
    return {name: value if write is None else write(value) for name, write, value in values}


class Table(Generic[R]):
    """A table whose rows are records of one kind, each with a row id."""

    table: str
    noun: str
    """What an error calls a row."""
    record: type[R]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, row_id: int) -> R:
        """Return one record; raises `NotFoundError`."""
        rows = self._where("id = ?", row_id)
        if not rows:
            raise missing(self.noun, row_id)
        return rows[0]

    def many(self, ids: Collection[int]) -> tuple[R, ...]:
        """Return the records among `ids` that exist, by id."""
        return self._where("id IN (SELECT value FROM json_each(?)) ORDER BY id", id_list(ids)) if ids else ()

    def _where(self, tests: str, *values: Value) -> tuple[R, ...]:
        sql = f"SELECT * FROM {self.table} WHERE {tests}"  # noqa: S608 - constants of the tables
        return self._records(self._connection.rows(sql, values))

    def _first(self, tests: str, *values: Value) -> R | None:
        return next(iter(self._where(f"{tests} LIMIT 1", *values)), None)

    def _records(self, rows: Sequence[Columns]) -> tuple[R, ...]:
        """Return rows as records; a table whose records have more than its columns says here where that stands."""
        return tuple(record_of(self.record, row) for row in rows)


class Versions(Table[R]):
    """A table of versions of keys, which are the same in any case."""

    def end(self, key: str, at: datetime) -> None:
        """Let a key have no value from `at` on; its history stays."""
        self._connection.write(
            f"UPDATE {self.table} SET valid_to = ?, status = 'superseded' WHERE key = ? AND valid_to IS NULL",  # noqa: S608 - a constant
            (to_column(at), key),
        )

    def history(self, key: str | None = None) -> tuple[R, ...]:
        """Return every version, of one key or of all, oldest first."""
        return self._where("?1 IS NULL OR key = ?1 ORDER BY id", key)
