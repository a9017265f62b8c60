"""Embeddings as blobs, by the embedder that made them; the vector index is built from these alone.

Every stored or deleted vector has a revision number of its own that only grows: an index that remembers the
last one it saw asks for what changed since. A vector goes when the text it stands for changes (by trigger)
and is then wanted again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from persona_cli.memory.tables.connection import Connection, id_list
from persona_cli.records import Kind, Ref

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    def put(
        self, ref: Ref, field: str, embedder_name: str, vector: NDArray[np.float32], text: str | None = None
    ) -> bool:
        """Store the embedding of one text; False where the memory is gone, or its text is no longer `text`."""
        blob = _blob(vector)
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
        """Return (memory, field, text) of texts that have no embedding by this embedder, at most `limit`."""
        rows = self._connection.rows(
            "SELECT kind, memory_id, field, text FROM embeddable AS one WHERE NOT EXISTS ("
            " SELECT 1 FROM vector WHERE vector.kind = one.kind AND vector.memory_id = one.memory_id"
            " AND vector.field = one.field AND embedder = ?) LIMIT ?",
            (embedder_name, limit),
        )
        return tuple((Ref(Kind(row["kind"]), row["memory_id"]), row["field"], row["text"]) for row in rows)

    def count_wanted(self, embedder_name: str) -> int:
        """Return how many texts have no embedding by this embedder."""
        return self._connection.number(
            "SELECT count(*) FROM embeddable AS one WHERE NOT EXISTS ("
            " SELECT 1 FROM vector WHERE vector.kind = one.kind AND vector.memory_id = one.memory_id"
            " AND vector.field = one.field AND embedder = ?)",
            (embedder_name,),
        )

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

    def changed_since(self, revision: int, embedder_name: str) -> tuple[VectorChange, ...]:
        """Return what changed after `revision`, in order: each vector's last state only."""
        rows = self._connection.rows(
            "SELECT kind, memory_id, field, revision, vector FROM vector WHERE revision > ?1 AND embedder = ?2"
            " UNION ALL SELECT kind, memory_id, field, revision, NULL FROM vector_gone"
            " WHERE revision > ?1 AND embedder = ?2 ORDER BY revision",
            (revision, embedder_name),
        )
        return tuple(
            VectorChange(
                ref=Ref(Kind(row["kind"]), row["memory_id"]),
                field=row["field"],
                revision=row["revision"],
                vector=None if row["vector"] is None else _vector(row["vector"]),
            )
            for row in rows
        )

    def counts(self) -> dict[str, int]:
        """Return how many vectors each embedder has made."""
        rows = self._connection.rows("SELECT embedder, count(*) AS n FROM vector GROUP BY embedder ORDER BY embedder")
        return {row["embedder"]: row["n"] for row in rows}


def _blob(vector: NDArray[np.float32]) -> bytes:
    return vector.astype("<f4", copy=False).tobytes()


def _vector(blob: bytes) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False)
