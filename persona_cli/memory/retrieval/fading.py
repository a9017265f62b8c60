"""How much a memory has faded: what is of little weight and was not said or used for long stands behind what is.

It is a matter of rank alone: nothing is left out for it, and one use brings a memory back to where it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from persona_cli.memory.retrieval.evidence import Column
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.uses import Use
from persona_cli.records import Author, CoreEntry, ProceduralMemory

_FRESH_DAYS = 30.0
"""How long everything stays as it is."""
_DAYS = 365.0
"""How long after that two thirds of the fading takes."""
_MANY_TURNS = 10
_DAY = 86_400

_Statement = FactLine | TopicLine | ProceduralMemory | CoreEntry


def fading(memories: Sequence[_Statement], uses: Mapping[int, Use], at: datetime) -> Column:
    """Return how far each memory has faded, 0 to 1: by how long it lay idle, less the more weight it has: (n,).

    `uses` has those of habits, by id; lines of facts and topics bring theirs.
    """
    known = np.array([_last_and_weight(one, uses) for one in memories], dtype=np.float64).reshape(-1, 2)
    idle = np.maximum(0.0, (at.timestamp() - known[:, 0]) / _DAY - _FRESH_DAYS)
    return np.asarray((1 - np.minimum(known[:, 1], 1.0)) * (1 - np.exp(-idle / _DAYS)))


def _last_and_weight(memory: _Statement, uses: Mapping[int, Use]) -> tuple[float, float]:
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
        last, weight, use = max(memory.last_said, memory.over or 0.0), _weight(memory), memory.use
    if use is None:
        return last, weight
    return max(last, use.last_at.timestamp()), weight + 0.15 * math.log2(1 + use.count)


def _weight(memory: FactLine) -> float:
    attribute = 0.4 if memory.slot else 0.0
    shown = 0.3 if memory.pictured else 0.0
    return attribute + shown + 0.3 * min(1.0, math.log2(max(memory.seen, 1)) / 2)
