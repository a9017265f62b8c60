"""What holds again once something newer is forgotten: what that had taken the place of stands where it stood.

The new home is forgotten, and the old one is current again, or ended when and by what the new one was. What had ended
for a reason of its own was in nobody's place and stays ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Row

from persona_cli.memory.tables.changes import TABLE_OF
from persona_cli.memory.tables.connection import Connection, Value, id_list
from persona_cli.records import Kind, Ref, Status

_VERSIONED = (Kind.CORE, Kind.PROCEDURAL)
"""Kinds that are kept as versions of a key, one after the other."""

_NO_LONGER = "no longer "


@dataclass(frozen=True, slots=True)
class Returning:
    """A memory that gets back what the one after it had."""

    ref: Ref
    standing: Mapping[str, Value]
    """Columns: valid_to, status, and for a fact superseded_by."""

    @property
    def holds(self) -> bool:
        """Tell whether it is current again, not only ended by another."""
        return self.standing["status"] == Status.ACTIVE


def returning(connection: Connection, gone: frozenset[Ref]) -> tuple[Returning, ...]:
    """Return what stands otherwise once all of `gone` is deleted; to be asked before."""
    facts = {ref.id for ref in gone if ref.kind is Kind.SEMANTIC}
    found = list(_facts(connection, facts))
    for kind in _VERSIONED:
        found += _versions(connection, kind, {ref.id for ref in gone if ref.kind is kind})
    return tuple(found)


def bring_back(connection: Connection, found: Iterable[Returning]) -> None:
    """Write how they stand, after what had taken their place was deleted."""
    for one in found:
        connection.update(TABLE_OF[one.ref.kind], one.ref.id, one.standing)


def in_profile(connection: Connection, facts: Iterable[int]) -> tuple[Ref, ...]:
    """Return the entries of the profile that say what these facts say, or that it is no longer as before them.

    They are of the same message, have no word that the facts have not, and no other fact of the message says them.
    """
    ids = id_list(facts)
    rows = connection.rows(
        "SELECT core.id, core.value, fact.content || ' ' || coalesce(group_concat(old.content, ' '), '') AS said,"
        " (SELECT group_concat(content, char(10)) FROM semantic AS other WHERE other.turn_id = fact.turn_id"
        " AND other.status = 'active' AND other.id NOT IN (SELECT value FROM json_each(?1))) AS others"
        " FROM semantic AS fact JOIN core ON core.turn_id = fact.turn_id AND core.author = 'model'"
        " LEFT JOIN semantic AS old ON old.superseded_by = fact.id"
        " WHERE fact.id IN (SELECT value FROM json_each(?1)) GROUP BY core.id, fact.id",
        (ids,),
    )
    return tuple(dict.fromkeys(Ref(Kind.CORE, row["id"]) for row in rows if _is_only_said_by(row)))


def _is_only_said_by(row: Row) -> bool:
    said = _words(row["value"].removeprefix(_NO_LONGER))
    others = (row["others"] or "").splitlines()
    return bool(said) and said <= _words(row["said"]) and not any(said <= _words(other) for other in others)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def _facts(connection: Connection, gone: set[int]) -> Iterator[Returning]:
    rows = connection.rows(
        "SELECT id, superseded_by, valid_to, status FROM semantic WHERE id IN (SELECT value FROM json_each(?1))"
        " OR superseded_by IN (SELECT value FROM json_each(?1)) ORDER BY id",
        (id_list(gone),),
    )
    standing = {row["id"]: {name: row[name] for name in ("valid_to", "superseded_by", "status")} for row in rows}
    for row_id, now in standing.items():
        heir, passed = now["superseded_by"], set[int]()
        if row_id in gone or heir not in gone:
            continue
        while (later := standing[heir]["superseded_by"]) in gone and heir not in passed:
            passed.add(heir)
            heir = later
        yield Returning(
            Ref(Kind.SEMANTIC, row_id), {**standing[heir], "superseded_by": None if later in gone else later}
        )


def _versions(connection: Connection, kind: Kind, gone: set[int]) -> Iterator[Returning]:
    table = TABLE_OF[kind]
    standing: dict[int, Mapping[str, Value]] = {}
    for row_id in sorted(gone, reverse=True):
        now = connection.row(f"SELECT * FROM {table} WHERE id = ?", (row_id,))  # noqa: S608 - a constant
        before = now and connection.row(
            f"SELECT max(id) AS id FROM {table} WHERE key = ? AND valid_to = ? AND id < ?",  # noqa: S608 - a constant
            (now["key"], now["recorded_at"], row_id),
        )
        if now and before and before["id"] is not None:
            standing[before["id"]] = standing.get(row_id, {name: now[name] for name in ("valid_to", "status")})
    yield from (Returning(Ref(kind, row_id), now) for row_id, now in standing.items() if row_id not in gone)
