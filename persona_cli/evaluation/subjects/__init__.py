"""What is tested: persona's own loop, and the baselines of the paper beside it, each with any model.

persona       the real loop: history through the update stage, questions through the response stage
full          the whole history in the context, its oldest part left out where it does not fit
rag           the exchanges closest to the question in meaning, in the order of time
none          the question alone
profile       the starting profile alone
recent        the last exchanges alone
oracle        the exchanges that hold the answer, where the data set names them
self-critic   full, then the model criticises and revises its own answer
few-shot      full, with examples of what the person preferred, where the data set has such
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from persona_cli.config import Settings
from persona_cli.errors import NotFoundError
from persona_cli.evaluation.cases import CaseQuestion, CaseReply, Person, Recorded
from persona_cli.paths import Places

if TYPE_CHECKING:
    from persona_cli.evaluation.subjects.chooser import Chooser

SUBJECTS = ("persona", "full", "rag", "none", "profile", "recent", "oracle", "self-critic", "few-shot")
LEARNS = "persona"
"""The one for which learning a history is work."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a subject is opened with."""

    settings: Settings
    places: Places
    """Of the person who runs this: weights and prompts come from there, no memory does."""
    top_k: int = 5
    """Exchanges that `rag` and `recent` show."""
    pictures: bool = True
    """Whether baselines are shown pictures, where the model sees; the paper does not say."""


OnLearnt = Callable[[int], None]
"""Told how many exchanges more are learnt."""


class TestSubject(Protocol):
    """Something that learns a history and is asked about it."""

    chooser: Chooser | None
    """For a model that follows no instructions: what its choices are read from. None where replies are read."""

    def learn(self, exchanges: Sequence[Recorded], on_learnt: OnLearnt) -> None:
        """Take in what comes next of the history; sessions are closed before the questions."""
        ...

    def say(self, text: str, question: CaseQuestion) -> CaseReply:
        """Answer a text; nothing of it is kept. Raises `ModelError`."""
        ...

    def memories(self, question: CaseQuestion) -> tuple[str, ...] | None:
        """Return what its memory holds for a question that looks into it; None: it has no memory of its own."""
        ...

    def likelihood(self, question: CaseQuestion, reply: str) -> float | None:
        """Return the mean log-probability of a token of `reply` to the question; None: the engine tells none."""
        ...

    def close(self) -> None:
        """Free what it holds; the engine of baselines stays open for the next person."""
        ...


def open_subject(name: str, bench: Bench, person: Person, home: Path) -> TestSubject:
    """Open a subject for one person; `home` is a scratch folder that outlives an interrupted run."""
    if name not in SUBJECTS:
        raise NotFoundError(f"there is no subject {name}", fix="Known: " + ", ".join(SUBJECTS) + ".")
    if name == "persona":
        from persona_cli.evaluation.subjects.loop import LoopSubject

        return LoopSubject(bench, person, home)
    from persona_cli.evaluation.subjects.histories import HistorySubject, Selection

    if name == "self-critic":
        from persona_cli.evaluation.subjects.critic import CriticSubject

        return CriticSubject(HistorySubject(bench, person, home, Selection.FULL))
    if name == "few-shot":
        return HistorySubject(bench, person, home, Selection.FULL, examples=True)
    return HistorySubject(bench, person, home, Selection(name))
