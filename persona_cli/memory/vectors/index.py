"""The vector index: nearest memories of one kind and field, by whichever way is right at the moment.

The store's blobs are the truth. Chroma (`replica`, `hnsw`) is a copy that can be searched without reading them
all; exact search (`exact`) needs nothing but the blobs. Which one answers, and why, is in `Index.backend`:

- a process that writes vectors calls `sync()`, has Chroma open from then on, and searches it from 200,000 vectors
  on, while it is in step; fewer are searched exactly, which is quicker and misses nothing (`replica.SMALL`);
- a process that only asks searches the blobs: up to 200,000 vectors that is quicker than opening Chroma;
- so does a process that finds Chroma held by another one, being updated, or beyond repair;
- a search among given ids is exact, because HNSW is slow under a narrow filter (10,000 vectors, 2,500 allowed:
  15 ms against 1 ms).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.memory.vectors.exact import ExactSearch, Hits, Ids
from persona_cli.memory.vectors.remote import RemoteReplica
from persona_cli.memory.vectors.replica import BIG, IN_PASSING, SMALL, Replica, Stop
from persona_cli.paths import Places
from persona_cli.records import Kind, Ref

# between two looks at `stop`, for which a person may wait: a tenth of a second of short texts, half a second of long
_AT_ONCE = 64
_CHARACTERS = 16_000
_READ = 1_500  # of one text: more characters than a usual model has places for
_LISTED = 4_096  # texts looked up together

Wanted = tuple[Ref, str, str]
"""A text without a vector: what it is of, the field, the words."""


class Index:
    """The index of one embedder; any thread may call it."""

    def __init__(self, replica: Replica | RemoteReplica, exact: ExactSearch) -> None:
        self._replica = replica
        self._exact = exact
        self._backend = "exact (among given memories)"

    @property
    def backend(self) -> str:
        """Say how the last search was done, and why that way; one among given ids does not count."""
        return self._backend

    def search(self, kind: Kind, field: str, vector: NDArray[np.float32], k: int, among: Ids | None = None) -> Hits:
        """Return the ids and cosines of the `k` nearest, best first; only ids in `among`, if given.

        The first search in a process looks whether Chroma is there and whole, and has it rebuilt if it is not.
        """
        self._replica.look()
        hits = self._replica.search(kind, field, vector, k) if among is None else None
        if hits is not None:
            self._backend = self._replica.label
            return hits
        if among is None:
            self._backend = f"exact ({self._replica.why_not})"
        return self._exact.search(kind, field, vector, k, among)

    def sync(self, stop: Stop | None = None, *, brief: bool = False) -> int:
        """Bring Chroma in step with the store and return how many vectors were stored or removed.

        Returns 0 where nothing has changed, and where another process holds Chroma: it will do it. Ends early once
        `stop` says so, and with `brief` after a second's work; the next call goes on.
        """
        return self._replica.sync(stop, IN_PASSING if brief else None)

    @property
    def held_elsewhere(self) -> bool:
        """Tell whether another process has Chroma open, and still to bring in step."""
        return self._replica.held_elsewhere()

    @property
    def in_step(self) -> bool:
        """Tell whether Chroma has what the store has, and nothing else."""
        return self._replica.in_step()

    def lacking(self) -> int:
        """Return how many vectors are still to be filled in; few are not counted, the next turn brings them."""
        return self._replica.lacking()

    def verify(self) -> tuple[str, ...]:
        """Say where Chroma and the store disagree; empty means nowhere.

        Raises `BusyError` while another process holds Chroma.
        """
        return self._replica.verify()

    def rebuild(self) -> int:
        """Build Chroma anew from the store's blobs and return how many vectors it has.

        Raises `BusyError` while another process holds Chroma.
        """
        return self._replica.rebuild()

    def close(self) -> None:
        """Close Chroma and let other processes have it; closing twice is allowed."""
        self._replica.close()


def open_index(
    places: Places,
    store: Store,
    embedder_name: str,
    dimension: int,
    notice: Callable[[str], None],
    *,
    small: int = SMALL,
    big: int = BIG,
    url: str = "",
) -> Index:
    """Return the index; Chroma itself is opened when it is needed. `notice` hears of repairs.

    With fewer than `small` vectors the search is exact, and with fewer than `big` a process that only asks does not
    open Chroma; the defaults are measured (`replica`). With `url` a Chroma server takes the folder's place (`remote`).
    """
    if url:
        remote = RemoteReplica(url, places.home, store, embedder_name, notice, small=small)
        return Index(remote, ExactSearch(store, embedder_name))
    replica = Replica(places, store, embedder_name, dimension, notice, small=small, big=big)
    return Index(replica, ExactSearch(store, embedder_name))


def embed_again(store: Store, embedder: Embedder, notice: Callable[[str], None]) -> int:
    """Embed everything where the vectors are all of other models, and return how many texts that were."""
    made = store.vectors.counts()
    if not made or embedder.name in made:
        return 0
    notice(f"the embedding model is {embedder.name} now: embedding every memory again")
    return embed_wanted(store, embedder)


def embed_wanted(store: Store, embedder: Embedder, stop: Callable[[], bool] | None = None) -> int:
    """Embed every text that has no vector of this embedder, and return how many that were.

    Stops between two batches once `stop` returns True; what is missing is embedded by the next call.
    """
    done = 0
    while wanted := store.vectors.wanted(embedder.name, _LISTED):
        for portion in _portions(wanted):
            if stop is not None and stop():
                return done
            done += _embed(store, embedder, portion)
    store.vectors.note_complete(embedder.name)
    return done


def _portions(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    portion: list[Wanted] = []
    characters = 0
    for one in wanted:
        length = min(len(one[2]), _READ)
        if portion and (len(portion) == _AT_ONCE or characters + length > _CHARACTERS):
            yield portion
            portion, characters = [], 0
        portion.append(one)
        characters += length
    if portion:
        yield portion


def _embed(store: Store, embedder: Embedder, wanted: Sequence[Wanted]) -> int:
    vectors = embedder.embed([text for _, _, text in wanted])
    with store.transaction():
        # the text goes along: what was edited in the meantime is not stored, and wanted again
        return sum(
            store.vectors.put(ref, field, embedder.name, vector, text)
            for (ref, field, text), vector in zip(wanted, vectors, strict=True)
        )
