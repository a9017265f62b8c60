"""Many memories with vectors of a known geometry, for the tests of the index."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.store import Store
from persona_cli.records import Kind, Ref, SemanticMemory

EMBEDDER = "crowd"
DIMENSION = 48
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def clustered(count: int, dimension: int = DIMENSION, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors that lie in clusters, as sentences do."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((max(10, count // 50), dimension))
    points = centres[draw.integers(len(centres), size=count)] + 0.6 * draw.standard_normal((count, dimension))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points, dtype=np.float32)


def add_crowd(
    store: Store, count: int, *, dimension: int = DIMENSION, seed: int = 0, embedder: str = EMBEDDER
) -> tuple[list[int], NDArray[np.float32]]:
    """Store `count` semantic memories with their vectors; return ids and vectors."""
    vectors = clustered(count, dimension, seed)
    with store.transaction():
        ids = [store.semantic.add(_memory(seed, number)).id for number in range(count)]
        for row, vector in zip(ids, vectors, strict=True):
            store.vectors.put(Ref(Kind.SEMANTIC, row), "content", embedder, vector)
    return ids, vectors


def _memory(seed: int, number: int) -> SemanticMemory:
    return SemanticMemory(
        id=0,
        content=f"The user counted sheep number {number} of flock {seed}.",
        keywords=(),
        subject="user",
        quote=f"sheep {number}",
        recorded_at=AT,
        valid_from=AT,
    )
