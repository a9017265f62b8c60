"""What the tools of a memory return: frozen values whose fields a client can rely on; times are ISO 8601.

Without slots: the protocol's package reads the defaults of a schema from the class, where slots have descriptors.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remembered:
    """One memory: a fact, an entry of the profile, a topic, a habit, a message or a picture."""

    id: str
    """Its name, by which the other tools take it: s12."""
    kind: str
    at: str
    """When it was said or noted."""
    text: str
    about: str = ""
    """Whom a fact is about; "user" is the person themselves."""
    quote: str = ""
    """The person's own words it rests on."""
    happens: str = ""
    """When what it tells of happens or happened, as start/end; not when it was said."""
    holds: bool = True
    """False for what was true once."""
    until: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class Search:
    """What a search has found, best first."""

    memories: list[Remembered]
    notes: list[str]
    """What else there is to know: the time that was understood, a window that was given up."""


@dataclass(frozen=True)
class Whole:
    """One memory with what it came from."""

    memory: Remembered
    sources: list[Remembered]
    """The messages it was made of."""


@dataclass(frozen=True)
class Acquaintance:
    """Somebody the person spoke of."""

    name: str
    roles: list[str]
    """What they are to the person: sister, cat."""
    former_roles: list[str]
    facts: list[Remembered]
    former: list[Remembered]
    """What held once."""


@dataclass(frozen=True)
class Trait:
    """One of the Big Five, from 1 to 5; 3 is neutral, or not known yet."""

    name: str
    score: float
    manner: str = ""
    """How somebody like that is best spoken to; empty near neutral."""


@dataclass(frozen=True)
class Profile:
    """Who the person is, as far as it is known."""

    entries: list[Remembered]
    habits: list[Remembered]
    traits: list[Trait]
    turns: int
    """Messages it rests on."""


@dataclass(frozen=True)
class Recent:
    """What was remembered last, newest first."""

    memories: list[Remembered]


@dataclass(frozen=True)
class Kept:
    """What became of something to remember."""

    id: str
    outcome: str
    """remembered, known already, or quarantined: it reads like an instruction to a model."""
    contradicts: list[str]
    """Names of what says otherwise; the person decides."""
    removed: list[str]
    """Kinds of secrets that were taken out before anything was stored."""


@dataclass(frozen=True)
class Corrected:
    """A memory in its new words."""

    memory: Remembered
    replaces: str


@dataclass(frozen=True)
class Forgotten:
    """What was deleted for good."""

    ids: list[str]
    counts: dict[str, int]
    holds_again: list[str]
    """What a deleted memory had ended."""
    copies: list[str]
    """Files outside the home that may still have it."""
