"""Which facts, topics, habits and profile entries answer a question: the lanes of what is one statement by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.fading import fading
from persona_cli.memory.retrieval.terms import names_in
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.uses import Use
from persona_cli.records import CoreEntry, Kind, ProceduralMemory, Ref

Statement = FactLine | TopicLine | ProceduralMemory | CoreEntry

_FADING_DAYS = 180.0
_KINDS: Mapping[type[Statement], Kind] = {
    FactLine: Kind.SEMANTIC,
    TopicLine: Kind.EPISODIC,
    ProceduralMemory: Kind.PROCEDURAL,
    CoreEntry: Kind.CORE,
}


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of one kind by id: of the contents with the question, of the keywords with its keywords."""

    content: Mapping[int, float]
    keywords: Mapping[int, float]

    def joined(self, other: Closeness) -> Closeness:
        """Return the cosines of both."""
        return Closeness({**self.content, **other.content}, {**self.keywords, **other.keywords})


def statement_lanes(
    memory: Statement, asked: Asked, near: Closeness, weights: Weights, use: Use | None = None
) -> dict[str, float]:
    """Return what each lane adds to the score of one statement."""
    content = near.content.get(memory.id, weights.noise.mean)
    better = max(0.0, near.keywords.get(memory.id, content) - content)
    held = asked.held(_KINDS[type(memory)], memory.id)
    lanes = {
        "dense": content,
        "keywords": weights.keywords * better,
        "text": weights.stated * asked.share(held) + weights.stated_cover * asked.cover(held),
        "distilled": weights.distilled,
        "recency": weights.recency * _freshness(_last_said(memory), asked.at),
        "fading": -weights.fading * fading(memory, use, asked.at),
    }
    if isinstance(memory, FactLine):
        named = memory.subject != "user" and names_in(memory.subject, asked.words)
        lanes["person"] = weights.person if named else 0.0
        lanes["repetition"] = weights.repetition * math.log2(max(memory.seen, 1))
    return lanes


def ref_of(memory: Statement) -> Ref:
    """Return the reference of a statement of any kind."""
    return Ref(_KINDS[type(memory)], memory.id)


def began(memory: Statement) -> datetime:
    """Return from when on a statement held."""
    if isinstance(memory, FactLine):
        return memory.valid_from
    if isinstance(memory, TopicLine):
        # a summary is there from when it was made; before, its parts were
        return memory.recorded_at if memory.parted else memory.ended_at
    return memory.recorded_at


def _last_said(memory: Statement) -> datetime:
    if isinstance(memory, FactLine):
        return memory.last_seen or memory.valid_from
    return memory.ended_at if isinstance(memory, TopicLine) else memory.recorded_at


def _freshness(said: datetime, at: datetime) -> float:
    age = max(0.0, (at - said).total_seconds() / 86_400)
    return math.exp(-age / _FADING_DAYS)
