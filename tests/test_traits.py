"""The trait heads on sentences they were not trained on: the sign, silence on everyday talk, what is no evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite.traits import TraitHeads, speaks_of_self
from persona_cli.personality import NEUTRAL, TRAITS, Impression, Traits

DATA = Path(__file__).parent / "data"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def embed(embedder: Embedder) -> Embed:
    return embedder.embed


@pytest.fixture(scope="module")
def heads() -> TraitHeads:
    return TraitHeads.load()


def _rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_the_sign_of_unseen_statements(embed: Embed, heads: TraitHeads) -> None:
    rows = _rows("traits_statements.tsv")
    texts = [row[2] for row in rows]
    raw = heads.raw(embed(texts), texts)
    right = [(raw[at, TRAITS.index(row[0])] > 0) == (row[1] == "+") for at, row in enumerate(rows)]
    assert np.mean(right) >= 0.85


@pytest.mark.slow
def test_unseen_everyday_sentences_are_no_evidence(embed: Embed, heads: TraitHeads) -> None:
    texts = (DATA / "traits_everyday.txt").read_text(encoding="utf-8").splitlines()
    quiet = [heads.score(vector[None], [text]) == Traits() for text, vector in zip(texts, embed(texts), strict=True)]
    assert np.mean(quiet) >= 0.95


@pytest.mark.slow
def test_chat_that_shows_a_trait_is_read(embed: Embed, heads: TraitHeads) -> None:
    rows = _rows("traits_chat.tsv")
    texts = [row[2] for row in rows]
    readings = [heads.score(vector[None], [text]) for text, vector in zip(texts, embed(texts), strict=True)]
    moved = [
        (reading[row[0]] - NEUTRAL) * (1 if row[1] == "+" else -1) for reading, row in zip(readings, rows, strict=True)
    ]
    assert np.mean(np.array(moved) > 0) >= 0.75
    assert np.mean(np.array(moved) < 0) <= 0.1


@pytest.mark.slow
def test_one_sentence_may_show_two_traits_and_says_how_surely(embed: Embed, heads: TraitHeads) -> None:
    text = "I organise every party myself and love having the house full of people."
    reading = heads.score(embed([text]), [text])
    assert isinstance(reading, Impression)
    assert 0 < reading.confidence <= 1
    assert {score for _, score in reading} <= {1.0, NEUTRAL, 5.0}
    doubtful = "I sometimes like people, I suppose."
    assert Impression.of(heads.score(embed([doubtful]), [doubtful])).confidence <= 1


def test_others_questions_and_quotations_are_no_evidence() -> None:
    for text in (
        "My sister is so organised.",
        "Do I worry too much?",
        '"I hate parties," he said.',
        "She is shy.",
        " ",
    ):
        assert not speaks_of_self(text)
    assert speaks_of_self("I worry about everything.")


def test_a_vector_is_needed_for_every_text(heads: TraitHeads) -> None:
    with pytest.raises(ValueError, match="vectors for"):
        heads.raw(np.zeros((1, 384), dtype=np.float32), ["one", "two"])


def test_a_turn_without_sentences_is_neutral(heads: TraitHeads) -> None:
    assert heads.score(np.zeros((0, 384), dtype=np.float32), []) == Traits()
