"""The last step of a search: the best of a kind are looked at once more, each in one pass together with the question.

What lanes add up says how much a memory shares with a question; whether it answers is for the judge to say, who was
trained on memories of one person that share more than the right one does. Its word is one more lane, so that what it
does not know (names of speakers, times) still counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from persona_cli.memory.tables.lines import FactLine
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.reading.judging import Judge
from persona_cli.records import Hit, Ref

L = TypeVar("L", FactLine, MessageLine)

LANE = "judged"
WEIGHT = 0.1
"""What one of the log-odds adds to a score."""
_CLIP = 6.0
_LONGEST = 400  # characters of a question: a pasted page asks nothing
_PLAIN = 0.75
_OF_ME = re.compile(r"\b(?:do|did|am|was|have|had) (?:i|we)\b", re.IGNORECASE)
"""Asks for what is or was, whatever else of it looks like a request."""


def judges(question: str, *, request: bool) -> bool:
    """Tell whether the judge can read a question: a short one, in letters that its encoder knows, and no request.

    What bears on a request answers nothing: of 60 preferences 67% were among the first ten, judged 48%.
    """
    if request and _OF_ME.search(question) is None:
        return False
    letters = [letter for letter in question if letter.isalpha()]
    ascii_letters = sum(letter.isascii() for letter in letters)
    return bool(letters) and len(question) <= _LONGEST and ascii_letters >= _PLAIN * len(letters)


def rerank(judge: Judge, question: str, hits: Sequence[Hit[L]], texts: Mapping[Ref, str]) -> list[Hit[L]]:
    """Return hits in a new order; those that have no text stay behind those that have, and keep their own order."""
    if not texts:
        return list(hits)
    first = [hit for hit in hits if hit.ref in texts]
    bearings = judge.bearings(question, [texts[hit.ref] for hit in first])
    judged = [
        _added(hit, WEIGHT * max(-_CLIP, min(_CLIP, bearing.odds)))
        for hit, bearing in zip(first, bearings, strict=True)
    ]
    judged.sort(key=lambda hit: -hit.score)
    least = min((hit.lanes[LANE] for hit in judged), default=0.0)
    rest = [_added(hit, least) for hit in hits if hit.ref not in texts]
    return judged + rest


def _added(hit: Hit[L], value: float) -> Hit[L]:
    return Hit(hit.ref, hit.memory, hit.score + value, {**hit.lanes, LANE: value})
