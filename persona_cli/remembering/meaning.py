"""Whether a new statement ends an old one by its meaning, where no rule says so: the judge looks at both in one pass.

It was trained on whole lives that name all that changes in them, in which most that is near changes nothing, and on
pairs that were written to be hard (models/answers).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import exp

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.records import SemanticMemory

Floats = NDArray[np.float32]
Endings = Callable[[str, Sequence[str]], Floats]
"""Returns how probable it is that what is said ends each of some old statements: (n,)."""

ALONE, ALSO, ASKED = 0.985, 0.95, 0.5
"""Probabilities from which an ending acts alone, from which a second memory may have ended too, and from which the
likeliest may have and the person is asked: set on five lives that the judge has not seen (benchmarks/LOG.md)."""
NEARNESS, MIDDLE = 2.9, 0.4
"""What closeness of the two counts beside the judge's log-odds, above or below a cosine in the middle: news that speaks
of a change ends what is near to it. How much was fitted on seven lives of which the judge had seen none."""
NEAREST = 8
"""Old statements that are looked at, the nearest."""
SHORT = 240
"""Characters of the person's own words that are judged; where there are more, what the memory says is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An old memory, and how probable it is that it does not hold any more."""

    memory: SemanticMemory
    ending: float


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """The judge as the last of the rules of change."""

    vectors: KnownVectors
    endings: Endings

    def judged(
        self,
        said: str,
        parts: Sequence[str],
        older: Sequence[SemanticMemory],
        may_end: Callable[[SemanticMemory], bool] = lambda _: True,
    ) -> tuple[Judged, ...]:
        """Return those of `older` that may end, and how probably a message ends each, the most probable first.

        Those nearest to it or to one of its parts are looked at; of 55 memories `may_end` is asked about some nine.
        """
        closeness: dict[int, float] = {}
        for text in (said, *parts):
            for cosine, memory in self.vectors.ranked(text, older):
                closeness[memory.id] = max(cosine, closeness.get(memory.id, -1.0))
        ranked = sorted(older, key=lambda memory: -closeness[memory.id])
        nearest = list(islice(filter(may_end, ranked), NEAREST))
        if not nearest:
            return ()
        endings = self.endings(said, [said_by(memory) for memory in nearest]).tolist()
        near = (closeness[memory.id] for memory in nearest)
        judged = [Judged(memory, weighed(*both)) for memory, *both in zip(nearest, endings, near, strict=True)]
        return tuple(sorted(judged, key=lambda one: -one.ending))


def weighed(ending: float, closeness: float) -> float:
    """Return how probable an ending is, for how probable the judge finds it, and the cosine of the two."""
    held = min(max(ending, 1e-6), 1 - 1e-6)
    return 1 / (1 + (1 - held) / held * exp(-NEARNESS * (closeness - MIDDLE)))


def said_by(memory: SemanticMemory) -> str:
    """Return a memory in the words it was said in, where these are not much more than it says."""
    return memory.quote if 0 < len(memory.quote) <= SHORT else memory.content
