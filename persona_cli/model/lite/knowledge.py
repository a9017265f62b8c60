"""Everything a situation holds that may answer a question, as one kind of thing, each with where it comes from.

Only what the person said counts, never an answer. What is remembered stands before the messages it was made of, and
the profile behind both: it was made of them and may be older.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from persona_cli.english.tokens import stems
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import APART, corrected, said_plainly, states
from persona_cli.model.tasks import Situation
from persona_cli.reading.filling import filled_slot, subject_name
from persona_cli.reading.statement import Statement
from persona_cli.records import CoreEntry, SemanticMemory, Status, Turn, Window
from persona_cli.timewords import event_of

_JUST_SAID = 6
"""Turns that count as much as the best that a search finds."""
_MESSAGES = 20
"""Recalled messages whose sentences are read; the reader takes 4 ms for one."""
THIRD = re.compile(r"\b[Tt]he user\b")
_STAMP = re.compile(r"^no longer ")
_UNSURE = 0.5


class Source(IntEnum):
    """Where something known comes from, what counts most first."""

    NOW = 0
    MEMORY = 1
    MESSAGE = 2
    HABIT = 3
    PROFILE = 4


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that was told."""

    text: str
    at: datetime | None
    source: Source
    place: int = 0
    """Its place among those found, 0 the best."""
    subject: str = "user"
    slot: str = ""
    event: Window | None = None
    until: datetime | None = None
    """When it ceased to hold; None while it holds."""
    memory: int = 0
    successor: int = 0
    turn: int = 0
    doubt: float = 0.0
    """How probable it is that it was a guess when it was said."""
    corrects: str = ""
    """The words it was put in the place of."""
    weight: float = 0.5
    """How probable it is that it is worth remembering."""
    doubted: Known | None = None
    """What was said later and may have ended it."""
    message: str = ""
    """The whole message it was said in, where a search brought that along: half of a message may tell nothing."""

    @property
    def unsure(self) -> bool:
        """Tell whether it was a guess when it was said."""
        return self.doubt >= _UNSURE

    @property
    def holds(self) -> bool:
        """Tell whether it still holds, as far as is known."""
        return self.until is None

    @property
    def told_by(self) -> bool:
        """True for the person's own words; what is in the third person a model wrote, or an older persona."""
        return self.source is not Source.PROFILE and THIRD.search(self.text) is None


def gather(situation: Situation, listener: Listener) -> tuple[Known, ...]:
    """Return everything told that a situation holds, each once."""
    memories = _judged(list(_memories(situation)), listener)
    turns = list(_messages(situation))
    ended = {(known.turn, _plain(known.text)): known for known in memories if not known.holds}
    found: dict[str, Known] = {}
    for known in (
        *_now(situation, listener),
        *memories,
        *_said(turns, listener),
        *_habits(situation),
        *_profile(situation),
    ):
        over = ended.get((known.turn, _plain(known.text)))
        outdated = over is not None and known.holds
        told = replace(known, until=over.until, successor=over.successor) if over and outdated else known
        found.setdefault(_plain(told.text), told)
    messages = {turn.id: turn.user.strip() for turn in (*situation.recent, *turns)}
    return tuple(replace(known, message=messages.get(known.turn, "")) for known in _without_stale(found.values()))


def of_memory(memory: SemanticMemory, place: int = 0) -> Known:
    """Return what a memory tells."""
    return Known(
        memory.content.strip(),
        memory.last_seen or memory.recorded_at,
        Source.MEMORY,
        place,
        memory.subject,
        memory.slot,
        memory.event,
        memory.valid_to if memory.status is Status.SUPERSEDED else None,
        memory.id,
        memory.superseded_by or 0,
        memory.turn_id or 0,
    )


def of_statement(statement: Statement, turn: Turn, source: Source, place: int = 0) -> Known:
    """Return what a sentence of a message tells."""
    filled = filled_slot(statement)
    return Known(
        said_plainly(statement),
        turn.at,
        source,
        place,
        subject_name(statement),
        filled[0] if filled else "",
        event=event_of(statement.text, turn.at),
        turn=turn.id,
        doubt=statement.unsure,
        weight=1.0 if statement.act.label in ("keep", "remind", "correct") else statement.lasting,
    )


def _memories(situation: Situation) -> Iterator[Known]:
    place = 0
    for exchange in situation.exchanges:
        doubts = situation.doubts([hit.memory.id for hit in exchange.recall.semantic])
        for hit in exchange.recall.semantic:
            later = doubts.get(hit.memory.id)
            yield replace(of_memory(hit.memory, place), doubted=of_memory(later) if later is not None else None)
            place += 1
        for image in exchange.recall.images:
            yield from (of_memory(memory, place) for memory in image.memories)
    for fulfilled in situation.fulfilled:
        yield from (of_memory(memory) for memory in fulfilled.memories)


