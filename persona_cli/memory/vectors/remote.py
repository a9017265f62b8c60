"""A Chroma server instead of the local folder, for those who have outgrown one machine.

Only row ids and vectors go there, never a text; collections carry the home's own prefix, so that several people share
a server without meeting. The store's blobs stay the truth: a server that cannot be reached, or is behind, costs speed
and not memories, because the blobs are searched meanwhile and `why_not` says why.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import ConfigError, IndexDamagedError, StorageError
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.exact import Hits, by_field
from persona_cli.memory.vectors.hnsw import Hnsw
from persona_cli.memory.vectors.replica import FIELDS, SMALL, Stop
from persona_cli.records import Kind

_UNREACHED = "the Chroma server cannot be reached"


class RemoteReplica:
    """The copy of one embedder's vectors on a server; connected when it is first needed."""

    label = "Chroma server (HNSW)"

    def __init__(
        self, url: str, home: Path, store: Store, embedder: str, notice: Callable[[str], None], *, small: int = SMALL
    ) -> None:
        self.why_not = "the Chroma server has not been asked yet"
        self._url = url
        self._marker = home / "chroma-server.json"
        self._prefix = f"persona-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}-"
        self._store = store
        self._embedder = embedder
        self._notice = notice
        self._small = small
        self._hnsw: Hnsw | None = None
        self._lost = False
        self._guard = threading.RLock()

    def look(self) -> None:
        """Do nothing: a server is asked when there is something to search for or to store."""

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> Hits | None:
        """Return ids and cosines, best first, or None where the server cannot answer; `why_not` says why."""
        with self._guard:
            size = self._store.vectors.counts().get(self._embedder, 0)
            if size < self._small:
                self.why_not = f"quicker than a server for {size:,} vectors"
                return None
            if self._read_marker() != self._marked(self._store.vectors.revision()):
                self.why_not = "the Chroma server is behind the store"
                return None
            try:
                chroma = self._connect()
                return None if chroma is None else chroma.search(kind, field, vector, k)
            except (IndexDamagedError, StorageError) as exc:
                self._lose(exc.message)
                return None

    def held_elsewhere(self) -> bool:
        """Return False: a server serves everybody."""
        return False

    def in_step(self) -> bool:
        """Tell whether the server has what the store has, as far as is known here."""
        return self._read_marker() == self._marked(self._store.vectors.revision())

    def sync(self, stop: Stop | None = None, most: int | None = None) -> int:
        """Bring the server in step and return how many vectors were stored or removed; 0 where it is not there.

        In one go: a server deletes what it is told to, so that there is hardly ever much to do.
        """
        with self._guard:
            now = self._store.vectors.revision()
            held = self._read_marker()
            if held == self._marked(now):
                return 0
            try:
                chroma = self._connect()
                if chroma is None:
                    return 0
                revision = held.get("revision")
                if isinstance(revision, int) and revision <= now and held == self._marked(revision):
                    return self._catch_up(chroma, revision, now)
                return self._build(chroma)
            except (IndexDamagedError, StorageError) as exc:
                self._lose(exc.message)
                return 0

    def lacking(self) -> int:
        """Return 0: a server is filled in one go."""
        return 0

    def verify(self) -> tuple[str, ...]:
        """Say where server and store disagree; empty means nowhere."""
        with self._guard:
            chroma = self._connect()
            if chroma is None:
                return (f"{_UNREACHED} at {self._url}",)
            found = []
            for kind, field in FIELDS:
                ids, _ = self._store.vectors.matrix(kind, field, self._embedder)
                copies = set(chroma.content(kind, field))
                if copies != set(ids.tolist()):
                    found.append(f"{kind} ({field}): {len(copies)} vectors on the server, {len(ids)} in the store")
            return tuple(found)

    def rebuild(self) -> int:
        """Fill the server anew from the store's blobs and return how many vectors it has."""
        with self._guard:
            self._lost = False
            chroma = self._connect()
            if chroma is None:
                raise StorageError(f"{_UNREACHED} at {self._url}", fix="Start it, or correct chroma.url.")
            return self._build(chroma)

    def close(self) -> None:
        """Close the connection."""
        with self._guard:
            if self._hnsw is not None:
                self._hnsw.close()
                self._hnsw = None

    def _connect(self) -> Hnsw | None:
        """Return the connection, or None where the server was not there a moment ago."""
        if self._hnsw is None and not self._lost:
            import chromadb
            from chromadb.config import Settings

            address = urlsplit(self._url)
            if address.scheme not in ("http", "https") or not address.hostname:
                raise ConfigError(f"chroma.url = {self._url!r} is no address", fix="Write it as http://localhost:8000")
            secure = address.scheme == "https"
            try:
                client = chromadb.HttpClient(
                    host=address.hostname,
                    port=address.port or (443 if secure else 8000),
                    ssl=secure,
                    settings=Settings(anonymized_telemetry=False),
                )
            except ValueError as exc:
                self._lose(str(exc).splitlines()[0])
                return None
            self._hnsw = Hnsw(client, self._prefix)
        return self._hnsw

    def _lose(self, reason: str) -> None:
        self.why_not = _UNREACHED
        if not self._lost:
            self._notice(f"{_UNREACHED} at {self._url} ({reason}): searching without it")
        chroma, self._hnsw, self._lost = self._hnsw, None, True
        if chroma is not None:
            # it hangs on a server that is gone
            with suppress(IndexDamagedError, StorageError):
                chroma.close()

    def _catch_up(self, chroma: Hnsw, revision: int, now: int) -> int:
        done = 0
        self._write_marker({})
        for (kind, field), change in by_field(self._store.vectors.changed_since(revision, self._embedder)).items():
            chroma.delete(kind, field, change.gone)
            chroma.upsert(kind, field, change.ids, change.matrix)
            done += len(change.gone) + len(change.ids)
        self._write_marker(self._marked(now))
        return done

    def _build(self, chroma: Hnsw) -> int:
        self._write_marker({})
        now, count = self._store.vectors.revision(), 0
        chroma.clear()
        for kind, field in FIELDS:
            ids, matrix = self._store.vectors.matrix(kind, field, self._embedder)
            chroma.upsert(kind, field, ids, matrix)
            count += len(ids)
        self._write_marker(self._marked(now))
        return count

    def _marked(self, revision: object) -> dict[str, object]:
        return {"url": self._url, "embedder": self._embedder, "revision": revision}

    def _read_marker(self) -> dict[str, object]:
        try:
            held = json.loads(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}

    def _write_marker(self, held: dict[str, object]) -> None:
        part = self._marker.with_suffix(".part")
        try:
            part.write_text(json.dumps(held), encoding="utf-8")
            part.replace(self._marker)
        except OSError as exc:
            raise StorageError(f"{self._marker} cannot be written: {exc.strerror}", fix="Check permissions.") from exc
