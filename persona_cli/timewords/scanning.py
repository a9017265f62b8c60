"""From a text to its time phrases: every rule is tried, the longest match at each place wins, words around it count.

The words around: "since", "until", "before", "after"; "between ... and ...", "from ... to ..."; "early", "the
end of"; "morning", "at half past five". A weak phrase (a bare month or year) stands only with such a word or
with "in", "of", "during" before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import DAY, HOUR, Found
from persona_cli.timewords.phrase import Direction, TimePhrase
from persona_cli.timewords.relations import DISTANCE, Relation, read_distance, relate
from persona_cli.timewords.rules import RULES
from persona_cli.timewords.tense import lean


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    found: Found


_HOOK = re.compile(
    r"\b(in|of|during|since|until|till|by|before|after|between|from|through|throughout|back\s+in|around|early|mid|late|for"
    r"|beginning\s+of|end\s+of|start\s+of|middle\s+of|as\s+of)[\s-]+$",
    re.IGNORECASE,
)
_FIRM_MONTHS = re.compile(r"(?:January|February|July|September|October|November|December)")
_EDGE = re.compile(
    r"\b(?:in\s+|at\s+|by\s+|around\s+)?(?:the\s+)?(early|mid|late|beginning\s+of|start\s+of|middle\s+of|end\s+of)"
    r"(?:\s+in)?[\s-]+(?:the\s+)?$",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"\b(ever\s+since|since|until|till|up\s+to|before|prior\s+to|by|after|as\s+of)\s+(?:the\s+)?$", re.IGNORECASE
)
_AROUND = re.compile(r"\b(?:around|circa)\s+(?:the\s+)?$", re.IGNORECASE)
_DISTANCE = re.compile(rf"(?<![\w'’-]){DISTANCE}$", re.IGNORECASE)
_ITS_DAY = {"christmas": "christmas day", "xmas": "christmas day", "easter": "easter sunday"}
"""Which day of a feast of several days is meant by "the day before Christmas"."""
_PART = re.compile(
    r"\s*,?\s+(?:in\s+the\s+|at\s+)?(?:early\s+|late\s+)?(morning|afternoon|evening|night|noon|lunchtime)\b", re.I
)
_PART_BEFORE = re.compile(r"\b(?:on\s+)?the\s+(morning|afternoon|evening|night)\s+of\s+(?:the\s+)?$", re.IGNORECASE)
_CLOCK = r"(?:at|around|about|@|by)\s+(?:(\d{1,2})(?:[:.](\d\d))?\s*(am|pm|a\.m\.?|p\.m\.?|o'clock)?|(noon|midnight))"
_CLOCK_AFTER = re.compile(rf"\s*,?\s+{_CLOCK}(?!\w)(?!\s*(?:%|percent|years|people|km|miles))", re.IGNORECASE)
_CLOCK_BEFORE = re.compile(rf"\b{_CLOCK}\s*,?\s+(?:on\s+)?$", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(between|from)\s+(?:the\s+)?(?:early\s+|late\s+|mid-?)?$", re.IGNORECASE)
_JOIN = {
    "between": re.compile(r"\s+and\s+(?:the\s+)?", re.IGNORECASE),
    "from": re.compile(r"\s+(?:to|until|till|through)\s+(?:the\s+)?|\s*[-–]\s*", re.IGNORECASE),
}
_DAY_TO = re.compile(
    r"\b(between|from)\s+(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?\s*(?:and|to|-|–|until|till)\s+$", re.IGNORECASE
)


def scan(text: str, at: datetime, otherwise: Direction) -> tuple[TimePhrase, ...]:
    """Return the phrases of `text` in order; `otherwise` is the tense where the text shows none."""
    spans = _join_ranges(text, [_modify(text, span) for span in _atoms(text, at, otherwise)])
    return tuple(
        TimePhrase(
            text=text[span.start : span.end],
            start=span.start,
            end=span.end,
            window=span.found.window,
            soft=span.found.soft,
            direction=span.found.direction,
            repeating=span.found.repeating,
        )
        for span in spans
        if not span.found.weak
    )


def _atoms(text: str, at: datetime, otherwise: Direction) -> list[_Span]:
    candidates = []
    for order, match in _matches(text):
        tense = lean(text, match.start(), match.end())
        made = RULES[order][1](match, at, otherwise if tense == "any" else tense)
        if made is not None and not _out_of_calendar(made.window):
            candidates.append((match.start(), -match.end(), order, made))
    spans: list[_Span] = []
    for start, end, _, made in sorted(candidates, key=lambda one: one[:3]):
        if not spans or start >= spans[-1].end:
            spans.append(_Span(start, -end, made))
    return spans


@lru_cache(maxsize=64)
def _matches(text: str) -> tuple[tuple[int, re.Match[str]], ...]:
    """Return where each rule, by its place, finds something; one question is scanned four times."""
    return tuple((order, match) for order, (pattern, _) in enumerate(RULES) for match in pattern.finditer(text))


def _out_of_calendar(window: Window) -> bool:
    return any(moment is not None and not 2 <= moment.year <= 9990 for moment in (window.start, window.end))


def _modify(text: str, span: _Span) -> _Span:
    """Apply the words around one phrase, innermost first."""
    if span.found.repeating:
        return span
    span = _hook(text, span)
    span = _edge(text, span)
    span = _part(text, span)
    span = _clock(text, span)
    return _loosely(text, _bound(text, span))


def _hook(text: str, span: _Span) -> _Span:
    if not span.found.weak:
        return span
    words = text[span.start : span.end]
    hook = _HOOK.search(text, 0, span.start)
    if hook is None and not (_FIRM_MONTHS.fullmatch(words)):
        return span
    if words == "may" and hook is not None and hook[1].lower() not in {"in", "during", "since", "early", "late", "mid"}:
        return span
    kept = {"in", "during", "of", "throughout"}
    start = hook.start() if hook is not None and hook[1].lower() in kept - {"of"} else span.start
    return _Span(start, span.end, replace(span.found, weak=False))


def _edge(text: str, span: _Span) -> _Span:
    match = _EDGE.search(text, 0, span.start)
    start, end = span.found.window.start, span.found.window.end
    if match is None or start is None or end is None or span.found.unit not in {"week", "month", "season", "year"}:
        return span
    third = DAY * ((end - start).days // 3)
    word = match[1].lower()
    if word.startswith(("early", "beg", "start")):
        window = Window(start, start + third)
    elif word.startswith("mid"):
        window = Window(start + third, end - third)
    else:
        window = Window(end - third, end)
    return _Span(match.start(), span.end, replace(span.found, window=window, unit="stretch", weak=False))


def _part(text: str, span: _Span) -> _Span:
    if span.found.unit != "day":
        return span
    after = _PART.match(text, span.end)
    before = _PART_BEFORE.search(text, 0, span.start)
    one = after or before
    if one is None:
        return span
    window = calendar.part_of(span.found.window, one[1].lower())
    made = replace(span.found, window=window, unit="moment", soft=2 * HOUR)
    return _Span(span.start if after else one.start(), after.end() if after else span.end, made)


def _clock(text: str, span: _Span) -> _Span:
    start = span.found.window.start
    if span.found.unit not in {"day", "moment"} or start is None:
        return span
    after, before = _CLOCK_AFTER.match(text, span.end), _CLOCK_BEFORE.search(text, 0, span.start)
    one = after or before
    if one is None or (hour := _hour(one, late=start.hour >= 12)) is None:
        return span
    moment = calendar.midnight(start) + hour
    made = replace(span.found, window=Window(moment, moment + HOUR), unit="moment", soft=2 * HOUR)
    return _Span(min(span.start, one.start()), max(span.end, one.end()), made)


def _hour(match: re.Match[str], *, late: bool) -> timedelta | None:
    if match[4]:
        return timedelta(hours=12 if match[4].lower() == "noon" else 24)
    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 24 or minute > 59:
        return None
    half = (match[3] or "").lower()[:1]
    if hour < 12 and (half == "p" or (late and half != "a")):
        hour += 12
    return timedelta(hours=0 if half == "a" and hour == 12 else hour, minutes=minute)


def _loosely(text: str, span: _Span) -> _Span:
    """Widen the softness of "around Easter", "around 12 May"."""
    match = _AROUND.search(text, 0, span.start)
    inside = text[span.start : span.end].lower().startswith("around ")
    if span.found.unit != "day" or not (match or inside):
        return span
    return _Span(
        match.start() if match else span.start, span.end, replace(span.found, soft=max(span.found.soft, 7 * DAY))
    )


def _bound(text: str, span: _Span) -> _Span:
    match = _BOUND.search(text, 0, span.start)
    word = re.sub(r"\s+", " ", match[1].lower()) if match else ""
    inner = span
    words = text[span.start : span.end].split(" ", maxsplit=1)[0].lower()
    if match is None and words in {"since", "until", "till", "by"}:
        word, match = words, re.compile(r"").match(text, span.start)
    if match is None or span.found.weak:
        return span
    apart = _DISTANCE.search(text, 0, match.start()) if word in {"before", "after"} else None
    if apart is not None:
        return _apart(text, inner, "before" if word == "before" else "after", apart)
    window = inner.found.window
    if word in {"since", "ever since"}:
        window = Window(window.start, None)
    elif word == "after":
        window = Window(window.end, None)
    elif word in {"before", "prior to"}:
        window = Window(None, window.start)
    else:
        window = Window(None, window.end)
    return _Span(match.start(), span.end, replace(span.found, window=window, unit="stretch"))


def _apart(text: str, span: _Span, relation: Relation, apart: re.Match[str]) -> _Span:
    """Read "the day before Christmas", "two weeks after 12 May"."""
    event = span.found.window
    its_day = _ITS_DAY.get(text[span.start : span.end].rsplit(" ", maxsplit=1)[-1].lower())
    if its_day is not None and event.start is not None:
        event = calendar.feast_of(event.start, event.start.year, its_day) or event
    made = relate(relation, read_distance(apart), event, timedelta(0))
    if made is None:
        return span
    return _Span(apart.start(), span.end, replace(span.found, window=made[0], unit="stretch", soft=made[1]))


def _join_ranges(text: str, spans: Sequence[_Span]) -> list[_Span]:
    """Join "between A and B" and "from A to B"; what stands between them decides."""
    joined: list[_Span] = []
    for span in spans:
        made = _range(text, joined[-1], span) if joined else None
        if made is not None:
            joined[-1] = made
        else:
            joined.append(_days_to(text, span))
    return joined


def _range(text: str, first: _Span, second: _Span) -> _Span | None:
    opened = _BETWEEN.search(text, 0, first.start)
    if opened is None or first.found.repeating or second.found.repeating:
        return None
    between = text[first.end : second.start] + ("" if second.start > first.end else " ")
    if not _JOIN[opened[1].lower()].fullmatch(between) and not re.fullmatch(r"\s+", between):
        return None
    start, end = first.found.window.start, second.found.window.end
    if start is None or end is None:
        return None
    if not re.search(r"\d{4}", text[first.start : first.end]):
        start = _before(start, end, "day" in text[first.start : first.end].lower())
    if end <= start:
        return None
    soft = max(first.found.soft, second.found.soft)
    made = replace(second.found, window=Window(start, end), unit="stretch", soft=soft, weak=False)
    return _Span(opened.start(), second.end, made)


def _before(start: datetime, end: datetime, weekday: bool) -> datetime:
    """Move the first of two ends, which was chosen by itself, to its last occurrence before the second."""
    step = relativedelta(weeks=1) if weekday else relativedelta(years=1)
    while start >= end:
        start -= step
    while start + step < end:
        start += step
    return start


def _days_to(text: str, span: _Span) -> _Span:
    """Widen "12 May" in "from 3 to 12 May" back to the third."""
    opened = _DAY_TO.search(text, 0, span.start)
    end = span.found.window.end
    if opened is None or end is None or span.found.unit != "day":
        return span
    last = end - DAY
    first = calendar.day_of(last, last.year, last.month, int(opened[2]))
    if first is None or first.start is None or first.start >= last:
        return span
    return _Span(opened.start(), span.end, replace(span.found, window=Window(first.start, end), unit="stretch"))
