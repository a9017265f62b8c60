"""HaluMem: the operations of a memory scored apart: what it extracts, what it updates, what it answers.

    FOLDER/HaluMem-Medium.jsonl    FOLDER/HaluMem-Long.jsonl        one user a line

After each session its memory points are looked for among the memories that the session left (extraction), points that
changed are searched for (update: the new state is there, the old one is not), and its questions are asked. Points of
the source "interference" were said by the assistant and never confirmed: a memory that has one is wrong. `is_update`
is text in the files ("True"); sessions that were generated for length are replayed and never asked about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, pair_messages, parse_time

NAME = "halumem"
SOURCE = "https://huggingface.co/datasets/IAAR-Shanghai/HaluMem"
FILES = {"medium": "*[Mm]edium*.jsonl", "long": "*[Ll]ong*.jsonl"}
EXTRACTION = "extraction: points found"
PRECISION = "extraction: memories right"
RESISTANCE = "extraction: resists what was not said"
UPDATE, ANSWER = "update", "answer"


class _Message(PublishedRow):
    role: str
    content: str
    timestamp: str = ""


class _Point(PublishedRow):
    memory_content: str
    memory_source: str = "primary"
    is_update: str | bool = "False"
    original_memories: tuple[str, ...] = ()
    importance: float = 1.0

    @property
    def updates(self) -> bool:
        """Tell whether this changes what was there."""
        return str(self.is_update).lower() == "true" and bool(self.original_memories)


class _Asked(PublishedRow):
    question: str
    answer: str
    question_type: str = ""


class _Session(PublishedRow):
    dialogue: list[_Message]
    start_time: str = ""
    memory_points: tuple[_Point, ...] = ()
    questions: tuple[_Asked, ...] = ()
    is_generated_qa_session: bool = False


class _User(PublishedRow):
    uuid: str
    persona_info: JsonValue = ""
    sessions: list[_Session]


def load(root: Path, variant: str = "") -> Collection:
    """Return the users of a variant: medium (the default) or long."""
    folder = PublishedFolder(root, name="HaluMem", source=SOURCE)
    users = folder.lines(folder.one(FILES[variant or "medium"]), _User)
    folder.expect("users", len(users), 20)
    asked = sum(len(session.questions) for user in users for session in user.sessions)
    folder.expect("questions", asked, 3_467)
    people = tuple(_person(user) for user in users)
    return Collection(NAME, variant or "medium", people, folder.inputs, tuple(folder.notes))


def _person(user: _User) -> Person:
    history: list[Recorded] = []
    questions: list[CaseQuestion] = []
    for number, session in enumerate(user.sessions):
        history += _exchanges(session, number)
        if not session.is_generated_qa_session and history:
            at = history[-1].at + timedelta(minutes=1)
            questions += _questions(f"{user.uuid}-{number}", session, at, len(history))
    hidden = user.persona_info if isinstance(user.persona_info, str) else json.dumps(user.persona_info)
    return Person(user.uuid, tuple(history), tuple(questions), hidden=hidden)


def _exchanges(session: _Session, number: int) -> Iterator[Recorded]:
    times = [message.timestamp for message in session.dialogue if message.role == "user"] or [session.start_time]
    pairs = pair_messages({"role": message.role, "content": message.content} for message in session.dialogue)
    for place, (user, said) in enumerate(pairs):
        stamp = times[min(place, len(times) - 1)] or session.start_time
        at = parse_time(stamp) + timedelta(seconds=place)
        yield Recorded(f"{number}:{place}", at, user, said, session=number)


def _questions(key: str, session: _Session, at: datetime, seen: int) -> Iterator[CaseQuestion]:
    said = tuple(point.memory_content for point in session.memory_points if point.memory_source != "interference")
    for place, point in enumerate(session.memory_points):
        name = f"{key}-point-{place}"
        if point.memory_source == "interference":
            yield _point(name, RESISTANCE, point, at, seen, unanswerable=True)
        elif point.updates:
            yield CaseQuestion(
                name, UPDATE, point.memory_content, at, Form.UPDATED, point.memory_content, UPDATE, seen=seen,
                former=tuple(point.original_memories), weight=point.importance,
            )  # fmt: skip
        else:
            yield _point(name, EXTRACTION, point, at, seen)
    if session.memory_points:
        yield CaseQuestion(
            f"{key}-stored", PRECISION, "", at, Form.STORED, aspect="extraction", criteria=_whole(said, session),
            seen=seen,
        )  # fmt: skip
    for place, asked in enumerate(session.questions):
        unknown = asked.question_type == "Memory Boundary"
        yield CaseQuestion(
            f"{key}-question-{place}", f"{ANSWER}: {asked.question_type}", asked.question, at, Form.OPEN, asked.answer,
            ANSWER, seen=seen, unanswerable=unknown,
        )  # fmt: skip


def _point(name: str, task: str, point: _Point, at: datetime, seen: int, *, unanswerable: bool = False) -> CaseQuestion:
    return CaseQuestion(
        name, task, "", at, Form.EXTRACTED, point.memory_content, "extraction", seen=seen, unanswerable=unanswerable,
        weight=point.importance,
    )  # fmt: skip


def _whole(points: Sequence[str], session: _Session) -> tuple[str, ...]:
    """Return what a memory of the session may rest on: its points, and what the user said."""
    return (*points, *(message.content for message in session.dialogue if message.role == "user"))
