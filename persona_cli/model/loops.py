"""Where a model goes round in circles: the same words again and again, which small models fall into and never leave."""

from __future__ import annotations

from collections.abc import Iterator

_TIMES, _LEAST = 4, 120
"""How often the same must stand at the end of a text, and how many characters that must be: no table has such rules."""
_LONGEST = 240
"""Characters of what is said again: a paragraph."""
_EVERY = 24
"""Characters between two looks."""


def until_loop(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the pieces of a text until it goes round in circles; the rest is never generated."""
    tail, unseen = "", 0
    for piece in pieces:
        yield piece
        tail = (tail + piece)[-_TIMES * _LONGEST :]
        unseen += len(piece)
        if unseen >= _EVERY:
            unseen = 0
            if is_loop(tail):
                return


def is_loop(text: str) -> bool:
    """Tell whether a text ends in the same words over and over."""
    for length in range(1, len(text) // _TIMES + 1):
        times = max(_TIMES, -(-_LEAST // length))
        if len(text) >= times * length and text.endswith(text[-length:] * times):
            return True
    return False
