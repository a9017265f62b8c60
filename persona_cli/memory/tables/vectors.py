"""Embeddings as blobs, by the embedder that made them; the vector index is built from these alone.

Every stored or deleted vector has a revision number of its own that only grows: an index that remembers the
last one it saw asks for what changed since. A vector goes when the text it stands for changes (by trigger)
and is then wanted again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from sqlite3 import Row
from typing import TYPE_CHECKING

from persona_cli.memory.tables.changes import (
    BEGINNING,
    EVERYTHING,
    KINDS,
    NOTES,
    TABLES,
    Moment,
    added,
    gone_back,
    moment,
    noted,
)
from persona_cli.memory.tables.columns import json_from_column
from persona_cli.memory.tables.connection import Connection, id_list
from persona_cli.records import Kind, Ref

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORTH_A_NOTE = 256
"""Texts that are looked at before it is noted that they are done: looking takes 1 ms, writing as long."""

_WITHOUT = """NOT EXISTS (
    SELECT 1 FROM vector WHERE vector.kind = one.kind AND vector.memory_id = one.memory_id
    AND vector.field = one.field AND embedder = ?)"""


@dataclass(frozen=True, slots=True, eq=False)
class VectorChange:
    """A vector that was stored, or deleted where `vector` is None."""

    ref: Ref
    field: str
    revision: int
    vector: NDArray[np.float32] | None


class Vectors:
    """The table of embeddings; field is "content" or "keywords"."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._looked: dict[str, tuple[Moment, Moment]] = {}
        """By embedder what was noted in the store, and until when this process has found no text without a vector."""

    def put(
        self, ref: Ref, field: str, embedder_name: str, vector: NDArray[np.float32], text: str | None = None
    ) -> bool:
        """Store the embedding of one text; False where the memory is gone, or its text is no longer `text`."""
        blob = vector.astype("<f4", copy=False).tobytes()
        with self._connection.transaction():
            current = self._connection.row(
                "SELECT text FROM embeddable WHERE kind = ? AND memory_id = ? AND field = ?", (ref.kind, ref.id, field)
            )
            if current is None or (text is not None and current["text"] != text):
                return False
            key = (ref.kind, ref.id, field, embedder_name)
            self._connection.write(
                "DELETE FROM vector_gone WHERE kind = ? AND memory_id = ? AND field = ? AND embedder = ?", key
            )
            self._connection.write("UPDATE revision SET value = value + 1")
            self._connection.write(
                "INSERT INTO vector (kind, memory_id, field, embedder, dimension, vector, revision)"
                " SELECT ?, ?, ?, ?, ?, ?, value FROM revision WHERE true ON CONFLICT DO UPDATE SET"
                " dimension = excluded.dimension, vector = excluded.vector, revision = excluded.revision",
                (*key, len(vector), blob),
            )
        return True

    def wanted(self, embedder_name: str, limit: int) -> tuple[tuple[Ref, str, str], ...]:
        """Return (memory, field, text) of texts that have no embedding by this embedder, at most `limit`.

        What was written before `note_complete` is not looked at again, unless it was edited or shown again; nor is
        what this process has looked at since.
        """
        with self._connection.steady() as steady:
            now, rows = moment(self._connection), self._missing(embedder_name, limit)
            # what is read within a transaction may come to nothing
            if steady and limit and not rows:
                self._looked[embedder_name] = self._noted(embedder_name), now
        return tuple((Ref(Kind(row["kind"]), row["memory_id"]), row["field"], row["text"]) for row in rows)

    def count_wanted(self, embedder_name: str) -> int:
        """Return how many texts have no embedding by this embedder, whatever was noted."""
        return self._connection.number(
            f"SELECT count(*) FROM embeddable AS one WHERE {_WITHOUT}",  # noqa: S608 - a constant
            (embedder_name,),
        )

    def note_complete(self, embedder_name: str) -> None:
        """Note that every text until now has an embedding by this embedder, if that is so."""
        since, now = self._noted(embedder_name), moment(self._connection)
        if added(since, now) + now[NOTES] - since[NOTES] < _WORTH_A_NOTE:
            return
        with self._connection.transaction():
            now = moment(self._connection)
            if not self._missing(embedder_name, 1):
                self._connection.write(
                    "INSERT OR REPLACE INTO embedded VALUES (?, ?)", (embedder_name, json.dumps(now))
                )

    def look_again(self) -> None:
        """Let `wanted` look at everything, whatever was noted."""
        self._looked.clear()
        self._connection.write("DELETE FROM embedded")

    def drop_others(self, embedder_name: str) -> int:
        """Delete the embeddings by every other embedder, and return how many those were."""
        with self._connection.transaction():
            dropped = self._connection.write("DELETE FROM vector WHERE embedder <> ?", (embedder_name,))
            self._connection.write("DELETE FROM vector_gone WHERE embedder <> ?", (embedder_name,))
            self._connection.write("DELETE FROM embedded WHERE embedder <> ?", (embedder_name,))
        return dropped

    def _complete(self, embedder_name: str) -> Moment:
        """Return until when every text has a vector, as far as anybody has looked."""
        noted = self._noted(embedder_name)
        known, looked = self._looked.get(embedder_name, (BEGINNING, BEGINNING))
        # another process has had everything looked at again, or put a backup back
        return looked if known == noted and not gone_back(looked, moment(self._connection)) else noted

    def _noted(self, embedder_name: str) -> Moment:
        row = self._connection.row("SELECT moment FROM embedded WHERE embedder = ?", (embedder_name,))
        return BEGINNING if row is None else json_from_column(row["moment"])

    def _missing(self, embedder_name: str, limit: int) -> list[Row]:
        since, now = self._complete(embedder_name), moment(self._connection)
        places = noted(self._connection, since)
        if EVERYTHING in places:
            since, places = BEGINNING, []
        rows: list[Row] = []
        for number, (kind, table) in enumerate(zip(KINDS, TABLES, strict=True)):
            last = since[table]
            looked_at = [("=", place // 8) for place in places if place % 8 == number and place // 8 <= last]
            if now[table] > last:
                looked_at.append((">", last))
            # a query for each: of a list of ids the view would make a look at every row
            for sign, row_id in looked_at:
                rows += self._connection.rows(
                    "SELECT kind, memory_id, field, text FROM embeddable AS one"  # noqa: S608 - constants
                    f" WHERE kind = ? AND memory_id {sign} ? AND {_WITHOUT} LIMIT ?",
                    (kind, row_id, embedder_name, limit - len(rows)),
                )
        return rows

    def matrix(self, kind: Kind, field: str, embedder_name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return (ids, vectors (n, d)) of one kind and field, by id."""
        import numpy as np

        rows = self._connection.rows(
            "SELECT memory_id, vector FROM vector WHERE kind = ? AND field = ? AND embedder = ? ORDER BY memory_id",
            (kind, field, embedder_name),
        )
        ids = np.fromiter((row["memory_id"] for row in rows), dtype=np.int64, count=len(rows))
        joined = np.frombuffer(b"".join(row["vector"] for row in rows), dtype="<f4")
        return ids, joined.reshape(len(rows), -1 if rows else 0).astype(np.float32, copy=False)

    def among(
        self, kind: Kind, ids: Collection[int], embedder_name: str, field: str = "content"
    ) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors that memories of one kind have, by id."""
        rows = self._connection.rows(
            "SELECT memory_id, vector FROM vector WHERE kind = ? AND field = ? AND embedder = ?"
            " AND memory_id IN (SELECT value FROM json_each(?))",
            (kind, field, embedder_name, id_list(ids)),
        )
        return {row["memory_id"]: _vector(row["vector"]) for row in rows}

    def get(self, ref: Ref, field: str, embedder_name: str) -> NDArray[np.float32] | None:
        """Return one embedding, or None."""
        row = self._connection.row(
            "SELECT vector FROM vector WHERE kind = ? AND memory_id = ? AND field = ? AND embedder = ?",
            (ref.kind, ref.id, field, embedder_name),
        )
        return None if row is None else _vector(row["vector"])

    def revision(self) -> int:
        """Return the number of the last change to any vector."""
        return self._connection.number("SELECT value FROM revision")

    def count_stored(self, revision: int, embedder_name: str) -> int:
        """Return how many vectors were stored after `revision`."""
        return self._connection.number(
            "SELECT count(*) FROM vector WHERE revision > ? AND embedder = ?", (revision, embedder_name)
        )

    def count_gone(self, revision: int, embedder_name: str) -> int:
        """Return how many vectors are gone since `revision`."""
        return self._connection.number(
            "SELECT count(*) FROM vector_gone WHERE revision > ? AND embedder = ?", (revision, embedder_name)
        )

    def stored_since(self, revision: int, until: int, embedder_name: str, limit: int) -> tuple[VectorChange, ...]:
        """Return the first vectors that were stored after `revision` and up to `until`, in order, at most so many."""
        rows = self._connection.rows(
            "SELECT kind, memory_id, field, revision, vector FROM vector"
            " WHERE revision > ? AND revision <= ? AND embedder = ? ORDER BY revision LIMIT ?",
            (revision, until, embedder_name, limit),
        )
        return tuple(map(_change, rows))

    def changed_since(self, revision: int, embedder_name: str) -> tuple[VectorChange, ...]:
        """Return what changed after `revision`, in order: each vector's last state only."""
        rows = self._connection.rows(
            "SELECT kind, memory_id, field, revision, vector FROM vector WHERE revision > ?1 AND embedder = ?2"
            " UNION ALL SELECT kind, memory_id, field, revision, NULL FROM vector_gone"
            " WHERE revision > ?1 AND embedder = ?2 ORDER BY revision",
            (revision, embedder_name),
        )
        return tuple(map(_change, rows))

    def sizes(self, embedder_name: str) -> dict[tuple[Kind, str], int]:
        """Return how many vectors of this embedder each field of each kind has."""
        rows = self._connection.rows(
            "SELECT kind, field, count(*) AS n FROM vector WHERE embedder = ? GROUP BY kind, field", (embedder_name,)
        )
        return {(Kind(row["kind"]), row["field"]): row["n"] for row in rows}

    def counts(self) -> dict[str, int]:
        """Return how many vectors each embedder has made."""
        rows = self._connection.rows("SELECT embedder, count(*) AS n FROM vector GROUP BY embedder ORDER BY embedder")
        return {row["embedder"]: row["n"] for row in rows}


def _change(row: Row) -> VectorChange:
    return VectorChange(
        ref=Ref(Kind(row["kind"]), row["memory_id"]),
        field=row["field"],
        revision=row["revision"],
        vector=None if row["vector"] is None else _vector(row["vector"]),
    )


def _vector(blob: bytes) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False)
