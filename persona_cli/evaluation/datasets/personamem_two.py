"""PersonaMem-v2: implicit preferences; four options with a fixed shuffle, or a free reply for a judge.

    FOLDER/benchmark/text/benchmark.csv    and the histories its `chat_history_32k_link` and `_128k_link` name

Variants: 32k, 128k, with "-open" the free track. A system message of a history holds the persona that the talk was
generated from: it is not shown.
"""

from __future__ import annotations

import ast
import json
import random
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person
from persona_cli.evaluation.datasets.personamem import FIRST, recorded_of
from persona_cli.evaluation.datasets.published_files import (
    PublishedFolder,
    PublishedRow,
    invented_times,
    letter,
    pair_messages,
)

NAME = "personamem-v2"
SOURCE = "https://huggingface.co/datasets/bowen-upenn/PersonaMem-v2"
QUESTIONS = 5_000
_SEED = 42


class _Row(PublishedRow):
    persona_id: str
    chat_history_32k_link: str = ""
    chat_history_128k_link: str = ""
    user_query: str
    correct_answer: str
    incorrect_answers: str
    pref_type: str
    preference: str = ""
    expanded_persona: str = ""
    related_conversation_snippet: str = ""


class _Message(PublishedRow):
    role: str
    content: str


class _History(PublishedRow):
    chat_history: list[_Message]


def load(root: Path, variant: str = "") -> Collection:
    """Return the questions of a context size and track."""
    size, _, track = (variant or "32k").partition("-")
    folder = PublishedFolder(root, name="PersonaMem-v2", source=SOURCE)
    rows = folder.table(folder.one("benchmark/text/benchmark.csv", "benchmark.csv"), _Row)
    folder.expect("questions", len(rows), QUESTIONS)
    by_history: defaultdict[tuple[str, str], list[tuple[int, _Row]]] = defaultdict(list)
    for number, row in enumerate(rows):
        link = row.chat_history_32k_link if size == "32k" else row.chat_history_128k_link
        by_history[row.persona_id, link].append((number, row))
    people = tuple(
        _person(folder, key, link, mine, size=size, free=track == "open") for (key, link), mine in by_history.items()
    )
    return Collection(NAME, variant or "32k", people, folder.inputs, tuple(folder.notes))


def _person(
    folder: PublishedFolder, key: str, link: str, rows: list[tuple[int, _Row]], *, size: str, free: bool
) -> Person:
    messages = folder.json(_linked(folder, link), _History).chat_history
    told = ({"role": message.role, "content": message.content} for message in messages if message.role != "system")
    pairs = list(pair_messages(told))
    # no sessions are marked: twenty exchanges a day
    history = invented_times([pairs[first : first + 20] for first in range(0, len(pairs), 20)], FIRST)
    at = (history[-1].at if history else FIRST) + timedelta(hours=2)
    questions = []
    for number, row in rows:
        text = _query(row.user_query)
        evidence = recorded_of(history, row.related_conversation_snippet)
        if free:
            wanted = f"The reply takes this into account, or leaves it alone where it must: {row.preference}"
            question = CaseQuestion(
                str(number), row.pref_type, text, at, Form.OPEN, row.correct_answer, evidence=evidence,
                criteria=(wanted,),
            )  # fmt: skip
        else:
            options, right = _shuffled(folder, number, row)
            question = CaseQuestion(
                str(number), row.pref_type, text, at, Form.CHOICE, right, options=options, evidence=evidence
            )
        questions.append(question)
    return Person(f"{key}", history, tuple(questions), hidden=rows[0][1].expanded_persona, context=size)


def _linked(folder: PublishedFolder, link: str) -> Path:
    """Return the file a link names, whatever the download put in front of it."""
    parts = Path(link).parts
    for first in range(len(parts)):
        path = folder.root.joinpath(*parts[first:])
        if path.is_file() and path.resolve().is_relative_to(folder.root.resolve()):
            return path
    raise folder.wrong(f"the history {link or '(none named)'} is missing")


def _query(text: str) -> str:
    """Return the words of a cell that holds a message in Python's spelling."""
    try:
        message = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return str(message.get("content", text)) if isinstance(message, dict) else text


def _shuffled(folder: PublishedFolder, number: int, row: _Row) -> tuple[tuple[str, ...], str]:
    try:
        wrong = [str(option) for option in json.loads(row.incorrect_answers)]
    except ValueError as exc:
        raise folder.wrong(f"question {number}: incorrect_answers is no JSON list") from exc
    options = [row.correct_answer, *wrong]
    random.Random(f"{_SEED}/{number}").shuffle(options)  # noqa: S311 - the same order for everyone
    return tuple(options), letter(options.index(row.correct_answer))
