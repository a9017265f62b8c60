"""The trained lines over the encoder's states, in numpy: what they are given and how they are kept.

Each head is one matrix with the intercepts as its last row. models/reading/train.py fits them, together with the
adapter of the encoder they look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.encoder import Part, Passage
from persona_cli.reading.labels import ACTS, ASKED, KINDS, SLOTS, SPANS, SPEAKERS, WHO

Floats = NDArray[np.float32]

FOLDER = "reading"
COEFFICIENTS = "coefficients.npz"

SENTENCE = {"act": ACTS, "asked": ASKED, "speaker": SPEAKERS} | {
    "unsure": ("unsure",),
    "negative": ("negative",),
    "worth": ("0", "1", "2", "3"),
    "kinds": tuple(KINDS),
    "who": WHO,
}
"""What a sentence is judged by, with the labels of each: the columns of the head in this order."""
TAGS = ("O", *(f"{begin}-{label}" for label in SPANS for begin in "BI"))
"""The labels of a word: outside, at the beginning of a span, inside it."""
FILLED = ("", *SLOTS)
"""The slots a span may fill, none first."""
_SEVERAL = ("unsure", "negative", "kinds")
"""Judgements whose labels do not exclude each other."""


@dataclass(frozen=True, slots=True)
class Heads:
    """All heads: matrices of (features + 1, labels)."""

    sentence: Floats
    word: Floats
    slot: Floats

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the coefficients of a file, or those that ship with the program."""
        return cls(**read_lines(path or shipped(FOLDER) / COEFFICIENTS))

    def save(self, path: Path) -> None:
        """Write the coefficients in the precision they need."""
        write_lines(path, {field.name: getattr(self, field.name) for field in fields(self)})

    def judge(self, features: Floats) -> dict[str, Floats]:
        """Return the probabilities of each judgement over sentences: (n, features) to (n, labels) of each."""
        scores, column = apply(self.sentence, features), 0
        judged: dict[str, Floats] = {}
        for name, labels in SENTENCE.items():
            columns = scores[:, column : column + len(labels)]
            judged[name] = _logistic(columns) if name in _SEVERAL else softmax(columns)
            column += len(labels)
        return judged


def read_lines(path: Path) -> dict[str, Floats]:
    """Return the matrices of a file by their names."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def write_lines(path: Path, lines: Mapping[str, Floats]) -> None:
    """Write matrices under their names, in the precision they need."""
    halved: dict[str, Any] = {name: line.astype(np.float16) for name, line in lines.items()}
    np.savez_compressed(path, **halved)


@cache
def open_heads() -> Heads:
    """Return the heads that ship with the program, read once."""
    return Heads.load()


def apply(head: Floats, features: Floats) -> Floats:
    """Return the scores of a head: (n, features) to (n, labels)."""
    return np.asarray(features @ head[:-1] + head[-1], dtype=np.float32)


def softmax(scores: Floats) -> Floats:
    """Return the probabilities of rows of scores."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def sentence_input(part: Part, surface: Floats) -> Floats:
    """Return what the sentence head is given: the mean state, that of the mark behind it, the surface."""
    return np.concatenate([part.mean(), part.end, surface])


def slot_input(part: Part, pieces: tuple[int, int], label: str) -> Floats:
    """Return what the slot head is given: the mean state of the span, its label, the state behind the sentence."""
    named = np.array([label == name for name in SPANS], dtype=np.float32)
    return np.concatenate([part.mean(*pieces), named, part.end])


def pair_input(passage: Passage) -> Floats:
    """Return what the heads of pairs are given of two texts that were looked at together."""
    first, second = passage.parts
    one, other = first.mean(), second.mean()
    return np.concatenate([passage.start, second.end, one * other, np.abs(one - other)])


def _logistic(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-scores)), dtype=np.float32)
