"""The memory: store (SQLite, the truth), media, embedding, sight, index (Chroma, derived) and retrieval.

`open_memory()` opens the store and the pictures; the embedding model and the index, which cost most, are opened
when something is first looked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.errors import StorageError
from persona_cli.paths import Places
from persona_cli.records import Ref

if TYPE_CHECKING:
    from persona_cli.memory.backup import Backups
    from persona_cli.memory.copies import Copy
    from persona_cli.memory.media import Media
    from persona_cli.memory.picture_matches import PictureMatches
    from persona_cli.memory.retrieval import Retriever
    from persona_cli.memory.retrieval.pictures import LooksLike
    from persona_cli.memory.store import Receipt, Store
    from persona_cli.memory.tables.journal import TakenBack
    from persona_cli.memory.vectors.embedding import Embedder
    from persona_cli.memory.vectors.index import Index
    from persona_cli.memory.vectors.sight import Sight
    from persona_cli.memory.vectors.state_encoder import StateEncoder
    from persona_cli.reading.judging import Judge
    from persona_cli.reading.reader import Reader

__all__ = ["Erasure", "Keeping", "Memory", "open_memory"]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one forgetting has done in the home, and what it could not reach."""

    receipt: Receipt
    rewritten: tuple[str, ...]
    """Names of the backups that were written again without it."""
    dropped: tuple[str, ...]
    """Names of the backups that were deleted, because they could not be."""
    copies: tuple[Copy, ...]
    """Exports and backups outside the home, which may still hold it."""


class Keeping(StrEnum):
    """What a run of the program does with memory."""

    ALL = "all"
    """Read it and write to it."""
    PRIVATE = "private"
    """Read it as it is, and write nothing: what is said stays in this process."""
    NOTHING = "nothing"
    """Begin without any memory, and write nothing."""


