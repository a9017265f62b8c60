"""Questions: what is asked, of whom, and whether memories may answer it."""

from __future__ import annotations

from dataclasses import dataclass

from persona_cli.reading.labels import Guess
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


def question_of(statement: Statement) -> Question | None:
    """Return what a sentence asks; None for one that asks nothing."""
    if statement.asked is None:
        return None
    filling = [span for span in statement.spans if span.slot and span.slot_probability >= _HELD]
    slot = max(filling, key=lambda span: span.slot_probability).slot if filling else ""
    return Question(statement.text, statement.asked, slot, statement.subject)
