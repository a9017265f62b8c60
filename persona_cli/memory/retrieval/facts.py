"""Which facts, topics, habits and profile entries answer a question: the lanes of what is one statement by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.evidence import Column, Evidence
from persona_cli.memory.retrieval.fading import fading
from persona_cli.memory.retrieval.terms import names_in
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.uses import Use
from persona_cli.records import CoreEntry, Kind, ProceduralMemory, Ref

Statement = FactLine | TopicLine | ProceduralMemory | CoreEntry

_FADING_DAYS = 180.0
_DAY = 86_400
_KINDS: Mapping[type[Statement], Kind] = {
    FactLine: Kind.SEMANTIC,
    TopicLine: Kind.EPISODIC,
    ProceduralMemory: Kind.PROCEDURAL,
    CoreEntry: Kind.CORE,
}


def statement_lanes(
    memories: Sequence[Statement], evidence: Evidence, asked: Asked, weights: Weights, uses: Mapping[int, Use]
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
        "recency": weights.recency * _freshness(memories, asked.at),
        "fading": -weights.fading * fading(memories, uses, asked.at),
    }
    facts = [one for one in memories if isinstance(one, FactLine)]
    if facts:
        named = [one.subject != "user" and names_in(one.subject, asked.words) for one in facts]
        lanes["person"] = weights.person * np.array(named, dtype=np.float64)
        lanes["repetition"] = weights.repetition * np.log2(np.maximum([one.seen for one in facts], 1))
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


def _freshness(memories: Sequence[Statement], at: datetime) -> Column:
    said = np.array([_last_said(one) for one in memories], dtype=np.float64)
    age = np.maximum(0.0, at.timestamp() - said) / _DAY
    return np.exp(-age / _FADING_DAYS)


def _last_said(memory: Statement) -> float:
    if isinstance(memory, (FactLine, TopicLine)):
        return memory.last_said
    return memory.recorded_at.timestamp()
