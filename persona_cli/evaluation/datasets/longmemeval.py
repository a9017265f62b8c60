"""LongMemEval: 500 questions, each with a haystack of sessions of its own; S has about 40 of them.

Six types of question; those whose id ends in "_abs" ask for what was never said. One question is one person here, as
each has its own history: replaying dominates the cost.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, pair_messages, parse_time

NAME = "longmemeval"
SOURCE = "https://huggingface.co/datasets/xiaowu0162/longmemeval-cleaned"
FILES = {
    "s": ("longmemeval_s*.json",),
    "oracle": ("longmemeval_oracle*.json",),
    "m": ("longmemeval_m*.json",),
}


class _Message(PublishedRow):
    role: str
    content: str
    has_answer: bool = False


class _Entry(PublishedRow):
    question_id: str
    question_type: str
    question: str
    answer: JsonValue
    question_date: str
    haystack_dates: list[str]
    haystack_sessions: list[list[_Message]]


def load(root: Path, variant: str = "") -> Collection:
    """Return the questions of a variant: s (the default), oracle or m."""
    folder = PublishedFolder(root, name="LongMemEval", source=SOURCE)
    entries = folder.json(folder.one(*FILES[variant or "s"]), list[_Entry])
    folder.expect("questions", len(entries), 500)
    people = tuple(_person(folder, entry) for entry in entries)
    return Collection(NAME, variant or "s", people, folder.inputs, tuple(folder.notes))


def _person(folder: PublishedFolder, entry: _Entry) -> Person:
    if len(entry.haystack_dates) != len(entry.haystack_sessions):
        raise folder.wrong(f"{entry.question_id}: {len(entry.haystack_sessions)} sessions, other dates")
    ordered = sorted(enumerate(entry.haystack_dates), key=lambda dated: parse_time(dated[1]))
    history: list[Recorded] = []
    evidence: set[str] = set()
    free = datetime.min.replace(tzinfo=parse_time(entry.question_date).tzinfo)
    for number, (place, dated) in enumerate(ordered):
        # sessions are dated to the minute, and some overlap: one begins when the last has ended
        start = max(parse_time(dated), free + timedelta(minutes=61)) if history else parse_time(dated)
        session = entry.haystack_sessions[place]
        answers = {message.content.strip() for message in session if message.has_answer}
        pairs = pair_messages({"role": message.role, "content": message.content} for message in session)
        for row, (user, said) in enumerate(pairs):
            free = start + timedelta(seconds=30 * row)
            told = Recorded(f"{place}:{row}", free, user, said, session=number)
            history.append(told)
            if any(answer and answer in f"{user}\n{said}" for answer in answers):
                evidence.add(told.key)
    at = max(parse_time(entry.question_date), free + timedelta(hours=2))
    question = CaseQuestion(
        entry.question_id,
        entry.question_type,
        entry.question,
        at,
        Form.OPEN,
        str(entry.answer),
        evidence=frozenset(evidence),
        unanswerable=entry.question_id.endswith("_abs"),
        criteria=_criteria(entry),
    )
    return Person(entry.question_id, tuple(history), (question,))


def _criteria(entry: _Entry) -> tuple[str, ...]:
    """Return what a preference question is judged by: its gold answer describes a good reply and is none."""
    if entry.question_type != "single-session-preference":
        return ()
    return (f"The reply serves this person as described here: {entry.answer}",)
