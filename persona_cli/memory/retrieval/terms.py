"""From a question to the words worth looking up: no stop words, no possessive, each once, in order."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_POSSESSIVE = re.compile(r"['’]s\b|s['’](?=\s|$)")
_SPEAKER = re.compile(r"\s*([A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,2}):\s")

_STOP = """
a about above after again against all also am an and any are as at be because been before being below between both but
by can could did do does doing done down during each either else ever few for from further get gets getting got had has
have having he her here hers herself him himself his how however i if in into is it its itself just let like may me
might more most much must my myself no nor not now of off on once one only or other ought our ours ourselves out over
own please same she should so some such tell than that the their theirs them themselves then there these they this
those through to too under until up upon us very was we were what when where which while who whom whose why will with
would you your yours yourself yourselves aren't can't cannot couldn't didn't doesn't don't hadn't hasn't haven't i'm
i've i'll i'd isn't let's shouldn't that's they're wasn't we're weren't what's won't wouldn't you're you've
remember user go goes going gone went happen happens happened
"""
STOP_WORDS = frozenset(_STOP.split())
"""Words that say how a question is asked and not what about."""


def search_terms(*texts: str) -> tuple[str, ...]:
    """Return the words of the texts that can tell one memory from another."""
    found: dict[str, None] = {}
    for text in texts:
        for word in _WORD.findall(_POSSESSIVE.sub(" ", text)):
            folded = word.casefold().replace("’", "'")
            if folded not in STOP_WORDS and (len(folded) > 1 or not folded.isascii() or folded.isdigit()):
                found[folded] = None
    return tuple(found)


def speaker_of(text: str) -> str:
    """Return who speaks where a message is written like a transcript ("Anna: ..."), folded; else ""."""
    match = _SPEAKER.match(text) if ":" in text else None
    return match[1].casefold() if match else ""


def names_in(name: str, words: frozenset[str]) -> bool:
    """Tell whether any word of a person's name, or of "my brother", is among the words of a question."""
    return not words.isdisjoint(_words_of(name))


@lru_cache(maxsize=1_024)
def _words_of(name: str) -> tuple[str, ...]:
    return search_terms(name)
