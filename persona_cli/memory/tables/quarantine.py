"""Quarantine: what reads like an instruction to a model, kept for the person to see and never recalled."""

from __future__ import annotations

from datetime import datetime

from persona_cli.memory.tables.changes import TABLE_OF
from persona_cli.memory.tables.columns import to_column
from persona_cli.memory.tables.connection import Connection, Value
from persona_cli.records import CoreEntry, Kind, ProceduralMemory, Ref, Status

_KINDS = (Kind.SEMANTIC, Kind.CORE, Kind.EPISODIC, Kind.PROCEDURAL)
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
            for kind in _KINDS
            for row in self._connection.rows(
                f"SELECT id FROM {TABLE_OF[kind]} WHERE status = ? ORDER BY id",  # noqa: S608 - a constant
                (Status.QUARANTINED,),
            )
        )

    def hold(self, learnt: CoreEntry | ProceduralMemory) -> None:
        """Keep an entry of the profile or a habit that never held: what its key says now goes on holding."""
        at = to_column(learnt.recorded_at)
        columns: dict[str, Value] = {
            "key": learnt.key, "recorded_at": at, "valid_to": at, "author": learnt.author, "status": Status.QUARANTINED,
        }  # fmt: skip
        if isinstance(learnt, CoreEntry):
            table, text = "core", {"value": learnt.value}
            columns |= {"aspect": learnt.aspect, "turn_id": learnt.turn_id}
        else:
            table, text = "habit", {"text": learnt.text}
            columns |= {"session_id": learnt.session_id}
        ((name, words),) = text.items()
        with self._connection.transaction():
            sql = f"SELECT count(*) FROM {table} WHERE key = ? AND {name} = ? AND status = ?"  # noqa: S608 - constants
            # the end of a session may be read again
            if not self._connection.number(sql, (learnt.key, words, Status.QUARANTINED)):
                self._connection.insert(table, {**columns, name: words})

    def release(self, ref: Ref, at: datetime) -> bool:
        """Let a memory hold again, or be the past where it has ended; False where it is not held back.

        An entry of the profile or a habit that never held takes from `at` on the place of what its key says now.
        """
        if ref not in self.refs():
            return False
        table, column = TABLE_OF[ref.kind], _ENDED.get(ref.kind, "valid_to")
        with self._connection.transaction():
            row = self._connection.row(f"SELECT * FROM {table} WHERE id = ?", (ref.id,))  # noqa: S608 - a constant
            assert row is not None
            if ref.kind in (Kind.CORE, Kind.PROCEDURAL) and row["valid_to"] == row["recorded_at"]:
                self._connection.write(
                    f"UPDATE {table} SET valid_to = ?, status = ? WHERE key = ? AND valid_to IS NULL",  # noqa: S608
                    (to_column(at), Status.SUPERSEDED, row["key"]),
                )
                self._connection.update(table, ref.id, {"valid_to": None, "status": Status.ACTIVE})
            else:
                ended = row[column] is not None
                self._connection.update(table, ref.id, {"status": Status.SUPERSEDED if ended else Status.ACTIVE})
        return True
