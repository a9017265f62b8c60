"""What leaves for other programs, in one shape for every format: what holds, what held before, and where it came from.

What is in quarantine stays here: it reads like an instruction to a model, and others may recall it. What a person has
taken back stays here as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from uuid import UUID, uuid4, uuid5

from persona_cli.memory.store import Store
from persona_cli.records import Author, CoreEntry, EpisodicMemory, Kind, ProceduralMemory, Ref, SemanticMemory, Status

_LEAVING = (Status.ACTIVE, Status.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Holding:
    """One memory of any of the four kinds, as other programs can take it."""

    ref: Ref
    label: str
    """The key of an entry or a habit, the subject of a fact; "" for a topic."""
    text: str
    author: Author
    recorded_at: datetime
    valid_from: datetime
    valid_to: datetime | None = None
    successor: Ref | None = None
    """What took its place, where that leaves as well."""
    turn_id: int | None = None
    session_id: int | None = None
    keywords: tuple[str, ...] = ()
    quote: str = ""
    """The user's own words."""
    last_seen: datetime | None = None
    aspect: str = ""
    """Which half of the profile an entry belongs to."""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, by its plural, and how much stayed."""

    counts: Mapping[str, int]
    left_out: int
    """Memories in quarantine, and those that were taken back."""


def holdings(store: Store) -> tuple[Holding, ...]:
    """Return everything that may leave: the profile, facts, topics, habits and goals, each kind oldest first."""
    sessions = {turn.id: turn.session_id for turn in store.turns.all()}
    return (*_profile(store, sessions), *_facts(store, sessions), *_topics(store), *_habits(store))


def left_out(store: Store) -> int:
    """Return how many memories stay."""
    kept = (store.core.history(), store.semantic.list(None), store.habits.history())
    return sum(memory.status not in _LEAVING for memories in kept for memory in memories)


def owner_id(key: bytes | None) -> UUID:
    """Return what a person is called in exports, always the same with a key, of which it tells nothing."""
    return uuid4() if key is None else UUID(bytes=hashlib.sha256(b"owner of exports" + key).digest()[:16], version=4)


def outer_id(owner: UUID, name: object) -> str:
    """Return the id by which others know what is called `name` here: of two persons no two things have the same."""
    return str(uuid5(owner, str(name)))


def _profile(store: Store, sessions: Mapping[int, int]) -> Iterator[Holding]:
    leaving = [entry for entry in store.core.history() if entry.status in _LEAVING]
    for _, versions in groupby(sorted(leaving, key=lambda entry: (entry.key, entry.id)), key=lambda entry: entry.key):
        for entry, successor in pairwise([*versions, None]):
            assert entry is not None
            yield _entry(entry, successor, sessions)


def _entry(entry: CoreEntry, successor: CoreEntry | None, sessions: Mapping[int, int]) -> Holding:
    return Holding(
        Ref(Kind.CORE, entry.id),
        entry.key,
        entry.value,
        entry.author,
        entry.recorded_at,
        entry.recorded_at,
        entry.valid_to,
        None if successor is None or entry.valid_to is None else Ref(Kind.CORE, successor.id),
        entry.turn_id,
        sessions.get(entry.turn_id or 0),
        aspect=entry.aspect.value,
        active=entry.valid_to is None and entry.status is Status.ACTIVE,
    )


def _facts(store: Store, sessions: Mapping[int, int]) -> Iterator[Holding]:
    leaving = [fact for fact in reversed(store.semantic.list(None)) if fact.status in _LEAVING]
    there = {fact.id for fact in leaving}
    for fact in leaving:
        yield _fact(fact, sessions, successor=fact.superseded_by if fact.superseded_by in there else None)


def _fact(fact: SemanticMemory, sessions: Mapping[int, int], successor: int | None) -> Holding:
    return Holding(
        Ref(Kind.SEMANTIC, fact.id),
        fact.subject,
        fact.content,
        fact.author,
        fact.recorded_at,
        fact.valid_from,
        fact.valid_to,
        None if successor is None else Ref(Kind.SEMANTIC, successor),
        fact.turn_id,
        sessions.get(fact.turn_id or 0),
        fact.keywords,
        fact.quote,
        fact.last_seen,
        active=fact.status is Status.ACTIVE,
    )


def _topics(store: Store) -> Iterator[Holding]:
    episodes = store.episodes.list(every=True)
    there = {episode.id for episode in episodes}
    for episode in reversed(episodes):
        yield _topic(episode, successor=episode.merged_into if episode.merged_into in there else None)


def _topic(episode: EpisodicMemory, successor: int | None) -> Holding:
    return Holding(
        Ref(Kind.EPISODIC, episode.id),
        "",
        episode.summary,
        episode.author,
        episode.recorded_at,
        episode.started_at,
        session_id=episode.session_id,
        keywords=episode.keywords,
        successor=None if successor is None else Ref(Kind.EPISODIC, successor),
        active=episode.status is Status.ACTIVE,
    )


def _habits(store: Store) -> Iterator[Holding]:
    leaving = [habit for habit in store.habits.history() if habit.status in _LEAVING]
    for _, versions in groupby(sorted(leaving, key=lambda habit: (habit.key, habit.id)), key=lambda habit: habit.key):
        for habit, successor in pairwise([*versions, None]):
            assert habit is not None
            yield _habit(habit, successor)


def _habit(habit: ProceduralMemory, successor: ProceduralMemory | None) -> Holding:
    return Holding(
        Ref(Kind.PROCEDURAL, habit.id),
        habit.key,
        habit.text,
        habit.author,
        habit.recorded_at,
        habit.recorded_at,
        habit.valid_to,
        None if successor is None or habit.valid_to is None else Ref(Kind.PROCEDURAL, successor.id),
        session_id=habit.session_id,
        active=habit.valid_to is None and habit.status is Status.ACTIVE,
    )
