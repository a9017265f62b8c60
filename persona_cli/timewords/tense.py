"""Which way the words around a time phrase point: "on Sunday" is the last one after "did", the next after "will"."""

from __future__ import annotations

import re

from persona_cli.english.verbs import past_pattern
from persona_cli.timewords.phrase import Direction

_FUTURE = re.compile(
    r"""\b(?:will|won't|shall|should|must|gonna|going\s+to|about\s+to|plan(?:s|ned|ning)?|upcoming|coming\s+up|due
    |hop(?:e|ing)\s+to|want(?:s)?\s+to|would\s+like|need(?:s)?\s+to|ha(?:ve|s)\s+(?:to|an?\b)|supposed\s+to
    |(?:have|has|\w+['’](?:ve|s))\s+got\s+(?:an?|to|my|our|the|two|some)
    |looking\s+forward|look\s+forward|booked|scheduled|arranged|appointment|deadline|invited|reservation|can|let's
    |remind|don't\s+forget|do\s+i\s+have|do\s+we\s+have|have\s+i\s+(?:got|planned)|for\s+(?=next)
    |(?:am|are|is|i'm|we're|he's|she's|they're|you're|'s)\s+(?:\w+\s+){0,2}?(?:\w{2,}ing)
    |starts?|begins?|turns\s+\d+|opens?|leaves?|arrives?|flies|fly)\b | \w'll\b""",
    re.IGNORECASE | re.VERBOSE,
)
PAST_FORM = past_pattern()
_PAST = re.compile(
    rf"""\b(?:was(?:n't)?|were(?:n't)?|did(?:n't)?|had(?:n't)?|has\s+been|have\s+been|been
    |ha(?:ve|s)\s+(?:i|we|you|he|she|they)\s+\w+|i've|we've|{PAST_FORM})\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WAS_GOING = re.compile(
    r"\b(?:was|were)\s+(?:\w+\s+)?(?:going\s+to|supposed\s+to|planning|about\s+to|\w+ing)\b", re.IGNORECASE
)
_SINCE = re.compile(r"\bsince\s+(?:the\s+)?", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.?!;\n]|,\s*(?:but|and|so|because|then)\b|\bbut\b")


def lean(text: str, start: int, end: int) -> Direction:
    """Return the tense around text[start:end]: the nearest cue before it in its clause, else the first after."""
    if any(match.end() >= start for match in _SINCE.finditer(text, 0, end)):
        return "past"
    left = max((match.end() for match in _CLAUSE_END.finditer(text, 0, start)), default=0)
    after = _CLAUSE_END.search(text, end)
    before, rest = text[left:start], text[end : after.start() if after else len(text)]
    cues = _cues(before)
    if cues:
        return max(cues)[1]
    cues = _cues(rest)
    return min(cues)[1] if cues else "any"


def _cues(text: str) -> list[tuple[int, Direction]]:
    cues: list[tuple[int, Direction]] = [(match.start(), "past") for match in _WAS_GOING.finditer(text)]
    text = _WAS_GOING.sub(lambda match: " " * len(match[0]), text)
    future = [match.span() for match in _FUTURE.finditer(text)]
    cues += [(start, "future") for start, _ in future]
    # "booked", "invited" look like the past and speak of what is to come
    cues += [
        (match.start(), "past")
        for match in _PAST.finditer(text)
        if not any(start <= match.start() < end for start, end in future)
    ]
    return cues
