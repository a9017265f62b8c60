"""Where a model goes round in circles: the same words again and again, which small models fall into and never leave."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TIMES, _LEAST = 4, 120
"""How often the same must stand at the end of a text, and how many characters that must be: no table has such rules."""
_LONGEST = 240
"""Characters of what is said again: a paragraph."""
_CIRCLE = re.compile(r"(.{8,120}?)\1{2,}", re.DOTALL)
_EVERY = 24
"""Characters between two looks."""


def until_loop(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the pieces of a reply until it goes round in circles; the rest is never generated.

    What stands in tags before the answer is left alone: a grammar bounds it, and cut off it would decide nothing.
    """
    tail, unseen, free = "", 0, False
    for piece in pieces:
        yield piece
        tail = (tail + piece)[-_TIMES * _LONGEST :]
        free = free or "<answer>" in tail or tail.lstrip()[:1] not in ("", "<")
        if not free:
            continue
        unseen += len(piece)
        if unseen >= _EVERY:
            unseen = 0
            if is_loop(tail):
                return


def without_circles(text: str) -> str:
    """Return a text that says each thing once, where it said it three times and more in a row."""
    return _CIRCLE.sub(r"\1", text)


def is_loop(text: str) -> bool:
    """Tell whether a text ends in the same words over and over."""
    for length in range(1, len(text) // _TIMES + 1):
        times = max(_TIMES, -(-_LEAST // length))
        if len(text) >= times * length and text.endswith(text[-length:] * times):
            return True
    return False
