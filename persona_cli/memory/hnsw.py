"""Chroma: the approximate index on disk, with the vectors of one embedder.

One collection per kind and field, ids are row ids, distances are cosines. Chroma may not be opened by two
processes (chroma 7238 and others), so whoever opens it holds a lock until it closes it. Everything here is a copy:
what Chroma cannot open or answer is an `IndexDamagedError`, and the caller builds the index anew.

Beside Chroma's files lies `persona.json`: which embedder, up to which revision of the store, and which files there
were. With it `inspect()` says in a few milliseconds, and without importing Chroma (500 ms), whether the index is
missing, damaged, or behind.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import IndexDamagedError, StorageError
from persona_cli.records import Kind

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_MARKER = "persona.json"
_DATABASE = "chroma.sqlite3"
_BATCH = 2_000

# Recall against exact search on 10,000 clustered vectors is 1.000 with these (and 0.99 was asked for); half of
# ef_search does as well there, but costs as much: 1.2 against 1.4 ms a query.
_HNSW = {"space": "cosine", "max_neighbors": 16, "ef_construction": 200, "ef_search": 200}

# quick_check reads the whole file: 4 ms for 3 MB. Above this size only the schema is read.
_CHECKED_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Marker:
    """What the index on disk holds."""

    embedder: str
    dimension: int
    revision: int
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look from outside says: a marker, or why there is none to trust."""

    marker: Marker | None = None
    missing: bool = False
    damage: str = ""


def inspect(folder: Path) -> Inspection:
    """Look at the index without opening it."""
    try:
        raw = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        marker = Marker(str(raw["embedder"]), int(raw["dimension"]), int(raw["revision"]), tuple(raw["files"]))
    except FileNotFoundError:
        return Inspection(missing=True)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        return Inspection(damage=f"{_MARKER} is not readable ({exc})")
    for name in marker.files:
        if not (folder / name).is_file() or not (folder / name).stat().st_size:
            return Inspection(damage=f"{name} is missing or empty")
    damage = _database_damage(folder / _DATABASE)
    return Inspection(damage=damage) if damage else Inspection(marker)


def mark(folder: Path, embedder: str, dimension: int, revision: int) -> None:
    """Write down what the index holds now."""
    files = tuple(sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if _lasting(path)))
    partial = folder / f".{_MARKER}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(Marker(embedder, dimension, revision, files))), encoding="utf-8")
    partial.replace(folder / _MARKER)


def present(folder: Path) -> bool:
    """Tell whether the index still has its marker: a deleted folder is noticed before it is used."""
    return (folder / _MARKER).exists()


class Hnsw:
    """An open Chroma."""

    def __init__(self, client: ClientAPI) -> None:
        self._client = client
        self._collections: dict[tuple[Kind, str], Collection] = {}

    def upsert(self, kind: Kind, field: str, ids: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        """Store vectors under their row ids."""
        if not len(ids):
            return
        with _mapped():
            collection = self._collection(kind, field)
            for start in range(0, len(ids), _BATCH):
                part = slice(start, start + _BATCH)
                collection.upsert(ids=[str(row) for row in ids[part]], embeddings=matrix[part])

    def delete(self, kind: Kind, field: str, ids: NDArray[np.int64]) -> None:
        """Remove vectors; ids that are not there are no error."""
        if not len(ids):
            return
        with _mapped():
            collection = self._collection(kind, field)
            for start in range(0, len(ids), _BATCH):
                collection.delete(ids=[str(row) for row in ids[start : start + _BATCH]])

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> tuple[tuple[int, float], ...]:
        """Return ids and cosines, best first."""
        with _mapped():
            collection = self._collection(kind, field)
            wanted = min(k, collection.count())
            if wanted < 1:
                return ()
            found = collection.query(query_embeddings=[vector], n_results=wanted, include=["distances"])
        # Chroma answers with less than it has where its files are gone, and says nothing
        distances = found["distances"]
        if distances is None or len(found["ids"][0]) < wanted:
            raise IndexDamagedError(f"Chroma found {len(found['ids'][0])} of {wanted} vectors")
        hits = ((int(row), 1.0 - float(distance)) for row, distance in zip(found["ids"][0], distances[0], strict=True))
        return tuple(sorted(hits, key=lambda hit: (-hit[1], hit[0])))

    def content(self, kind: Kind, field: str) -> dict[int, NDArray[np.float32]]:
        """Return every vector of one collection by its row id."""
        with _mapped():
            got = self._collection(kind, field).get(include=["embeddings"])
        vectors = np.asarray(got["embeddings"], dtype=np.float32)
        return {int(row): vector for row, vector in zip(got["ids"], vectors, strict=True)}

    def count(self) -> int:
        """Return how many vectors there are in all."""
        with _mapped():
            return sum(collection.count() for collection in self._client.list_collections())

    def close(self) -> None:
        """Release Chroma's files."""
        self._collections.clear()
        with _mapped():
            self._client.close()

    def _collection(self, kind: Kind, field: str) -> Collection:
        if (kind, field) not in self._collections:
            self._collections[kind, field] = self._client.get_or_create_collection(
                f"{kind}-{field}", embedding_function=None, configuration={"hnsw": _HNSW}
            )
        return self._collections[kind, field]


def open_hnsw(folder: Path) -> Hnsw:
    """Open or begin the index in `folder`; the caller holds the lock."""
    import chromadb
    from chromadb.config import Settings

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _mapped():
        return Hnsw(chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False)))


@contextmanager
def _mapped() -> Iterator[None]:
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, ValueError, TypeError) as exc:
        if any(words in str(exc) for words in ("disk is full", "readonly database", "unable to open")):
            raise StorageError(
                f"the vector index cannot be written: {exc}", fix="Check permissions and free space."
            ) from exc
        raise IndexDamagedError(
            f"the vector index is damaged: {exc}", fix="Delete the chroma folder: it is built again."
        ) from exc


def _lasting(path: Path) -> bool:
    # SQLite's journals come and go, and an empty file says nothing
    return path.is_file() and path.suffix in {".bin", ".sqlite3", ".pickle"} and path.stat().st_size > 0


def _database_damage(path: Path) -> str:
    check = "PRAGMA quick_check(1)" if path.stat().st_size <= _CHECKED_BYTES else "SELECT 'ok' FROM collections LIMIT 1"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)) as database:
            verdict = database.execute(check).fetchone()
    except sqlite3.OperationalError as exc:
        # its owner is writing: that is no damage
        return "" if "locked" in str(exc) else f"{_DATABASE}: {exc}"
    except sqlite3.DatabaseError as exc:
        return f"{_DATABASE}: {exc}"
    return "" if verdict and verdict[0] == "ok" else f"{_DATABASE} fails its check"
