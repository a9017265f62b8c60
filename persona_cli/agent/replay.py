"""Replaying a transcript: recorded exchanges go through the update stage at their own times, answers as recorded.

The response stage does not run. Sessions are cut by the recorded times. A replay that was stopped goes on
where it was: an exchange with the same time and words is not stored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.queue import Drained, OnProgress
from persona_cli.agent.sessions import close_session
from persona_cli.agent.update import AFTER_TURN
from persona_cli.errors import Interrupted
from persona_cli.memory import Memory
from persona_cli.memory.store import Store
from persona_cli.model.tasks import Stop
from persona_cli.records import Session, Turn
from persona_cli.remembering.secrets import redact, redaction_notice

RECORDED = "recorded"
"""The model name of turns whose answers were recorded elsewhere."""
OnStored = Callable[[int, int], None]
"""Told exchanges stored and all of them."""

_AT_ONCE = 100
"""Exchanges in a transaction: the disk is waited for once, and a power cut can lose 50 ms of work."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of a transcript."""

    at: datetime
    user: str
    assistant: str
    images: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did."""

    added: int
    known: int
    """Exchanges that were there already."""
    updates: Drained


def replay(
    assistant: Assistant,
    exchanges: Sequence[Exchange],
    on_progress: OnProgress | None = None,
    stop: Stop = lambda: False,
    *,
    on_stored: OnStored = lambda _done, _all: None,
) -> Replayed:
    """Store the exchanges in the order of their times, then run their update jobs.

    `on_progress` follows the jobs. Raises `Interrupted` when stopped: what was stored stays, and the same call goes
    on from there.
    """
    with assistant.updates.paused():
        added = store_exchanges(assistant.memory, assistant.gap, exchanges, stop, on_stored=on_stored)
    assistant.close_sessions()
    return Replayed(added, len(exchanges) - added, assistant.updates.run(on_progress, stop))


def store_exchanges(
    memory: Memory,
    gap: timedelta,
    exchanges: Sequence[Exchange],
    stop: Stop = lambda: False,
    *,
    on_stored: OnStored = lambda _done, _all: None,
) -> int:
    """Store the exchanges in the order of their times, with the jobs that follow; return how many were new."""
    stored, added, last, stopped = 0, 0, None, False
    for batch in _batches(sorted(exchanges, key=lambda exchange: exchange.at)):
        # a picture is written before its row: its exchange is a batch of its own, and no transaction undoes the row
        with nullcontext() if batch[0].images else memory.store.transaction():
            for exchange in batch:
                stopped = stop()
                if stopped:
                    break
                last, new = _store(memory, gap, exchange, last)
                stored, added = stored + 1, added + new
                on_stored(stored, len(exchanges))
        if stopped:
            raise Interrupted("The import was interrupted; the same command goes on with it.")
    return added


def _batches(ordered: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    batch: list[Exchange] = []
    for exchange in ordered:
        if batch and (len(batch) == _AT_ONCE or exchange.images or batch[0].images):
            yield batch
            batch = []
        batch.append(exchange)
    if batch:
        yield batch


def _store(memory: Memory, gap: timedelta, exchange: Exchange, last: Turn | None) -> tuple[Turn, bool]:
    """Return the turn of an exchange, and whether it is new."""
    store = memory.store
    user, secrets = redact(exchange.user)
    answer, more = redact(exchange.assistant)
    if known := store.turns.find_same(exchange.at, user):
        return known, False
    images = tuple(memory.media.add(path, exchange.at) for path in exchange.images)
    with store.transaction():
        # the pictures were not written within a transaction: another import may have been quicker
        if images and (known := store.turns.find_same(exchange.at, user)):
            return known, False
        session = _session(store, gap, exchange.at, last)
        turn = store.turns.add(
            session.id, exchange.at, user, answer, RECORDED, images, redaction_notice(secrets + more)
        )
        for task in AFTER_TURN:
            store.jobs.add(task, turn_id=turn.id)
        return turn, True


def _session(store: Store, gap: timedelta, at: datetime, last: Turn | None) -> Session:
    """Return the session of the exchange before if it goes on, else close that and start one.

    The open session of today's chat is left alone: an old transcript has sessions of its own.
    """
    before = store.sessions.get(last.session_id) if last is not None else store.sessions.current(at, gap)
    if before is not None and before.closed_at is None:
        if before.started_at <= at <= before.last_at + gap:
            return before
        if last is not None:
            close_session(store, before)
    return store.sessions.start(at)
