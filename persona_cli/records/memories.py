"""The four kinds of memory and the readings of a personality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from persona_cli.personality import Traits
from persona_cli.records.state import Author, Status, Window


class Aspect(StrEnum):
    """The two halves of core memory: human (name, age, family, likes), persona (job, education, role)."""

    HUMAN = "human"
    PERSONA = "persona"


@dataclass(frozen=True, slots=True)
class CoreEntry:
    """One version of one key of core memory."""

    id: int
    key: str
    value: str
    aspect: Aspect
    recorded_at: datetime
    turn_id: int | None = None
    author: Author = Author.MODEL
    valid_to: datetime | None = None
    """When a newer version took over; None for the current one."""
    status: Status = Status.ACTIVE


@dataclass(frozen=True, slots=True)
class CoreMemory:
    """The user's profile: the current entry of every key, in the order the keys were first learnt."""

    entries: tuple[CoreEntry, ...] = ()

    def get(self, key: str) -> str | None:
        """Return the value of `key`, or None while it is not known."""
        return next((entry.value for entry in self.entries if entry.key == key), None)


@dataclass(frozen=True, slots=True)
class SemanticMemory:
    """A fact about the user or somebody they spoke of, with the user's own words as its evidence."""

    id: int
    content: str
    keywords: tuple[str, ...]
    subject: str
    """Who or what it is about: "user", or a name or relation in the user's words ("Marnie", "my brother")."""
    quote: str
    """The user's own words."""
    recorded_at: datetime
    valid_from: datetime
    turn_id: int | None = None
    images: tuple[str, ...] = ()
    """SHA-256 of each picture that belongs to it."""
    event: Window | None = None
    """When what it tells of happened or will happen; not when it was said."""
    slot: str = ""
    """The one-valued attribute it fills ("user/home"), by which a later value supersedes it; "" for none."""
    valid_to: datetime | None = None
    superseded_by: int | None = None
    status: Status = Status.ACTIVE
    seen: int = 1
    """How often it was said."""
    last_seen: datetime | None = None
    author: Author = Author.MODEL


@dataclass(frozen=True, slots=True)
class EpisodicMemory:
    """One topic of a session, with the turns it is made of; or of several sessions, where it sums up other episodes."""

    id: int
    session_id: int
    """Of a summary the session of its last part."""
    summary: str
    keywords: tuple[str, ...]
    turn_ids: tuple[int, ...]
    started_at: datetime
    ended_at: datetime
    recorded_at: datetime
    status: Status = Status.ACTIVE
    author: Author = Author.MODEL
    parts: tuple[int, ...] = ()
    """The episodes it sums up, oldest first; its turns are theirs."""
    merged_into: int | None = None
    """The episode that sums this one up with others of its topic."""
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProceduralMemory:
    """One version of a habit or a goal of the user."""

    id: int
    key: str
    text: str
    """A third-person sentence with its time or trigger."""
    recorded_at: datetime
    session_id: int | None = None
    valid_to: datetime | None = None
    status: Status = Status.ACTIVE
    author: Author = Author.MODEL


@dataclass(frozen=True, slots=True)
class Reading:
    """One inference of the user's traits and the vector after it, with the turn that is its evidence."""

    id: int
    turn_id: int | None
    """None for what a person said of themselves."""
    at: datetime
    inferred: Traits
    momentum: float
    before: Traits
    after: Traits
    author: Author = Author.MODEL
