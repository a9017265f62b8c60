"""The paper's nouns as frozen values: queries, turns, the four memories, and the steps of a response.

Nothing here does I/O. Every datetime is aware. Ids are the store's row ids; `Ref` names a memory of any kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from persona_cli.personality import Traits
from persona_cli.refs import Kind as Kind  # noqa: PLC0414 - passed on
from persona_cli.refs import Ref as Ref  # noqa: PLC0414 - passed on


class Status(StrEnum):
    """Where a memory is in its life; only active ones are recalled, only a person makes one forgotten."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    QUARANTINED = "quarantined"
    FORGOTTEN = "forgotten"


class Author(StrEnum):
    """Who wrote a memory: what a person wrote is never overwritten by a model."""

    MODEL = "model"
    PERSON = "person"


class Change(StrEnum):
    """How a new semantic memory stands to what was known: beside it, instead of it, or ending it."""

    ADDS = "adds"
    REPLACES = "replaces"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, start inclusive, end exclusive; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Tell whether anything from `start` to `end`, both included, lies in the window."""
        return (self.end is None or start < self.end) and (self.start is None or end >= self.start)


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture: upright RGB bytes in media/, named by the SHA-256 of those bytes."""

    id: int
    hash: str
    mime: str
    width: int
    height: int
    size: int
    """Bytes on disk."""
    phash: str
    """Perceptual hash, 16 hexadecimal digits: near-equal for resized and recompressed copies."""
    added_at: datetime
    caption: str = ""
    """What it shows, as a model or a person describes it: never the words of a message."""
    crop_of: str | None = None
    """SHA-256 of the picture this one was cut from."""
    caption_by: str | None = None
    """The model that was asked for the caption, whatever became of it; "" for a person, None while nobody was."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return how many pixels it is across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return how many pixels it is high."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Query:
    """What the user says and shows, and when."""

    text: str
    at: datetime
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One query with its answer."""

    id: int
    session_id: int
    at: datetime
    user: str
    answer: str
    model: str
    images: tuple[Image, ...] = ()
    steps: tuple[Think | Retrieve | Recall | Personality | Notice | Spent | Answer, ...] = ()
    """How the answer came about; empty for imported turns."""


@dataclass(frozen=True, slots=True)
class Session:
    """Turns with no gap of more than an hour between them; open until that hour has passed."""

    id: int
    started_at: datetime
    last_at: datetime
    closed_at: datetime | None = None


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


class Task(StrEnum):
    """What an update job does: the first two follow every turn, the others the end of a session, tidying once a day."""

    PERSONALITY = "personality"
    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"
    CORE = "core"
    TIDY = "tidy"


class JobState(StrEnum):
    """Where an update job stands; a running one found at start-up was killed and is queued again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work of the update stage, about a turn or about a session."""

    id: int
    task: Task
    turn_id: int | None
    session_id: int | None
    state: JobState = JobState.QUEUED
    attempts: int = 0
    error: str = ""


M_co = TypeVar("M_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Hit(Generic[M_co]):
    """A memory that was found, and why: its score and the part each lane has in it."""

    ref: Ref
    memory: M_co
    score: float
    lanes: Mapping[str, float] = field(default_factory=dict)
    """Contributions by lane ("dense", "text", "recency", ...) that add up to the score."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An episode that was found, with its dialogue turns in order."""

    hit: Hit[EpisodicMemory]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class ImageMemory:
    """A picture that was found, with the semantic memories that speak of it and the turn it was shown in."""

    hit: Hit[Image]
    memories: tuple[SemanticMemory, ...]
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """What one retrieval brought back."""

    semantic: tuple[Hit[SemanticMemory], ...] = ()
    episodic: tuple[Topic, ...] = ()
    procedural: tuple[Hit[ProceduralMemory], ...] = ()
    images: tuple[ImageMemory, ...] = ()
    messages: tuple[Hit[Turn], ...] = ()
    """Turns that were found and belong to none of the topics above, best first."""
    window: Window | None = None
    """The time window that was applied."""
    window_source: str = ""
    """Where the window came from: "model", the words of the query, or "" for none."""
    notes: tuple[str, ...] = ()
    """What else a person should know: a window that was relaxed, a lane that was not available."""

    @property
    def empty(self) -> bool:
        """True when nothing at all was found."""
        return not (self.semantic or self.episodic or self.procedural or self.images or self.messages)


@dataclass(frozen=True, slots=True)
class Think:
    """The model's reasoning before a retrieval or an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Retrieve:
    """A wish to search long-term memory."""

    keywords: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer; the last step of a response."""

    text: str
    untoned: str = ""
    """How it would read for a user with neutral traits, where the model can tell and it differs."""


@dataclass(frozen=True, slots=True)
class Personality:
    """The traits a response was made with; kept with its turn, shown by `why`."""

    traits: Traits


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know about this response: what was cut, redacted or interrupted."""

    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What one section of a prompt took, and what it might have taken, in tokens; a budget of 0 is none of its own."""

    name: str
    tokens: int
    budget: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call of a response took of the model's context; kept with its turn, shown by `why`."""

    total: int
    """Tokens of the whole prompt, instructions and query included."""
    context: int
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class ThinkDelta:
    """A piece of thinking while it is being written."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A piece of the answer while it is being written; the pieces joined are the `Answer`."""

    text: str


Piece = ThinkDelta | AnswerDelta | Think | Retrieve | Notice | Spent | Answer
"""What a model yields."""

Step = Piece | Recall
"""What a response yields."""
