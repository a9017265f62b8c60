"""What pictures look like to the CLIP of this home, which is opened when a picture has to be embedded or compared.

Pictures are embedded in the background, the newest first, a few at a time: also those of before CLIP was installed,
and all of them again when another CLIP takes its place. Their vectors are compared exactly and have no copy in Chroma:
up to 160,000 vectors that is quicker (`index.CROSSOVER`), and nobody has shown so many pictures. What goes wrong is
said once, with its fix, and from then on things are as without CLIP.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from persona_cli.errors import ModelError, PictureError
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.clip import Clip, Vectors, find_clip, load_picture, name_of, open_clip
from persona_cli.memory.vectors.exact import FieldVectors
from persona_cli.paths import Places
from persona_cli.records import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

IN_PASSING = 32
"""Pictures that are embedded in one go behind a conversation, the rest the next time.

A ViT-B/32 takes a quarter of a second of processor time for each, and 6 to be opened (2 cores).
"""

_BATCH = 8  # between two looks at `stop`
_NOTHING = FieldVectors(np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32))

T = TypeVar("T")


class Sight:
    """The looks of one user's pictures; any thread may use it."""

    def __init__(self, places: Places, store: Store, media: Media, wanted: str, notice: Callable[[str], None]) -> None:
        self._weights = places.weights
        self._store = store
        self._media = media
        self._wanted = wanted
        self._notice = notice
        self._lock = threading.RLock()
        self._name: str | None = None
        self._clip: Clip | None = None
        self._useless = False
        self._unreadable: set[int] = set()
        self._read: tuple[tuple[int, int], FieldVectors] = ((0, 0), _NOTHING)

    @property
    def name(self) -> str:
        """Return the name of the CLIP in use, "" for none; nothing is loaded for it. Raises `WeightsError`."""
        with self._lock:
            if self._name is None:
                folder = find_clip(self._wanted, self._weights)
                self._name = "" if folder is None else name_of(folder)
            return "" if self._useless else self._name

    def open(self) -> Clip | None:
        """Return the CLIP, loaded at its first use, or None where there is none; raises `WeightsError`."""
        with self._lock:
            if self._clip is None and self.name:
                folder = find_clip(self._wanted, self._weights)
                assert folder is not None
                self._clip = open_clip(folder)
            return self._clip

    def waiting(self) -> int:
        """Return how many pictures the CLIP in use has not seen yet."""
        return self._store.looks.count_wanted(self.name) if self.name else 0

    def embed_wanted(self, stop: Callable[[], bool] | None = None, most: int = sys.maxsize) -> int:
        """Embed up to `most` pictures that have no look yet, and return how many that were.

        Stops between two batches once `stop` returns True; what is missing is embedded by a later call.
        """
        return self._tried(lambda: self._embed_wanted(stop, most), 0)

    def looks_of(self, pictures: Sequence[Image]) -> dict[int, Vectors]:
        """Return the look of each picture by its id, embedded now where that has not been done."""
        return self._tried(lambda: self._looks_of(pictures), {})

    def known(self) -> FieldVectors:
        """Return the looks of all pictures the CLIP in use has seen."""
        return self._tried(self._known, _NOTHING)

    def see(self, pictures: Sequence[Picture]) -> Vectors:
        """Return one unit vector for each picture that is not of the store; none at all without CLIP."""
        return self._tried(lambda: clip.see(pictures) if (clip := self.open()) else _NOTHING.matrix, _NOTHING.matrix)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, float]:
        """Return one vector per text in the space of the pictures, and the scale words were trained at.

        No vectors where there is no CLIP, or none that reads.
        """

        def work() -> tuple[Vectors, float]:
            clip = self.open()
            return (clip.read(texts), clip.scale) if clip is not None and clip.reads else (_NOTHING.matrix, 1.0)

        return self._tried(work, (_NOTHING.matrix, 1.0))

    def close(self) -> None:
        """Let go of the weights."""
        with self._lock:
            if self._clip is not None:
                self._clip.close()
                self._clip = None

    def _tried(self, work: Callable[[], T], otherwise: T) -> T:
        """Return what `work` gives; when CLIP fails, say so once and do without it from then on."""
        try:
            return otherwise if self._useless else work()
        except ModelError as exc:
            with self._lock:
                said, self._useless = self._useless, True
            if not said:
                self._notice(f"pictures are compared without CLIP: {exc.message}. {exc.fix}".rstrip())
            return otherwise

    def _embed_wanted(self, stop: Callable[[], bool] | None, most: int) -> int:
        if not self.name:
            return 0
        wanted = [look for look in self._store.looks.wanted(self.name) if look not in self._unreadable][:most]
        if wanted and self._store.looks.state()[0] and not self._store.looks.count(self.name):
            self._notice(f"the picture embedding is {self.name} now: embedding every picture again")
        done = 0
        for start in range(0, len(wanted), _BATCH):
            if stop is not None and stop():
                break
            done += len(self._embed(self._store.images.many(wanted[start : start + _BATCH])))
        return done

    def _embed(self, images: Sequence[Image]) -> dict[int, Vectors]:
        clip = self.open()
        readable: list[tuple[Image, Picture]] = []
        for image in images if clip is not None else ():
            try:
                readable.append((image, load_picture(self._media.source(image))))
            except PictureError:
                # lost or damaged, as doctor says; the others are embedded all the same
                self._unreadable.add(image.id)
        if clip is None or not readable:
            return {}
        vectors = clip.see([picture for _, picture in readable])
        with self._store.transaction():
            for (image, _), vector in zip(readable, vectors, strict=True):
                self._store.looks.put(image.id, clip.name, vector)
        return {image.id: vector for (image, _), vector in zip(readable, vectors, strict=True)}

    def _looks_of(self, pictures: Sequence[Image]) -> dict[int, Vectors]:
        if not self.name:
            return {}
        stored = {image.id: self._store.looks.get(image.id, self.name) for image in pictures}
        found = {row_id: vector for row_id, vector in stored.items() if vector is not None}
        return found | self._embed([image for image in pictures if image.id not in found])

    def _known(self) -> FieldVectors:
        if not self.name:
            return _NOTHING
        with self._lock:
            # what is written between the two is read again the next time
            state = self._store.looks.state()
            if state != self._read[0]:
                self._read = (state, FieldVectors(*self._store.looks.matrix(self.name)))
            return self._read[1]
