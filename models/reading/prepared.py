"""Examples as the network takes them: pieces, numbers of labels, and the places of words and spans among the pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.reading.corpus import Example, Message, Pair
from models.reading.network import SHAPE, Passages, padded
from persona_cli.memory.vectors.minilm import CLS, SEP, open_tokenizer
from persona_cli.memory.vectors.minilm_files import vocabulary
from persona_cli.reading.heads import FILLED, TAGS
from persona_cli.reading.labels import ACTS, ASKED, KINDS, SPANS, SPEAKERS, WHO
from persona_cli.reading.surface import sentence_features, word_features, words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LONGEST = 120  # pieces of a sentence
_PASSAGE = 180  # pieces of a passage
NONE = -1
"""In place of a label that does not apply."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sentence: its pieces, words as (first piece, behind the last), and its labels as numbers."""

    pieces: list[int]
    surface: NDArray[np.float32]
    words: list[tuple[int, int]]
    shapes: NDArray[np.float32]
    tags: list[int]
    spans: list[tuple[int, int, int, int]]
    """(first piece, behind the last, label, slot)."""
    act: int
    asked: int
    speaker: int
    unsure: float
    negative: float
    worth: int
    kinds: list[float]
    who: int


@dataclass(frozen=True, slots=True)
class PreparedPair:
    """Two texts as pieces, and the number of their label."""

    first: list[int]
    second: list[int]
    label: int


def prepare(message: Message) -> list[Prepared]:
    """Return the sentences of a message."""
    return [_prepare(example, place, len(message)) for place, example in enumerate(message)]


def prepare_pair(pair: Pair, labels: Sequence[str]) -> PreparedPair:
    """Return a pair with its label's number among `labels`."""
    tokenizer = _tokenizer()
    first, second = tokenizer.encode(pair.first).ids, tokenizer.encode(pair.second).ids
    return PreparedPair(first[:_LONGEST], second[:_LONGEST], labels.index(pair.label))


def passages_of(message: Sequence[Prepared]) -> Iterator[list[Prepared]]:
    """Share a message out among passages that are not too long."""
    together: list[Prepared] = []
    for sentence in message:
        if together and sum(len(kept.pieces) + 1 for kept in [*together, sentence]) > _PASSAGE:
            yield together
            together = []
        together.append(sentence)
    if together:
        yield together


def collated(passages: Sequence[Sequence[Prepared]]) -> Passages:
    """Return passages side by side."""
    rows: list[list[int]] = []
    sentences: list[tuple[int, int, int]] = []
    wordplaces: list[tuple[int, int, int]] = []
    spans: list[tuple[int, int, int, int, int]] = []
    for row, passage in enumerate(passages):
        pieces = [CLS]
        for sentence in passage:
            start = len(pieces)
            wordplaces += [(row, start + first, start + end) for first, end in sentence.words]
            spans += [
                (row, start + first, start + end, label, len(sentences)) for first, end, label, _ in sentence.spans
            ]
            pieces += [*sentence.pieces, SEP]
            sentences.append((row, start, len(pieces) - 1))
        rows.append(pieces)
    every = [sentence for passage in passages for sentence in passage]
    return Passages(
        *padded(rows),
        np.array(sentences, dtype=np.int64),
        np.array([sentence.surface for sentence in every]),
        np.array(wordplaces, dtype=np.int64).reshape(-1, 3),
        np.concatenate([sentence.shapes for sentence in every]),
        np.array(spans, dtype=np.int64).reshape(-1, 5),
    )


def who_of(example: Example) -> str:
    """Return what kind of subject a sentence has, empty where none is given."""
    return example.subject if example.subject in WHO else "other" if example.subject else ""


def _prepare(example: Example, place: int, count: int) -> Prepared:
    encoded = _tokenizer().encode(example.text)
    offsets = encoded.offsets[:_LONGEST]
    found = [(word, _among(offsets, *word)) for word in words(example.text)]
    known = [(word, pieces) for word, pieces in found if pieces is not None]
    tags, spans = [TAGS.index("O")] * len(known), []
    for span in example.spans:
        inside = [row for row, ((start, end), _) in enumerate(known) if start < span.end and end > span.start]
        for row in inside:
            tags[row] = TAGS.index(f"{'B' if row == inside[0] else 'I'}-{span.label}")
        if inside:
            first, last = known[inside[0]][1][0], known[inside[-1]][1][1]
            spans.append((first, last, SPANS.index(span.label), FILLED.index(span.slot)))
    who = who_of(example)
    return Prepared(
        encoded.ids[:_LONGEST],
        sentence_features(example.text, place, count),
        [pieces for _, pieces in known],
        word_features(example.text, [word for word, _ in known]).reshape(-1, SHAPE),
        tags,
        spans,
        ACTS.index(example.act),
        ASKED.index(example.asked) if example.asked else NONE,
        SPEAKERS.index(example.speaker),
        float(example.unsure),
        float(example.negative),
        example.worth,
        [float(kind in example.kinds) for kind in KINDS],
        WHO.index(who) if who else NONE,
    )


def _among(offsets: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    rows = [row for row, (first, last) in enumerate(offsets) if first < end and last > start]
    return (rows[0], rows[-1] + 1) if rows else None


@cache
def _tokenizer() -> Tokenizer:
    return open_tokenizer(vocabulary())
