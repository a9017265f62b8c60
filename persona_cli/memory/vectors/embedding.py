"""Sentence embeddings: `open_embedder()` returns the one that the settings name, `embed_wanted()` gives texts vectors.

Built in is all-MiniLM-L6-v2 (`minilm`, by ONNX Runtime), which is there in a tenth of a second. Any other
sentence-transformers model is a matter of configuration (`transformers_embedding`) and takes some 5 seconds to load.
Nothing is ever downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.errors import StorageError
from persona_cli.memory.store import Store
from persona_cli.memory.vectors import minilm_files
from persona_cli.paths import Places
from persona_cli.records import Ref

Vectors = NDArray[np.float32]
Wanted = tuple[Ref, str, str]
"""A text without a vector: what it is of, the field, the words."""

# between two looks at `stop`, for which a person may wait: a tenth of a second of short texts, half a second of long
_AT_ONCE = 64
_CHARACTERS = 16_000
_READ = 1_500  # of one text: more characters than a usual model has places for
_LISTED = 4_096  # texts looked up together
_FEW = 200  # texts embedded before a search: a second or two, no more


class Embedder(Protocol):
    """Turns texts into unit vectors: what is stored one way, what is asked another, to be compared with each other."""

    @property
    def name(self) -> str:
        """Return what is stored with every vector: another name means another model, and embedding again."""
        ...

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in order: float32 (n, dimension); any thread may call it."""
        ...

    def embed_query(self, texts: Sequence[str]) -> Vectors:
        """Return the same for questions: what finds stored texts, and is never stored."""
        ...

    def close(self) -> None:
        """Free the model; closing twice is allowed."""
        ...


def open_embedder(
    settings: Settings | EmbeddingSettings, places: Places, notice: Callable[[str], None], *, keep: bool = True
) -> Embedder:
    """Open the configured model; `notice` hears of a damaged file that was made again; without `keep` no file is made.

    Raises `WeightsError` where the model is not there or damaged; the built-in one is looked at when it first embeds.
    """
    model = settings.embedding.model if isinstance(settings, Settings) else settings.model
    if model.removeprefix("sentence-transformers/") == minilm_files.NAME:
        from persona_cli.memory.vectors.minilm import MiniLM

        return MiniLM(places.weights, notice, keep=keep)
    from persona_cli.memory.vectors.transformers_embedding import find_model, open_folder

    return open_folder(find_model(model))


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


def embed_few(store: Store, embedder: Embedder) -> None:
    """Embed what has no vector yet, so that a search by meaning finds it; left to the queue where it is much."""
    if 0 < len(store.vectors.wanted(embedder.name, _FEW + 1)) <= _FEW:
        # on a full disk what has no vector is found by its words
        with suppress(StorageError):
            embed_wanted(store, embedder)


def _portions(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    portion: list[Wanted] = []
    characters = 0
    for text in wanted:
        length = min(len(text[2]), _READ)
        if portion and (len(portion) == _AT_ONCE or characters + length > _CHARACTERS):
            yield portion
            portion, characters = [], 0
        portion.append(text)
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
