"""Retrieval on MemoryBank: whether the exchange that answers a question is among the first five found.

    python -m benchmarks memorybank --data DIR --questions FILE.json [--json]
    python -m benchmarks.memorybank --data DIR --user Ivy > ivy.jsonl

The first imports every user that the questions name as `persona import` does, with the built-in model and all of its
updates, and asks each question once the last day is over: as `persona memory search` does, among messages alone and
among all kinds, where a fact or a topic counts for the exchange it was learnt from; and as a chat does, where what
counts is whether the exchange is shown at all. A question is written like this, the exchange that answers it by its
day and its place in that day (any of several does):

    {"user": "Ivy", "kind": "fact", "question": "What is my dog called?", "turns": ["2023-04-27/3"]}

The second only writes one user's transcript. MemoryBank dates its exchanges by day only. Here a day's conversation
begins at seven in the evening, local time, with two minutes from one exchange to the next, so that each day is one
session.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.memory.retrieval import AnyHit
from persona_cli.paths import Places
from persona_cli.records import EpisodicMemory, Kind, Query, Recall, Retrieve, SemanticMemory, Turn

EVENING = time(19)
PACE = timedelta(minutes=2)
FIRST = 5
_LOOKED_THROUGH = 20

Bank = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and the exchanges that answer it ("2023-04-27/3" is the third of that day)."""

    user: str
    kind: str
    question: str
    turns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """At which place an exchange that answers the question was found, from 1; None where it was not."""

    question: Question
    messages: int | None
    """Among the messages."""
    everything: int | None
    """Among memories of all kinds."""
    shown: bool
    """It is in what a chat's recall shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: how many questions of a kind, and of those how many were met."""

    kind: str
    questions: int
    messages_1: int
    messages_5: int
    everything_1: int
    everything_5: int
    shown: int


def exchanges(bank: Bank, user: str) -> Iterator[tuple[str, Exchange]]:
    """Yield a user's exchanges by name ("2023-04-27/3"), oldest first; raises KeyError for an unknown user."""
    people = {name.strip().casefold(): person for name, person in bank.items()}
    history = people[user.strip().casefold()]["history"]
    for day in sorted(history):
        at = datetime.combine(date.fromisoformat(day), EVENING).astimezone()
        for place, exchange in enumerate(history[day]):
            moment = at + place * PACE
            yield f"{day}/{place + 1}", Exchange(moment, exchange["query"], exchange["response"])


def measure(bank: Bank, questions: Sequence[Question]) -> list[Outcome]:
    """Import each user in a home of their own, and ask what is to be asked of them."""
    outcomes = []
    for user, asked in groupby(sorted(questions, key=lambda one: one.user), lambda one: one.user):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            places = Places(home, home, home / "models", home / "cache")
            assistant = open_assistant(places, Settings(), notice=lambda _: None)
            try:
                outcomes += _ask_all(assistant, dict(exchanges(bank, user)), list(asked))
            finally:
                assistant.close()
    return outcomes


def _ask_all(assistant: Assistant, told: Mapping[str, Exchange], questions: Iterable[Question]) -> list[Outcome]:
    replay(assistant, list(told.values()))
    turns = {turn.at: turn.id for turn in assistant.memory.store.turns.all()}
    last = max(exchange.at for exchange in told.values())
    noon = (last + timedelta(days=1)).replace(hour=12, minute=0)
    return [
        _ask(assistant, question, frozenset(turns[told[name].at] for name in question.turns), noon)
        for question in questions
    ]


def _ask(assistant: Assistant, question: Question, wanted: frozenset[int], at: datetime) -> Outcome:
    retriever, text = assistant.memory.retriever, question.question
    messages = retriever.search(text, kinds={Kind.MESSAGE}, limit=_LOOKED_THROUGH, at=at)
    everything = retriever.search(text, limit=_LOOKED_THROUGH, at=at)
    recall = retriever.recall(Query(text, at), Retrieve(text))
    shown = not wanted.isdisjoint(_shown(recall))
    return Outcome(question, _place(messages.hits, wanted), _place(everything.hits, wanted), shown)


