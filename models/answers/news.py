"""What a message makes outdated, and what merely stands near it, as word pieces: the judge's other lesson.

A new message stands against what was told before it, the nearest first, in the forms in which it may be kept; of these
it ends some, mostly none. Lives that name every change teach both, older ones by their questions (`41 not 12`) what
ends alone; the pairs of models/reading and models/changes that ending is seldom a matter of common words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.answers.lists import Forms, Pieces, pieces_of
from models.answers.lives import Life
from models.changes.domains import plain_pairs
from models.reading.corpus import Batch, Pair
from persona_cli.english.sentences import sentences
from persona_cli.memory.vectors.minilm import MiniLM

NEAR = 12
"""Messages before a new one that it is set beside."""
ENDING, STANDING = ("ends", "corrects"), ("same", "adds", "unrelated", "returns")
_LEAST_WORDS = 3
_MOST_RIGHT = 3
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class News:
    """A message, what it ends, and what it does not, the likeliest first."""

    said: Forms
    """Whole, and its sentences."""
    right: tuple[Forms, ...]
    wrong: tuple[Forms, ...]
    tempting: bool = False
    """Something looks as if it ended, and stands."""


def news_of(life: Life, embedder: MiniLM) -> Iterator[News]:
    """Yield the messages of a life that may end something of it."""
    changes = life.ended or tuple(
        (old, new) for asked in life.inquiries for new in asked.right for old in asked.outdated if old < new
    )
    place_of = {said.number: place for place, said in enumerate(life.told)}
    parts = [sentences(said.text) for said in life.told]
    vectors = [embedder.embed([said.text, *some]) for said, some in zip(life.told, parts, strict=True)]
    forms = [_forms(said.text, some) for said, some in zip(life.told, parts, strict=True)]
    for place, said in enumerate(life.told):
        right = [place_of[old] for old, new in changes if new == said.number]
        stands = [place_of[old] for old, new in life.standing if new == said.number]
        if not place or not (right or life.ended):
            continue
        nearness = [float((vectors[place] @ vectors[old].T).max()) for old in range(place)]
        order = [*stands, *(int(old) for old in np.argsort(nearness)[::-1] if old not in stands)]
        wrong = [old for old in order if old not in right][:NEAR]
        ended, beside = (tuple(forms[old] for old in chosen) for chosen in (right[:_MOST_RIGHT], wrong))
        yield News(forms[place], ended, beside, bool(stands))


def ending_pairs(written: Sequence[Batch]) -> Iterator[tuple[Pieces, bool]]:
    """Yield pairs of a new and an old statement, and whether the one ends the other."""
    pairs: list[Pair] = [pair for batch in written for pair in batch.pairs]
    for pair in (*pairs, *plain_pairs()):
        if pair.label in (*ENDING, *STANDING):
            yield (pieces_of(pair.second), pieces_of(pair.first)), pair.label in ENDING


def _forms(text: str, parts: Sequence[str]) -> Forms:
    whole = [text, *(part for part in parts if len(parts) > 1 and len(part.split()) >= _LEAST_WORDS)]
    return tuple(pieces_of(part) for part in whole)
