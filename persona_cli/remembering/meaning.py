"""Whether a new statement ends an old one by its meaning: one trained line over both, where no rule says so.

It looks at what the reader's encoder makes of the two in one pass, and at plain signs beside that: how near they are,
whether a date or a number differs, whether the words speak of a change. It was fitted on pairs that were written to be
hard and on whole lives in which most that is near changes nothing (models/changes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.tokens import names, negative, stem, stems, words
from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.paths import shipped
from persona_cli.records import SemanticMemory
from persona_cli.remembering.rules.signs import shows

Floats = NDArray[np.float32]
Looks = Callable[[Sequence[str], str], Floats]
"""Looks at some old statements beside a new one: (n, features)."""

FOLDER = "changes"
COEFFICIENTS = "coefficients.npz"
NEAREST = 6
"""Old statements that are looked at, the nearest: a pass takes 3 ms, and 81 of 100 that end are among six (78 among
four, 86 among twelve)."""
_SHORT = 240
"""Characters of the person's own words that are judged; where there are more, what the memory says is."""
_SIGNS = ("change", "perhaps change", "now", "moved", "over", "beside")
_DAYS = word_set(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    """
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
PLAIN = 14 + len(_SIGNS)
"""How many plain signs there are."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An old memory, and how probable it is that it does not hold any more."""

    memory: SemanticMemory
    ending: float


@dataclass(frozen=True, slots=True)
class Line:
    """The trained line."""

    weights: Floats
    """Over what the encoder sees and `plain_signs`, the intercept last."""
    alone: float
    """Probability from which an ending acts alone: none was false from there on in lives that were left out."""
    asked: float
    """Probability from which the old memory may have ended, and the person is asked."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the line of a file, or that which ships with the program."""
        with np.load(path or shipped(FOLDER) / COEFFICIENTS, allow_pickle=False) as stored:
            alone, asked = map(float, stored["thresholds"])
            return cls(stored["weights"].astype(np.float32), alone, asked)

    def save(self, path: Path) -> None:
        """Write the line in the precision it needs."""
        thresholds = np.array([self.alone, self.asked])
        np.savez_compressed(path, weights=self.weights.astype(np.float16), thresholds=thresholds)

    def endings(self, features: Floats) -> Floats:
        """Return the probability of an ending for each row: (n, features) to (n,)."""
        scores = features @ self.weights[:-1] + self.weights[-1]
        return np.asarray(1 / (1 + np.exp(-scores)), dtype=np.float32)


@cache
def open_line() -> Line:
    """Return the line that ships with the program, read once."""
    return Line.load()


def plain_signs(old: str, new: str, cosine: float) -> Floats:
    """Return what two statements show beside their meaning: (PLAIN,), about 0 to 1."""
    mine, theirs = stems(new), stems(old)
    shared = len(mine & theirs)
    called, called_before = ({stem(name) for name in names(text)} for text in (new, old))
    (days, numbers), (days_before, numbers_before) = _values(new), _values(old)
    return np.array(
        [
            cosine,
            cosine * cosine,
            shared / max(1, min(len(mine), len(theirs))),
            min(shared, 4) / 4,
            bool(called & called_before),
            bool(called - called_before) and bool(called_before),
            bool(days and days_before) and not days & days_before,
            bool(numbers and numbers_before) and not numbers & numbers_before,
            bool(numbers & numbers_before),
            bool(numbers) != bool(numbers_before),
            negative(new),
            negative(new) != negative(old),
            min(len(new.split()), 20) / 20,
            min(len(old.split()), 20) / 20,
            *(shows(sign, new) for sign in _SIGNS),
        ],
        dtype=np.float32,
    )


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """The line as the last of the rules of change."""

    vectors: KnownVectors
    looks: Looks
    line: Line

    def judged(
        self, said: str, older: Sequence[SemanticMemory], may_end: Callable[[SemanticMemory], bool] = lambda _: True
    ) -> tuple[Judged, ...]:
        """Return the nearest of `older` that may end, and how probably a statement ends each, the most probable first.

        The nearest are asked first: of 55 memories `may_end` looks at five.
        """
        ranked = self.vectors.ranked(said, older)
        nearest = list(islice((pair for pair in ranked if may_end(pair[1])), NEAREST))
        if not nearest:
            return ()
        texts = [said_by(memory) for _, memory in nearest]
        signs = [plain_signs(text, said, cosine) for text, (cosine, _) in zip(texts, nearest, strict=True)]
        endings = self.line.endings(np.hstack([self.looks(texts, said), np.array(signs)]))
        judged = [Judged(memory, ending) for (_, memory), ending in zip(nearest, endings.tolist(), strict=True)]
        return tuple(sorted(judged, key=lambda one: -one.ending))


def said_by(memory: SemanticMemory) -> str:
    """Return a memory in the words it was said in, where these are not much more than it says."""
    return memory.quote if 0 < len(memory.quote) <= _SHORT else memory.content


def _values(text: str) -> tuple[set[str], set[str]]:
    """Return the days and months, and the numbers, that a text gives."""
    days = {word.casefold().removesuffix("s") for word in words(text)} & _DAYS
    return days, set(_NUMBER.findall(text))
