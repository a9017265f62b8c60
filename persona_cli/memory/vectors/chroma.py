"""Chroma: where copies of the vectors lie, a folder of this home or a server of one's own.

One collection for each kind and field, ids are row ids, distances are cosines; never a text. What Chroma cannot open
or answer is an `IndexDamagedError`, what cannot be reached or written a `StorageError`; `index` decides what then.

A copy that was closed in order has a marker beside it, which is gone while it is filled: without one nobody knows
what is in it, and it is begun anew. The marker of a folder has size and checksum of every file, because Chroma reads
them trustingly: one wrong block in them ended the process in 11 of 60 trials.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import ConfigError, IndexDamagedError, StorageError
from persona_cli.paths import MARKER, SERVER_MARKER
from persona_cli.records import Kind

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_DATABASE = "chroma.sqlite3"

# Recall@10 against exact search is 1.000 on 50,000 vectors in tight clusters with these, at 3 ms a query. Neighbours
# are what counts: with 16 of them whole clusters have no link to the rest, and looking through 4,000 candidates finds
# no more than 0.76; building takes a quarter longer with 64 (benchmarks/LOG.md).
_HNSW = {"space": "cosine", "max_neighbors": 64, "ef_construction": 200, "ef_search": 400}


@dataclass(frozen=True, slots=True)
class Marker:
    """What a copy holds."""

    embedder: str
    revision: int
    """Of the store: what was stored up to it is in the copy."""
    clean: int
    """The store's revision when the copy was begun: what was gone by then has never been in it."""
    place: str = ""
    """How, or where, the copy was built: another one is of no use here."""
    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Size and CRC-32 of every file."""

    @property
    def clean_until(self) -> int:
        """The revision up to which nothing that is gone can be in the copy."""
        return max(self.revision, self.clean)


class Chroma:
    """An open Chroma; `prefix` keeps its collections apart from others' on the same server."""

    def __init__(self, client: ClientAPI, prefix: str = "") -> None:
        self._client = client
        self._prefix = prefix
        self._collections: dict[tuple[Kind, str], Collection] = {}

    def upsert(self, kind: Kind, field: str, ids: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        """Store some thousand vectors under their row ids."""
        with _mapped():
            self._collection(kind, field).upsert(ids=[str(row) for row in ids], embeddings=matrix)

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> tuple[tuple[int, float], ...]:
        """Return ids and cosines, best first."""
        with _mapped():
            collection = self._collection(kind, field)
            wanted = min(k, collection.count())
            if wanted < 1:
                return ()
            answer = collection.query(query_embeddings=[vector], n_results=wanted, include=["distances"])
        ids, distances = answer["ids"][0], (answer["distances"] or [[]])[0]
        # Chroma answers with less than it has where its files are gone, and says nothing
        if len(ids) < wanted:
            raise IndexDamagedError(f"Chroma found {len(ids)} of {wanted} vectors")
        hits = ((int(row), 1.0 - float(distance)) for row, distance in zip(ids, distances, strict=True))
        return tuple(sorted(hits, key=lambda hit: (-hit[1], hit[0])))

    def content(self, kind: Kind, field: str) -> dict[int, NDArray[np.float32]]:
        """Return every vector of one collection by its row id."""
        with _mapped():
            got = self._collection(kind, field).get(include=["embeddings"])
        vectors = np.asarray(got["embeddings"], dtype=np.float32)
        return {int(row): vector for row, vector in zip(got["ids"], vectors, strict=True)}

    def clear(self) -> None:
        """Remove every collection with this prefix."""
        self._collections.clear()
        with _mapped():
            for collection in self._mine():
                self._client.delete_collection(collection.name)

    def count(self) -> int:
        """Return how many vectors there are in all."""
        with _mapped():
            return sum(collection.count() for collection in self._mine())

    def close(self) -> None:
        """Release Chroma's files, or the connections that a server's client leaves open (chromadb 1.5.9)."""
        self._collections.clear()
        owners = (self._client, getattr(self._client, "_admin_client", None))
        sessions = [getattr(getattr(owner, "_server", None), "_session", None) for owner in owners]
        try:
            with _mapped():
                self._client.close()
        finally:
            for session in filter(None, sessions):
                session.close()

    def _mine(self) -> Iterator[Collection]:
        return (held for held in self._client.list_collections() if held.name.startswith(self._prefix))

    def _collection(self, kind: Kind, field: str) -> Collection:
        if (kind, field) not in self._collections:
            self._collections[kind, field] = self._client.get_or_create_collection(
                f"{self._prefix}{kind}-{field}", embedding_function=None, configuration={"hnsw": _HNSW}
            )
        return self._collections[kind, field]


class Folder:
    """A copy in a folder, which one process at a time may open (chroma 7238)."""

    label = "Chroma (HNSW)"
    shared = False
    place = f"{_HNSW['max_neighbors']} neighbours"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.marker = folder / MARKER

    def open(self) -> Chroma:
        """Open the copy, or begin one."""
        import chromadb

        with _writing(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _mapped():
            return Chroma(chromadb.PersistentClient(self._folder, settings=_settings()))

    def present(self) -> bool:
        """Tell whether there is anything: a folder that is deleted while it is open is noticed by this."""
        return (self._folder / _DATABASE).exists() or self._folder.is_file()

    def sums(self) -> dict[str, tuple[int, int]]:
        """Return size and checksum of every file."""
        paths = (path for path in sorted(self._folder.rglob("*")) if path.is_file() and path.name != MARKER)
        with _writing(self._folder):
            return {str(path.relative_to(self._folder)): _sum(path) for path in paths}

    def wipe(self, _chroma: Chroma | None) -> None:
        """Delete the copy, with what an earlier persona has kept of a damaged one."""
        for folder in (self._folder, *self._folder.parent.glob(f"{self._folder.name}.damaged-*")):
            with _writing(folder), suppress(FileNotFoundError):
                folder.unlink() if folder.is_file() else shutil.rmtree(folder)


class Server:
    """A copy on a server, under names with this home's own prefix, so that several people share one."""

    label = "Chroma server (HNSW)"
    shared = True

    def __init__(self, url: str, home: Path) -> None:
        self.place = url
        self.marker = home / SERVER_MARKER
        self._prefix = f"persona-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}-"

    def open(self) -> Chroma:
        """Connect."""
        import chromadb

        address = urlsplit(self.place)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"chroma.url = {self.place!r} is no address", fix="Write it as http://localhost:8000")
        secure = address.scheme == "https"
        port = address.port or (443 if secure else 8000)
        try:
            client = chromadb.HttpClient(host=address.hostname, port=port, ssl=secure, settings=_settings())
        except ValueError as exc:
            raise _unreached(self.place, str(exc).splitlines()[0]) from exc
        return Chroma(client, self._prefix)

    def present(self) -> bool:
        """Return True: who knows what is left on a server."""
        return True

    def sums(self) -> dict[str, tuple[int, int]]:
        """Return nothing: a server looks after its own files."""
        return {}

    def wipe(self, chroma: Chroma | None) -> None:
        """Delete this home's collections."""
        opened = chroma or self.open()
        try:
            opened.clear()
        finally:
            if chroma is None:
                opened.close()


def read_marker(place: Folder | Server) -> Marker | None:
    """Return what the copy holds, or None where nobody knows; its files are not looked at."""
    try:
        raw = json.loads(place.marker.read_text(encoding="utf-8"))
        files = {str(name): (int(size), int(crc)) for name, (size, crc) in raw["files"].items()}
        marker = Marker(str(raw["embedder"]), int(raw["revision"]), int(raw["clean"]), str(raw["place"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return marker if marker.place == place.place else None


def write_marker(place: Folder | Server, marker: Marker) -> None:
    """Write down what the copy holds, once it is closed or, on a server, filled."""
    partial = place.marker.with_name(f".{place.marker.name}.{os.getpid()}")
    with _writing(place.marker):
        partial.write_text(json.dumps(asdict(replace(marker, place=place.place, files=place.sums()))), encoding="utf-8")
        partial.replace(place.marker)


def damage(place: Folder | Server, marker: Marker) -> str:
    """Say which file is not as it was when the copy was closed; empty where none."""
    differing = sorted(marker.files.items() ^ place.sums().items())
    return f"{differing[0][0]} has changed" if differing else ""


def _sum(path: Path) -> tuple[int, int]:
    crc = size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            crc, size = zlib.crc32(block, crc), size + len(block)
    return size, crc


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if isinstance(exc, FileNotFoundError):
            raise
        raise StorageError(f"{path} cannot be written: {exc.strerror}", fix="Check permissions and space.") from exc


def _settings() -> object:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def _unreached(url: str, reason: object) -> StorageError:
    return StorageError(f"the Chroma server {url} cannot be reached: {reason}", fix="Start it, or correct chroma.url.")


@contextmanager
def _mapped() -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except httpx.HTTPError as exc:
        raise _unreached("", exc) from exc
    except (ChromaError, ValueError, TypeError) as exc:
        if any(words in str(exc) for words in ("disk is full", "readonly database", "unable to open")):
            raise StorageError(f"Chroma cannot write: {exc}", fix="Check permissions and free space.") from exc
        raise IndexDamagedError(f"Chroma cannot read it: {exc}") from exc
    except BaseException as exc:
        # a panic of Chroma's Rust part derives from BaseException, and its class cannot be imported
        if type(exc).__name__ != "PanicException":
            raise
        raise IndexDamagedError(f"Chroma cannot read it: {exc}") from exc
