"""The vector index: nearest memories of one kind and field, exactly or through Chroma.

The store's blobs are the truth. Exact search (`exact`) needs nothing else and misses nothing; Chroma (`chroma`) is a
copy that does not have to be read whole. Which of the two answers is decided in `Index._by_chroma`, and said in
`Index.backend`: Chroma where a field has more than `CROSSOVER` bytes of vectors and the copy is open and in step,
exact search everywhere else. A search among given ids is always exact: HNSW is slow under a narrow filter (10,000
vectors, 2,500 allowed: 15 ms against 1 ms).

Chroma is filled by whoever calls `sync`, and behind a conversation by the update queue in batches (`keep_up`), in the
order of the store's revisions, so that it can stop anywhere and go on later; where nothing is large enough to be
searched in it, it is closed again. One process holds it, under a file lock. When in doubt it is begun anew, for the
embedding model is not needed for that: after a process was killed, after something was forgotten (Chroma keeps the
bytes of what it deletes), for another embedder, and where it is damaged, with one notice. A second damage, or what
cannot be written or reached, ends in exact search until the process ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import BusyError, IndexDamagedError, StorageError
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.chroma import Chroma, Folder, Marker, Server, damage, read_marker, write_marker
from persona_cli.memory.vectors.exact import ExactSearch, Hits, Ids, by_field
from persona_cli.paths import Places
from persona_cli.records import Kind

if TYPE_CHECKING:
    from filelock import FileLock

CROSSOVER = 250_000_000
"""Bytes of one field's vectors from which on Chroma answers, where it is open: 160,000 vectors of 384 dimensions.

