"""What a message is like whatever is asked, and the kind of answer a question wants.

"When did she leave?" wants a time and "What is the dog called?" a name; a message that has none answers neither,
however close it is in meaning. And some messages tell more than others: one that gives times and names tells more
than one that only asks, or only greets what was said before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from persona_cli.memory.retrieval.terms import speaker_of

# looked for in small letters, and only where one of its first letters is: a third of the time, and there are hundreds
_TIME = re.compile(
    r"(?=[adfjlmnorstwy\d])\b(?:yesterday|today|tonight|tomorrow|last|next|ago|since|recently|week(?:end)?|month|year|\d{4}|\d+(?:st|nd|rd|th)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march|april|may|june|july|august|september|october|november|december)\b"
)
# not where a capital only begins a sentence; the capital stands first, as most letters are none
_NAME = re.compile(r"[A-Z](?<!^[A-Z])(?<!\w[A-Z])(?<![.!?:\]]\s[A-Z])[a-z]+")
_REACTION = re.compile(
    r"(?:thanks|thank you|wow|yeah|yep|absolutely|definitely|that's|sounds|great|cool|awesome|totally)\b", re.IGNORECASE
)
_WHEN = re.compile(r"when\b|how long\b|(?:in |on )?(?:what|which) (?:year|month|date|day|time)\b", re.IGNORECASE)
_WHICH = re.compile(
    r"\b(?:where|names?|called|title)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:book|song|movie|film|band|game|city|country|place|state|town)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a message is like."""

    speaker: str
    """Who speaks in a transcript, folded; else ""."""
    asks: bool
    """It ends in a question."""
    reacts: bool
    """It begins with thanks, praise or assent."""
    dated: bool
    """It has a time in it."""
    names: frozenset[str]
    """The names in it, folded."""
    quotes: bool
    """It has something in quotation marks: most often a title."""

    def named(self, speakers: frozenset[str]) -> bool:
        """Tell whether it names anything but the ones who speak to each other."""
        return not self.names <= speakers


@lru_cache(maxsize=20_000)
def form_of(text: str) -> Form:
    """Return what a message is like."""
    said = text.partition(": ")[2] if (speaker := speaker_of(text)) else text
    return Form(
        speaker=speaker,
        asks=said.rstrip().endswith("?"),
        reacts=_REACTION.match(said) is not None,
        dated=_TIME.search(said.lower()) is not None,
        names=frozenset(name.casefold() for name in _NAME.findall(said)),
        quotes='"' in said or "“" in said,
    )


def wants_time(question: str) -> bool:
    """Tell whether a question asks when."""
    return _WHEN.match(question) is not None


def wants_name(question: str) -> bool:
    """Tell whether a question asks for a place, a title or what somebody is called."""
    return _WHICH.search(question) is not None
