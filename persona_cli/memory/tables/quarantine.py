"""Quarantine: what reads like an instruction to a model, kept for the person to see and never recalled."""

from __future__ import annotations

from persona_cli.memory.tables.connection import Connection
from persona_cli.records import Kind, Ref, Status

_TABLES = {Kind.SEMANTIC: "semantic", Kind.CORE: "core", Kind.EPISODIC: "episode", Kind.PROCEDURAL: "habit"}
_ENDED = {Kind.EPISODIC: "merged_into"}
"""The column that says a row has been replaced; `valid_to` for the other kinds."""


class Quarantine:
    """The rows of every kind that were held back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def refs(self) -> tuple[Ref, ...]:
        """Return what is in quarantine, oldest first within each kind."""
        return tuple(
            Ref(kind, row["id"])
            for kind, table in _TABLES.items()
            for row in self._connection.rows(
                f"SELECT id FROM {table} WHERE status = ? ORDER BY id",  # noqa: S608 - a constant
                (Status.QUARANTINED,),
            )
        )

    def release(self, ref: Ref) -> bool:
        """Let a memory hold again, or be the past where it has ended; False where it is not held back."""
        if ref not in self.refs():
            return False
        table, column = _TABLES[ref.kind], _ENDED.get(ref.kind, "valid_to")
        with self._connection.transaction():
            ended = self._connection.number(
                f"SELECT {column} IS NOT NULL FROM {table} WHERE id = ?",  # noqa: S608 - constants
                (ref.id,),
            )
            self._connection.update(table, ref.id, {"status": Status.SUPERSEDED if ended else Status.ACTIVE})
        return True