An estimate: exact search grows with the bytes, and won up to 50,000 vectors (`python -m benchmarks crossover`).
"""

FIELDS = tuple((kind, field) for kind in Kind for field in ("content", "keywords"))
_STEP = 1_000  # vectors between two looks at `stop`: half a second
_BATCH, _SHARE = 256, 8
"""Changes that are waited for where nothing searches the copy, at least so many and an eighth of those before: each
opening reads the whole copy, and leaves some of it in the process."""

Stop = Callable[[], bool]


class Index:
    """The index of one embedder; nothing is opened before it is needed, and any thread may call it."""

    def __init__(
        self, place: Folder | Server, lock: Path, store: Store, embedder: str, *,
        notice: Callable[[str], None], enough: int,
    ) -> None:  # fmt: skip
        self._place = place
        self._store = store
        self._embedder = embedder
        self._notice = notice
        self._enough = enough
        self._exact = ExactSearch(store, embedder)
        self._lock_file = lock
        self._lock: FileLock | None = None
        self._guard = threading.RLock()
        self._chroma: Chroma | None = None
        self._held: Marker | None = None
        self._counted: tuple[int, dict[tuple[Kind, str], int]] = (0, {})
        """The revision at which the vectors of each field were counted, and how many those were."""
        self._why_not = "quicker than opening Chroma"
        self._backend = "exact (among given memories)"
        self._repaired = False
        self._useless = False

    @property
    def backend(self) -> str:
        """Say how the last search was done, and why that way; one among given ids does not count."""
        return self._backend

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int, among: Ids | None = None) -> Hits:
        """Return the ids and cosines of the `k` nearest, best first; only ids in `among`, if given."""
        hits = self._by_chroma(kind, field, vector, k) if among is None else None
        return self._exact.search(kind, field, vector, k, among) if hits is None else hits

    def sync(self, stop: Stop | None = None) -> int:
        """Bring Chroma in step with the store and return how many vectors were stored in it.

        Ends early once `stop` says so; the next call goes on. Does nothing where another process holds Chroma, which
        will do it, or where it cannot be used. A copy that is in step is opened where it is worth searching.
        """
        stored = 0
        with self._guard:
            while not (self._ready() or (stop and stop())) and self._hold():
                try:
                    stored += self._fill(stop)
                except BusyError:
                    raise  # the store's, and over in a moment
                except StorageError as exc:
                    self._mend(exc)
        return stored

    def keep_up(self, stop: Stop | None = None) -> int:
        """Do the same as `sync`, once enough has come together or where the copy is searched."""
        with self._guard:
            searched = any(self._is_searched(kind, field) for kind, field in FIELDS)
            held = self._known()
            begun = held.revision if held and held.embedder == self._embedder else 0
            if not searched and self._store.vectors.revision() - begun < max(_BATCH, begun // _SHARE):
                return 0
            stored = self.sync(stop)
            if not searched:
                self.close()
        return stored

    def drop_gone(self) -> bool:
        """Delete the copy where something in it is gone from the store; the next `sync` begins it anew.

        Returns False while another process holds Chroma, which deletes it with its next `sync`, or when it is closed.
        """
        with self._guard:
            if not self._gone(self._known()):
                return True
            if not self._hold():
                return self._useless
            try:
                self._wipe()
            except StorageError as exc:
                self._give_up(exc.message)
            if self._chroma is None:
                self._let_go()
        return True

    @property
    def in_step(self) -> bool:
        """Tell whether Chroma has what the store has, and nothing else."""
        if not self._place.present():
            # nothing to index yet is no reason to import Chroma
            return self._chroma is None and not self._lacking(None)
        held, now = self._known(), self._store.vectors.revision()
        return held is not None and held.embedder == self._embedder and held.revision == now

    def lacking(self) -> int:
        """Return how many vectors are still to be filled in."""
        held = self._known()
        return self._lacking(held if self._usable(held, self._store.vectors.revision()) else None)

    def verify(self) -> tuple[str, ...]:
        """Say where Chroma and the store disagree, once what little is `lacking` is filled in; empty means nowhere.

        Raises `BusyError` while another process holds Chroma, `StorageError` where a server cannot be reached.
        """
        with self._guard:
            self._hold_or_raise()
            now = self._store.vectors.revision()
            if not (self._place.present() and (self._place.shared or self._usable(self._known(), now))):
                return ()
            try:
                if not self.in_step:
                    self._fill(None)
                return tuple(self._disagreements(self._open(now)))
            except IndexDamagedError as exc:
                return (exc.message,)

    def rebuild(self) -> int:
        """Build Chroma anew from the store's blobs and return how many vectors it has.

        Raises `BusyError` while another process holds Chroma, `StorageError` where it cannot be written or reached.
        """
        with self._guard:
            self._repaired = False
            self._hold_or_raise()
            self._wipe()
            return self._fill(None)

    def close(self) -> None:
        """Close Chroma and let other processes have it; closing twice is allowed."""
        with self._guard:
            held, chroma = self._held, self._close_chroma()
            if chroma and held is not None and self._lock is not None:
                try:
                    if self._gone(held):
                        self._wipe()
                    elif self._place.present():
                        write_marker(self._place, held)
                except StorageError as exc:
                    self._give_up(exc.message)
            self._let_go()

    def _by_chroma(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> Hits | None:
        """Return what Chroma finds, or None where exact search is to answer; the one place that decides."""
        if not self._is_searched(kind, field):
            self._backend = f"exact (quicker than Chroma below {self._enough:,} vectors of a kind)"
            return None
        if not self._guard.acquire(blocking=False):
            self._backend = "exact (Chroma is being filled)"
            return None
        try:
            if self._place.shared and self._lock is None:
                self._look_in()
            if self._chroma is not None and self.in_step:
                hits = self._chroma.search(kind, field, vector, k)
                self._backend = self._place.label
                return hits
            self._backend = f"exact ({self._why_not if self._chroma is None else 'Chroma is behind the store'})"
        except StorageError as exc:
            self._mend(exc)
            self._backend = f"exact ({self._why_not})"
        finally:
            self._guard.release()
        return None

    def _ready(self) -> bool:
        searched = any(self._is_searched(kind, field) for kind, field in FIELDS)
        return self.in_step and (self._chroma is not None or not searched)

    def _look_in(self) -> None:
        """Connect to a server that another process fills, and anew when it has filled it since."""
        held = read_marker(self._place)
        if self._chroma is None or held != self._held:
            self._close_chroma()
            if self.in_step and not self._useless:
                self._chroma, self._held = self._place.open(), held

    def _is_searched(self, kind: Kind, field: str) -> bool:
        """Tell whether a field has so many vectors that Chroma is quicker."""
        since, sizes = self._counted
        now = self._store.vectors.revision()
        # every vector that comes or goes has a revision of its own: between two counts so many may have, no more
        if not 0 <= now - since < abs(self._enough - sizes.get((kind, field), 0)):
            self._counted = now, (sizes := self._store.vectors.sizes(self._embedder))
        return sizes.get((kind, field), 0) >= max(self._enough, 1)

    def _fill(self, stop: Stop | None) -> int:
        """Store what came after the copy's revision, in order."""
        # read before it is asked what is gone: what another process forgets from here on is gone after `now`
        now, vectors, stored = self._store.vectors.revision(), self._store.vectors, 0
        chroma = self._open(now)
        while self._held is not None and self._held.revision < now and not (stop and stop()):
            changes = vectors.stored_since(self._held.revision, now, self._embedder, _STEP)
            for (kind, field), change in by_field(changes).items():
                chroma.upsert(kind, field, change.ids, change.matrix)
            stored += len(changes)
            self._held = replace(self._held, revision=changes[-1].revision if len(changes) == _STEP else now)
        if self.in_step:
            expected = self._lacking(None)
            # unless somebody has written in the meantime
            if vectors.revision() == now and chroma.count() != expected:
                raise IndexDamagedError("it has another number of vectors than the store")
        if self._place.shared and self._held is not None:
            write_marker(self._place, self._held)
        return stored

    def _open(self, now: int) -> Chroma:
        """Return Chroma with a copy that can be filled on: the one that is there, or one begun anew."""
        held = self._known()
        if not self._usable(held, now) or not self._place.present():
            self._wipe()
            held = Marker(self._embedder, 0, now)
        elif self._chroma is None and (reason := damage(self._place, held)):
            raise IndexDamagedError(reason)
        if self._chroma is None:
            self._chroma = self._place.open()
        self._held = held
        self._place.marker.unlink(missing_ok=True)
        return self._chroma

    def _usable(self, held: Marker | None, now: int) -> TypeGuard[Marker]:
        # a store that is younger than its copy was put back from a backup
        return bool(held and held.embedder == self._embedder and held.clean_until <= now and not self._gone(held))

    def _gone(self, held: Marker | None) -> bool:
        """Tell whether a copy may have vectors that are gone from the store."""
        since, embedder = (held.clean_until, held.embedder) if held else (0, self._embedder)
        return self._store.vectors.count_gone(since, embedder) > 0

    def _known(self) -> Marker | None:
        return self._held if self._chroma is not None and self._lock is not None else read_marker(self._place)

    def _lacking(self, held: Marker | None) -> int:
        return self._store.vectors.count_stored(held.revision if held else 0, self._embedder)

    def _mend(self, exc: StorageError) -> None:
        """Delete a damaged copy, once; what fails otherwise, or again, is given up."""
        if self._repaired or not isinstance(exc, IndexDamagedError):
            self._give_up(exc.message)
            return
        self._repaired = True
        try:
            self._close_chroma()
            self._wipe()
        except StorageError as failed:
            self._give_up(failed.message)
            return
        self._notice(f"the index was damaged ({exc.message}) and is rebuilt from the store")

    def _give_up(self, reason: str) -> None:
        self._close_chroma()
        self._useless, self._why_not = True, "Chroma cannot be used"
        self._notice(f"the index cannot be used ({reason}): searching without it")

    def _wipe(self) -> None:
        chroma = self._chroma if self._place.shared else None
        if chroma is None:
            self._close_chroma()
        self._place.wipe(chroma)
        self._held = None

    def _close_chroma(self) -> bool:
        """Close Chroma and tell whether it was open."""
        chroma, self._chroma, self._held = self._chroma, None, None
        if chroma is not None:
            # a broken one need not close well: it is about to be replaced, or the process to end
            with suppress(StorageError):
                chroma.close()
        return chroma is not None

    def _hold(self) -> bool:
        """Take the lock, if need be, and tell whether Chroma may be opened."""
        from filelock import FileLock, Timeout

        if self._useless or self._lock is not None:
            return not self._useless
        # not thread-local: the worker's thread opens Chroma, the main thread closes it
        lock = FileLock(self._lock_file, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            self._why_not = "another process holds Chroma"
        except OSError as exc:
            self._give_up(f"{self._lock_file}: {exc.strerror}")
        else:
            self._close_chroma()  # which was looked into while another process filled it
            self._lock = lock
        return self._lock is not None

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release(force=True)
        self._lock = None

    def _hold_or_raise(self) -> None:
        self._useless = False
        if not self._hold():
            raise BusyError(
                "another persona process holds the index", fix="Close the other one, or wait until it has ended."
            )

    def _disagreements(self, chroma: Chroma) -> Iterator[str]:
        for kind, field in FIELDS:
            ids, matrix = self._store.vectors.matrix(kind, field, self._embedder)
            copies = chroma.content(kind, field)
            for row, vector in zip(ids.tolist(), matrix, strict=True):
                copy = copies.pop(row, None)
                if copy is None:
                    yield f"{kind} {row} ({field}) is missing in the index"
                elif not np.allclose(copy, vector, atol=1e-5):
                    yield f"{kind} {row} ({field}) has another vector in the index"
            yield from (f"{kind} {row} ({field}) is in the index only" for row in copies)


def open_index(
    places: Places, store: Store, embedder_name: str, dimension: int, notice: Callable[[str], None], *,
    url: str = "", crossover: int = CROSSOVER,
) -> Index:  # fmt: skip
    """Return the index; Chroma itself is opened when it is needed. `notice` hears of repairs.

    The copies lie in the home's folder, or with `url` on a Chroma server.
    """
    place = Server(url, places.home) if url else Folder(places.chroma)
    enough = crossover // (4 * dimension)
    return Index(place, places.index_lock, store, embedder_name, notice=notice, enough=enough)
