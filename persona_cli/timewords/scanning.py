"""From a text to its time phrases: every rule that can apply is tried, and the longest match at each place wins.

The words around a phrase then count (surroundings.py), and what stands side by side is joined: "between ... and ...",
"from ... to ...", "in 2023 and 2024". A weak phrase (a bare month or year) stands only with a word that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import DAY, Found, Unit
from persona_cli.timewords.feasts import day_of_feast, feast_of, is_feast
from persona_cli.timewords.phrase import Direction, TimePhrase
from persona_cli.timewords.rules import Rule, rules, rules_for
from persona_cli.timewords.spelling import respell
from persona_cli.timewords.surroundings import Stretch, around, leading, modify
from persona_cli.timewords.tense import lean

READ_FIRST, READ_LAST = 12_000, 4_000
"""Characters of a text that are read for time words: of a page that is pasted its start and its end, where what is
asked about it stands."""
_FAR = 500
"""Years from which on a time is taken for none: "in 500,000 days"."""
_LISTED = frozenset({"day", "month", "season", "year"})
"""What is joined in a list: "Monday and Tuesday", "in May and June", "in 2023 and 2024"."""


def unread(text: str) -> int:
    """Return how many characters of a text are not read for time words."""
    return max(0, len(text) - READ_FIRST - READ_LAST)


def scan(text: str, at: datetime, otherwise: Direction) -> tuple[TimePhrase, ...]:
    """Return the phrases of `text` in order; `otherwise` is the tense where the text shows none."""
    respelt = respell(text)
    read = respelt.text
    spans = _join(read, [_within_calendar(read, span, at) for span in _atoms(read, at, otherwise)])
    return tuple(
        TimePhrase(
            text=text[respelt.place(span.start) : respelt.place(span.end)],
            start=respelt.place(span.start),
            end=respelt.place(span.end),
            window=span.found.window,
            soft=span.found.soft,
            direction=span.found.direction,
            repeating=span.found.repeating,
        )
        for span in spans
        if not span.found.weak
    )


def _atoms(text: str, at: datetime, otherwise: Direction) -> list[Stretch]:
    candidates = []
    for order, match in _matches(text):
        tense = lean(text, match.start(), match.end())
        made = _meaning(rules()[order], match, at, otherwise if tense == "any" else tense)
        if made is not None:
            candidates.append((match.start(), -match.end(), order, made))
    spans: list[Stretch] = []
    for start, end, _, made in sorted(candidates, key=lambda candidate: candidate[:3]):
        if not spans or start >= spans[-1].end:
            spans.append(Stretch(start, -end, made))
    return spans


@lru_cache(maxsize=64)
def _matches(text: str) -> tuple[tuple[int, re.Match[str]], ...]:
    """Return where each rule, by its place, finds something; one question is scanned four times."""
    return tuple(
        (order, match)
        for order, rule in rules_for(text)
        for start, end in _read_parts(text)
        for match in rule.pattern.finditer(text, start, end)
    )


def _read_parts(text: str) -> Iterator[tuple[int, int]]:
    if unread(text):
        yield 0, READ_FIRST
        yield len(text) - READ_LAST, len(text)
    else:
        yield 0, len(text)


def _meaning(rule: Rule, match: re.Match[str], at: datetime, tense: Direction) -> Found | None:
    """Return what a match means, None where that is no time or lies outside the calendar: "in 500,000 days"."""
    try:
        made = rule.meaning(match, at, tense)
    except (OverflowError, ValueError):
        return None
    return None if made is None or _is_far(made.window, at) else made


def _within_calendar(text: str, span: Stretch, at: datetime) -> Stretch:
    """Apply the words around one phrase; where they lead out of the calendar, leave it as it is."""
    try:
        made = modify(text, span)
    except (OverflowError, ValueError):
        return span
    return span if _is_far(made.found.window, at) else made


def _is_far(window: Window, at: datetime) -> bool:
    """Tell whether a window is nobody's past or future; near the ends of the calendar nothing can be added to it."""
    moments = [moment for moment in (window.start, window.end) if moment is not None]
    return any(not 2 <= moment.year <= 9990 or abs(moment.year - at.year) > _FAR for moment in moments)


