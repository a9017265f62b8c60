"""What a new statement means for an old memory: both are looked at in one pass, and one trained line judges.

Two thresholds on the probability of an ending were chosen on statements that nothing was trained on: from the higher
one it acts alone (no false ending there), between the two the old memory may have ended, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import Heads, compare, pair_input
from persona_cli.reading.labels import RELATIONS, Guess

ENDING = ("ends", "corrects")
"""Relations after which the old memory does not hold any more."""


class Verdict(StrEnum):
    """What is to be done about the old memory."""

    ENDS = "ends"
    MAY_HAVE_ENDED = "may have ended"
    STANDS = "stands"


@dataclass(frozen=True, slots=True)
class Relation:
    """How a new statement stands to an old memory."""

    best: Guess
    """The likeliest of `labels.RELATIONS`."""
    probabilities: dict[str, float]
    """That of each of them; together 1."""
    verdict: Verdict

    @property
    def ending(self) -> float:
        """Return how probable it is that the old memory does not hold any more."""
        return sum(self.probabilities[label] for label in ENDING)


def relate(encoder: Encoder, heads: Heads, old: Sequence[str], new: str) -> tuple[Relation, ...]:
    """Return what a new statement means for each of some memories, in order; one pass a memory."""
    if not old:
        return ()
    passages = encoder.encode([(memory, new) for memory in old])
    inputs = np.array([pair_input(passage) for passage in passages])
    chances = compare(heads.relation, heads.related[:, 0], inputs, RELATIONS.index("unrelated"))
    alone, asked = (float(threshold) for threshold in heads.thresholds)
    return tuple(_relation(row, alone, asked) for row in chances.tolist())


def _relation(chances: list[float], alone: float, asked: float) -> Relation:
    probabilities = dict(zip(RELATIONS, chances, strict=True))
    best = max(RELATIONS, key=probabilities.__getitem__)
    ending = sum(probabilities[label] for label in ENDING)
    verdict = Verdict.ENDS if ending >= alone else Verdict.MAY_HAVE_ENDED if ending >= asked else Verdict.STANDS
    return Relation(Guess(best, probabilities[best]), probabilities, verdict)
