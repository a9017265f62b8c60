"""Chroma as a copy of the store's vectors: kept in step, checked, set aside and built anew.

It is filled in the order of the store's revisions, some thousand vectors at a time, so that whoever waits for the
memory can stop it anywhere, and the next one goes on from there. Until it is in step, search is exact.

One process has it open, under a file lock; the others are told why not. Everything can be rebuilt from the
blobs without the embedding model, so damage is never argued with: the folder is renamed, a new one is built, one
line of notice says so. Should that fail too, this process stops trying, and searches exactly.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from persona_cli.errors import BusyError, IndexDamagedError, StorageError
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.exact import Hits, by_field
from persona_cli.memory.vectors.hnsw import (
    Hnsw,
    Inspection,
    Marker,
    State,
    inspect,
    mark,
    open_hnsw,
    present,
    unwritable,
)
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref

Stop = Callable[[], bool]

BIG = 200_000
"""Vectors from which on a process that only asks opens Chroma: below, reading the blobs is quicker."""

IN_PASSING = 2_000
"""Vectors that are stored while somebody waits: a second's work. 150,000 take a minute on two cores."""

SMALL = 200_000
"""Vectors up to which exact search answers even where Chroma is open.

It is as quick there (50,000 vectors by the clock: 4 ms both, one field) and misses nothing. HNSW was seen to
lose the one memory that is unlike a hundred others that resemble each other, because no neighbour keeps a link to it;
64 neighbours (`hnsw`) keep that rare.
"""

FIELDS = tuple((kind, field) for kind in Kind for field in ("content", "keywords"))
_STEP = 1_000  # vectors between two looks at `stop`: half a second
_NOT_OPENED = "quicker than opening Chroma"
_ELSEWHERE = "another process holds Chroma"
_UNKNOWN = Marker("", 0)


