"""How much a memory has faded: what is of little weight and was not said or used for long stands behind what is.

It is a matter of rank alone: nothing is left out for it, and one use brings a memory back to where it was.
"""

from __future__ import annotations

import math
from datetime import datetime

from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.uses import Use
from persona_cli.records import Author, CoreEntry, ProceduralMemory

_FRESH_DAYS = 30.0
"""How long everything stays as it is."""
_DAYS = 365.0
"""How long after that two thirds of the fading takes."""
_MANY_TURNS = 10


def fading(memory: FactLine | TopicLine | ProceduralMemory | CoreEntry, use: Use | None, at: datetime) -> float:
    """Return how far a memory has faded, 0 to 1: by how long it lay idle, less the more weight it has."""
    if isinstance(memory, CoreEntry) or memory.author == Author.PERSON:
        return 0.0
    last = _last(memory) if use is None else max(_last(memory), use.last_at)
    idle = (at - last).total_seconds() / 86_400 - _FRESH_DAYS
    if idle <= 0:
        return 0.0
    times = 0 if use is None else use.count
    weight = min(1.0, _weight(memory) + 0.15 * math.log2(1 + times))
    return (1 - weight) * (1 - math.exp(-idle / _DAYS))


def _last(memory: FactLine | TopicLine | ProceduralMemory) -> datetime:
    """Return when it was last said, or when what it tells of is over."""
    if isinstance(memory, TopicLine):
        return memory.ended_at
    if isinstance(memory, ProceduralMemory):
        return memory.recorded_at
    said = memory.last_seen or memory.valid_from
    ahead = memory.event.end if memory.event is not None else None
    return said if ahead is None else max(said, ahead)


def _weight(memory: FactLine | TopicLine | ProceduralMemory) -> float:
    """Return how much a memory counts however old it is, 0 to 1."""
    if isinstance(memory, ProceduralMemory):
        return 0.5
    if isinstance(memory, TopicLine):
        # a topic that was talked about at length, or again and again
        return 0.5 * min(1.0, memory.turns / _MANY_TURNS) + (0.3 if memory.parted else 0.0)
    attribute = 0.4 if memory.slot else 0.0
    shown = 0.3 if memory.pictured else 0.0
    return attribute + shown + 0.3 * min(1.0, math.log2(max(memory.seen, 1)) / 2)
