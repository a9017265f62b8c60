"""Questions: what is asked, and how a memory stands to it: gives it, decides it, is of the matter, or is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import Heads, compare, pair_input
from persona_cli.reading.labels import ANSWERS, Guess
from persona_cli.reading.statement import Statement, Subject

_HELD = 0.5
_OPEN = ("world", "now", "you", "rhetorical")
"""Kinds of questions that no memory answers."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a sentence asks."""

    text: str
    kind: Guess
    """The kind of answer, of `labels.ASKED`."""
    slot: str
    """Which attribute of the subject is asked for, where its word is there ("what's my sister's job")."""
    subject: Subject

    @property
    def of_a_life(self) -> bool:
        """Tell whether memories may answer it."""
        return self.kind.label not in _OPEN


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


def bearings(encoder: Encoder, heads: Heads, question: str, memories: Sequence[str]) -> tuple[Bearing, ...]:
    """Return how each memory stands to a question, in order; one pass a memory."""
    if not memories:
        return ()
    passages = encoder.encode([(question, memory) for memory in memories])
    inputs = np.array([pair_input(passage) for passage in passages])
    chances = compare(heads.answer, heads.related[:, 1], inputs, ANSWERS.index("off"))
    return tuple(_bearing(row) for row in chances.tolist())


def question_of(statement: Statement) -> Question | None:
    """Return what a sentence asks; None for one that asks nothing."""
    if statement.asked is None:
        return None
    filling = [span for span in statement.spans if span.slot and span.slot_probability >= _HELD]
    slot = max(filling, key=lambda span: span.slot_probability).slot if filling else ""
    return Question(statement.text, statement.asked, slot, statement.subject)


def _bearing(chances: list[float]) -> Bearing:
    probabilities = dict(zip(ANSWERS, chances, strict=True))
    best = max(ANSWERS, key=probabilities.__getitem__)
    return Bearing(Guess(best, probabilities[best]), probabilities)
