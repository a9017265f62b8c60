"""Chroma: the approximate index on disk, with the vectors of one embedder.

One collection per kind and field, ids are row ids, distances are cosines. Chroma may not be opened by two
processes (chroma 7238 and others), so whoever opens it holds a lock until it closes it. Everything here is a copy:
what Chroma cannot open or answer is an `IndexDamagedError`, and the caller builds the index anew. So it does to
delete, because Chroma leaves the bytes of a deleted vector in its files.

Beside Chroma's files lies `persona.json`: which embedder, up to which revision of the store, and size and checksum
of the HNSW files. With it `inspect()` says in a few milliseconds, and without importing Chroma (500 ms), whether
the index is missing, unfinished, damaged, or behind. The checksums are there because Chroma reads these files
trustingly: one wrong block in them ended the process in 11 of 60 trials.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import IndexDamagedError, StorageError
from persona_cli.records import Kind

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_MARKER = "persona.json"
_DATABASE = "chroma.sqlite3"
_BATCH = 2_000
_DELETE = "Delete the chroma folder: it is built again."

# Recall@10 against exact search is 1.000 on 50,000 vectors in tight clusters with these, at 3 ms a query. Neighbours
# are what counts: with 16 of them whole clusters have no link to the rest, and looking through 4,000 candidates finds
# no more than 0.76; building takes a quarter longer with 64 (benchmarks/LOG.md).
_NEIGHBOURS = 64
_HNSW = {"space": "cosine", "max_neighbors": _NEIGHBOURS, "ef_construction": 200, "ef_search": 400}

# quick_check reads the whole file: 4 ms for 3 MB. Above this size only the schema is read.
_CHECKED_BYTES = 16 << 20


class State(StrEnum):
    """What a look at the folder finds."""

    WHOLE = "whole"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    OUTDATED = "of an older layout"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Marker:
    """What the index on disk holds."""

    embedder: str
    revision: int
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Size and CRC-32 of Chroma's HNSW files; SQLite looks after its own."""
    writing: bool = False
    neighbours: int = _NEIGHBOURS
    begun: int = 0
    """The store's revision when this copy was begun: what was gone by then has never been in it."""

    @property
    def clean_until(self) -> int:
        """The revision up to which nothing that is gone can be in it."""
        return max(self.revision, self.begun)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look from outside says."""

    state: State
    reason: str = ""
    marker: Marker = field(default=Marker("", 0))


def inspect(folder: Path, *, thorough: bool = False) -> Inspection:
    """Look at the index without opening it; `thorough` reads the HNSW files through, as must be before opening."""
    try:
        marker = _read_marker(folder / _MARKER)
    except FileNotFoundError:
        return Inspection(State.MISSING)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        return Inspection(State.DAMAGED, f"{_MARKER} is not readable: {exc}")
    if marker.writing:
        return Inspection(State.UNFINISHED)
    if marker.neighbours != _NEIGHBOURS:
        return Inspection(State.OUTDATED)
    damage = _files_damage(folder, marker, thorough) or _database_damage(folder / _DATABASE)
    return Inspection(State.DAMAGED, damage, marker) if damage else Inspection(State.WHOLE, marker=marker)


def mark(folder: Path, marker: Marker) -> None:
    """Write down what the index holds, or that it is being written; the files are looked at here."""
    partial = folder / f".{_MARKER}.{os.getpid()}"
    try:
        files = {} if marker.writing else {str(path.relative_to(folder)): _sum(path) for path in _hnsw_files(folder)}
        partial.write_text(json.dumps(asdict(replace(marker, files=files))), encoding="utf-8")
        partial.replace(folder / _MARKER)
    except OSError as exc:
        raise unwritable(folder, exc) from exc


def present(folder: Path) -> bool:
    """Tell whether the index still has its marker: a deleted folder is noticed before it is used."""
    return (folder / _MARKER).exists()


class Hnsw:
    """An open Chroma; `prefix` keeps its collections apart from others' on the same server."""

    def __init__(self, client: ClientAPI, prefix: str = "") -> None:
        self._client = client
        self._prefix = prefix
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

    def delete(self, kind: Kind, field: str, ids: NDArray[np.int64]) -> None:
        """Remove vectors by their row ids; what is not there is no error."""
        with _mapped():
            for start in range(0, len(ids), _BATCH):
                self._collection(kind, field).delete(ids=[str(row) for row in ids[start : start + _BATCH]])

    def clear(self) -> None:
        """Remove every collection with this prefix."""
        self._collections.clear()
        with _mapped():
            for collection in self._client.list_collections():
                if collection.name.startswith(self._prefix):
                    self._client.delete_collection(collection.name)

    def count(self) -> int:
        """Return how many vectors there are in all."""
        with _mapped():
            mine = (one for one in self._client.list_collections() if one.name.startswith(self._prefix))
            return sum(collection.count() for collection in mine)

    def close(self) -> None:
        """Release Chroma's files."""
        self._collections.clear()
        sessions = _sessions(self._client)
        try:
            with _mapped():
                self._client.close()
        finally:
            for session in sessions:
                session.close()

    def _collection(self, kind: Kind, field: str) -> Collection:
        if (kind, field) not in self._collections:
            self._collections[kind, field] = self._client.get_or_create_collection(
                f"{self._prefix}{kind}-{field}", embedding_function=None, configuration={"hnsw": _HNSW}
            )
        return self._collections[kind, field]


