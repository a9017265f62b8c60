"""Every row as plain values, for an export that loses nothing, and back.

Full text and vectors are left out: they are derived. Order is by dependency, so that rows can be written as
they come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from persona_cli.errors import TransferError
from persona_cli.memory.tables.changes import EVERYTHING
from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Kind, Ref

Row = dict[str, str | int | float | None]
TABLES = (
    "session",
    "turn",
    "image",
    "turn_image",
    "semantic",
    "semantic_image",
    "core",
    "episode",
    "episode_turn",
    "habit",
    "reading",
    "job",
    "trait_lock",
    "conflict",
    "tidy",
    "apart",
    "used",
    "journal",
    "refusal",
)
_PAGE = 500
_WORDS = {
    Kind.CORE: ("core", "key || ' ' || value"),
    Kind.SEMANTIC: ("semantic", "content || ' ' || keywords || ' ' || subject || ' ' || quote"),
    Kind.EPISODIC: ("episode", "summary || ' ' || keywords"),
    Kind.PROCEDURAL: ("habit", "key || ' ' || text"),
    Kind.MESSAGE: ("turn", "user || ' ' || answer"),
    Kind.IMAGE: ("image", "caption"),
}
"""Where the words of each kind of record stand."""


@dataclass(frozen=True, slots=True)
class Link:
    """A column that refers to one of another table."""

    column: str
    to_table: str
    to_column: str


class Rows:
    """The tables of the truth, row by row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def empty(self) -> bool:
        """Tell whether nothing was ever stored, or everything was forgotten."""
        return not any(
            self._connection.number(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 - a constant
            for table in TABLES
        )

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        return {
            table: self._connection.number(f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant
            for table in TABLES
        }

    def export(self) -> Iterator[tuple[str, Row]]:
        """Yield (table, row) for every row, page by page so that a writer never waits."""
        for table in TABLES:
            last = 0
            while True:
                sql = f"SELECT rowid AS _place, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - a constant
                page = self._connection.rows(sql, (last, _PAGE))
                for row in page:
                    yield table, {name: row[name] for name in row.keys()[1:]}
                if len(page) < _PAGE:
                    break
                last = page[-1]["_place"]

    def naming(self, name: str) -> tuple[Ref, ...]:
        """Return every record that has a name in its words as words of their own, whatever its case."""
        # LIKE of SQLite folds ASCII alone, and full text knows no phrase across its columns: all is read, a page at a
        # time (100,000 messages: 0.5 s)
        wanted = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        found = []
        for kind, (table, words) in _WORDS.items():
            last = 0
            sql = f"SELECT id, {words} FROM {table} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 - constants
            while page := self._connection.tuples(sql, (last, _PAGE)):
                found += [Ref(kind, number) for number, text in page if wanted.search(text)]
                last = page[-1][0]
        return tuple(found)

    def links(self) -> Mapping[str, tuple[Link, ...]]:
        """Return what the rows of each table refer to, as the schema declares it."""
        sql = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)'
        return {table: tuple(Link(*row) for row in self._connection.tuples(sql, (table,))) for table in TABLES}

    def load(self, rows: Iterable[tuple[str, Mapping[str, object]]]) -> dict[str, int]:
        """Write exported rows into an empty store, ids kept, all or nothing; return how many per table.

        Raises `TransferError` for a store that is not empty and for rows that are none of ours.
        """
        columns = {table: self._columns(table) for table in TABLES}
        counts = dict.fromkeys(TABLES, 0)
        with self._connection.transaction():
            if not self.empty():
                raise TransferError(
                    "There are memories here already; an export can only be imported into an empty home.",
                    fix="Name another user with --user, or another directory with PERSONA_HOME.",
                )
            # superseded_by refers to a later row
            self._connection.write("PRAGMA defer_foreign_keys = ON")
            for table, row in rows:
                if table not in columns or not set(row) <= columns[table]:
                    raise TransferError(
                        f"A row of {table!r} is not one of this persona's.",
                        fix="The export may be of a newer persona: upgrade, then import again.",
                    )
                self._connection.insert(table, {name: _plain(value) for name, value in row.items()})
                counts[table] += 1
            # ids are kept, also such as were in use here before everything was forgotten
            self._connection.write("INSERT OR REPLACE INTO text_change (place) VALUES (?)", (EVERYTHING,))
            self._connection.write("DELETE FROM tidied")
            self._check_links()
        return counts

    def _columns(self, table: str) -> set[str]:
        return {row["name"] for row in self._connection.rows("SELECT name FROM pragma_table_info(?)", (table,))}

    def _check_links(self) -> None:
        broken = self._connection.row("SELECT * FROM pragma_foreign_key_check")
        if broken is not None:
            raise TransferError(
                f"The export is incomplete: a row of {broken['table']!r} refers to one of {broken['parent']!r}"
                " that is not there.",
                fix="Export again and import the new file.",
            )


def _plain(value: object) -> str | int | float | None:
    if value is None or isinstance(value, str | int | float):
        return value
    raise TransferError(f"{value!r} is no value of a row.", fix="The export was edited or damaged: export again.")
