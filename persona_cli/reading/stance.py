"""How a message is meant: grief, worry, joy, a joke, a plain fact; how strongly; and when nobody can tell.

Who answers has to know this better than what was said: condolence for the living and cheer at a death are worse than
no feeling at all. So only a probability speaks, and what is not sure says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.encoder import Passage
from persona_cli.reading.heads import Heads, sentence_input, softmax
from persona_cli.reading.labels import STANCES
from persona_cli.reading.pooling import PooledHead, all_states
from persona_cli.reading.surface import sentence_features

Floats = NDArray[np.float32]

FOLDER = "stances"
COEFFICIENTS = "coefficients.npz"


@dataclass(frozen=True, slots=True)
class Stance:
    """How a message is meant, by `labels.STANCES`."""

    probabilities: dict[str, float]
    strong: float
    """How probable it is that it is meant strongly: a death, a diagnosis, a triumph, a rage."""

    @property
    def label(self) -> str:
        """Return the likeliest."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    def of(self, *labels: str) -> float:
        """Return how probable it is that it is one of some."""
        return sum(self.probabilities[label] for label in labels)


@dataclass(frozen=True, slots=True)
class StanceHead:
    """The trained network and what brings the judgements beside the states to a variance of one: (2, more)."""

    pooled: PooledHead
    scale: Floats

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the coefficients of a file, or those that ship with the program."""
        with np.load(path or shipped(FOLDER) / COEFFICIENTS, allow_pickle=False) as stored:
            return cls(PooledHead.of(stored), stored["scale"].astype(np.float32))

    def save(self, path: Path) -> None:
        """Write the coefficients."""
        arrays: dict[str, Any] = {"scale": self.scale, **self.pooled.stored()}
        np.savez_compressed(path, **arrays)

    def judge(self, heads: Heads, passage: Passage, sentences: list[str]) -> Stance:
        """Return how sentences that were looked at together are meant."""
        scores = self.pooled.scores(all_states(passage), scaled(judgements(heads, passage, sentences), self.scale))
        chances = softmax(scores[:-1]).tolist()
        return Stance(dict(zip(STANCES, chances, strict=True)), float(1 / (1 + np.exp(-scores[-1]))))


@cache
def open_stances() -> StanceHead:
    """Return the head that ships with the program, read once."""
    return StanceHead.load()


def judgements(heads: Heads, passage: Passage, sentences: list[str]) -> Floats:
    """Return what the reader makes of sentences, and what their letters show, in the mean: (more,)."""
    count = len(sentences)
    surfaces = [sentence_features(text, place, count) for place, text in enumerate(sentences)]
    inputs = [sentence_input(part, surface) for part, surface in zip(passage.parts, surfaces, strict=True)]
    judged = heads.judge(np.array(inputs))
    return np.concatenate([*(scores.mean(axis=0) for scores in judged.values()), np.mean(surfaces, axis=0)])


def scaled(more: Floats, scale: Floats) -> Floats:
    """Return judgements around 0, none so large that it decides alone."""
    return np.asarray(np.clip((more - scale[0]) / scale[1], -4, 4) / 2, dtype=np.float32)
