"""How often an answer made use of a memory, and when last: what is used does not fade."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from persona_cli.memory.tables.changes import TABLE_OF
from persona_cli.memory.tables.columns import from_column, instant, to_column
from persona_cli.memory.tables.connection import Connection, id_list
from persona_cli.records import Kind, Ref


@dataclass(frozen=True, slots=True)
class Use:
    """How often a memory was of use, and when last."""

    count: int
    last_at: datetime


class Uses:
    """The table of uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, refs: Collection[Ref], at: datetime) -> None:
        """Count one more use of each of these facts, topics and habits that was not forgotten meanwhile."""
        for ref in refs:
            there = f"SELECT ?, id, 1, ? FROM {TABLE_OF[ref.kind]} WHERE id = ?"  # noqa: S608 - a constant
            self._connection.write(
                f"INSERT INTO used (kind, memory_id, count, last_at) {there} ON CONFLICT DO UPDATE SET"
                " count = count + 1, last_at = iif(last_at < ?, excluded.last_at, last_at)",
                (ref.kind, to_column(at), ref.id, instant(at)),
            )

    def of(self, kind: Kind, ids: Collection[int]) -> Mapping[int, Use]:
        """Return the uses of the memories of one kind that were ever used, by id."""
        rows = self._connection.rows(
            "SELECT memory_id, count, last_at FROM used"
            " WHERE kind = ? AND memory_id IN (SELECT value FROM json_each(?))",
            (kind, id_list(ids)),
        )
        return {row["memory_id"]: Use(row["count"], from_column(row["last_at"])) for row in rows}
