"""What a reply is worth: a mark from 0 to 1 with its label, computed from the record alone, so that it can be redone.

answers    words of a gold answer in a reply; points in memories
judge      a judge model behind a URL, with its own record
pairwise   two subjects' answers held against each other
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from persona_cli.evaluation.cases import CHOSEN, TIED, CaseQuestion, CaseReply, Form
from persona_cli.evaluation.judging import answers
from persona_cli.evaluation.letters import first_letter, strict_letter


class Parse(StrEnum):
    """How letters are read."""

    PUBLISHED = "published"
    STRICT = "strict"


class Label(StrEnum):
    """What kind of right or wrong a reply is."""

    RIGHT = "right"
    PARTLY = "partly"
    WRONG = "wrong"
    OMITTED = "omitted"
    """It says that it does not know, or memory has nothing."""
    UNREADABLE = "unreadable"
    FAILED = "failed"
    """The subject failed; its error is in the record."""
    UNJUDGED = "unjudged"
    """The judge failed: this counts neither as right nor as wrong, and is named."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one reply."""

    score: float
    label: Label
    f1: float | None = None
    """Of free answers."""
    why: str = ""
    """What a judge said."""


def mark(question: CaseQuestion, reply: CaseReply, parse: Parse = Parse.PUBLISHED) -> Mark:
    """Return the mark of a reply by rules alone: the same reply gets the same mark everywhere."""
    if reply.skipped:
        return Mark(0.0, Label.SKIPPED)
    if reply.failed:
        return Mark(0.0, Label.FAILED, why=reply.failed)
    return _MARKS[question.form](question, reply, parse)


def _of(right: bool, wrong: Label = Label.WRONG) -> Mark:
    return Mark(1.0, Label.RIGHT) if right else Mark(0.0, wrong)


def _mark_letter(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    read = first_letter(reply.text) if parse is Parse.PUBLISHED else strict_letter(reply.text)
    allowed = "ab" if question.form is Form.FIT else "abcdefghij"[: len(question.options)]
    return _of(read == question.answer, Label.WRONG if read and read in allowed else Label.UNREADABLE)


def _mark_answer(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    unknown = answers.says_unknown(reply.text)
    if question.unanswerable:
        return _of(unknown)
    if not question.answer:
        # a preference without a gold answer is for a judge alone
        return Mark(0.0, Label.UNJUDGED, why="needs a judge: --judge URL")
    share = answers.f1(reply.text, question.answer)
    if unknown:
        # "I don't know. The closest I have: …" declines, whatever words it then quotes
        return Mark(0.0, Label.OMITTED, share)
    right = answers.contains(reply.text, question.answer)
    return Mark(float(right), Label.RIGHT if right else Label.WRONG, share)


def _mark_stored(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    if not reply.recalled:
        return Mark(0.0, Label.SKIPPED, why="nothing was stored")
    right = sum(answers.rests_on(memory, question.criteria) for memory in reply.recalled)
    share = right / len(reply.recalled)
    return Mark(share, Label.RIGHT if share == 1 else Label.PARTLY if share else Label.WRONG)


def _mark_update(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    if not answers.held(question.answer, reply.recalled):
        return Mark(0.0, Label.OMITTED)
    return _of(not answers.stale(reply.recalled, question.answer, question.former))


def _mark_pair(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    return _of(reply.text == CHOSEN, Label.UNREADABLE if reply.text == TIED else Label.WRONG)


def _mark_point(question: CaseQuestion, reply: CaseReply, parse: Parse) -> Mark:
    there = answers.held(question.answer, reply.recalled)
    return _of(there != question.unanswerable, Label.WRONG if question.unanswerable else Label.OMITTED)


_MARKS: dict[Form, Callable[[CaseQuestion, CaseReply, Parse], Mark]] = {
    Form.CHOICE: _mark_letter,
    Form.FIT: _mark_letter,
    Form.PAIR: _mark_pair,
    Form.OPEN: _mark_answer,
    Form.EXTRACTED: _mark_point,
    Form.STORED: _mark_stored,
    Form.UPDATED: _mark_update,
}
