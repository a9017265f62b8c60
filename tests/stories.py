"""Little lives from tests/data/stories.txt, told to the built-in model through a recall that finds by likeness."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_cli.model.lite import LiteModel
from persona_cli.model.tasks import ImageSeen, SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    CoreMemory,
    Fulfilled,
    Hit,
    Image,
    Kind,
    Query,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    Think,
    Turn,
    Wish,
)

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
DATA = Path(__file__).parent / "data" / "stories.txt"


@dataclass(frozen=True)
class Story:
    name: str
    turns: tuple[Turn, ...]
    now: datetime
    questions: tuple[tuple[str, str], ...]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def said(number: int, at: str, text: str) -> Turn:
    return Turn(number, number, moment(at), text, "", "lite")


REFUSALS = tuple(
    str(form).split("{")[0]
    for occasion in ("unknown", "offered", "closest", "world", "request")
    for form in tomllib.loads((files("persona_cli.model.lite") / "tone.toml").read_text(encoding="utf-8"))["plain"][
        occasion
    ]
)
"""How answers begin that know nothing."""


def read_stories(path: Path = DATA) -> list[Story]:
    stories: list[Story] = []
    for block in re.split(r"^@ ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        name, *lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        told = [line.split(" ", 1) for line in lines if line[:1].isdigit()]
        now = next(line[4:] for line in lines if line.startswith("now "))
        asked = [line[2:].rsplit(" | ", 1) for line in lines if line.startswith("? ")]
        turns = tuple(said(number, at, text) for number, (at, text) in enumerate(told, 1))
        stories.append(Story(name, turns, moment(now), tuple((question, wanted) for question, wanted in asked)))
    return stories


def verdict(answer: str, wanted: str) -> str:
    """Return "right", "wrong", "refused" (known, but not said) or "invented" (never told, but said)."""
    refused = answer.startswith(REFUSALS)
    if wanted == "no":
        return "right" if refused else "invented"
    if refused:
        return "right" if wanted.startswith("-") else "refused"
    return "right" if holds_all(answer, wanted) else "wrong"


def holds_all(text: str, wanted: str) -> bool:
    """Tell whether a text has everything that is wanted of an answer."""
    return all(_holds(text.lower(), part.strip().lower()) for part in wanted.split("&"))


def _holds(answer: str, part: str) -> bool:
    if part.startswith("-"):
        return not answer.startswith(part[1:])
    return any(
        answer.startswith(("no", "you don't", "you do not", "you cannot")) if way == "no" else way in answer
        for way in part.split("/")
    )


class Person:
    """A person's memory as messages and facts, searched by likeness alone."""

    def __init__(self, model: LiteModel, embed: Embed, turns: Sequence[Turn] = ()) -> None:
        self.model, self.embed, self.turns = model, embed, tuple(turns)
        self.facts = _learn(model, turns)
        self.retrieved: list[Retrieve] = []
        self.thoughts: list[str] = []

    def ask(
        self,
        text: str,
        at: datetime,
        *,
        core: CoreMemory = CoreMemory(),  # noqa: B008 - frozen
        traits: Traits = Traits(),  # noqa: B008 - frozen
        recent: tuple[Turn, ...] = (),
        images: tuple[Image, ...] = (),
        seen: tuple[ImageSeen, ...] = (),
    ) -> str:
        situation = Situation(Query(text, at, images), core, traits, recent, seen_images=seen)
        self.retrieved, self.thoughts = [], []
        for _ in range(5):
            *_, thought, last = [
                p for p in self.model.reason(situation, _never) if isinstance(p, Think | Retrieve | Wish | Answer)
            ]
            assert isinstance(thought, Think)
            self.thoughts.append(thought.text)
            if isinstance(last, Answer):
                return last.text
            if isinstance(last, Wish):
                every = Fulfilled(last, memories=tuple(self.facts), names=(last.name,) if last.name else ())
                situation = replace(situation, fulfilled=(*situation.fulfilled, every))
                continue
            assert isinstance(last, Retrieve)
            self.retrieved.append(last)
            exchange = SearchRound(thought.text, last, self.recall(last))
            situation = replace(situation, exchanges=(*situation.exchanges, exchange))
        raise AssertionError("it went on searching")

    def situation(self, text: str, at: datetime) -> Situation:
        """Return the situation of a question after a search for its words."""
        wish = Retrieve(text)
        return Situation(Query(text, at), CoreMemory(), Traits(), exchanges=(SearchRound("", wish, self.recall(wish)),))

    def recall(self, retrieve: Retrieve) -> Recall:
        """Return the four likest facts and the six likest messages of the window."""
        start, end = retrieve.start, retrieve.end
        inside = [turn for turn in self.turns if (not start or turn.at >= start) and (not end or turn.at < end)]
        facts = self._nearest(retrieve.keywords, [fact.content for fact in self.facts], 4)
        turns = self._nearest(retrieve.keywords, [turn.user for turn in inside], 6)
        return Recall(
            semantic=tuple(Hit(Ref(Kind.SEMANTIC, self.facts[at].id), self.facts[at], score) for at, score in facts),
            messages=tuple(Hit(Ref(Kind.MESSAGE, inside[at].id), inside[at], score) for at, score in turns),
        )

    def _nearest(self, words: str, texts: Sequence[str], most: int) -> list[tuple[int, float]]:
        if not texts:
            return []
        vectors = self.embed([words, *texts])
        scores = vectors[1:] @ vectors[0]
        return [(int(place), float(scores[place])) for place in np.argsort(-scores)[:most]]


def _learn(model: LiteModel, turns: Sequence[Turn]) -> list[SemanticMemory]:
    facts: dict[str, SemanticMemory] = {}
    for turn in turns:
        for number, draft in enumerate(model.extract_semantic(turn, (), _never)):
            memory = SemanticMemory(
                10 * turn.id + number,
                draft.content,
                tuple(draft.keywords),
                draft.subject,
                draft.quote,
                recorded_at=turn.at,
                valid_from=turn.at,
                turn_id=turn.id,
                event=draft.event,
                slot=draft.slot,
            )
            facts[draft.slot or draft.content] = memory
    return list(facts.values())


def _never() -> bool:
    return False
