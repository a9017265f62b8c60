"""What was said and how an answer came about: queries, turns, sessions, recalls, and the steps of a response.

They stand together because they are made of each other: a turn keeps its steps, one of which recalls turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from persona_cli.personality import Traits
from persona_cli.records.memories import EpisodicMemory, ProceduralMemory, SemanticMemory
from persona_cli.records.picture import Image
from persona_cli.records.state import Window
from persona_cli.records.wish import Wish
from persona_cli.refs import Ref

M_co = TypeVar("M_co", covariant=True)


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
    most: int = 0
    """How many facts and how many messages to bring, near or not, to who judges them; 0 for what is configured."""


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


Piece = ThinkDelta | AnswerDelta | Think | Retrieve | Wish | Notice | Spent | Answer
"""What a model yields."""

Step = Piece | Recall
"""What a response yields."""
