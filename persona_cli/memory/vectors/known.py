"""Vectors of memories and texts for a comparison: what the store has is read, only what is new is embedded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.records import Kind, Ref, SemanticMemory


class KnownVectors:
    """The vectors of one embedder: of what is stored from the blobs, of anything else from the model."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (n, dimension) of texts."""
        return self._embedder.embed(texts)

    def memories(self, memories: Sequence[SemanticMemory]) -> NDArray[np.float32]:
        """Return (n, dimension) of what stored memories say."""
        return self._of([(Ref(Kind.SEMANTIC, memory.id), memory.content) for memory in memories])

    def sayings(self, memories: Sequence[SemanticMemory]) -> NDArray[np.float32]:
        """Return (n, dimension) of memories in the words they were said in, where these were a message of their own.

        Statements are compared best as they were said (188 changes of mind: 160 right, by their contents 153). Where
        a message said more, its vector is of all of that, and the content stands for the part.
        """
        turns = {memory.turn_id for memory in memories if memory.turn_id is not None}
        said = {line.id: line.user for line in self._store.turns.lines(turns)}
        return self._of([_saying(memory, said) for memory in memories])

    def ranked(self, text: str, memories: Sequence[SemanticMemory]) -> list[tuple[float, SemanticMemory]]:
        """Return the memories with their cosines to `text`, closest first."""
        if not memories:
            return []
        cosines = self.memories(memories) @ self.texts([text])[0]
        return sorted(zip(map(float, cosines), memories, strict=True), key=lambda pair: -pair[0])

    def _of(self, wanted: Sequence[tuple[Ref, str]]) -> NDArray[np.float32]:
        """Return the vectors of texts that stand somewhere; one that has none yet is embedded, each once."""
        vectors: dict[Ref, NDArray[np.float32]] = {}
        for kind in {ref.kind for ref, _ in wanted}:
            ids = [ref.id for ref, _ in wanted if ref.kind is kind]
            stored = self._store.vectors.among(kind, ids, self._embedder.name)
            vectors |= {Ref(kind, number): vector for number, vector in stored.items()}
        missing = list(dict.fromkeys(text for ref, text in wanted if ref not in vectors))
        fresh = dict(zip(missing, self._embedder.embed(missing), strict=True)) if missing else {}
        return np.stack([vectors[ref] if ref in vectors else fresh[text] for ref, text in wanted])


def _saying(memory: SemanticMemory, said: Mapping[int, str]) -> tuple[Ref, str]:
    """Return where the words of a memory stand, and the words."""
    message = said.get(memory.turn_id or 0, "")
    if memory.quote and _folded(memory.quote) == _folded(message):
        return Ref(Kind.MESSAGE, memory.turn_id or 0), message
    return Ref(Kind.SEMANTIC, memory.id), memory.content


def _folded(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
