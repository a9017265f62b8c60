"""Replaying a transcript: recorded exchanges go through the update stage at their own times, answers as recorded.

The response stage does not run. Sessions are cut by the recorded times. A replay that was stopped goes on
where it was: an exchange with the same time and words is not stored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.queue import Drained, OnProgress
from persona_cli.agent.secrets import redact, redaction_notice
from persona_cli.agent.sessions import close_session
from persona_cli.agent.update import AFTER_TURN
from persona_cli.errors import Interrupted
from persona_cli.model.tasks import Stop
from persona_cli.records import Session, Turn

RECORDED = "recorded"
"""The model name of turns whose answers were recorded elsewhere."""


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
    on_stored: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Store the exchanges in the order of their times, then run their update jobs.

    `on_stored` is told exchanges stored and all of them; `on_progress` follows the jobs. Raises `Interrupted`
    when stopped: what was stored stays, and the same call goes on from there.
    """
    ordered = sorted(exchanges, key=lambda exchange: exchange.at)
    added, last = 0, None
    with assistant.updates.paused():
        for number, exchange in enumerate(ordered, 1):
            if stop():
                raise Interrupted("The import was interrupted; the same command goes on with it.")
            turn, new = _store(assistant, exchange, last)
            last, added = turn, added + new
            if on_stored is not None:
                on_stored(number, len(ordered))
    assistant.close_sessions()
    return Replayed(added, len(ordered) - added, assistant.updates.run(on_progress, stop))


def _store(assistant: Assistant, exchange: Exchange, last: Turn | None) -> tuple[Turn, bool]:
    """Return the turn of an exchange, and whether it is new."""
    store = assistant.memory.store
    user, secrets = redact(exchange.user)
    answer, more = redact(exchange.assistant)
    if known := store.turns.find_same(exchange.at, user):
        return known, False
    images = tuple(assistant.memory.media.add(path, exchange.at) for path in exchange.images)
    with store.transaction():
        session = _session(assistant, exchange.at, last)
        turn = store.turns.add(
            session.id, exchange.at, user, answer, RECORDED, images, redaction_notice(secrets + more)
        )
        for task in AFTER_TURN:
            store.jobs.add(task, turn_id=turn.id)
        return turn, True


def _session(assistant: Assistant, at: datetime, last: Turn | None) -> Session:
    """Return the session of the exchange before if it goes on, else close that and start one.

    The open session of today's chat is left alone: an old transcript has sessions of its own.
    """
    store = assistant.memory.store
    before = store.sessions.get(last.session_id) if last is not None else store.sessions.current(at, assistant.gap)
    if before is not None and before.closed_at is None:
        if before.started_at <= at <= before.last_at + assistant.gap:
            store.sessions.touch(before.id, at)
            return before
        if last is not None:
            close_session(store, before)
    return store.sessions.start(at)
