"""`Judge`: how a memory stands to a question or to news, both looked at in one pass of an encoder of its own.

It was trained on questions against everything that one person told (models/answers), where the wrong memory shares more
words with the question than the right one. What was judged lately is kept: a search judges what an answer judges again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.encoder import Encoder, Part, Passage
from persona_cli.reading.heads import apply, pair_input, softmax
from persona_cli.reading.labels import ANSWERS, Guess

Floats = NDArray[np.float32]

FOLDER = "answers"
LINE = "judge.npz"
GIVES = ("answers", "yes", "no", "unsure")
"""Labels of what is of the very thing that is asked."""
_KEPT = 4_096  # pairs, of some 300 bytes each
_LONGEST = 1_000  # characters of a memory: the encoder has no places for more
MARKS = "?!. "
"""What is left out behind a question: whoever types in haste leaves it out anyway."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """How a memory stands to a question."""

    best: Guess
    """The likeliest of `labels.ANSWERS`."""
    probabilities: dict[str, float]

    @property
    def gives(self) -> float:
        """Return how probable it is that it answers or decides the question."""
        return sum(self.probabilities[label] for label in ("answers", "yes", "no"))

    @property
    def odds(self) -> float:
        """Return the log-odds of its being of the very thing that is asked."""
        chance = sum(self.probabilities[label] for label in GIVES)
        return float(np.log(max(chance, 1e-6) / max(1 - chance, 1e-6)))


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges memories for a question; any thread may call it."""

    encoder: Encoder
    line: Floats
    """(features + 1, labels + 1); the last column tells what ends what."""
    _kept: OrderedDict[tuple[str, str], Bearing] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def bearings(self, question: str, memories: Sequence[str]) -> tuple[Bearing, ...]:
        """Return how each memory stands to a question, in order; one pass for each that was not judged lately."""
        asked = question.strip().rstrip(MARKS) or question
        keys = [(asked, memory[:_LONGEST]) for memory in memories]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        fresh = [key for key in dict.fromkeys(keys) if key not in known]
        if fresh:
            # each by itself: the last digits of a product hang on what else is in the matrix
            inputs = (judge_input(passage)[None] for passage in self.encoder.encode(fresh))
            judged = (_bearing(softmax(apply(self.line[:, :-1], row))[0].tolist()) for row in inputs)
            known |= zip(fresh, judged, strict=True)
        with self._lock:
            for key in keys:
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return tuple(known[key] for key in keys)

    def endings(self, said: str, older: Sequence[str]) -> Floats:
        """Return how probable it is that what is said ends each of some earlier statements: (n,); one pass for each."""
        pairs = [(said[:_LONGEST], old[:_LONGEST]) for old in older]
        scores = [apply(self.line[:, -1:], judge_input(seen)[None])[0, 0] for seen in self.encoder.encode(pairs)]
        return np.asarray(1 / (1 + np.exp(-np.array(scores, dtype=np.float32))), dtype=np.float32)


def open_judge(encoder: Encoder) -> Judge:
    """Return a judge with the line that ships with the program."""
    return Judge(encoder, load_line())


@cache
def load_line(path: Path | None = None) -> Floats:
    """Read a judge's line, by default the one that ships with the program."""
    with np.load(path or shipped(FOLDER) / LINE, allow_pickle=False) as stored:
        return np.asarray(stored["line"], dtype=np.float32)


def judge_input(passage: Passage) -> Floats:
    """Return what the line is given of a question and a memory that were looked at together."""
    asked, told = passage.parts
    one, other = asked.mean(), told.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    cosine = float(one @ other) / max(length, 1e-8)
    return np.concatenate([pair_input(passage), [_nearness(asked, told), cosine]]).astype(np.float32)


def _nearness(asked: Part, told: Part) -> float:
    """Return how near the pieces of the question come to some piece of the memory, in the mean."""
    if not len(asked.states) or not len(told.states):
        return -1.0
    return float((_unit(asked.states) @ _unit(told.states).T).max(axis=1).mean())


def _unit(states: Floats) -> Floats:
    return np.asarray(states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-8), dtype=np.float32)


def _bearing(chances: list[float]) -> Bearing:
    probabilities = dict(zip(ANSWERS, chances, strict=True))
    best = max(ANSWERS, key=probabilities.__getitem__)
    return Bearing(Guess(best, probabilities[best]), probabilities)
