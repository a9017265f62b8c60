"""What somebody wants done with their memory, said in talk: the model hears the wish, the loop fulfils it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from persona_cli.records.memories import SemanticMemory
from persona_cli.refs import Ref


class Want(StrEnum):
    """What is wanted."""

    KEEP_OUT = "keep out"
    """Nothing of this message is to be stored, its words included."""
    FORGET = "forget"
    """What `refs` name is to be deleted for good, as `persona memory forget` does."""
    ABOUT = "about"
    """All that is known of somebody, as `persona memory about` shows it."""
    MYSELF = "myself"
    """What is known of the person, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One wish about memory."""

    want: Want
    refs: tuple[Ref, ...] = ()
    name: str = ""
    """Whom an `ABOUT` is about, as the person calls them."""


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """What came of a wish."""

    wish: Wish
    receipt: tuple[str, ...] = ()
    """What was done, a sentence each; empty where nothing was."""
    memories: tuple[SemanticMemory, ...] = ()
    """What was looked up, oldest first; what held once is among it."""
    names: tuple[str, ...] = ()
    """How somebody looked up is called, then what they are to the person: "Ada", "sister"."""
