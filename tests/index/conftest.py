"""A store in a file, and what opens an index over it and closes it at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.index import Index, open_index
from persona_cli.paths import Places, find_places
from persona_cli.records import Kind
from tests.crowd import DIMENSION, EMBEDDER

Open = Callable[..., Index]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places(env={"PERSONA_HOME": str(tmp_path)})


@pytest.fixture
def store(places: Places) -> Iterator[Store]:
    store = open_store(places.database)
    yield store
    store.close()


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def opened(places: Places, store: Store, notices: list[str]) -> Iterator[Open]:
    every: list[Index] = []

    def opened(embedder: str = EMBEDDER, dimension: int = DIMENSION, crossover: int = 0) -> Index:
        every.append(open_index(places, store, embedder, dimension, notices.append, crossover=crossover))
        return every[-1]

    yield opened
    for index in every:
        index.close()


def nearest(index: Index, vector: NDArray[np.float32], k: int = 5) -> list[int]:
    return [row for row, _ in index.search(Kind.SEMANTIC, "content", vector, k)]


def after_looks(count: int) -> Callable[[], bool]:
    """Return a wish to stop that comes at the look after so many."""
    looks = iter([False] * count)
    return lambda: next(looks, True)