def open_hnsw(folder: Path) -> Hnsw:
    """Open or begin the index in `folder`; the caller holds the lock."""
    import chromadb
    from chromadb.config import Settings

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise unwritable(folder, exc) from exc
    with _mapped():
        return Hnsw(chromadb.PersistentClient(folder, settings=Settings(anonymized_telemetry=False)))


def unwritable(folder: Path, exc: OSError) -> StorageError:
    """Say that the index cannot be written."""
    return StorageError(f"{folder} cannot be written: {exc.strerror}", fix="Check permissions and free space.")


@contextmanager
def _mapped() -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except httpx.HTTPError as exc:
        raise StorageError(f"the Chroma server does not answer: {exc}", fix="Is it running?") from exc
    except (ChromaError, ValueError, TypeError) as exc:
        if any(words in str(exc) for words in ("disk is full", "readonly database", "unable to open")):
            raise StorageError(
                f"the vector index cannot be written: {exc}", fix="Check permissions and free space."
            ) from exc
        raise IndexDamagedError(f"the vector index is damaged: {exc}", fix=_DELETE) from exc
    except BaseException as exc:
        # a panic of Chroma's Rust part derives from BaseException, and its class cannot be imported
        if type(exc).__name__ != "PanicException":
            raise
        raise IndexDamagedError(f"the vector index is damaged: {exc}", fix=_DELETE) from exc


def _sessions(client: ClientAPI) -> list[httpx.Client]:
    """Return the connections a server's client leaves open (chromadb 1.5.9); a local one has none."""
    owners = (client, getattr(client, "_admin_client", None))
    found = (getattr(getattr(owner, "_server", None), "_session", None) for owner in owners)
    return [session for session in found if session is not None]


def _read_marker(path: Path) -> Marker:
    raw = json.loads(path.read_text(encoding="utf-8"))
    files = {str(name): (int(size), int(crc)) for name, (size, crc) in raw["files"].items()}
    # 16 is what an index without this number was built with
    neighbours = int(raw.get("neighbours", 16))
    begun = int(raw.get("begun", 0))
    return Marker(str(raw["embedder"]), int(raw["revision"]), files, bool(raw["writing"]), neighbours, begun)


def _hnsw_files(folder: Path) -> Iterator[Path]:
    # Without the pickle nothing has been persisted yet (it is from 1,000 vectors on): then Chroma writes these files
    # anew whenever it opens them, and reads none.
    folders = [pickle.parent for pickle in folder.glob("*/index_metadata.pickle")]
    return (path for inner in folders for path in inner.iterdir() if path.is_file())


def _sum(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    return len(content), zlib.crc32(content)


def _files_damage(folder: Path, marker: Marker, thorough: bool) -> str:
    for name, (size, crc) in marker.files.items():
        path = folder / name
        try:
            if path.stat().st_size != size:
                return f"{name} is not {size:,} bytes long"
            if thorough and _sum(path) != (size, crc):
                return f"{name} has changed"
        except OSError as exc:
            return f"{name}: {exc.strerror}"
    return ""


def _database_damage(path: Path) -> str:
    if not path.is_file():
        return f"{_DATABASE} is missing"
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
