"""PrefEval: a preference said once, then talk about other things, then a request that it bears on.

    FOLDER/explicit_preference/TOPIC.json            FOLDER/implicit_preference/choice-based/TOPIC.json
    FOLDER/implicit_preference/persona-driven/TOPIC.json
    FOLDER/mcq_options/TOPIC.json                    FOLDER/filtered_inter_turns.json

Variants are the three forms, explicit (the default), choice and persona, with "-open" the judged reply in place of
the four options, and with "-N" how many exchanges of other talk lie between (10 if not said): "choice-open-50". The
first of the published options is the one that follows the preference; their order is shuffled with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person
from persona_cli.evaluation.datasets.personamem import FIRST
from persona_cli.evaluation.datasets.published_files import (
    PublishedFolder,
    PublishedRow,
    invented_times,
    letter,
    pair_messages,
)

NAME = "prefeval"
SOURCE = "https://github.com/amazon-science/PrefEval (benchmark_dataset)"
FORMS = {
    "explicit": "explicit_preference",
    "choice": "implicit_preference/choice-based",
    "persona": "implicit_preference/persona-driven",
}
PAIRS = 1_000
_SEED = 41
_UNDERSTOOD = "I will keep that in mind."
"""The reply to an explicit preference: the original lets the model under test write it."""


class _Pair(PublishedRow):
    preference: str
    question: str
    explanation: str = ""
    conversation: dict[str, str | dict[str, str]] = Field(default={})


class _Options(PublishedRow):
    options: list[str] = Field(alias="classification_task_options", min_length=2)


class _Message(PublishedRow):
    role: str
    content: str


class _Between(PublishedRow):
    conversation: list[_Message]


def load(root: Path, variant: str = "") -> Collection:
    """Return the pairs of all topics in one form."""
    parts = variant.split("-") if variant else ["explicit"]
    free, turns = "open" in parts, next((int(part) for part in parts if part.isdecimal()), 10)
    folder = PublishedFolder(root, name="PrefEval's benchmark_dataset", source=SOURCE)
    between = _between(folder, turns)
    people = []
    for path in folder.find(f"{FORMS[parts[0]]}/*.json"):
        pairs = folder.json(path, list[_Pair])
        options = folder.json(folder.root / "mcq_options" / path.name, list[_Options])
        if len(options) != len(pairs):
            raise folder.wrong(f"{path.name}: {len(pairs)} preferences and {len(options)} sets of options")
        for number, (pair, choices) in enumerate(zip(pairs, options, strict=True)):
            people.append(_person(f"{path.stem}-{number}", path.stem, pair, choices.options, between, free=free))
    folder.expect("pairs", len(people), PAIRS)
    return Collection(NAME, variant or "explicit", tuple(people), folder.inputs, tuple(folder.notes))


def _between(folder: PublishedFolder, turns: int) -> list[tuple[str, str]]:
    talks = folder.json(folder.one("filtered_inter_turns.json"), list[_Between])
    messages = [{"role": message.role, "content": message.content} for talk in talks for message in talk.conversation]
    return list(pair_messages(messages))[:turns]


def _person(
    key: str, topic: str, pair: _Pair, options: list[str], between: list[tuple[str, str]], *, free: bool
) -> Person:
    told = _told(pair)
    history = invented_times([told, *(between[first : first + 10] for first in range(0, len(between), 10))], FIRST)
    at = history[-1].at + timedelta(hours=2)
    evidence = frozenset(said.key for said in history[: len(told)])
    if free:
        wanted = f"The reply follows this preference of the person: {pair.preference} ({pair.explanation})"
        asked = CaseQuestion(key, topic, pair.question, at, Form.OPEN, "", evidence=evidence, criteria=(wanted,))
    else:
        shuffled = list(options)
        random.Random(f"{_SEED}/{key}").shuffle(shuffled)  # noqa: S311 - the same order for everyone
        right = letter(shuffled.index(options[0]))
        asked = CaseQuestion(
            key, topic, pair.question, at, Form.CHOICE, right, options=tuple(shuffled), evidence=evidence
        )
    return Person(key, history, (asked,))


def _told(pair: _Pair) -> list[tuple[str, str]]:
    """Return the exchanges in which the preference is said or shown."""
    talk = pair.conversation
    if not talk:
        return [(pair.preference, _UNDERSTOOD)]
    if "query" in talk:
        return [
            (str(talk["query"]), str(talk.get("assistant_options", ""))),
            (str(talk.get("user_selection", "")), str(talk.get("assistant_acknowledgment", ""))),
        ]
    turns = (turn for _, turn in sorted(talk.items(), key=lambda entry: int(entry[0])))
    return [(turn.get("user", ""), turn.get("assistant", "")) for turn in turns if isinstance(turn, Mapping)]
