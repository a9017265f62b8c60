"""The forms of talk: a message that only asks, one that requests something, a reply that only refuses or is polite.

A reply is not matched against known refusals. It says nothing where no word of matter is left in it once the words of
the message it answers and the closed list of words for knowing, hearing and being glad are taken away.
"""

from __future__ import annotations

import itertools
import re
from functools import cache, lru_cache

from persona_cli.english.lexicon import word_class
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import stem, stems, supported, words

_CONTRACTED = re.compile(r"n't\b|'(?:s|m|re|ve|ll|d)\b|-", re.IGNORECASE)
_OPENING = 6
"""Words of a sentence within which a request is put."""
_AT_ONCE = 400
"""Characters of a reply that are looked at: a courtesy is shorter."""


REQUESTING = word_class("requesting", "small_talk")
"""Words that ask for a proposal and say nothing of what about."""


@lru_cache(maxsize=4_096)
def only_asks(message: str) -> bool:
    """Tell whether every sentence of a message is a question."""
    parts = sentences(message)
    return bool(parts) and all(_asks(part) for part in parts)


def says_nothing(reply: str, message: str) -> bool:
    """Tell whether a reply has no matter of its own beside the message it answers: "I don't know that yet."."""
    if len(reply) > _AT_ONCE or re.search(r"\d", reply):
        return False
    plain = _CONTRACTED.sub(" ", reply.replace("’", "'"))
    own = stems(plain) - _stems("replying")
    return not own - supported(own, message)


def requests(text: str) -> bool:
    """Tell whether a text asks for a proposal or a deed ("Where should we eat?"), and not for what was or is."""
    return any(map(_requests, sentences(text)))


def _requests(sentence: str) -> bool:
    said = [word.casefold() for word in words(sentence)]
    if not said or not _class("recalling").isdisjoint(said):
        return False
    pairs = set(itertools.pairwise(said[:_OPENING]))
    if any(modal in _class("modals") and subject in {"i", "we", "you"} for modal, subject in pairs):
        return True
    if said[0] in {"what", "which", "where", "how"}:
        return not _class("supposing").isdisjoint(said[:_OPENING]) or ("do", "i") in pairs or ("do", "we") in pairs
    opens = said[0] in _class("proposing") | _class("commanding")
    return opens or (said[0] in _class("inviting") and not _class("proposing").isdisjoint(said[:_OPENING]))


def _asks(sentence: str) -> bool:
    if sentence.rstrip().endswith("?"):
        return True
    first = next(iter(words(sentence)), "").casefold()
    return first in _class("asking") and not sentence.rstrip().endswith((".", "!"))


def _class(name: str) -> frozenset[str]:
    return word_class(name, "small_talk")


@cache
def _stems(name: str) -> frozenset[str]:
    return frozenset(map(stem, _class(name)))
