"""Texts that have no vector yet get one, once, and again when the embedding model is another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import embed_again, embed_wanted
from persona_cli.records import Kind
from tests.crowd import add_crowd
from tests.index.conftest import Open, nearest

pytestmark = pytest.mark.chroma


class LetterEmbedder:
    """Embeds a text as how often each letter occurs in it."""

    dimension = 26

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        counts = [[text.lower().count(chr(97 + letter)) + 1e-3 for letter in range(26)] for text in texts]
        matrix = np.array(counts, dtype=np.float32)
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        return matrix

    def embed_query(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed(texts)

    def close(self) -> None:
        """Nothing to free."""


def test_wanted_texts_are_embedded_once(store: Store, opened: Open) -> None:
    ids, _ = add_crowd(store, 90)
    embedder = LetterEmbedder()
    assert embed_wanted(store, embedder) == 90
    assert embed_wanted(store, embedder) == 0
    assert len(embedder.texts) == 90
    store.semantic.update(ids[5], content="zzz")
    assert embed_wanted(store, embedder) == 1
    assert nearest(opened("letters", 26), embedder.embed(["zz"])[0], 1) == [ids[5]]


def test_a_changed_embedder_embeds_again(store: Store, opened: Open) -> None:
    add_crowd(store, 10)
    embed_wanted(store, LetterEmbedder("old"))
    new = LetterEmbedder("new")
    assert embed_wanted(store, new) == 10
    index = opened("new", 26)
    index.sync()
    assert index.verify() == ()
    assert len(index.search(Kind.SEMANTIC, "content", new.embed(["sheep"])[0], 20)) == 10


def test_a_new_model_embeds_everything_again_and_says_so(store: Store, notices: list[str]) -> None:
    assert embed_again(store, LetterEmbedder("old"), notices.append) == 0
    add_crowd(store, 10)
    assert embed_again(store, LetterEmbedder("new"), notices.append) == 10
    assert embed_again(store, LetterEmbedder("new"), notices.append) == 0
    assert notices == ["the embedding model is new now: embedding every memory again"]


def test_embedding_stops_between_batches(store: Store) -> None:
    add_crowd(store, 200)
    embedder = LetterEmbedder()
    done = embed_wanted(store, embedder, stop=lambda: len(embedder.texts) >= 64)
    assert done == len(embedder.texts) == 64
    assert embed_wanted(store, embedder) == 136


def test_nobody_waits_for_many_long_texts(store: Store) -> None:
    ids, _ = add_crowd(store, 60)
    for row in ids[:40]:
        store.semantic.update(row, content="sheep " * 2_000)
    embedder = LetterEmbedder()
    done = embed_wanted(store, embedder, stop=lambda: bool(embedder.texts))
    assert done == len(embedder.texts) == 10
    assert embed_wanted(store, embedder) == 50
