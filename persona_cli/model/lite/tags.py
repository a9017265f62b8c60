"""What a pattern says about a clause: which attribute of whom it fills, with which value, and what it changes.

Each module of patterns (attributes, people, preferences, changes) is a function from a tidied clause to tags; a
clause without any tag can still be worth remembering (worth.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from persona_cli.records import Change

END = (
    r"(?=[,.;!?]|$| (?:and|but|because|so|since|who|which|when|while|where|though|although|with|for|as|at|in"
    r"|on|now|too|also|by|these days)\b)"
)
"""Where a value ends."""

_ARTICLE = re.compile(r"(?i)^(?:a|an|the|some|my|our|any|all|really|very|to|eating|drinking)\s+")
_TAIL = re.compile(
    r"(?i)[\s,]+(?:now|too|as well|anyway|again|really|so much|very much|a lot|at all|any more|these days"
    r"|nowadays|recently|lately|then|more than anything|the most|to bits|best|either|"
    r"though|by the way|btw|tbh|lol|haha|since .*|because .*|right now|at the moment|currently|of all time|in"
    r" the world|today|yesterday|last \w+|next \w+|this \w+|\w+ \w+ ago)$"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One thing a clause tells; `content` is set where the clause itself would not do as the sentence."""

    relation: str
    slot: str = ""
    value: str = ""
    subject: str = "user"
    change: Change = Change.ADDS
    replaces: str = ""
    weight: float = 1.0
    content: str = ""
    names: tuple[str, ...] = ()
    aside: bool = False
    """True when it only says in passing who somebody is; the clause has still to tell its own."""


def trim(value: str) -> str:
    """Return a value without the words that hang on either end ("a nurse now" is "nurse")."""
    value, before = value.strip(" ,.;:!?-"), ""
    while value != before:
        before = value
        value = _TAIL.sub("", _ARTICLE.sub("", value)).strip(" ,.;:!?-")
    return value


def named(text: str) -> str:
    """Return a name with capitals, as people write it when they are not in a hurry."""
    small = {"de", "van", "von", "der", "la", "le", "of", "and", "the", "upon", "am", "del", "da", "di", "bin"}
    words = text.strip().split()
    return " ".join(
        w if (w.lower() in small and i) or not w.islower() else w[:1].upper() + w[1:] for i, w in enumerate(words)
    )


def key(text: str) -> str:
    """Return a value as part of a slot: lower case, no article, singular only where it already was."""
    return re.sub(r"[^\w +#&'-]", "", trim(text).lower()).strip()