def _join(text: str, spans: Sequence[Stretch]) -> list[Stretch]:
    """Join ranges and lists; what stands between two phrases decides."""
    joined: list[Stretch] = []
    for span in spans:
        made = (_range(text, joined[-1], span) or _list(text, joined[-1], span)) if joined else None
        if made is None:
            joined.append(_days_to(text, span))
        else:
            joined[-1:] = made
    return joined


def _range(text: str, first: Stretch, second: Stretch) -> list[Stretch] | None:
    """Read "between A and B" and "from A to B"."""
    opened = leading("between", text, first.start)
    if opened is None or first.found.repeating or second.found.repeating:
        return None
    between = text[first.end : second.start] + ("" if second.start > first.end else " ")
    if not around(f"join_{opened[1].lower()}").fullmatch(between) and not re.fullmatch(r"\s+", between):
        return None
    start, end = first.found.window.start, second.found.window.end
    if start is None or end is None:
        return None
    if opened[1].lower() == "between" and is_feast(text[first.start : first.end]) and second.found.window.start:
        its_day = feast_of(
            start, start.year, day_of_feast(text[first.start : first.end]) or text[first.start : first.end]
        )
        start, end = (its_day and its_day.end) or start, second.found.window.start  # the days that lie between
    if not _has_year(text, first):
        start = _before(start, end, "day" in text[first.start : first.end].lower())
    if end <= start:
        return None
    soft = max(first.found.soft, second.found.soft)
    made = replace(second.found, window=Window(start, end), unit="stretch", soft=soft, weak=False)
    return [Stretch(opened.start(), second.end, made)]


def _list(text: str, first: Stretch, second: Stretch) -> list[Stretch] | None:
    """Read "in 2023 and 2024" as one stretch, and "in 2020 and 2023" as two that share their preposition."""
    units = {first.found.unit, second.found.unit}
    if first.found.weak or first.found.repeating or len(units) > 1 or not units <= _LISTED:
        return None
    if not around("also").fullmatch(text[first.end : second.start]):
        return None
    start, end = first.found.window.start, second.found.window.start
    if start is None or end is None or first.found.window.end is None or second.found.window.end is None:
        return None
    if "day" not in units and not _has_year(text, first):
        moved = _before(start, second.found.window.end, weekday=False)
        first = replace(first, found=replace(first.found, window=_moved(first.found.window, moved)))
    if first.found.window.end != end:
        return None if "day" in units else [first, replace(second, found=replace(second.found, weak=False))]
    window = Window(first.found.window.start, second.found.window.end)
    unit: Unit = "stretch" if "day" in units else first.found.unit
    return [Stretch(first.start, second.end, replace(first.found, window=window, unit=unit))]


def _moved(window: Window, start: datetime) -> Window:
    assert window.start is not None
    assert window.end is not None
    return Window(start, window.end + relativedelta(years=start.year - window.start.year))


def _has_year(text: str, span: Stretch) -> bool:
    return re.search(r"\d{4}", text[span.start : span.end]) is not None


def _before(start: datetime, end: datetime, weekday: bool) -> datetime:
    """Move the first of two ends, which was chosen by itself, to its last occurrence before the second."""
    step = relativedelta(weeks=1) if weekday else relativedelta(years=1)
    while start >= end:
        start -= step
    while start + step < end:
        start += step
    return start


def _days_to(text: str, span: Stretch) -> Stretch:
    """Widen "12 May" in "from 3 to 12 May" back to the third."""
    opened = leading("day_to", text, span.start)
    end = span.found.window.end
    if opened is None or end is None or span.found.unit != "day":
        return span
    last = end - DAY
    first = calendar.day_of(last, last.year, last.month, int(opened[2]))
    if first is None or first.start is None or first.start >= last:
        return span
    return Stretch(opened.start(), span.end, replace(span.found, window=Window(first.start, end), unit="stretch"))
