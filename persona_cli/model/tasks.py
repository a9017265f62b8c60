"""What the loop asks of a model: the paper's seven tasks and one more as a protocol, with what goes in and comes out.

A `Model` does tasks. How it does them is its own affair: `PromptedModel` writes prompts and parses the text
of an engine, `LiteModel` works by rule and embedding. Both are blind to the store: everything they may know
comes in as an argument, and nothing they return is trusted before the update stage has checked it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from persona_cli.personality import Traits
from persona_cli.records import (
    Aspect,
    Box,
    Change,
    CoreMemory,
    EpisodicMemory,
    Fulfilled,
    Image,
    Piece,
    ProceduralMemory,
    Query,
    Recall,
    Retrieve,
    SemanticMemory,
    Turn,
    Window,
)

Stop = Callable[[], bool]
"""Polled between tokens; once it returns True the model raises `Interrupted` and leaves nothing half done."""

Doubts = Callable[[Collection[int]], Mapping[int, SemanticMemory]]
"""Returns by its id each of some memories that may have ended, with the later one that says so."""


@dataclass(frozen=True, slots=True)
class SearchRound:
    """One retrieval of the response under way: what the model asked for, and what it was shown."""

    thought: str
    retrieve: Retrieve
    recall: Recall


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a model may know when it reasons about a query (Response stage)."""

    query: Query
    core: CoreMemory
    traits: Traits
    recent: tuple[Turn, ...] = ()
    """Turns of the last hour, oldest first: recent turns are in no recall, as they are here."""
    before: tuple[Turn, ...] = ()
    """Turns of the session before this one, oldest first: "last time" is no time that a search could find."""
    exchanges: tuple[SearchRound, ...] = ()
    """Retrievals already made for this query, in order."""
    fulfilled: tuple[Fulfilled, ...] = ()
    """Wishes about memory that this query spoke, and what came of each, in order."""
    seen_images: tuple[ImageSeen, ...] = ()
    """For each picture of the query that was shown before: when, and what was said of it."""
    kept: bool = True
    """False in a private conversation: nothing of it will be remembered."""
    doubts: Doubts = lambda _: {}
    """Looked up for what was recalled alone: of all that is doubtful, thousands may be open."""


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """A picture of the query that the store already knows, or one that looks like it."""

    hash: str
    """SHA-256 of the picture in the query."""
    contents: tuple[str, ...]
    """Contents of the active semantic memories that hold the known picture."""
    turn: Turn | None = None
    """The turn it was first shown in."""
    alike: bool = False
    """It only looks like the known picture, and may show something else."""


@dataclass(frozen=True, slots=True)
class SemanticDraft:
    """A fact a model proposes to remember; the update stage checks it against the user's own words."""

    content: str
    """One sentence in the third person: "The user ...", or with the subject's name."""
    keywords: tuple[str, ...]
    reason: str = ""
    subject: str = "user"
    quote: str = ""
    """The words of the turn it rests on; "" lets the update stage find them."""
    event: Window | None = None
    slot: str = ""
    """The one-valued attribute it fills ("user/home", "Max/species"); "" for none."""
    change: Change = Change.ADDS
    replaces: str = ""
    """For a change: words of the fact it replaces or ends, when they are not the slot's."""
    images: tuple[str, ...] = ()
    """SHA-256 of the pictures of the turn that show it."""


@dataclass(frozen=True, slots=True)
class EpisodeDraft:
    """A topic of a session; `turns` are positions in the session, from 0."""

    summary: str
    keywords: tuple[str, ...]
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SummaryDraft:
    """What several episodes of one topic tell together."""

    summary: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProceduralDraft:
    """A habit or goal under its unique key; the text is one third-person sentence."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class CoreDraft:
    """A value for a key of core memory."""

    key: str
    value: str
    aspect: Aspect = Aspect.HUMAN


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a model says of itself: how it was built, where it runs."""

    name: str
    finding: str


class Model(Protocol):
    """What the assistant asks for; every task may raise `ModelError` or, once stopped, `Interrupted`."""

    @property
    def name(self) -> str:
        """Return the name that is stored with each turn it answers."""
        ...

    def about(self) -> tuple[Fact, ...]:
        """Return what it runs on and how, for `--verbose`."""
        ...

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield ThinkDelta..., Think, then Retrieve, or a Wish about memory, or AnswerDelta..., Answer."""
        ...

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield AnswerDelta..., Answer: the same, where there is no retrieval left."""
        ...

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the traits the user shows in `turn`, each a whole or broken score; 3 is no evidence."""
        ...

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return what is worth remembering of `turn`, most important first; `recent` is context only."""
        ...

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics of a closed session, each with the positions of its turns."""
        ...

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Return at most 5 habits and goals at the end of a session; `history` has earlier turns, for repetition."""
        ...

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Return the keys of core memory that a closed session adds or changes."""
        ...

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Return the summary of old episodes of one topic, oldest first, with nothing that they do not tell."""
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...


@runtime_checkable
class Locates(Protocol):
    """A model that also sees where in a picture a thing is; not every `Model` does."""

    def locate(self, image: Image, what: str, stop: Stop) -> Box | None:
        """Return the part of a stored picture that shows `what`, with a margin; None where it is not there.

        A picture that shows little else is its own part.
        """
        ...


@runtime_checkable
class Paced(Protocol):
    """A model that knows how it answers best here; others reason."""

    @property
    def quick(self) -> bool:
        """Tell whether to search with the words of the query first, and answer in one call."""
        ...


@runtime_checkable
class Describes(Protocol):
    """A model that can say what a picture shows; not every `Model` can."""

    @property
    def name(self) -> str:
        """Return the name that is stored with each caption it writes."""
        ...

    @property
    def sees(self) -> bool:
        """Tell whether it can be shown pictures at all: weights without a projection cannot."""
        ...

    def caption(self, image: Image, stop: Stop) -> str:
        """Return what a stored picture shows, in a sentence or two; "" for nothing to be said. Raises `ModelError`."""
        ...
