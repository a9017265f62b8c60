"""PERSONAMEM v1: four-way questions in the middle of shared contexts of 32k, 128k or 1M tokens.

    FOLDER/questions_32k.csv    FOLDER/shared_contexts_32k.jsonl

The official protocol shows a question the context up to `end_index_in_shared_context`; the variant "32k-uncut" shows
all of it, which is how some published figures came about. Contexts have no times: they are invented, order only, a
system message (the persona) ends a session.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, invented_times, pair_messages

NAME = "personamem"
SOURCE = "https://huggingface.co/datasets/bowen-upenn/PersonaMem-v1"
COUNTS = {"32k": 589}
FIRST = datetime(2024, 1, 1, 9, tzinfo=UTC)
TASKS = {
    "recalling_facts_mentioned_by_the_user": "recall_user_shared_facts",
    "identifying_new_things": "suggest_new_ideas",
    "recalling_the_latest_user_preferences": "acknowledge_latest_preferences",
    "tracking_the_full_sequence": "track_full_preference_evolution",
    "recalling_the_reasons_behind_previous_updates": "revisit_reasons_behind_preference_updates",
    "recommendation_aligned": "provide_preference_aligned_recommendations",
    "generalizing": "generalize_to_new_scenarios",
}
"""The other spelling of the seven types in circulation, by how it begins."""


class _Row(PublishedRow):
    question_id: str
    question_type: str
    user_question_or_message: str
    correct_answer: str
    all_options: str
    shared_context_id: str
    end_index_in_shared_context: int


class _Message(PublishedRow):
    role: str
    content: str


def load(root: Path, variant: str = "") -> Collection:
    """Return the questions of a size: 32k (the default), 128k or 1M; with "-uncut" they see the whole context."""
    size, _, cut = (variant or "32k").partition("-")
    folder = PublishedFolder(root, name="PERSONAMEM v1", source=SOURCE)
    rows = folder.table(folder.one(f"questions_{size}.csv"), _Row)
    contexts: dict[str, list[_Message]] = {}
    for line in folder.lines(folder.one(f"shared_contexts_{size}.jsonl"), dict[str, list[_Message]]):
        contexts.update(line)
    if size in COUNTS:
        folder.expect("questions", len(rows), COUNTS[size])
    by_context: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_context[row.shared_context_id].append(row)
    if missing := by_context.keys() - contexts.keys():
        raise folder.wrong(f"no context {min(missing)} for {len(by_context[min(missing)])} questions")
    people = tuple(
        _person(folder, key, contexts[key], mine, uncut=bool(cut), size=size) for key, mine in by_context.items()
    )
    return Collection(NAME, variant or "32k", people, folder.inputs, tuple(folder.notes))


def parse_options(text: str) -> tuple[str, ...]:
    """Return the options of a cell, which holds a list in Python's or JSON's spelling, without their letters."""
    try:
        options = json.loads(text)
    except ValueError:
        try:
            options = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            options = [line for line in text.splitlines() if line.strip()]
    return tuple(str(option).strip().removeprefix(f"({'abcdefghij'[at]})").strip() for at, option in enumerate(options))


def split_sessions(messages: Sequence[_Message]) -> tuple[str, list[list[_Message]]]:
    """Return the first system message, and the sessions between system messages."""
    profile = ""
    sessions: list[list[_Message]] = [[]]
    for message in messages:
        if message.role == "system":
            profile = profile or message.content
            if sessions[-1]:
                sessions.append([])
        else:
            sessions[-1].append(message)
    return profile, sessions


def _person(
    folder: PublishedFolder, key: str, messages: list[_Message], rows: list[_Row], *, uncut: bool, size: str
) -> Person:
    profile, sessions = split_sessions(messages)
    history = invented_times([list(_exchanges(session)) for session in sessions], FIRST)
    questions = []
    for row in sorted(rows, key=lambda row: row.end_index_in_shared_context):
        options = parse_options(row.all_options)
        answer = row.correct_answer.strip("() ").lower()
        if not answer or answer not in "abcdefghij"[: len(options)]:
            raise folder.wrong(f"question {row.question_id}: {row.correct_answer!r} is none of its options")
        seen = len(history) if uncut else _count(messages[: row.end_index_in_shared_context])
        at = (history[seen - 1].at if seen else FIRST) + timedelta(hours=2)
        text, task = row.user_question_or_message, _task(row.question_type)
        questions.append(CaseQuestion(row.question_id, task, text, at, Form.CHOICE, answer, options=options, seen=seen))
    return Person(key, history, tuple(questions), profile, context=size)


def _count(messages: Sequence[_Message]) -> int:
    """Return how many exchanges a beginning of a context holds; one that is cut in its middle counts as seen."""
    return sum(len(list(_exchanges(session))) for session in split_sessions(messages)[1])


def _exchanges(messages: Sequence[_Message]) -> list[tuple[str, str]]:
    plain = (
        {
            "role": message.role,
            "content": message.content.removeprefix("User: ").removeprefix("Assistant: "),
        }
        for message in messages
    )
    return list(pair_messages(plain))


def _task(name: str) -> str:
    return next((known for beginning, known in TASKS.items() if name.startswith(beginning)), name)


def recorded_of(history: Sequence[Recorded], snippet: str) -> frozenset[str]:
    """Return the keys of the exchanges whose words stand in a snippet of the conversation."""
    return frozenset(said.key for said in history if said.user and said.user[:200] in snippet)
