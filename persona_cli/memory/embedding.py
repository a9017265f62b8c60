"""Sentence embeddings: `open_embedder()` returns the one that the settings name.

Built in is all-MiniLM-L6-v2. One query goes through llama.cpp (`minilm`), which is there in a fifth of a second;
bulk goes through sentence-transformers (`transformers_embedding`), which takes some 5 seconds to load and is then
three times as quick. Both agree at a cosine above 0.9999, so their vectors can be mixed. Any other such
model is a matter of configuration and goes one way only. Nothing is ever downloaded here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.memory import gguf_minilm
from persona_cli.paths import Places

BULK_CHARACTERS = 150_000
"""From here on loading sentence-transformers pays: 6 s against 40 µs a character saved (about 1,000 memories)."""

_LONGEST_CHARACTERS = 1_000  # of one text: the 256 word pieces that count are over by then
_WORTH_A_BATCH = 32

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

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

    def close(self) -> None:
        """Free the model; closing twice is allowed."""
        ...


class MiniLM:
    """all-MiniLM-L6-v2, by llama.cpp or sentence-transformers, whichever is through first."""

    name = gguf_minilm.NAME
    dimension = gguf_minilm.DIMENSION

    def __init__(self, quick: Embedder, open_bulk: Callable[[], Embedder]) -> None:
        self._quick = quick
        self._open_bulk = open_bulk
        self._bulk: Embedder | None = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in order."""
        return self._choose(texts).embed(texts)

    def close(self) -> None:
        """Free both models."""
        self._quick.close()
        with self._lock:
            if self._bulk is not None:
                self._bulk.close()

    def _choose(self, texts: Sequence[str]) -> Embedder:
        with self._lock:
            if self._bulk is None and is_bulk(texts):
                self._bulk = self._open_bulk()
            return self._bulk if self._bulk is not None and len(texts) >= _WORTH_A_BATCH else self._quick


def is_bulk(texts: Sequence[str]) -> bool:
    """Tell whether so many texts are worth loading sentence-transformers for."""
    return sum(min(len(text), _LONGEST_CHARACTERS) for text in texts) >= BULK_CHARACTERS


def open_embedder(settings: Settings | EmbeddingSettings, places: Places, notice: Callable[[str], None]) -> Embedder:
    """Load the configured model; `notice` hears of a damaged file that was made again.

    Raises `WeightsError` where the model is not there or damaged.
    """
    model = settings.embedding.model if isinstance(settings, Settings) else settings.model
    if model.removeprefix("sentence-transformers/") == gguf_minilm.NAME:
        return _open_minilm(places.weights, notice)
    from persona_cli.memory.transformers_embedding import find_model, open_folder

    return open_folder(find_model(model))


def _open_minilm(weights: Path, notice: Callable[[str], None]) -> MiniLM:
    path = gguf_minilm.converted(weights, notice)
    from persona_cli.memory.minilm import open_minilm

    return MiniLM(open_minilm(path), _open_bulk)


def _open_bulk() -> Embedder:
    from persona_cli.memory.transformers_embedding import open_folder

    return open_folder(gguf_minilm.source_folder(), name=gguf_minilm.NAME)
