"""Vectors of memories and texts for a comparison: what the store has is read, only what is new is embedded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.records import Kind, SemanticMemory


class KnownVectors:
    """The vectors of one embedder: of what is stored from the blobs, of anything else from the model."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def memories(self, memories: Sequence[SemanticMemory]) -> NDArray[np.float32]:
        """Return (n, dimension) of what stored memories say; one that has no vector yet is embedded, each text once."""
        stored = self._store.vectors.among(Kind.SEMANTIC, [memory.id for memory in memories], self._embedder.name)
        missing = list(dict.fromkeys(memory.content for memory in memories if memory.id not in stored))
        fresh = dict(zip(missing, self._embedder.embed(missing), strict=True)) if missing else {}
        return np.stack([stored[memory.id] if memory.id in stored else fresh[memory.content] for memory in memories])

    def ranked(self, text: str, memories: Sequence[SemanticMemory]) -> list[tuple[float, SemanticMemory]]:
        """Return the memories with their cosines to `text`, closest first."""
        if not memories:
            return []
        cosines = self.memories(memories) @ self._embedder.embed([text])[0]
        return sorted(zip(map(float, cosines), memories, strict=True), key=lambda pair: -pair[0])
