"""LoCoMo: very long talks of two friends, with questions whose evidence is named by turn.

Two people talk to each other, not to an assistant: each utterance is one exchange, "Speaker: words", with what a
picture shows in brackets, and no reply. Category 5 (adversarial) is left out, as is usual; `--variant all` asks it too,
where the right answer is that it was never said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import JsonValue

from persona_cli.evaluation.cases import CaseQuestion, Collection, Form, Person, Recorded
from persona_cli.evaluation.datasets.published_files import PublishedFolder, PublishedRow, parse_time

NAME = "locomo"
SOURCE = "https://github.com/snap-research/locomo (data/locomo10.json)"
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_SESSION = re.compile(r"session_\d+")
_EVIDENCE = re.compile(r"D\d+:\d+")


class _Said(PublishedRow):
    speaker: str
    dia_id: str
    text: str
    blip_caption: str = ""


class _Asked(PublishedRow):
    question: str
    answer: JsonValue = ""
    category: int
    evidence: tuple[str, ...] = ()


class _Talk(PublishedRow):
    conversation: dict[str, JsonValue]
    qa: list[_Asked]


def load(root: Path, variant: str = "") -> Collection:
    """Return the conversations of the one JSON file in the folder."""
    folder = PublishedFolder(root, name="LoCoMo", source=SOURCE)
    people = _read(folder, folder.one("locomo*.json"), variant)
    folder.expect("conversations", len(people), 10)
    return Collection(NAME, variant, people, folder.inputs, tuple(folder.notes))


def load_file(file: Path) -> tuple[Person, ...]:
    """Return the conversations of a file, whatever it is called."""
    return _read(PublishedFolder(file.parent, name="LoCoMo", source=SOURCE), file, "")


def _read(folder: PublishedFolder, file: Path, variant: str) -> tuple[Person, ...]:
    talks = folder.json(file, list[_Talk])
    return tuple(_person(folder, place, talk, variant) for place, talk in enumerate(talks))


def _person(folder: PublishedFolder, place: int, talk: _Talk, variant: str) -> Person:
    history = tuple(_history(folder, talk))
    if not history:
        raise folder.wrong(f"conversation {place} has no session_1")
    at = history[-1].at + timedelta(hours=2)
    known = {said.key for said in history}
    questions = []
    for number, asked in enumerate(talk.qa):
        evidence = frozenset(key for text in asked.evidence for key in _EVIDENCE.findall(text) if key in known)
        wanted = asked.category in CATEGORIES and (asked.category != 5 or variant == "all")
        if not wanted or not (evidence or asked.category == 5):
            continue
        questions.append(
            CaseQuestion(
                f"{place}-{number}",
                CATEGORIES[asked.category],
                asked.question,
                at,
                Form.OPEN,
                str(asked.answer),
                evidence=evidence,
                unanswerable=asked.category == 5,
            )
        )

    return Person(str(place), history, tuple(questions))


def _history(folder: PublishedFolder, talk: _Talk) -> Iterator[Recorded]:
    names = sorted((key for key in talk.conversation if _SESSION.fullmatch(key)), key=lambda key: int(key[8:]))
    for number, name in enumerate(names):
        at = parse_time(str(talk.conversation.get(f"{name}_date_time", "")))
        said = talk.conversation[name]
        if not isinstance(said, list):
            raise folder.wrong(f"{name} is no list of utterances")
        for row in said:
            turn = _Said.model_validate(row)
            at += timedelta(seconds=30)
            shown = f" [shows {turn.blip_caption}]" if turn.blip_caption else ""
            yield Recorded(turn.dia_id, at, f"{turn.speaker}: {turn.text}{shown}", "", session=number)
