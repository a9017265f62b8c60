"""What the page shows, out of the store: each part bounded, with what was left out counted.

A page of 1,000 memories stays under 1 MB without pictures, and of 10,000 it is there within 5 seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from persona_cli.memory.record_words import moment, words_of
from persona_cli.memory.store import Store
from persona_cli.memory.tables.conflicts import Conflict
from persona_cli.personality import TRAITS, Traits, manner
from persona_cli.records import (
    CoreEntry,
    EpisodicMemory,
    Image,
    Kind,
    ProceduralMemory,
    Reading,
    Ref,
    SemanticMemory,
    Status,
    Turn,
    Window,
)
from persona_cli.remembering.about import About, people

MOST_FACTS = 1_500
MOST_TOPICS = 150
MOST_PEOPLE = 24
MOST_CHANGES = 80
MOST_PLANS = 40
MOST_PICTURES = 48
MOST_MOVES = 3
"""Sentences shown for each trait: those that moved it most."""
HELD_BACK = 50


@dataclass(frozen=True, slots=True)
class Quotation:
    """The person's own words, and when they said them."""

    words: str
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """An entry of the profile with the words it rests on; none for what the person wrote themselves."""

    entry: CoreEntry
    evidence: Quotation | None


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a trait."""

    at: datetime
    before: float
    after: float
    words: str


@dataclass(frozen=True, slots=True)
class TraitStory:
    """How one trait came to be where it is."""

    name: str
    score: float
    manner: str
    """How somebody like that asks to be spoken to; "" near neutral."""
    curve: tuple[tuple[datetime, float], ...]
    """The score after each reading that moved it, oldest first."""
    moves: tuple[Move, ...]
    """The largest steps, newest first."""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class ChangedMind:
    """Something that held once, and what took its place."""

    old: SemanticMemory
    new: SemanticMemory | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture with what was said when it was shown."""

    image: Image
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What reads like an instruction to a model."""

    ref: Ref
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PageContent:
    """Everything the page shows."""

    at: datetime
    since: datetime | None
    until: datetime | None
    turns: int
    facts_in_all: int
    topics_in_all: int
    pictures_in_all: int
    profile: tuple[ProfileEntry, ...]
    traits: Traits
    stories: tuple[TraitStory, ...]
    readings: int
    days: tuple[tuple[date, int], ...]
    """Messages by day, oldest first."""
    topics: tuple[EpisodicMemory, ...]
    people: tuple[About, ...]
    habits: tuple[ProceduralMemory, ...]
    plans: tuple[SemanticMemory, ...]
    """What is to happen, soonest first."""
    facts: tuple[SemanticMemory, ...]
    """What holds of the person, newest first."""
    pictures: tuple[ShownPicture, ...]
    changes: tuple[ChangedMind, ...]
    conflicts: tuple[Conflict, ...]
    held_back: tuple[HeldBack, ...]

    @property
    def name(self) -> str:
        """Return what the person is called; "" while that is not known."""
        return next((known.entry.value for known in self.profile if known.entry.key == "name"), "")


def gather(store: Store, now: datetime) -> PageContent:
    """Read what the page shows."""
    every = store.semantic.list(None)
    held = [fact for fact in every if fact.status is Status.ACTIVE]
    topics, images, days = store.episodes.list(), store.images.all(), store.turns.days()
    readings = store.readings.all()
    pictured = [image for image in images if image.crop_of is None]
    return PageContent(
        at=now,
        since=_day(days[0][0], now) if days else None,
        until=_day(days[-1][0], now) if days else None,
        turns=sum(count for _, count in days),
        facts_in_all=len(held),
        topics_in_all=len(topics),
        pictures_in_all=len(pictured),
        profile=_profile(store),
        traits=store.readings.latest(),
        stories=_stories(store, readings),
        readings=len(readings),
        days=days,
        topics=topics[:MOST_TOPICS],
        people=people(store, MOST_PEOPLE),
        habits=store.habits.current(),
        plans=_plans(held, now),
        facts=tuple(held[:MOST_FACTS]),
        pictures=_pictures(store, pictured),
        changes=_changes(every),
        conflicts=store.conflicts.open(),
        held_back=_held_back(store),
    )


def _profile(store: Store) -> tuple[ProfileEntry, ...]:
    entries = store.core.current().entries
    turns = {turn.id: turn for turn in store.turns.many({entry.turn_id for entry in entries if entry.turn_id})}
    return tuple(ProfileEntry(entry, _evidence(turns.get(entry.turn_id or 0))) for entry in entries)


def _evidence(turn: Turn | None) -> Quotation | None:
    return None if turn is None else Quotation(turn.user, turn.at, str(Ref(Kind.MESSAGE, turn.id)))


def _stories(store: Store, readings: Sequence[Reading]) -> tuple[TraitStory, ...]:
    latest, locked = store.readings.latest(), store.readings.locked()
    manners = manner(latest)
    moved = {name: [reading for reading in readings if reading.after[name] != reading.before[name]] for name in TRAITS}
    largest = {
        name: sorted(steps, key=lambda step: -abs(step.after[name] - step.before[name]))[:MOST_MOVES]
        for name, steps in moved.items()
    }
    wanted = {step.turn_id for steps in largest.values() for step in steps if step.turn_id is not None}
    words = {turn.id: turn.user for turn in store.turns.many(wanted)}
    return tuple(
        TraitStory(
            name=name,
            score=latest[name],
            manner=manners.get(name, ""),
            curve=tuple((step.at, step.after[name]) for step in moved[name]),
            moves=tuple(
                Move(step.at, step.before[name], step.after[name], words.get(step.turn_id or 0, "set by you"))
                for step in sorted(largest[name], key=lambda step: step.at, reverse=True)
            ),
            locked=name in locked,
        )
        for name in TRAITS
    )


def _plans(held: Sequence[SemanticMemory], now: datetime) -> tuple[SemanticMemory, ...]:
    ahead = [fact for fact in held if fact.event is not None and (fact.event.end or fact.event.start or now) > now]
    return tuple(sorted(ahead, key=lambda fact: _begins(fact.event, now)))[:MOST_PLANS]


def _begins(window: Window | None, now: datetime) -> datetime:
    return (window.start or window.end if window else None) or now


def _changes(every: Sequence[SemanticMemory]) -> tuple[ChangedMind, ...]:
    by_id = {fact.id: fact for fact in every}
    # what was merged with another that says the same was true at no time of its own
    ended = [
        fact for fact in every if fact.status is Status.SUPERSEDED and fact.valid_to not in (None, fact.valid_from)
    ]
    changes = [
        ChangedMind(fact, by_id.get(fact.superseded_by or 0), fact.valid_to or fact.valid_from) for fact in ended
    ]
    return tuple(sorted(changes, key=lambda change: change.at, reverse=True)[:MOST_CHANGES])


def _pictures(store: Store, images: Sequence[Image]) -> tuple[ShownPicture, ...]:
    newest = sorted(images, key=lambda image: image.added_at, reverse=True)[:MOST_PICTURES]
    shown = []
    for image in newest:
        turns = store.turns.of_image(image.hash)
        first = turns[0] if turns else None
        shown.append(ShownPicture(image, first.user if first else "", first.at if first else image.added_at))
    return tuple(shown)


def _held_back(store: Store) -> tuple[HeldBack, ...]:
    records = store.find(store.quarantine.refs())
    return tuple(HeldBack(ref, words_of(record), moment(record)) for ref, record in records.items())[:HELD_BACK]


def _day(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)
