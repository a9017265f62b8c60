"""Words of time as people mistype them: "tommorow", "wensday", "febuary", brought back before they are read.

Only long words that are close to one and to nothing they begin with ("Augusta", "weekender" stay): difflib's ratio,
and the first letter as it should be. `Respelt` knows where each place of the new text was in the old one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from persona_cli.timewords.calendar import MONTHS, WEEKDAYS

_SHORTEST = 5
"""Letters: what is shorter is near to too many other words ("may", "mat")."""
_CLOSE = 0.84
"""Above the pairs that are words of their own: sunday and sundry, winter and winner (0.833)."""
_WORDS = tuple(
    word.lower()
    for word in (*WEEKDAYS, *MONTHS, "yesterday", "tomorrow", "tonight", "weekend", "christmas", "summer", "autumn")
    if len(word) > _SHORTEST
)
_LONG_WORD = re.compile(rf"[^\W\d_]{{{_SHORTEST},12}}")


@dataclass(frozen=True, slots=True)
class Respelt:
    """A text with its words of time as they are spelt, and the way back to the places of the old one."""

    text: str
    starts: tuple[int, ...]
    """Where, in the new text, another shift begins to hold."""
    shifts: tuple[int, ...]
    """What is added to a place of the new text from there on."""

    def place(self, at: int) -> int:
        """Return where a place of the new text is in the old one."""
        return at + self.shifts[bisect_right(self.starts, at) - 1]


@lru_cache(maxsize=64)
def respell(text: str) -> Respelt:
    """Return the text as it is read for times."""
    pieces, starts, shifts, last, length = [], [0], [0], 0, 0
    for match in _LONG_WORD.finditer(text):
        meant = _meant(match[0].lower())
        if meant is None:
            continue
        pieces += [text[last : match.start()], meant]
        length += match.start() - last + len(meant)
        last = match.end()
        starts.append(length)
        shifts.append(last - length)
    return Respelt("".join((*pieces, text[last:])), tuple(starts), tuple(shifts))


@lru_cache(maxsize=4096)
def _meant(word: str) -> str | None:
    if word.startswith(_WORDS):
        return None
    near = [known for known in _WORDS if known[0] == word[0]]
    return next(iter(get_close_matches(word, near, n=1, cutoff=_CLOSE)), None)
