"""What of a message becomes memories: which sentences are worth one, and which begin one instead of going on.

Two trained lines over what the reader sees of a sentence and of its neighbours. People tell one thing in several
sentences ("Ron has died. Wednesday, in his chair."): of those that were marked by hand nine in ten that are worth
keeping belong to what stands before them, so a sentence begins a memory of its own only where that is likely
(models/keeping).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.heads import SENTENCE, read_lines, write_lines

Floats = NDArray[np.float32]

FOLDER = "keeping"
COEFFICIENTS = "coefficients.npz"
_LETTERS = 25  # what `surface.sentence_features` shows, at the end of what the sentence head is given


@dataclass(frozen=True, slots=True)
class KeepingLines:
    """The two lines, the intercept last: (features + 1,) each."""

    worth: Floats
    """That a sentence is part of something worth a memory."""
    apart: Floats
    """That it begins a memory of its own, where something before it is kept too."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the lines of a file, or those that ship with the program."""
        return cls(**read_lines(path or shipped(FOLDER) / COEFFICIENTS))

    def save(self, path: Path) -> None:
        """Write the lines in the precision they need."""
        write_lines(path, {field.name: getattr(self, field.name) for field in fields(self)})

    def judge(self, seen: Floats) -> Floats:
        """Return the probabilities of both for each sentence of a message: (n, features) to (n, 2)."""
        scores = np.stack([seen @ line[:-1] + line[-1] for line in (self.worth, self.apart)], axis=1)
        return np.asarray(1 / (1 + np.exp(-scores)), dtype=np.float32)


@cache
def open_keeping() -> KeepingLines:
    """Return the lines that ship with the program, read once."""
    return KeepingLines.load()


def in_context(inputs: Sequence[Floats], judged: dict[str, Floats]) -> Floats:
    """Return what the lines are given of the sentences of a message: (n, features).

    That is what the sentence head is given and makes of each, what it makes of the sentences before and behind, how
    near the one before is, and whether there is one.
    """
    every = np.array(inputs, dtype=np.float32)
    made = np.hstack([judged[name] for name in SENTENCE])
    count, nothing = len(every), np.zeros((1, made.shape[1]), dtype=np.float32)
    before, behind = np.vstack([nothing, made[:-1]]), np.vstack([made[1:], nothing])
    letters = np.vstack([np.zeros((1, _LETTERS), dtype=np.float32), every[:-1, -_LETTERS:]])
    width = (every.shape[1] - _LETTERS) // 2
    means = every[:, :width]
    even = means / (np.linalg.norm(means, axis=1, keepdims=True) + 1e-6)
    near = np.concatenate([[0.0], (even[1:] * even[:-1]).sum(axis=1)])
    place = np.stack([near, np.arange(count) == 0, np.full(count, count == 1)], axis=1)
    return np.hstack([every, made, before, letters, behind, place]).astype(np.float32)
