"""The memory: store (SQLite, the truth), media, embedding, sight, index (Chroma, derived) and retrieval.

`open_memory()` opens the store and the pictures; the embedding model and the index, which cost most, are opened
when something is first looked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.paths import Places
from persona_cli.records import Ref

if TYPE_CHECKING:
    from persona_cli.memory.media import Media
    from persona_cli.memory.retrieval import Retriever
    from persona_cli.memory.retrieval.pictures import LooksLike
    from persona_cli.memory.store import Receipt, Store
    from persona_cli.memory.tables.journal import TakenBack
    from persona_cli.memory.vectors.embedding import Embedder
    from persona_cli.memory.vectors.index import Index
    from persona_cli.memory.vectors.sight import Sight
    from persona_cli.memory.vectors.state_encoder import StateEncoder
    from persona_cli.reading.reader import Reader

__all__ = ["Memory", "open_memory"]


class Memory:
    """Everything one user's memory is made of; any thread may use it."""

    def __init__(
        self, places: Places, settings: Settings, store: Store, media: Media, notice: Callable[[str], None]
    ) -> None:
        self.places = places
        self.store = store
        self.media = media
        self._settings = settings
        self._notice = notice
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._encoder: StateEncoder | None = None
        self._index: Index | None = None
        self._sight: Sight | None = None

    @property
    def embedder(self) -> Embedder:
        """The embedding model, opened at its first use."""
        with self._lock:
            if self._embedder is None:
                from persona_cli.memory.vectors.embedding import open_embedder
                from persona_cli.memory.vectors.once import EmbedOnce

                self._embedder = EmbedOnce(open_embedder(self._settings, self.places, self._notice))
            return self._embedder

    @cached_property
    def reader(self) -> Reader:
        """What reads messages; its encoder is opened when there is something to read."""
        from persona_cli.memory.vectors.state_encoder import StateEncoder
        from persona_cli.reading.reader import open_reader

        with self._lock:
            self._encoder = self._encoder or StateEncoder(self.places.weights, self._notice)
            return open_reader(self._encoder)

    @property
    def index(self) -> Index:
        """The vector index, opened at its first use."""
        with self._lock:
            if self._index is None:
                from persona_cli.memory.vectors.index import embed_again, open_index

                embedder = self.embedder
                embed_again(self.store, embedder, self._notice)
                self._index = open_index(
                    self.places,
                    self.store,
                    embedder.name,
                    embedder.dimension,
                    self._notice,
                    url=self._settings.chroma.url,
                )
            return self._index

    @property
    def sight(self) -> Sight:
        """What compares pictures; CLIP itself is opened when there is something to compare."""
        with self._lock:
            if self._sight is None:
                from persona_cli.memory.vectors.sight import Sight

                wanted = self._settings.embedding.pictures
                self._sight = Sight(self.places, self.store, self.media, wanted, self._notice)
            return self._sight

    @cached_property
    def looks(self) -> LooksLike:
        """What finds the pictures that look like another one."""
        from persona_cli.memory.retrieval.pictures import LooksLike

        return LooksLike(self.store, self.sight)

    @cached_property
    def retriever(self) -> Retriever:
        """What finds memories."""
        from persona_cli.memory.retrieval import Retriever

        gap = timedelta(minutes=self._settings.session.gap_minutes)
        return Retriever(self.store, self.index, self.embedder, self.looks, settings=self._settings.memory, gap=gap)

    def warm(self) -> None:
        """Load the embedding model, which otherwise loads with the first question and keeps it waiting."""
        self.embedder.embed_query(["?"])

    def forget(self, ref: Ref) -> Receipt:
        """Delete a memory for good, with everything made from it: rows, vectors, pictures, and the kept prompt."""
        return self.forget_all([ref])[0]

    def forget_all(self, refs: Sequence[Ref]) -> tuple[Receipt, ...]:
        """Delete several memories so; one that has gone with another has no receipt of its own."""
        receipts: list[Receipt] = []
        for ref in refs:
            if not receipts or self.store.find([ref]):
                receipts.append(self.store.forget(ref))
        for digest in {digest for receipt in receipts for digest in receipt.files}:
            self.media.remove(digest)
        # the words of a prompt may hold what is forgotten, and nothing tells which; that of a conversation which
        # goes on elsewhere is not there yet
        self.places.cache.mkdir(mode=0o700, exist_ok=True)
        self.places.forgotten.touch(mode=0o600)
        for path in self.places.kept_prompt:
            path.unlink(missing_ok=True)
        # once for all: what is deleted means that the index is begun anew, for it keeps the bytes
        if not self.index.drop_gone():
            self._notice(
                "another persona has the vector index open: its copies are deleted with the next message there, "
                "or when it ends"
            )
        return tuple(receipts)

    def take_back(self, turn_id: int) -> TakenBack:
        """Take back what a turn wrote, with the parts of pictures that were cut out for it."""
        done = self.store.journal.take_back(turn_id)
        for digest in done.files:
            self.media.remove(digest)
        self.index.drop_gone()
        return done

    def close(self) -> None:
        """Close what was opened; closing twice is allowed."""
        with self._lock:
            if self._index is not None:
                self._index.close()
            if self._embedder is not None:
                self._embedder.close()
            if self._encoder is not None:
                self._encoder.close()
            if self._sight is not None:
                self._sight.close()
        self.store.close()


def open_memory(places: Places, settings: Settings, notice: Callable[[str], None]) -> Memory:
    """Open one user's memory; `notice` hears of repairs, one line each.

    Raises `StorageError` where the home cannot be used.
    """
    from persona_cli.memory.media import Media
    from persona_cli.memory.store import open_store

    store = open_store(places.database)
    return Memory(places, settings, store, Media(places.media, store, places.cache), notice)
