"""Which way the words around a time phrase point: "on Sunday" is the last one after "did", the next after "will".

A text is read once for the words that tell and for the ends of its clauses; each of its phrases then looks its own up,
so that a page of dates takes as long as it is and not as its square.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache

from persona_cli.english.verbs import past_pattern
from persona_cli.timewords.patterns import expand, read_table
from persona_cli.timewords.phrase import Direction

_SINCE_IS_NEAR = 20
"""Characters before a phrase in which "since the" is looked for."""
_BY_IS_NEAR = 7
"""And "by the"."""


@dataclass(frozen=True, slots=True)
class _Cues:
    """What a text has of tense, in order."""

    clause_starts: tuple[int, ...]
    """Where a clause begins, after what ends the one before."""
    clause_ends: tuple[int, ...]
    starts: tuple[int, ...]
    """Of the cues, one each with the next two."""
    ends: tuple[int, ...]
    ways: tuple[Direction, ...]


def lean(text: str, start: int, end: int) -> Direction:
    """Return the tense around text[start:end]: the nearest cue before it in its clause, else the first after.

    Without any, "by Friday" is one to come.
    """
    words = pattern("since").search(text, max(0, start - _SINCE_IS_NEAR), start)
    if words is not None or text[start : start + 6].lower() == "since ":
        return "past"
    cues = _read(text)
    clauses = bisect_right(cues.clause_starts, start)
    left = cues.clause_starts[clauses - 1] if clauses else 0
    ends = bisect_left(cues.clause_ends, end)
    right = cues.clause_ends[ends] if ends < len(cues.clause_ends) else len(text)
    before = bisect_left(cues.starts, start) - 1
    while before >= 0 and cues.starts[before] >= left:
        if cues.ends[before] <= start:  # not one that the phrase is part of
            return cues.ways[before]
        before -= 1
    after = bisect_left(cues.starts, end)
    if after < len(cues.starts) and cues.starts[after] < right:
        return cues.ways[after]
    return "future" if "by" in text[max(0, start - _BY_IS_NEAR) : start + 3].lower().split() else "any"


@lru_cache(maxsize=64)
def _read(text: str) -> _Cues:
    """Read a text once; a question is asked for its times by several, and with several tenses."""
    breaks = [match.span() for match in pattern("clause_end").finditer(text)]
    cues: list[tuple[int, int, Direction]] = [(*match.span(), "past") for match in pattern("was_going").finditer(text)]
    rest = pattern("was_going").sub(lambda match: " " * len(match[0]), text)
    future = [match.span() for match in pattern("future").finditer(rest)]
    cues += [(start, end, "future") for start, end in future]
    # "booked", "invited" look like the past and speak of what is to come
    taken = {place for start, end in future for place in range(start, end)}
    cues += [(*match.span(), "past") for match in pattern("past").finditer(rest) if match.start() not in taken]
    cues.sort()
    return _Cues(
        clause_starts=tuple(end for _, end in breaks),
        clause_ends=tuple(start for start, _ in breaks),
        starts=tuple(start for start, _, _ in cues),
        ends=tuple(end for _, end, _ in cues),
        ways=tuple(way for _, _, way in cues),
    )


@cache
def pattern(name: str) -> re.Pattern[str]:
    """Return a pattern of the table, compiled when it is first needed."""
    parts = {**read_table("around")["tense"], "past_form": past_pattern()}
    return re.compile(expand(parts[name], parts), re.IGNORECASE)
