"""What of a conversation says nothing: a message that only asks, a reply that only refuses or is polite.

A reply is not matched against known refusals. It says nothing where no word of matter is left in it once the words of
the message it answers and the closed list of words for knowing, hearing and being glad are taken away.
"""

from __future__ import annotations

import re
from functools import cache

from persona_cli.english.lexicon import word_class
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import stem, stems, supported, words

_CONTRACTED = re.compile(r"n't\b|'(?:s|m|re|ve|ll|d)\b|-", re.IGNORECASE)
_AT_ONCE = 400
"""Characters of a reply that are looked at: a courtesy is shorter."""


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


def _asks(sentence: str) -> bool:
    if sentence.rstrip().endswith("?"):
        return True
    first = next(iter(words(sentence)), "").casefold()
    return first in word_class("asking", "small_talk") and not sentence.rstrip().endswith((".", "!"))


@cache
def _stems(name: str) -> frozenset[str]:
    return frozenset(map(stem, word_class(name, "small_talk")))