def _place(hits: Sequence[AnyHit], wanted: frozenset[int]) -> int | None:
    found = (place for place, hit in enumerate(hits, 1) if not _sources(hit.memory).isdisjoint(wanted))
    return next(found, None)


def _sources(memory: object) -> frozenset[int]:
    """Return the exchanges a memory is, or was learnt from."""
    match memory:
        case Turn():
            return frozenset([memory.id])
        case SemanticMemory():
            return frozenset() if memory.turn_id is None else frozenset([memory.turn_id])
        case EpisodicMemory():
            return frozenset(memory.turn_ids)
        case _:
            return frozenset()


def _shown(recall: Recall) -> frozenset[int]:
    messages = {hit.memory.id for hit in recall.messages}
    told = {turn.id for topic in recall.episodic for turn in topic.turns}
    return frozenset(messages | told).union(*(_sources(hit.memory) for hit in recall.semantic))


def tabulate(outcomes: Sequence[Outcome]) -> list[Row]:
    """Count by kind, in the order in which kinds first appear, and over all."""
    kinds = dict.fromkeys(outcome.question.kind for outcome in outcomes)
    rows = [_row(kind, [one for one in outcomes if one.question.kind == kind]) for kind in kinds]
    return [*rows, _row("all", outcomes)]


def _row(kind: str, outcomes: Sequence[Outcome]) -> Row:
    messages = [outcome.messages for outcome in outcomes]
    everything = [outcome.everything for outcome in outcomes]
    return Row(
        kind,
        len(outcomes),
        _within(messages, 1),
        _within(messages, FIRST),
        _within(everything, 1),
        _within(everything, FIRST),
        sum(outcome.shown for outcome in outcomes),
    )


def _within(places: Iterable[int | None], first: int) -> int:
    return sum(place is not None and place <= first for place in places)


def render(outcomes: Sequence[Outcome]) -> str:
    """Return the table, and the questions whose answer is not among the first five messages."""
    lines = [
        "| kind | questions | messages @1 | messages @5 | all kinds @1 | all kinds @5 | shown in chat |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += ["| " + " | ".join(str(cell) for cell in asdict(row).values()) + " |" for row in tabulate(outcomes)]
    missed = [outcome for outcome in outcomes if not _within([outcome.messages], FIRST)]
    lines += ["", *(f"missed: {one.question.user}, {one.question.question} (place {one.messages})" for one in missed)]
    return "\n".join(lines).rstrip()


def load(data: Path) -> Bank:
    """Return the conversations of a file, or of the one file of them in a folder."""
    file = next(iter(sorted(data.glob("memory_bank*.json"))), data) if data.is_dir() else data
    bank: Bank = json.loads(file.read_text(encoding="utf-8"))
    return bank


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the questions find, or write one user's transcript to standard output."""
    parser = argparse.ArgumentParser(description="Measure retrieval on MemoryBank, or convert it to transcripts.")
    parser.add_argument("--data", type=Path, required=True, help="memory_bank_en.json, or the folder it is in")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--questions", type=Path, help="the questions to ask, as JSON")
    what.add_argument("--user", help="write this user's transcript for `persona import`")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    bank = load(asked.data)
    try:
        if asked.user is not None:
            _write(exchanges(bank, asked.user))
            return 0
        listed = json.loads(asked.questions.read_text(encoding="utf-8"))
        outcomes = measure(bank, [Question(**{**one, "turns": tuple(one["turns"])}) for one in listed])
    except KeyError as exc:
        names = ", ".join(sorted(name.strip() for name in bank))
        sys.stderr.write(f"there is no {exc}; the users are {names}\n")
        return 2
    if asked.json:
        rows, questions = [asdict(row) for row in tabulate(outcomes)], [asdict(outcome) for outcome in outcomes]
        print(json.dumps({"rows": rows, "questions": questions}, indent=2))
    else:
        print(render(outcomes))
    return 0


def _write(told: Iterable[tuple[str, Exchange]]) -> None:
    for _, one in told:
        line = {"time": one.at.isoformat(), "user": one.user, "assistant": one.assistant}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
