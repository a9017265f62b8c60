"""BEAM: long talks on one subject, ten abilities, each question graded by criteria of 0, a half or 1.

    FOLDER/chats/100K/N/chat.json    FOLDER/chats/100K/N/probing_questions/probing_questions.json

A batch carries the date it begins at ("March-15-2024"), as may its first message; others have none. A user message may
end in "->-> 1,2", which is a mark of the generator and is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import JsonValue

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.personamem import FIRST
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, parse_time

NAME = "beam"
SOURCE = "https://github.com/mohammadtavakoli78/BEAM"
SIZES = {"100k": "100K", "500k": "500K", "1m": "1M", "10m": "10M"}
CONVERSATIONS = {"100k": 20, "500k": 35, "1m": 35, "10m": 10}
_MARK = re.compile(r"\s*->->\s*\d+\s*(?:,\s*\d+\s*)*$")


class _Message(PublishedRow):
    role: str
    content: str
    id: int | str | None = None
    time_anchor: str | None = None


class _Batch(PublishedRow):
    turns: list[list[_Message]]
    time_anchor: str | None = None


class _Asked(PublishedRow):
    question: str
    rubric: tuple[str, ...] = ()
    answer: JsonValue = None
    ideal_response: JsonValue = None
    ideal_answer: JsonValue = None
    ideal_summary: JsonValue = None
    expected_compliance: JsonValue = None
    source_chat_ids: JsonValue = None

    @property
    def gold(self) -> str:
        """Return the answer, which each ability calls by another name."""
        named = (self.answer, self.ideal_response, self.ideal_answer, self.ideal_summary, self.expected_compliance)
        return str(next((gold for gold in named if gold), ""))


def load(root: Path, variant: str = "") -> Collection:
    """Return the conversations of a size: 100k (the default), 500k, 1m or 10m."""
    size = variant or "100k"
    folder = PublishedFolder(root, name="BEAM", source=SOURCE)
    chats = folder.find(f"chats/{SIZES[size]}/*/chat.json", f"{SIZES[size]}/*/chat.json")
    folder.expect("conversations", len(chats), CONVERSATIONS[size])
    people = tuple(_person(folder, path) for path in sorted(chats, key=_place))
    return Collection(NAME, size, people, folder.inputs, tuple(folder.notes))


def _place(path: Path) -> tuple[int, str]:
    name = path.parent.name
    return (int(name) if name.isdecimal() else -1, name)


def _person(folder: PublishedFolder, path: Path) -> Person:
    history = tuple(_history(folder.json(path, list[_Batch])))
    if not history:
        raise folder.wrong(f"{path} holds no messages")
    file = path.parent / "probing_questions" / "probing_questions.json"
    at = history[-1].at + timedelta(hours=2)
    by_id = {name: said.key for said in history for name in said.key.split("/")}
    questions = []
    for ability, asked in folder.json(file, dict[str, list[_Asked]]).items():
        for number, row in enumerate(asked):
            named = {str(part) for part in _flat(row.source_chat_ids)}
            asks = CaseQuestion(
                f"{path.parent.name}-{ability}-{number}",
                ability,
                row.question,
                at,
                Form.OPEN,
                row.gold,
                criteria=tuple(row.rubric),
                unanswerable=ability == "abstention",
                evidence=frozenset(by_id[name] for name in named if name in by_id),
            )
            questions.append(asks)
    return Person(path.parent.name, history, tuple(questions))


def _history(batches: list[_Batch]) -> Iterator[Recorded]:
    """Yield the exchanges; a key is the ids of its messages, joined by slashes."""
    at = FIRST
    for number, batch in enumerate(batches):
        anchor = batch.time_anchor or next((row.time_anchor for turn in batch.turns for row in turn), None)
        at = max(parse_time(anchor), at + timedelta(hours=2)) if anchor else at + timedelta(days=1)
        for turn in batch.turns:
            user = "\n".join(_MARK.sub("", row.content) for row in turn if row.role == "user")
            said = "\n".join(row.content for row in turn if row.role == "assistant")
            at += timedelta(minutes=2)
            key = "/".join(str(row.id) for row in turn if row.id is not None) or f"{number}:{at.isoformat()}"
            yield Recorded(key, at, user, said, session=number)


def _flat(value: JsonValue) -> Iterator[JsonValue]:
    """Yield the ids of a cell, which is a number, a list, or lists by name."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _flat(part)
    elif isinstance(value, list):
        for part in value:
            yield from _flat(part)
    elif value is not None:
        yield value
