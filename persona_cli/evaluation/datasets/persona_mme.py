"""Persona-MME: the paper's own benchmark; 13 four-way tasks, and alignment as two yes/no questions a pair.

    FOLDER/Persona-MME.json                          the questions
    FOLDER/samples/BUCKET/USER/user_data.json        a user's profile and sessions, with the pictures beside it

`persona` in a user's file is the hidden truth: it goes to judges alone. Users of buckets 50 and 100 are the 32k
context, 200 and 500 the 128k one. Task names may be published with a leading "*".
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, parse_time

NAME = "persona-mme"
SOURCE = "https://huggingface.co/datasets/ClareNie/Persona-MME"
CONTEXTS = {"50": "32k", "100": "32k", "200": "128k", "500": "128k"}
QUESTIONS = 2_034
"""As published, pairs of alignment not counted."""
ALIGNMENT = "Personality Alignment"
ASPECTS = {
    "Visual Detail Recall": "Memory Recall",
    "Semantic Information Recall": "Memory Recall",
    "Explicit Intent Inference": "Intent Inference",
    "Implicit Intent Recognition": "Intent Inference",
    "Latest Preference Recognition": "Preference Recognition",
    "Interest Evolution Analysis": "Preference Recognition",
    "Implicit Preference Recommendation": "Preference Recognition",
    "Behavioral Pattern Recognition": "Behavioral Awareness",
    "Long-term Goal Tracking": "Behavioral Awareness",
    "Relationship Recognition": "Relationship Understanding",
    "Relationship Dynamics Comprehension": "Relationship Understanding",
    "Tiered Explanation Delivery": "Personalized Growth Modeling",
    "Generalizing to New Scenarios": "Personalized Growth Modeling",
}
"""The group of each four-way task."""
_IMAGE = "<img>"


class _Pair(PublishedRow):
    chosen: str
    rejected: str


class _Record(PublishedRow):
    data_path: str
    type: str
    question_type: str
    time: str
    query: str
    choices: dict[str, str]
    answer: str
    alignment: _Pair | None = None


class _Turn(PublishedRow):
    time: str
    user: str
    assistant: str = ""


class _User(PublishedRow):
    profile: JsonValue = ""
    persona: JsonValue = ""
    sessions: list[list[_Turn]]
    imgs: tuple[str, ...] = ()


def load(root: Path, variant: str = "") -> Collection:
    """Return the users of one context, or of all; raises `TransferError` for anything that is not as published."""
    folder = PublishedFolder(root, name="Persona-MME", source=SOURCE)
    records = folder.json(folder.one("Persona-MME.json"), list[_Record])
    folder.expect("questions", len(records), QUESTIONS)
    by_user: defaultdict[str, list[tuple[int, _Record]]] = defaultdict(list)
    for number, record in enumerate(records):
        by_user[_user_folder(folder, record.data_path)].append((number, record))
    wanted = {user: rows for user, rows in by_user.items() if variant in ("", _context(user))}
    people = tuple(_person(folder, user, rows) for user, rows in sorted(wanted.items(), key=_place))
    if not people:
        raise folder.wrong(f"no user of {root} belongs to {variant}")
    return Collection(NAME, variant, people, folder.inputs, tuple(folder.notes))


def _user_folder(folder: PublishedFolder, data_path: str) -> str:
    parts = PurePosixPath(data_path).parts
    # the prefix differs from download to download: what follows "samples" does not
    if "samples" not in parts or len(parts) < parts.index("samples") + 4:
        raise folder.wrong(f"{data_path!r} names no samples/BUCKET/USER/user_data.json")
    at = parts.index("samples")
    return "/".join(parts[at + 1 : at + 3])


def _context(user: str) -> str:
    return CONTEXTS.get(user.split("/", maxsplit=1)[0], user.split("/", maxsplit=1)[0])


def _place(entry: tuple[str, object]) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else -1 for part in entry[0].split("/"))


def _person(folder: PublishedFolder, user: str, rows: list[tuple[int, _Record]]) -> Person:
    file = folder.root / "samples" / user / "user_data.json"
    data = folder.json(file, _User)
    questions = tuple(question for number, record in rows for question in _questions(folder, number, record))
    history = tuple(_history(folder, file, data))
    return Person(user, history, questions, _as_text(data.profile), _as_text(data.persona), _context(user))


def _history(folder: PublishedFolder, file: Path, data: _User) -> Iterator[Recorded]:
    """Yield the exchanges; each "<img>" takes the next picture of the list."""
    marks = sum(turn.user.count(_IMAGE) for session in data.sessions for turn in session)
    if marks != len(data.imgs):
        raise folder.wrong(f"{file}: {marks} places for pictures, and {len(data.imgs)} pictures")
    pictures = iter(file.parent / PurePosixPath(name).name for name in data.imgs)
    for number, session in enumerate(data.sessions):
        for place, turn in enumerate(session):
            shown = tuple(next(pictures) for _ in range(turn.user.count(_IMAGE)))
            if missing := [path for path in shown if not path.is_file()]:
                raise folder.wrong(f"{missing[0]} is missing, a picture of {file.name}")
            words = turn.user.replace(_IMAGE, "").strip()
            yield Recorded(f"{number}:{place}", parse_time(turn.time), words, turn.assistant, shown, number)


def _questions(folder: PublishedFolder, number: int, record: _Record) -> Iterator[CaseQuestion]:
    letters = [name.strip("() ").lower() for name in record.choices]
    right = record.answer.strip("() ").lower()
    if right not in letters:
        raise folder.wrong(f"question {number}: the answer {record.answer!r} is none of its choices")
    task, at = record.question_type.lstrip("* "), parse_time(record.time)
    options = tuple(record.choices[name] for name in sorted(record.choices))
    aspect = record.type.lstrip("* ")
    yield CaseQuestion(
        f"{number}", task, record.query, at, Form.CHOICE, "abcdefgh"[sorted(letters).index(right)], aspect, options
    )
    for name, truth in (("chosen", "a"), ("rejected", "b")) if record.alignment else ():
        reply = str(getattr(record.alignment, name))
        later = at + timedelta(minutes=1)
        yield CaseQuestion(
            f"{number}-{name}", ALIGNMENT, record.query, later, Form.FIT, truth, "Alignment", reply=reply
        )


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
