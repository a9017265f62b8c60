"""Replaying a transcript: recorded exchanges go through the update stage at their own times, answers as recorded.

The response stage does not run. Sessions are cut by the recorded times, or come as sessions from an import. A replay
that was stopped goes on where it was: an exchange with the same key, or where it has none with the same time and words,
is not stored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.queue import Drained, OnProgress
from persona_cli.agent.sessions import close_session
from persona_cli.agent.update import AFTER_TURN
from persona_cli.errors import Interrupted
from persona_cli.memory import Memory
from persona_cli.memory.store import Store
from persona_cli.memory.tables.imports import Imported
from persona_cli.model.tasks import Stop
from persona_cli.records import Image, Notice, PictureSource, Session, Turn
from persona_cli.remembering.secrets import redact, redaction_notice

RECORDED = "recorded"
"""The model name of turns whose answers were recorded elsewhere."""
OnStored = Callable[[int, int], None]
"""Told exchanges stored and all of them."""
Show = Callable[[int], tuple[Image, ...] | None]
"""Keeps the pictures of an exchange, given its place in the session, and returns their records; None: leave it out."""

_AT_ONCE = 100
"""Exchanges in a transaction: the disk is waited for once, and a power cut can lose 50 ms of work."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of a transcript."""

    at: datetime
    user: str
    assistant: str
    images: tuple[PictureSource, ...] = ()
    key: bytes = b""
    """What the import that brings it knows it by; empty for none."""
    learn: bool = True
    """Whether there is something of the user's to learn from."""


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
    in_passing: bool = False,
) -> Replayed:
    """Store the exchanges in the order of their times, then run their update jobs.

    `on_progress` follows the jobs; with `in_passing` Chroma is filled in batches alone. Raises `Interrupted` when
    stopped: what was stored stays, and the same call goes on from there.
    """
    with assistant.updates.paused():
        added = store_exchanges(assistant.memory, assistant.gap, exchanges, stop, on_stored=on_stored)
    assistant.close_sessions()
    return Replayed(added, len(exchanges) - added, assistant.updates.run(on_progress, stop, in_passing=in_passing))


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


def store_session(memory: Memory, exchanges: Sequence[Exchange], show: Show = lambda _: ()) -> int:
    """Store exchanges that are one session, which is closed behind them; return how many were new.

    Of a session that a stopped import has begun the rest is added. `show` is asked for new exchanges alone and outside
    the transaction, because a picture's file is written before its row.
    """
    store = memory.store
    if all(exchange.key and store.imports.find(exchange.key) for exchange in exchanges):
        # else they are looked through for secrets first: 22 s for 50,000, not 6
        return 0
    news = [_redacted(exchange) for exchange in exchanges]
    shown = {place: show(place) for place, new in enumerate(news) if _find(store, new.exchange) is None}
    with store.transaction():
        turn: Turn | None = None
        added = 0
        for place, new in enumerate(news):
            known = _find(store, new.exchange)
            if known is None:
                if (images := shown.get(place, ())) is None:
                    continue
                turn = _add(store, new, images, _going_on(store, turn, new.exchange.at))
                added += 1
            elif known.turn_id is not None:
                turn = store.turns.get(known.turn_id)
        if added and turn is not None:
            _end(store, store.sessions.get(turn.session_id), learn=any(exchange.learn for exchange in exchanges))
        return added


@dataclass(frozen=True, slots=True)
class _Redacted:
    """An exchange without its secrets, and the notice of what was taken out."""

    exchange: Exchange
    notice: tuple[Notice, ...]


def _redacted(exchange: Exchange) -> _Redacted:
    user, secrets = redact(exchange.user)
    answer, more = redact(exchange.assistant)
    return _Redacted(replace(exchange, user=user, assistant=answer), redaction_notice(secrets + more))


def _find(store: Store, exchange: Exchange) -> Imported | None:
    """Return what became of an exchange that was taken in before; None for one that is new."""
    if exchange.key and (known := store.imports.find(exchange.key)):
        return known
    # one with a key of its own is another message, said in the same second in the same words
    same = store.turns.find_same(exchange.at, exchange.user)
    return None if same is None or (exchange.key and store.imports.has_key(same.id)) else Imported(same.id)


def _store(memory: Memory, gap: timedelta, exchange: Exchange, last: Turn | None) -> tuple[Turn, bool]:
    """Return the turn of an exchange, and whether it is new."""
    store, new = memory.store, _redacted(exchange)
    if known := store.turns.find_same(exchange.at, new.exchange.user):
        return known, False
    images = tuple(memory.media.add(path, exchange.at) for path in exchange.images)
    with store.transaction():
        # the pictures were not written within a transaction: another import may have been quicker
        if images and (known := store.turns.find_same(exchange.at, new.exchange.user)):
            return known, False
        return _add(store, new, images, _session(store, gap, exchange.at, last)), True


def _add(store: Store, new: _Redacted, images: Sequence[Image], session: Session) -> Turn:
    """Store an exchange that is new, with the jobs that follow."""
    told = new.exchange
    turn = store.turns.add(session.id, told.at, told.user, told.assistant, RECORDED, images, new.notice)
    for task in AFTER_TURN if told.learn else ():
        store.jobs.add(task, turn_id=turn.id)
    if told.key:
        store.imports.add(told.key, turn.id)
    return turn


def _going_on(store: Store, last: Turn | None, at: datetime) -> Session:
    """Return the session of the turn before, or a new one: also where that was closed by an earlier import."""
    before = None if last is None else store.sessions.get(last.session_id)
    return before if before is not None and before.closed_at is None else store.sessions.start(at)


def _end(store: Store, session: Session, *, learn: bool) -> None:
    if learn:
        close_session(store, session)
    else:
        store.sessions.close(session.id, session.last_at)


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
