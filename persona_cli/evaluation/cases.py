"""What every data set is turned into: people with a recorded history, and the questions about them, as frozen values.

A history is exchanges in order. A question names how many of them it may know (`seen`), so that one history can be
asked about in the middle. What a subject must not see, the answer and hidden traits, stands in fields of their own,
which only judging reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Form(StrEnum):
    """What kind of reply a question wants, and with that how it is judged."""

    CHOICE = "choice"
    """One letter of several options."""
    FIT = "fit"
    """Whether a given reply fits the person: (a) it does, (b) it does not."""
    OPEN = "open"
    """A free answer, held against a gold answer or against criteria."""
    PAIR = "pair"
    """Which of two replies suits the person better."""
    EXTRACTED = "extracted"
    """The memories of a session: is this point among them?"""
    STORED = "stored"
    """The memories of a session: how many of them rest on what was said?"""
    UPDATED = "updated"
    """What memory holds about a point that changed: the new state, and no longer the old one?"""


MEMORY_FORMS = frozenset({Form.EXTRACTED, Form.STORED, Form.UPDATED})
"""Forms that look into memory instead of asking: a subject without a memory of its own has no part in them."""


CHOSEN, REJECTED, TIED = "chosen", "rejected", "no agreement"
"""What a reply to a pair is."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange of a history; `key` is what gold evidence names it by."""

    key: str
    at: datetime
    user: str
    assistant: str
    images: tuple[Path, ...] = ()
    session: int = 0


@dataclass(frozen=True, slots=True)
class CaseQuestion:
    """One thing that is asked, and what judging knows about it."""

    key: str
    """Unique within the data set."""
    task: str
    text: str
    at: datetime
    form: Form
    answer: str = ""
    """A letter like "a" for a choice, the gold answer else."""
    aspect: str = ""
    """The group of tasks it belongs to, where the data set has such."""
    options: tuple[str, ...] = ()
    """The texts of (a), (b) and so on; of a pair, the chosen reply first."""
    reply: str = ""
    """The reply that is to be judged by a `FIT` question."""
    seen: int | None = None
    """How many exchanges of the history come before it; None for all."""
    evidence: frozenset[str] = frozenset()
    """Keys of the exchanges that hold the answer, where the data set names them."""
    criteria: tuple[str, ...] = ()
    """What a judge looks for, each worth the same; empty: whether the gold answer is given."""
    unanswerable: bool = False
    """The right answer is that it was never said."""
    examples: tuple[tuple[str, str, str], ...] = ()
    """Prompt, preferred and rejected reply of the same person: what a few-shot subject is shown."""
    former: tuple[str, ...] = ()
    """What held before, for an `UPDATED` point."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """One user of a data set."""

    key: str
    history: tuple[Recorded, ...]
    questions: tuple[CaseQuestion, ...]
    profile: str = ""
    """What the subject is told of the person at the start."""
    hidden: str = ""
    """The truth about the person that only a judge may see."""
    context: str = ""
    """The size of history this person belongs to: "32k", "128k"."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A data set as it was read: its people, and the hashes of the files they came from."""

    name: str
    variant: str
    people: tuple[Person, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file name, relative to the folder."""
    notes: tuple[str, ...] = ()
    """What a reader of the report should know: counts that differ from the published ones, choices made."""

    @property
    def questions(self) -> int:
        """Return how many questions there are."""
        return sum(len(person.questions) for person in self.people)


@dataclass(frozen=True, slots=True)
class CaseReply:
    """What came back for one text or question, and what went into it; with the question all that judging needs."""

    text: str
    prompt: str = ""
    recalled: tuple[str, ...] = ()
    """What was retrieved or shown of the history."""
    tokens: int = 0
    """Of all prompts of this reply."""
    generated: int = 0
    left_out: int = 0
    """Exchanges that did not fit the context."""
    seconds: float = 0.0
    failed: str = ""
    """Why there is no reply; it counts as wrong and is named in the report."""
    skipped: bool = False
    """The subject has no part in this: it counts nowhere."""
