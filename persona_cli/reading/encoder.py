"""What the heads look at: the states of an encoder, with the place in the text that each of them stands for.

The encoder itself is injected by `open_assistant()` and is fixed, whatever `embedding.model` finds memories with: the
heads were trained on its states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence as the encoder sees it beside its neighbours."""

    states: Floats
    """A state for each piece of a word: (pieces, width)."""
    places: NDArray[np.int64]
    """Where each piece begins and ends in the sentence, in characters: (pieces, 2)."""
    end: Floats
    """The state of the mark behind it: (width,)."""

    def mean(self, start: int = 0, end: int | None = None) -> Floats:
        """Return the mean of some of the states, zeros where there are none: (width,)."""
        chosen = self.states[start:end]
        return np.asarray(chosen.mean(axis=0) if len(chosen) else np.zeros_like(self.end), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences that were looked at together."""

    start: Floats
    """The state of the mark before the first: (width,)."""
    parts: tuple[Part, ...]


class Encoder(Protocol):
    """Turns passages into states; any thread may call it."""

    def encode(self, passages: Sequence[Sequence[str]]) -> tuple[Passage, ...]:
        """Return what it makes of each passage, a part for each of its sentences, in order.

        A passage costs one pass, a longer one than the encoder has places for as many as it needs; what is too long
        of a single sentence is left out, and has no states.
        """
        ...