class Replica:
    """The copy of one embedder's vectors; nothing is opened before it is needed."""

    label = "Chroma (HNSW)"

    def __init__(
        self,
        places: Places,
        store: Store,
        embedder: str,
        dimension: int,
        notice: Callable[[str], None],
        *,
        small: int = SMALL,
        big: int = BIG,
    ) -> None:
        self.why_not = _NOT_OPENED
        self._folder = places.chroma
        self._store = store
        self._embedder = embedder
        self._dimension = dimension
        self._notice = notice
        self._lock_file = places.index_lock
        # not thread-local: the worker's thread opens Chroma, the main thread closes it
        self._lock = FileLock(places.index_lock, timeout=0, mode=0o600, thread_local=False)
        self._guard = threading.RLock()
        self._hnsw: Hnsw | None = None
        self._revision = -1
        self._size = 0
        self._small = small
        self._big = big
        self._looked = False
        self._built_before = False
        self._repaired = False
        self._useless = False

    def look(self) -> None:
        """Notice, once in a process and without opening Chroma, that it is missing or damaged."""
        if self._looked:
            return
        with self._guard:
            self._looked = True
            count = self._count()
            found = inspect(self._folder)
            if count and found.state is not State.WHOLE:
                self._repair(found)
            elif count >= self._big:
                self._take()

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> Hits | None:
        """Return ids and cosines, best first, or None where Chroma cannot answer now; `why_not` says why."""
        if not self._guard.acquire(blocking=False):
            self.why_not = "Chroma is being updated"
            return None
        try:
            return self._search(kind, field, vector, k)
        finally:
            self._guard.release()

    def sync(self, stop: Stop | None = None, most: int | None = None) -> int:
        """Bring Chroma in step and return how many vectors were stored or removed.

        Ends early once `stop` says so or `most` vectors are stored; the next call goes on.
        """
        with self._guard:
            self._looked = True
            if self.in_step() or not self._acquire():
                return 0
            found = inspect(self._folder, thorough=self._hnsw is None)
            if found.state is not State.WHOLE:
                return self._repair(found, stop, most)
            try:
                return self._catch_up(found.marker, stop, most)
            except IndexDamagedError as exc:
                return self._repair(_damaged(exc, found.marker), stop, most)
            except BusyError:
                raise  # the store's, and over in a moment
            except StorageError as exc:
                self._give_up(exc.message)
                return 0

    def lacking(self) -> int:
        """Return how many vectors are still to be filled in, where they are too many to have been overlooked."""
        found = inspect(self._folder)
        if found.state is not State.WHOLE or found.marker.embedder != self._embedder:
            return 0
        count = self._store.vectors.count_stored(found.marker.revision, self._embedder)
        return count if count >= _STEP else 0

    def verify(self) -> tuple[str, ...]:
        """Say where Chroma and the store disagree, unless much is still `lacking`; raises `BusyError`."""
        with self._guard:
            self._acquire_or_raise()
            found = inspect(self._folder, thorough=self._hnsw is None)
            if found.state is State.MISSING and not self._count():
                return ()
            if found.state is not State.WHOLE:
                return (f"the index is {found.state}{found.reason and ': '}{found.reason}",)
            if found.marker.embedder != self._embedder:
                return (f"the index holds vectors of {found.marker.embedder}, not of {self._embedder}",)
            if self.lacking():
                return ()
            try:
                return tuple(self._disagreements(found.marker.revision))
            except IndexDamagedError as exc:
                return (exc.message,)

    def rebuild(self) -> int:
        """Build Chroma anew and return how many vectors it has; raises `BusyError`."""
        with self._guard:
            self._acquire_or_raise()
            self._looked = True
            self._repaired = self._useless = False
            self._drop_set_aside()
            return self._build()

    def close(self) -> None:
        """Close Chroma and free the lock."""
        with self._guard:
            self._close_chroma()
            self._lock.release(force=True)

    def _search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int) -> Hits | None:
        if self._hnsw is not None and not present(self._folder):
            self._repair(Inspection(State.MISSING))
        if self._hnsw is None:
            return None
        if self._revision != self._store.vectors.revision():
            self.why_not = "Chroma is behind the store"
            return None
        if self._size < self._small:
            self.why_not = f"quicker than Chroma for {self._size:,} vectors"
            return None
        try:
            return self._hnsw.search(kind, field, vector, k)
        except IndexDamagedError as exc:
            self._repair(_damaged(exc))
            return None

    def _take(self) -> None:
        """Open an index that is not necessarily in step, to search it."""
        if not self._acquire():
            return
        found = inspect(self._folder, thorough=True)
        if found.state is not State.WHOLE:
            self._repair(found)
        elif found.marker.embedder == self._embedder:
            try:
                self._open()
            except IndexDamagedError as exc:
                self._repair(_damaged(exc, found.marker))
            else:
                self._revision, self._size = found.marker.revision, self._count()

    def held_elsewhere(self) -> bool:
        """Tell whether another process has Chroma open, and still to bring in step."""
        return not self._lock.is_locked and self.why_not == _ELSEWHERE and not self.in_step()

    def in_step(self) -> bool:
        """Tell whether Chroma has what the store has, and nothing else."""
        revision = self._store.vectors.revision()
        if self._hnsw is not None:
            return revision == self._revision and present(self._folder)
        found = inspect(self._folder)
        if found.state is State.MISSING:
            # nothing to index yet is no reason to import Chroma
            return not self._folder.exists() and not self._count()
        return (
            found.state is State.WHOLE
            and found.marker.embedder == self._embedder
            and found.marker.revision == found.marker.clean_until == revision
        )

    def _catch_up(self, held: Marker, stop: Stop | None, most: int | None) -> int:
        # read before it is asked what is gone: what another process forgets from here on is gone after `now`
        now = self._store.vectors.revision()
        # a store that is younger than its index was put back from a copy
        if held.embedder != self._embedder or held.clean_until > now:
            return self._build(stop, most)
        if gone := self._store.vectors.count_gone(held.clean_until, self._embedder):
            lacking = self._store.vectors.count_stored(held.revision, self._embedder)
            # Chroma keeps the bytes of what it deletes, and what a person has forgotten must not be in any file
            built = self._build(stop, most)
            return gone + (lacking if self.in_step() else built)
        return self._fill(held, now, stop, most)

    def _fill(self, held: Marker, now: int, stop: Stop | None, most: int | None) -> int:
        """Store what came after the marked revision and up to `now`, in order, and mark how far that went."""
        chroma, stored, revision = self._open(), 0, held.revision
        # whoever finds it like this knows that its writer was killed
        mark(self._folder, replace(held, writing=True))
        try:
            while revision < now and not (stop and stop()) and (most is None or stored < most):
                changes = self._store.vectors.stored_since(revision, now, self._embedder, _STEP)
                for (kind, field), change in by_field(changes).items():
                    chroma.upsert(kind, field, change.ids, change.matrix)
                stored += len(changes)
                revision = changes[-1].revision if len(changes) == _STEP else now
        except (KeyboardInterrupt, SystemExit):
            # what is in it stays: the step that was cut short is stored once more
            mark(self._folder, replace(held, revision=revision))
            raise
        expected = self._count()
        # unless somebody has written in the meantime
        if self._store.vectors.revision() == revision and chroma.count() != expected:
            raise IndexDamagedError("it has another number of vectors than the store")
        mark(self._folder, replace(held, revision=revision))
        self._revision = revision
        self._size = self._count()
        self._built_before = True
        return stored

    def _repair(self, found: Inspection, stop: Stop | None = None, most: int | None = IN_PASSING) -> int:
        """Build the index anew; a second damage, or a failure, ends in exact search."""
        if not self._acquire():
            return 0
        damaged, known = found.state is State.DAMAGED, self._built_before
        if damaged and self._repaired:
            self._give_up(found.reason)
            return 0
        self._repaired = self._repaired or damaged
        try:
            aside = self._set_aside() if damaged and not self._may_hold_forgotten(found.marker) else None
            count = self._begin(stop, most) if aside else self._build(stop, most)
        except BusyError:
            raise
        except StorageError as exc:
            self._give_up(exc.message)
            return 0
        where = f" ({found.reason}{f'; set aside as {aside.name}' if aside else ''})" if damaged else ""
        if known or damaged:
            done = "has been rebuilt" if self.in_step() else "is being rebuilt"
            self._notice(f"the index was {found.state}{where} and {done} from the store ({count:,} vectors)")
        return count

    def _build(self, stop: Stop | None = None, most: int | None = None) -> int:
        self._close_chroma()
        self._drop_set_aside()
        _remove(self._folder)
        return self._begin(stop, most)

    def _begin(self, stop: Stop | None, most: int | None) -> int:
        now = self._store.vectors.revision()
        return self._fill(Marker(self._embedder, 0, begun=now), now, stop, most)

    def _may_hold_forgotten(self, held: Marker) -> bool:
        return self._store.vectors.count_gone(held.clean_until, held.embedder or self._embedder) > 0

    def _give_up(self, reason: str) -> None:
        self._close_chroma()
        self._useless = True
        self.why_not = "Chroma cannot be used"
        self._notice(f"the index cannot be used ({reason}): searching without it")

    def _disagreements(self, revision: int) -> Iterator[str]:
        """Yield what differs, but for what was stored after `revision`: the next turn brings it."""
        chroma = self._open()
        later = self._store.vectors.stored_since(revision, self._store.vectors.revision(), self._embedder, _STEP)
        waiting = {(one.ref, one.field) for one in later}
        for kind, field in FIELDS:
            ids, matrix = self._store.vectors.matrix(kind, field, self._embedder)
            copies = chroma.content(kind, field)
            for row, vector in zip(ids.tolist(), matrix, strict=True):
                copy = copies.pop(row, None)
                if (Ref(kind, row), field) in waiting:
                    continue
                if copy is None:
                    yield f"{kind} {row} ({field}) is missing in the index"
                elif not np.allclose(copy, vector, atol=1e-5):
                    yield f"{kind} {row} ({field}) has another vector in the index"
            yield from (f"{kind} {row} ({field}) is in the index only" for row in copies)

    def _count(self) -> int:
        return self._store.vectors.counts().get(self._embedder, 0)

    def _open(self) -> Hnsw:
        if self._hnsw is None:
            self._hnsw = open_hnsw(self._folder)
        return self._hnsw

    def _close_chroma(self) -> None:
        chroma, self._hnsw = self._hnsw, None
        self._revision = -1
        if chroma is not None:
            # a broken one need not close well: it is about to be replaced, or the process to end
            with suppress(IndexDamagedError):
                chroma.close()

    def _acquire(self) -> bool:
        if self._useless:
            return False
        if self._lock.is_locked:
            return True
        # the lock file stays: without it there has never been an index that could be missing
        self._built_before = self._lock_file.exists()
        try:
            self._lock.acquire()
        except Timeout:
            self.why_not = _ELSEWHERE
            return False
        except OSError as exc:
            self._give_up(f"{self._lock.lock_file}: {exc.strerror}")
            return False
        return True

    def _acquire_or_raise(self) -> None:
        if not self._acquire():
            raise BusyError(
                "another persona process holds the index", fix="Close the other one, or wait until it has ended."
            )

    def _set_aside(self) -> Path:
        """Rename the folder; only the latest one is kept, for it may hold vectors of what is forgotten since."""
        self._close_chroma()
        self._drop_set_aside()
        aside = self._folder.with_name(f"{self._folder.name}.damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        try:
            return self._folder.rename(aside)
        except OSError as exc:
            raise unwritable(self._folder, exc) from exc

    def _drop_set_aside(self) -> None:
        for folder in self._folder.parent.glob(f"{self._folder.name}.damaged-*"):
            _remove(folder)


def _damaged(exc: IndexDamagedError, held: Marker = _UNKNOWN) -> Inspection:
    return Inspection(State.DAMAGED, exc.message, held)


def _remove(folder: Path) -> None:
    try:
        if folder.is_file():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise unwritable(folder, exc) from exc
