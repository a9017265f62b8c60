"""Sentence embeddings: `open_embedder()` returns the one that the settings name.

Built in is all-MiniLM-L6-v2 (`minilm`, by ONNX Runtime), which is there in a tenth of a second. Any other
sentence-transformers model is a matter of configuration (`transformers_embedding`) and takes some 5 seconds to load.
Nothing is ever downloaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from persona_cli.config import EmbeddingSettings, Settings
from persona_cli.memory.vectors import minilm_files
from persona_cli.paths import Places

Vectors = NDArray[np.float32]


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


def open_embedder(settings: Settings | EmbeddingSettings, places: Places, notice: Callable[[str], None]) -> Embedder:
    """Open the configured model; `notice` hears of a damaged file that was made again.

    Raises `WeightsError` where the model is not there or damaged; the built-in one is looked at when it first embeds.
    """
    model = settings.embedding.model if isinstance(settings, Settings) else settings.model
    if model.removeprefix("sentence-transformers/") == minilm_files.NAME:
        from persona_cli.memory.vectors.minilm import MiniLM

        return MiniLM(places.weights, notice)
    from persona_cli.memory.vectors.transformers_embedding import find_model, open_folder

    return open_folder(find_model(model))
