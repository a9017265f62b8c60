"""Count what a turn does, where times say nothing: the larger the memory, the more of it a turn could look at.

Counted are the steps of SQLite's virtual machine (a row that is looked at takes some ten), the rows it hands over, and
the passes of an encoder. `filled` makes a home of so many memories in a second: what is embedded is drawn by lot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.everyday import END, messages, questions
from benchmarks.scale import fill
from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.tables.connection import Connection
from persona_cli.memory.vectors import minilm, minilm_files, state_encoder
from persona_cli.paths import Places

FIRST = 4
"""Turns that do not count: models are opened, and words read into memory."""
_TICK = 20
"""Steps of SQLite between two counts."""
_EVERY_QUESTION = 3


@dataclass(slots=True)
class Work:
    """What was done."""

    steps: int = 0
    rows: int = 0
    passes: int = 0

    def per(self, turns: int) -> Work:
        """Return the same for one of several turns."""
        return Work(self.steps // turns, self.rows // turns, self.passes // turns)


@contextmanager
def counting(store: Store) -> Iterator[Work]:
    """Count what is done with a store, and by the encoders of this process."""
    work = Work()

    def tick() -> int:
        work.steps += _TICK
        return 0

    def counted(method: Callable[..., Any], rows: Callable[[Any], int], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            result = method(*given, **named)
            setattr(work, name, getattr(work, name) + rows(result))
            return result

        return call

    raw = store._connection.raw
    raw.set_progress_handler(tick, _TICK)
    with ExitStack() as stack:
        for name in ("rows", "tuples"):
            stack.enter_context(patch.object(Connection, name, counted(getattr(Connection, name), len, "rows")))
        for module in (minilm, state_encoder):
            stack.enter_context(patch.object(module, "run", counted(minilm.run, lambda _: 1, "passes")))
        try:
            yield work
        finally:
            raw.set_progress_handler(None, 0)


def filled(places: Places, memories: int) -> None:
    """Make a home of so many memories in a row of closed sessions."""
    store = open_store(places.database)
    fill(store, memories)
    dice = np.random.default_rng(6)
    wanted = store.vectors.wanted(minilm_files.NAME, 10 * memories)
    vectors = dice.standard_normal((len(wanted), minilm_files.DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with store.transaction():
        for (ref, name, text), vector in zip(wanted, vectors, strict=True):
            store.vectors.put(ref, name, minilm_files.NAME, vector, text)
    store.close()


def talked(places: Places, turns: int) -> Work:
    """Return what one turn of a conversation over a home does, with its updates, in the mean of so many."""
    now = [END]
    assistant = open_assistant(places, Settings(), clock=lambda: now[0], notice=lambda _: None)
    try:
        said = _said(FIRST + turns)
        for text in said[:FIRST]:
            _take(assistant, text, now)
        with counting(assistant.memory.store) as work:
            for text in said[FIRST:]:
                _take(assistant, text, now)
        return work.per(turns)
    finally:
        assistant.close()


def _said(turns: int) -> Sequence[str]:
    asked = iter(questions(turns))
    told = islice(messages(turns, seed=11), turns)
    return [next(asked) if number % _EVERY_QUESTION == 0 else said.text for number, said in enumerate(told)]


def _take(assistant: Any, text: str, now: list[datetime]) -> None:
    now[0] += timedelta(minutes=50)
    deque(assistant.respond(text), maxlen=0)
    assistant.updates.run(in_passing=True)
