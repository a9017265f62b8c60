"""Questions with what answers each and what is easily taken for it, as word pieces: what the judge is trained on.

What is easily taken for an answer is what a search puts first: near in meaning, or of the same rare words. What was
right until something changed is neither: which of two holds is told by their days, not by their words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import Inquiry, Life
from models.reading.corpus import Batch
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import stems
from persona_cli.memory.vectors.minilm import MiniLM, open_tokenizer
from persona_cli.memory.vectors.minilm_files import vocabulary
from persona_cli.reading.judging import MARKS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HARD = 24
"""Memories that are taken for the answer most easily, of which some are drawn each time."""
_LONGEST = 64  # pieces
_SHORT = 80  # characters of a message that may lean on the one before it
_LEAST_WORDS = 3
_WORDS = 0.04  # what a rare word in common counts beside a cosine
_APART = 3  # lines of a corpus: those of one person stand together
_GIVES = ("answers", "yes", "no")
Floats = NDArray[np.float32]
Pieces = tuple[list[int], list[int]]
"""A question and a memory, as numbers of word pieces."""
Forms = tuple[list[int], ...]
"""A memory as it may be kept: whole, its sentence that is nearest to the question, the other ones."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A question, the memories that answer it, and those that are easily taken for it, the likeliest first."""

    asked: list[int]
    right: tuple[Forms, ...]
    wrong: tuple[Forms, ...]
    verdict: str = ""
    """yes, no or unsure."""
    alone: bool = False
    """From a corpus of pairs, where the wrong ones are other people's."""


@cache
def pieces_of(text: str, longest: int = _LONGEST) -> list[int]:
    """Return a text as numbers of word pieces, the first so many."""
    return list(_tokenizer().encode(text).ids[:longest])


def asked_pieces(text: str) -> list[int]:
    """Return a question as pieces, without the marks behind it, as the judge is given it."""
    return pieces_of(text.strip().rstrip(MARKS) or text)


def of_life(life: Life, embedder: MiniLM) -> Iterator[Listed]:
    """Yield the questions of a life."""
    lines = [said.line for said in life.told]
    parts = [[_by(said.who, part) for part in sentences(said.text)] for said in life.told]
    vectors = embedder.embed_query(lines)
    part_vectors = [embedder.embed_query(some) for some in parts]
    words = [stems(line) for line in lines]
    frequency = Counter(word for some in words for word in some)
    place_of = {said.number: place for place, said in enumerate(life.told)}
    for inquiry in life.inquiries:
        vector = embedder.embed_query([inquiry.text])[0]
        nearest = [some @ vector for some in part_vectors]
        score = np.maximum(vectors @ vector, [some.max(initial=-1.0) for some in nearest])
        score += _WORDS * _shared(inquiry, words, frequency)
        right = [place_of[number] for number in inquiry.right]
        left_out = {place_of[number] for number in inquiry.outdated} | set(right)
        forms = [_forms(life, place, parts[place], nearest[place]) for place in range(len(lines))]
        order = [int(place) for place in np.argsort(-score) if place not in left_out]
        yield Listed(
            asked_pieces(inquiry.text),
            tuple(forms[place] for place in right),
            tuple(forms[place] for place in order[:HARD]),
            inquiry.verdict,
        )


def of_batch(batch: Batch, embedder: MiniLM) -> Iterator[Listed]:
    """Yield the questions of a corpus of pairs, against the memories of others that are nearest to them."""
    texts = [pair.second for pair in batch.answers]
    vectors = embedder.embed_query(texts)
    for row, pair in enumerate(batch.answers):
        if pair.label not in _GIVES:
            continue
        cosines = vectors @ embedder.embed_query([pair.first])[0]
        order = [
            int(other) for other in np.argsort(-cosines) if abs(other - row) > _APART and texts[other] != texts[row]
        ]
        yield Listed(
            asked_pieces(pair.first),
            ((pieces_of(pair.second),),),
            tuple((pieces_of(texts[other]),) for other in order[:HARD]),
            pair.label if pair.label != "answers" else "",
            alone=True,
        )


def _shared(inquiry: Inquiry, words: Sequence[frozenset[str]], frequency: Counter[str]) -> Floats:
    """Return how much the words that a question shares with each message count: (n,)."""
    wanted = stems(inquiry.text)
    rare = {word: np.log1p(len(words) / frequency[word]) for word in wanted if word in frequency}
    return np.array([sum(rare[word] for word in wanted & some) for some in words], dtype=np.float32)


def _forms(life: Life, place: int, parts: Sequence[str], nearness: Floats) -> Forms:
    said = life.told[place]
    texts = [said.line]
    if len(parts) > 1:
        texts.append(parts[int(nearness.argmax())])
        texts += [part for part in parts if len(part.split()) >= _LEAST_WORDS]
    if place and len(said.text) < _SHORT:
        texts.append(f"{sentences(life.told[place - 1].text)[-1]} {said.text}")
    return tuple(pieces_of(text) for text in texts)


def _by(who: str, text: str) -> str:
    return f"{who}: {text}" if who else text


@cache
def _tokenizer() -> Tokenizer:
    return open_tokenizer(vocabulary())
