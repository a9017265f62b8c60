"""What is told of a short text, kept: a turn compares some 60 memories, nearly all of them those of the turn before.

A replay of 250 messages asks 165,000 times for the stems of a text (benchmarks/LOG.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

_TEXTS = 4096
_LONGEST = 400
"""Characters of a text that is kept: what is longer is a message, is looked at once and would fill the memory."""


def kept(tell: Callable[[str], T]) -> Callable[[str], T]:
    """Return a pure function of a text that remembers what it said of short ones; its values must not be changed."""
    remembered = lru_cache(_TEXTS)(tell)

    @wraps(tell)
    def look_up(text: str) -> T:
        return remembered(text) if len(text) <= _LONGEST else tell(text)

    return look_up
