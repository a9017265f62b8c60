"""What pictures look like, as vectors of the CLIP that is in use: derived, at most one for each picture.

They are apart from the vectors of texts: another space, another model, another table. A picture that is embedded
again gets a row with a new id, so the number of rows and the largest id tell whether anything has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from persona_cli.memory.tables.connection import Connection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WANTED = "FROM image WHERE id NOT IN (SELECT image_id FROM look WHERE embedder = ?)"


class Looks:
    """The table of picture vectors."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, image_id: int, embedder: str, vector: NDArray[np.float32]) -> bool:
        """Store how a picture looks in place of what any CLIP made of it before; False where the picture is gone."""
        blob = vector.astype("<f4", copy=False).tobytes()
        return bool(
            self._connection.write(
                "INSERT OR REPLACE INTO look (image_id, embedder, dimension, vector)"
                " SELECT id, ?, ?, ? FROM image WHERE id = ?",
                (embedder, len(vector), blob, image_id),
            )
        )

    def get(self, image_id: int, embedder: str) -> NDArray[np.float32] | None:
        """Return how a picture looks to a CLIP, or None where that has not seen it."""
        import numpy as np

        row = self._connection.row("SELECT vector FROM look WHERE image_id = ? AND embedder = ?", (image_id, embedder))
        return None if row is None else np.frombuffer(row["vector"], dtype="<f4").astype(np.float32, copy=False)

    def matrix(self, embedder: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return (image ids, vectors (n, d)) of one CLIP, by id."""
        import numpy as np

        rows = self._connection.rows(
            "SELECT image_id, vector FROM look WHERE embedder = ? ORDER BY image_id", (embedder,)
        )
        ids = np.fromiter((row["image_id"] for row in rows), dtype=np.int64, count=len(rows))
        joined = np.frombuffer(b"".join(row["vector"] for row in rows), dtype="<f4")
        return ids, joined.reshape(len(rows), -1 if rows else 0).astype(np.float32, copy=False)

    def wanted(self, embedder: str) -> tuple[int, ...]:
        """Return the ids of the pictures this CLIP has not seen, the newest first: they are asked for soonest."""
        rows = self._connection.rows(f"SELECT id {_WANTED} ORDER BY id DESC", (embedder,))
        return tuple(row["id"] for row in rows)

    def count_wanted(self, embedder: str) -> int:
        """Return how many pictures this CLIP has not seen."""
        return self._connection.number(f"SELECT count(*) {_WANTED}", (embedder,))

    def count(self, embedder: str) -> int:
        """Return how many pictures this CLIP has seen."""
        return self._connection.number("SELECT count(*) FROM look WHERE embedder = ?", (embedder,))

    def state(self) -> tuple[int, int]:
        """Return what is different after any change: the number of rows and the largest id."""
        row = self._connection.row("SELECT count(*) AS rows, coalesce(max(id), 0) AS last FROM look")
        assert row is not None
        return row["rows"], row["last"]