def _judged(memories: Sequence[Known], listener: Listener) -> list[Known]:
    """Return memories with what the reader makes of those in the person's own words: how sure, how weighty."""
    read = listener.read_all([known.text for known in memories if known.told_by])
    judged = []
    for known in memories:
        statements = read.get(known.text, ()) if known.told_by else ()
        doubt = max((statement.unsure for statement in statements), default=0.0)
        judged.append(
            replace(known, doubt=doubt, weight=max((one.lasting for one in statements), default=known.weight))
        )
    return judged


def _now(situation: Situation, listener: Listener) -> Iterator[Known]:
    """Yield what the turns of this hour told, which no search finds; what was corrected since ends with that."""
    mended: dict[str, datetime] = {}
    for known in _told_now(situation, listener):
        said = _plain(known.text)
        if known.corrects:
            mended[_plain(known.corrects)] = known.at or situation.query.at
        yield replace(known, until=mended[said]) if said in mended else known


def _told_now(situation: Situation, listener: Listener) -> Iterator[Known]:
    for place in reversed(range(len(situation.recent))):
        turn = situation.recent[place]
        read = listener.read(turn.user, situation.recent[:place])
        before = [one for earlier in situation.recent[max(0, place - 2) : place] for one in listener.read(earlier.user)]
        yield from _of_turn(turn, read, Source.NOW, (len(situation.recent) - 1 - place) // _JUST_SAID, before)


def _messages(situation: Situation) -> Iterator[Turn]:
    recent = {turn.id for turn in situation.recent}
    for exchange in situation.exchanges:
        turns = [hit.memory for hit in exchange.recall.messages]
        for topic in exchange.recall.episodic:
            turns += topic.turns
        yield from (turn for turn in turns if turn.id not in recent)


def _said(turns: Sequence[Turn], listener: Listener) -> Iterator[Known]:
    chosen = list({turn.id: turn for turn in turns}.values())[:_MESSAGES]
    read = listener.read_all([turn.user for turn in chosen])
    for place, turn in enumerate(chosen):
        yield from _of_turn(turn, read[turn.user], Source.MESSAGE, place)


def _of_turn(
    turn: Turn, read: Sequence[Statement], source: Source, place: int, before: Sequence[Statement] = ()
) -> Iterator[Known]:
    """Yield what a message states, a sentence that leans on the one before it with that."""
    for at, statement in enumerate(read):
        if not states(statement):
            continue
        told = of_statement(statement, turn, source, place)
        if statement.act.label == "correct" and (found := corrected(statement, (*before, *read[:at]))) is not None:
            told = replace(told, text=found[1], corrects=found[0])
        if at and statement.apart < APART and states(read[at - 1]):
            told = replace(told, text=f"{said_plainly(read[at - 1])} {told.text}")
        yield told


def _habits(situation: Situation) -> Iterator[Known]:
    for exchange in situation.exchanges:
        for place, hit in enumerate(exchange.recall.procedural):
            yield Known(hit.memory.text, hit.memory.recorded_at, Source.HABIT, place)


def _profile(situation: Situation) -> Iterator[Known]:
    for entry in situation.core.entries:
        if entry.status is Status.ACTIVE and entry.valid_to is None:
            yield of_entry(entry)


def of_entry(entry: CoreEntry) -> Known:
    """Return what an entry of the profile tells."""
    key, value = entry.key.replace("_", " ").strip(), entry.value.strip()
    several = "," in value or key.endswith("s") or "(" in value
    text = value if value.casefold().startswith("the user") else f"Your {key}{':' if several else ' is'} {value}"
    return Known(text, entry.recorded_at, Source.PROFILE, slot=f"user/{key}", weight=0.6)


def _without_stale(every: Iterable[Known]) -> Iterator[Known]:
    """Yield all but entries of the profile that are older than what a memory says of the same."""
    known = list(every)
    newest = {one.slot: one.at for one in known if one.source is Source.MEMORY and one.slot and one.at}
    for one in known:
        later = newest.get(one.slot)
        if one.source is Source.PROFILE and (
            _STAMP.match(one.text) or (later is not None and one.at is not None and later >= one.at)
        ):
            continue
        yield one


def shares(one: Known, other: Known) -> bool:
    """Tell whether two things known say much the same."""
    mine, theirs = stems(one.text), stems(other.text)
    return len(mine & theirs) >= 0.75 * max(1, min(len(mine), len(theirs)))


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
