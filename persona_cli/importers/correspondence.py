"""What every format is read as: conversations of messages, and memories that another program had written down.

A format is one module with two functions: `recognise` looks at the names in a bundle and at the first bytes of a
file, `read` yields what is in it, one conversation at a time, and counts in a `Tally` what it leaves out and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from persona_cli.errors import TransferError
from persona_cli.importers.times import DateOrder

if TYPE_CHECKING:
    from persona_cli.importers.bundle import Bundle

MOST_PLACES = 100
"""Of what is left out for one reason so many are named."""


class Speaker(Enum):
    """Who wrote a message, seen from the person whose memory it goes into."""

    ME = "me"
    OTHER = "other"
    """Another person: context, and no evidence of anything."""
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """One message."""

    id: str
    """Stable from one export to the next; together with the conversation's it is never imported twice."""
    speaker: Speaker
    text: str
    at: datetime
    """With its zone, never guessed."""
    name: str = ""
    """Who it is, of another person."""
    pictures: tuple[str, ...] = ()
    """Names in the bundle."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in the order in which they were written."""

    id: str
    messages: Iterable[WrittenMessage]
    learn: bool = True
    """False for a play: it is kept to be found again, and nothing is learnt from it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What another program had noted about the person, in its words."""

    id: str
    text: str
    at: datetime | None = None
    """None where nobody says when: then it is known since it was imported."""
    name: str = ""
    """What the program calls the person in it."""


Item = Conversation | Note


@dataclass(frozen=True, slots=True)
class Options:
    """What the person says about a file."""

    me: str = ""
    """Under which name they wrote."""
    order: DateOrder | None = None
    """Which of day and month stands first."""
    everything: bool = False
    """Also conversations that were marked not to be remembered."""


@dataclass(slots=True)
class Tally:
    """What was left out, by reason, and where: the first hundred of each reason are named."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, place: str = "", count: int = 1) -> None:
        """Count something that is left out; `reason` is a noun in the plural: "hidden messages"."""
        if count:
            self.counts[reason] += count
        if place and len(named := self.places.setdefault(reason, [])) < MOST_PLACES:
            named.append(place)


class UnsettledError(TransferError):
    """A file leaves something open that the person can say: their name, or the order of day and month."""

    def __init__(self, message: str, *, fix: str, names: Sequence[str] = ()) -> None:
        super().__init__(message, fix=fix)
        self.names = tuple(names)
        """Those who may be the person; empty where the order is asked for."""


@dataclass(frozen=True, slots=True)
class Format:
    """One service's way of writing conversations."""

    name: str
    """As `--as` has it."""
    title: str
    recognise: Callable[[Bundle], bool]
    """Tells by names and first bytes alone; never raises."""
    read: Callable[[Bundle, Options, Tally], Iterator[Item]]
    """Raises `TransferError` for a file that cannot be read on; one bad message is counted and left out."""
    photos: bool = False
    """Each message is a picture: without it, or where that was brought in before in another file, it is none."""
