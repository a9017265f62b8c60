"""What was written between two moments, whoever wrote it: what is derived from the texts follows by this.

Ids only grow, so what was added is known by the last id of each table. What was edited, deleted or shown again is
noted in `text_change` by triggers. A place is the row id of the full text: 8 times an id, and the number of its table.
"""

from __future__ import annotations

from collections.abc import Mapping

from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Kind

TABLE_OF: Mapping[Kind, str] = {
    Kind.CORE: "core", Kind.SEMANTIC: "semantic", Kind.EPISODIC: "episode", Kind.PROCEDURAL: "habit",
    Kind.MESSAGE: "turn", Kind.IMAGE: "image",
}  # fmt: skip
KINDS, TABLES = tuple(TABLE_OF), tuple(TABLE_OF.values())

NOTES = "text_change"
EVERYTHING = -1
"""The place that stands for all: ids were given that may have been in use before."""

Moment = Mapping[str, int]
"""The last id of each of the tables, and the last note."""

BEGINNING: Moment = dict.fromkeys((*TABLES, NOTES), 0)


def moment(connection: Connection) -> Moment:
    """Return how far the store has come."""
    last = {row["name"]: row["seq"] for row in connection.rows("SELECT name, seq FROM sqlite_sequence")}
    return {name: last.get(name, 0) for name in BEGINNING}


def noted(connection: Connection, since: Moment, most: int = -1) -> list[int]:
    """Return the places that were noted since then, at most so many."""
    sql = f"SELECT place FROM {NOTES} WHERE revision > ? LIMIT ?"  # noqa: S608 - a constant
    rows = connection.rows(sql, (since[NOTES], most))
    return [row["place"] for row in rows]


def added(since: Moment, now: Moment) -> int:
    """Return how many ids were given between two moments."""
    return sum(now[table] - since[table] for table in TABLES)


def gone_back(since: Moment, now: Moment) -> bool:
    """Tell whether an older copy was restored under a running process: nothing else takes an id or a note back."""
    return any(now[name] < since[name] for name in BEGINNING)
