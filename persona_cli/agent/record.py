"""The record of a conversation: what is said is stored before anything is answered, the answer once it is there.

A message whose answer never came (the program was killed, the disk was full) is a normal thing: it is found when
memory is opened next, marked, and learnt from like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from persona_cli.agent.sessions import session_at
from persona_cli.agent.update import AFTER_TURN
from persona_cli.memory.store import Store
from persona_cli.records import Notice, Personality, Query, Step, Turn
from persona_cli.remembering.use import used_memories

AWAITED = (Notice("The answer is not there yet."),)
"""The steps of a turn that is being answered."""
CUT_OFF = (Notice("persona ended before the answer was there; the message is kept."),)
"""The steps of a turn that never was."""


def hear(store: Store, query: Query, model: str, gap: timedelta) -> Turn:
    """Store what the user says and shows; the answer of `model` is awaited."""
    with store.transaction():
        session = session_at(store, query.at, gap)
        return store.turns.add(session.id, query.at, query.text, "", model, query.images, AWAITED)


def answer(store: Store, turn: Turn, said: str, steps: Sequence[Step | Personality]) -> Turn:
    """Store what was answered, in one transaction with the turn's update jobs."""
    with store.transaction():
        store.turns.answer(turn.id, said, steps)
        store.uses.add(used_memories(steps, said), turn.at)
        _queue(store, turn)
        return store.turns.get(turn.id)


def mark_unanswered(store: Store) -> tuple[Turn, ...]:
    """Mark the turns whose answer never came, and queue what is to be learnt from them; returns them."""
    with store.transaction():
        awaited = store.turns.with_steps(AWAITED)
        for turn in awaited:
            store.turns.answer(turn.id, "", CUT_OFF)
            _queue(store, turn)
        return awaited


def is_unanswered(turn: Turn) -> bool:
    """Tell whether a turn, read with its steps, has waited for its answer in vain."""
    return turn.steps in (AWAITED, CUT_OFF)


def _queue(store: Store, turn: Turn) -> None:
    """Queue the update jobs of a turn, unless another run of the program has done so meanwhile."""
    if not store.jobs.of_turn(turn.id):
        for task in AFTER_TURN:
            store.jobs.add(task, turn_id=turn.id)
