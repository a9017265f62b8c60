"""The lanes: what speaks for each candidate by itself, as columns with one row for each.

`Evidence` is what every kind has: how close each candidate is, and which of the question's words it holds.
`statement_lanes` are what statements (facts, topics, habits, profile entries) have besides: their keywords, how often
and how lately they were said, and how much they have faded. Fading is a matter of rank alone: nothing is left out for
it, and one use brings a memory back to where it was. The lanes of messages are in `messages`.

All candidates are weighed at once: a question has some five hundred.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.retrieval.lane_weights import WORDS, LaneWeights
from persona_cli.memory.retrieval.question import SearchQuestion
from persona_cli.memory.retrieval.terms import names_in
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.uses import Use
from persona_cli.records import Author, CoreEntry, Kind, ProceduralMemory, Ref

Column = NDArray[np.float64]
"""(n,): one number for each candidate."""

Statement = FactLine | TopicLine | ProceduralMemory | CoreEntry

_FADING_DAYS = 180.0
_FRESH_DAYS = 30.0
"""How long everything stays as it is."""
_IDLE_DAYS = 365.0
"""How long after that two thirds of the fading takes."""
_MANY_TURNS = 10
_DAY = 86_400
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


class Evidence:
    """The candidates of one kind, in the order of `ids`."""

    def __init__(
        self, question: SearchQuestion, kind: Kind, ids: Sequence[int], near: Closeness, weights: LaneWeights
    ) -> None:
        self.kind = kind
        self.ids = ids
        self._question = question
        self._near = near
        self._weights = weights

    @cached_property
    def content(self) -> Column:
        """Return the cosine of each content, or that of noise where there is no vector: (n,)."""
        noise, cosines = self._weights.noise.mean, self._near.content
        return np.array([cosines.get(row_id, noise) for row_id in self.ids], dtype=np.float64)

    @cached_property
    def keywords(self) -> Column:
        """Return the cosine of each memory's keywords, NaN where it has none: (n,)."""
        cosines = self._near.keywords
        if not cosines:
            return np.full(len(self.ids), np.nan)
        return np.array([cosines.get(row_id, np.nan) for row_id in self.ids], dtype=np.float64)

    @cached_property
    def held(self) -> Column:
        """Return the BM25 of each word of the question in each memory: (n, words)."""
        held = np.zeros((len(self.ids), len(self._question.terms)))
        column = {term: place for place, term in enumerate(self._question.terms)}
        hits = self._question.hits.get(self.kind, {})
        for row, row_id in enumerate(self.ids):
            if row_id in hits:
                for term, score in hits[row_id].items():
                    held[row, column[term]] = score
        return held

    @cached_property
    def peaks(self) -> Column:
        """Return how much each word can count: (words,)."""
        return np.array([self._question.peaks[term] for term in self._question.terms])

    @cached_property
    def share(self) -> Column:
        """Return the part of the question that each memory's words make up, 0 to 1: (n,)."""
        return self.part(self.held.sum(axis=1))

    @cached_property
    def cover(self) -> Column:
        """Return the same however often the words stand there: (n,)."""
        return self.part((self.held > 0) @ self.peaks)

    @cached_property
    def relevance(self) -> Column:
        """Return how far each memory by itself is above what has nothing to do with the question: (n,).

        In deviations of the noise.
        """
        noise = self._weights.noise
        # single words are closer to each other than sentences are, whatever they mean
        cosine = np.fmax(self.content, self.keywords - noise.mean)
        return np.asarray((cosine - noise.mean) / noise.deviation + WORDS * self.cover)

    def likeliest(self, most: int) -> list[int]:
        """Return the ids that can be among the best whatever else is known of them, best first."""
        weights = self._weights
        closest = np.maximum(self.content, np.nan_to_num(self.keywords, nan=weights.noise.mean))
        closest = closest + weights.stated * self.share + weights.stated_cover * self.cover
        return [self.ids[row] for row in np.argsort(-closest, kind="stable")[:most].tolist()]

    def part(self, amount: Column) -> Column:
        """Return an amount of words as a part of all that the question's words count."""
        whole = self._question.whole
        return amount / whole if whole else np.zeros(len(amount))


def statement_lanes(
    memories: Sequence[Statement],
    evidence: Evidence,
    question: SearchQuestion,
    weights: LaneWeights,
    uses: Mapping[int, Use],
) -> dict[str, Column]:
    """Return what each lane adds to the score of each statement: (n,) by lane.

    `uses` has those of habits; lines of facts and topics bring theirs.
    """
    better = np.fmax(evidence.keywords - evidence.content, 0.0)
    lanes = {
        "dense": evidence.content,
        "keywords": weights.keywords * better,
        "text": weights.stated * evidence.share + weights.stated_cover * evidence.cover,
        "distilled": np.full(len(memories), weights.distilled),
        "recency": weights.recency * _freshness(memories, question.at),
        "fading": -weights.fading * fading(memories, uses, question.at),
    }
    facts = [memory for memory in memories if isinstance(memory, FactLine)]
    if facts:
        named = [fact.subject != "user" and names_in(fact.subject, question.words) for fact in facts]
        lanes["person"] = weights.person * np.array(named, dtype=np.float64)
        lanes["repetition"] = weights.repetition * np.log2(np.maximum([fact.seen for fact in facts], 1))
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


def fading(memories: Sequence[Statement], uses: Mapping[int, Use], at: datetime) -> Column:
    """Return how far each memory has faded, 0 to 1: by how long it lay idle, less the more weight it has: (n,).

    `uses` has those of habits, by id; lines of facts and topics bring theirs.
    """
    known = np.array([_last_and_weight(memory, uses) for memory in memories], dtype=np.float64).reshape(-1, 2)
    idle = np.maximum(0.0, (at.timestamp() - known[:, 0]) / _DAY - _FRESH_DAYS)
    return np.asarray((1 - np.minimum(known[:, 1], 1.0)) * (1 - np.exp(-idle / _IDLE_DAYS)))


def _freshness(memories: Sequence[Statement], at: datetime) -> Column:
    said = np.array([_last_said(memory) for memory in memories], dtype=np.float64)
    age = np.maximum(0.0, at.timestamp() - said) / _DAY
    return np.exp(-age / _FADING_DAYS)


def _last_said(memory: Statement) -> float:
    if isinstance(memory, (FactLine, TopicLine)):
        return memory.last_said
    return memory.recorded_at.timestamp()


def _last_and_weight(memory: Statement, uses: Mapping[int, Use]) -> tuple[float, float]:
    """Return when it was last said or used, or what it tells of is over, and what it counts however old it is."""
    if isinstance(memory, CoreEntry) or memory.author == Author.PERSON:
        return 0.0, 1.0
    if isinstance(memory, ProceduralMemory):
        last, weight, use = memory.recorded_at.timestamp(), 0.5, uses.get(memory.id)
    elif isinstance(memory, TopicLine):
        # a topic that was talked about at length, or again and again
        weight = 0.5 * min(1.0, memory.turns / _MANY_TURNS) + (0.3 if memory.parted else 0.0)
        last, use = memory.last_said, memory.use
    else:
        last, weight, use = max(memory.last_said, memory.over or 0.0), _weight_of(memory), memory.use
    if use is None:
        return last, weight
    return max(last, use.last_at.timestamp()), weight + 0.15 * math.log2(1 + use.count)


def _weight_of(memory: FactLine) -> float:
    attribute = 0.4 if memory.slot else 0.0
    shown = 0.3 if memory.pictured else 0.0
    return attribute + shown + 0.3 * min(1.0, math.log2(max(memory.seen, 1)) / 2)