class Memory:
    """Everything one user's memory is made of; any thread may use it."""

    def __init__(
        self, places: Places, settings: Settings, store: Store, media: Media, notice: Callable[[str], None],
        *, keeping: Keeping = Keeping.ALL,
    ) -> None:  # fmt: skip
        self.places = places
        self.keeping = keeping
        self.store = store
        self.media = media
        self._settings = settings
        self._notice = notice
        self._lock = threading.RLock()
        self._embedder: Embedder | None = None
        self._encoder: StateEncoder | None = None
        self._judging: StateEncoder | None = None
        self._index: Index | None = None
        self._sight: Sight | None = None
        self._closed = False

    @property
    def lasting(self) -> bool:
        """Tell whether what is written stays; where not, no file of this home is made, changed or deleted."""
        return self.keeping is Keeping.ALL

    @property
    def embedder(self) -> Embedder:
        """The embedding model, opened at its first use."""
        with self._lock:
            if self._embedder is None:
                from persona_cli.memory.vectors.embedding import open_embedder
                from persona_cli.memory.vectors.once import EmbedOnce

                self._embedder = EmbedOnce(open_embedder(self._settings, self.places, self._notice, keep=self.lasting))
            return self._embedder

    @cached_property
    def reader(self) -> Reader:
        """What reads messages; its encoder is opened when there is something to read."""
        from persona_cli.memory.vectors.state_encoder import StateEncoder
        from persona_cli.reading.reader import open_reader

        with self._lock:
            self._encoder = self._encoder or StateEncoder(self.places.weights, self._notice, keep=self.lasting)
            return open_reader(self._encoder, self.judge)

    @cached_property
    def judge(self) -> Judge:
        """What tells which memories answer a question; its encoder is opened when there is something to judge."""
        from persona_cli.memory.vectors.state_encoder import StateEncoder
        from persona_cli.reading.judging import FOLDER, open_judge

        with self._lock:
            weights = self.places.weights
            self._judging = StateEncoder(weights, self._notice, folder=FOLDER, keep=self.lasting)
            return open_judge(self._judging)

    @property
    def index(self) -> Index:
        """The vector index, opened at its first use."""
        with self._lock:
            if self._index is None:
                from persona_cli.memory.vectors.embedding import embed_again
                from persona_cli.memory.vectors.index import open_index

                embedder = self.embedder
                embed_again(self.store, embedder, self._notice)
                self._index = open_index(
                    self.places,
                    self.store,
                    embedder.name,
                    embedder.dimension,
                    self._notice,
                    # not even asked: a server writes down what it is asked for
                    url=self._settings.chroma.url if self.lasting else "",
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

    @property
    def backups(self) -> Backups:
        """The copies of the database in the home."""
        from persona_cli.memory.backup import Backups

        return Backups(self.places.database)

    @cached_property
    def picture_matches(self) -> PictureMatches:
        """What knows a picture again that was shown before."""
        from persona_cli.memory.picture_matches import PictureMatches

        return PictureMatches(self.store, self.media)

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
        return Retriever(
            self.store,
            self.index,
            self.embedder,
            self.picture_matches,
            self.looks,
            judge=self.judge,
            settings=self._settings.memory,
            gap=gap,
        )

    def warm(self) -> None:
        """Load the embedding model, which otherwise loads with the first question and keeps it waiting."""
        self.embedder.embed_query(["?"])

    def forget(self, *refs: Ref) -> Erasure:
        """Delete memories for good, with everything made from them: rows, vectors, pictures, prompt, backups."""
        if not self.lasting:
            return self._forget_here(refs)
        from persona_cli.memory.backups_forget import forget_in_backups

        # what is derived first, and the memory last: killed in between, what was named is still there to be named again
        self.drop_prompt()
        forgotten = self.store.find(refs)
        rewritten, dropped = forget_in_backups(self.backups, forgotten, self.store.rehearse(*refs))
        done = self._forget_here(refs)
        self.drop_prompt()
        # once for all: what is deleted means that the index is begun anew, for it keeps the bytes
        if not self.index.drop_gone():
            self._notice(
                "another persona has the vector index open: its copies are deleted with the next message there, "
                "or when it ends"
            )
        return replace(done, rewritten=rewritten, dropped=dropped)

    def forget_everything(self) -> Erasure:
        """Delete all there is for good: every row, picture, vector, backup and copy in the home; weights stay."""
        from persona_cli.memory.backups_forget import drop_backups
        from persona_cli.memory.copies import copies_of
        from persona_cli.memory.store import Receipt

        self.drop_prompt()
        dropped = drop_backups(self.backups)
        counts = self.store.forget_everything()
        self.media.clear()
        self.drop_prompt()
        self.index.rebuild()
        return Erasure(Receipt((), counts), (), dropped, copies_of(self.places.home))

    def in_backups(self) -> frozenset[str]:
        """Return the SHA-256 of each picture that a backup in the home has, whether or not the memory has it."""
        from persona_cli.memory.backups_forget import pictures_in_backups

        return pictures_in_backups(self.backups)

    def _forget_here(self, refs: Collection[Ref]) -> Erasure:
        from persona_cli.memory.copies import copies_of

        receipt = self.store.forget(*refs)
        spared = self.in_backups() if self.lasting and receipt.files else ()
        for digest in receipt.files:
            if digest not in spared:
                self.media.remove(digest)
        return Erasure(receipt, (), (), copies_of(self.places.home) if self.lasting else ())

    def drop_prompt(self) -> None:
        """Delete the evaluated prompt: its words may hold what is forgotten, and nothing tells which.

        That of a conversation which goes on elsewhere is not there yet.
        """
        self.places.cache.mkdir(mode=0o700, exist_ok=True)
        self.places.forgotten.touch(mode=0o600)
        for path in self.places.kept_prompt:
            path.unlink(missing_ok=True)

    def take_back(self, turn_id: int) -> TakenBack:
        """Take back what a turn wrote, with the parts of pictures that were cut out for it."""
        done = self.store.journal.take_back(turn_id)
        spared = self.in_backups() if self.lasting and done.files else ()
        for digest in done.files:
            if digest not in spared:
                self.media.remove(digest)
        if self.lasting:
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
            if self._judging is not None:
                self._judging.close()
            if self._sight is not None:
                self._sight.close()
            if not self._closed:
                self._back_up()
            self._closed = True
        self.store.close()

    def _back_up(self) -> None:
        """Keep a copy of the database once a day on which something was written."""
        if not (self.lasting and self.store.written) or self.store.empty():
            return
        from persona_cli.memory.backup import Reason

        now = datetime.now(UTC)
        try:
            if self.backups.is_due(now):
                self.backups.add(Reason.DAILY, now)
        except StorageError as exc:
            # what was to be kept is kept; the copy is made another time
            self._notice(f"no backup was made: {exc.message}")


def open_memory(
    places: Places, settings: Settings, notice: Callable[[str], None], keeping: Keeping = Keeping.ALL
) -> Memory:
    """Open one user's memory; `notice` hears of repairs, one line each.

    Raises `StorageError` where the home cannot be used.
    """
    from persona_cli.memory.media import Media
    from persona_cli.memory.store import open_snapshot, open_store

    match keeping:
        case Keeping.ALL:
            store = open_store(places.database)
        case Keeping.PRIVATE:
            store = open_snapshot(places.database)
        case Keeping.NOTHING:
            store = open_store(None)
    media = Media(places.media, store, places.cache, transient=keeping is not Keeping.ALL)
    return Memory(places, settings, store, media, notice, keeping=keeping)
