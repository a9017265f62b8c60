"""Whether one statement takes the place of another, where no rule says so: a head over the vectors of both.

It was trained on statements about two dozen matters of a life (models/successors), each with changes that end it and
remarks that leave it standing. It knows change from more of the same; of what the two speak, their cosine tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.paths import shipped
from persona_cli.records import SemanticMemory
from persona_cli.remembering.rules.signs import shows

Vectors = NDArray[np.float32]
COEFFICIENTS = "coefficients.npz"
SURE = 0.3
"""Score from which a statement that speaks of a change takes the place of another."""
VERY_SURE = 1.2
"""The same for one that may speak of a change, or of something more."""
ALIKE = 0.47
"""Cosine of the words of two statements, with its share of the head's score, from which they can be of one matter."""
SCORE_COUNTS = 0.1
_SCALES = (10.0, 3.0, 2.0)
"""Weights of the product, of the difference and of the new vector itself, which keep their penalties comparable."""


@dataclass(frozen=True, slots=True)
class SuccessorHead:
    """A line over `features`, the intercept last."""

    line: NDArray[np.float64]

    @classmethod
    def load(cls) -> Self:
        """Read the coefficients that ship with the program."""
        with np.load(shipped("successors") / COEFFICIENTS, allow_pickle=False) as stored:
            return cls(stored["line"].astype(np.float64))

    def save(self, path: Path) -> None:
        """Write the coefficients in the precision they need."""
        np.savez(path, line=self.line.astype(np.float16))

    def fits(self, vectors: Vectors) -> bool:
        """Tell whether vectors (n, d) are as wide as those the head was trained on."""
        return bool(len(self.line) == 3 * vectors.shape[1] + 2)

    def score(self, old: Vectors, new: Vectors) -> NDArray[np.float64]:
        """Return one number per row of `old` and `new`; above 0 the new statement rather ends the old one."""
        return np.asarray(features(old, new) @ self.line[:-1] + self.line[-1])


def features(old: Vectors, new: Vectors) -> NDArray[np.float64]:
    """Return (n, 3 d + 1) of two (n, d): what they share, in what they differ, the new one, and their cosine."""
    product, difference = old * new, np.abs(old - new)
    cosine = product.sum(axis=1, keepdims=True)
    parts = [part * scale for part, scale in zip((product, difference, new), _SCALES, strict=True)]
    return np.hstack([*parts, cosine]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Successors:
    """The head as the last of the rules of change."""

    vectors: KnownVectors

    def replaced(self, said: str, older: Sequence[SemanticMemory]) -> SemanticMemory | None:
        """Return the closest of `older` where the message shows enough of a change to take its place."""
        enough = needed(said)
        if math.isinf(enough):
            return None
        head, old, new = open_head(), self.vectors.sayings(older), self.vectors.texts([said])
        if not head.fits(new):
            return None  # another embedding is in use than the head was trained on: the rules before it decide
        cosines = old @ new[0]
        best = int(np.argmax(cosines))
        (score,) = head.score(old[best : best + 1], new)
        alike = cosines[best] + SCORE_COUNTS * min(max(score, 0.0), 1.5)
        return older[best] if score >= enough and alike >= ALIKE else None


@cache
def open_head() -> SuccessorHead:
    """Return the head that ships with the program, read once."""
    return SuccessorHead.load()


def needed(said: str) -> float:
    """Return the score from which a statement in these words ends another; infinite where they show no change.

    "I've switched" speaks of a change by itself; "I got", "I just" and "I started" tell more often of something more.
    """
    if shows("beside", said):
        return math.inf
    return SURE if shows("change", said) else VERY_SURE if shows("perhaps change", said) else math.inf
