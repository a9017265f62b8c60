"""Parts of what the calendar counts: quarters, halves, decades, "the end of the month", "later this week"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import DAY, Found, Match, found, group, year_of
from persona_cli.timewords.phrase import Direction

_RANKS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_STEPS = {"last": -1, "previous": -1, "past": -1, "next": 1, "coming": 1}
_FEW = {"days": 4 * DAY, "weeks": 21 * DAY, "months": 90 * DAY}
_DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")


def quarter(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "Q2", "the third quarter of 2021", "2023 Q4"; without a year the nearest the tense allows."""
    rank = int(group(match, "quarter") or _RANKS.get(group(match, "rank"), 4))
    year = year_of(match, at)
    named = year is not None or " year" in match[0].lower()
    return _of_some_year(lambda one: calendar.quarter_of(at, one, rank), year or at.year, at, tense, named=named)


def half_year(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "H2 2023", "the first half of last year"."""
    first = group(match, "half") in {"1", "first"}
    year = year_of(match, at)
    return _of_some_year(
        lambda one: calendar.quarter_of(at, one, 1 if first else 3, 2),
        year or at.year, at, tense, named=year is not None,
    )  # fmt: skip


def _of_some_year(
    make: Callable[[int], Window], year: int, at: datetime, tense: Direction, *, named: bool
) -> Found | None:
    if not named:
        now = make(year)
        if tense == "past" and now.start and now.start > at:
            year -= 1
        elif tense == "future" and now.end and now.end <= at:
            year += 1
    return found(make(year), "season", "any" if named else tense)


def quarter_now(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the last quarter", "this quarter": of the calendar, counted from the one of today."""
    step = _STEPS.get(group(match, "which"), 0)
    window = calendar.months(at, 3 * step - (at.month - 1) % 3, 3)
    return found(window, "season", "past" if step < 0 else "future" if step > 0 else tense)


def part_of_unit(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the beginning of the year", "the first half of the month", "the end of next week", "mid-week"."""
    unit = group(match, "unit") or group(match, "unit2") or group(match, "unit3")
    part = group(match, "part") or group(match, "part2") or group(match, "part3")
    step = _STEPS.get(group(match, "which").removeprefix("the "), 0)
    direction: Direction = "past" if step < 0 else "future" if step > 0 else tense
    if part == "turn" and at.month > 6:
        step = 1
    window = portion(_whole(unit, at, step), part, unit, at)
    if step == 0 and tense == "past" and window.start and window.start > at:
        window = portion(_whole(unit, at, -1), part, unit, at)
    elif step == 0 and tense == "future" and window.end and window.end <= at:
        window = portion(_whole(unit, at, 1), part, unit, at)
    return found(window, "stretch", direction, _softness(window))


def side_of_unit(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "earlier this year" and "later this week": up to now, or from now."""
    unit = group(match, "unit")
    window = calendar.season_of(at, at.year, unit) if unit in calendar.SEASONS else _whole(unit, at, 0)
    if group(match, "side") != "later":
        end = min(window.end or at, at)
        return found(Window(window.start, end), "stretch", "past") if window.start and window.start < end else None
    start = max(window.start or at, at)
    return found(Window(start, window.end), "stretch", "future") if window.end and start < window.end else None


def decade(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the 90s", "the late 1980s"."""
    tens = int(match["tens"])
    first = int(group(match, "century") or ("19" if tens > 20 else "20")) * 100 + tens
    return _decade(at, first, group(match, "part"))


def decade_in_words(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the nineties", "the early eighties", "the noughties"."""
    word = group(match, "word").replace("-", " ").split()
    if word[-1] in {"noughties", "thousands"}:
        return _decade(at, 2000, group(match, "part"))
    if word[-1] == "tens":
        return _decade(at, 2010, group(match, "part"))
    tens = 20 + 10 * _DECADES.index(word[-1])
    century = 1900 if word[0] == "nineteen" or tens > 20 else 2000
    return _decade(at, century + tens, group(match, "part"))


def _decade(at: datetime, first: int, part: str) -> Found | None:
    # of ten years the first three and a half are early, the last three and a half late
    start, count = {"early": (0, 4), "mid": (3, 4), "late": (6, 4)}.get(part, (0, 10))
    window = calendar.years(calendar.midnight(at).replace(month=1, day=1, year=first), start, count)
    return found(window, "year", "past" if window.end and window.end <= at else "any")


def _whole(unit: str, at: datetime, step: int) -> Window:
    if unit == "quarter":
        return calendar.months(at, 3 * step - (at.month - 1) % 3, 3)
    if unit == "decade":
        return calendar.years(at, 10 * step - at.year % 10, 10)
    return {"week": calendar.week, "month": calendar.months, "year": calendar.years}[unit](at, step)


def portion(window: Window, part: str, unit: str, at: datetime | None = None) -> Window:
    """Return the part of a week, month, season, year or decade that is called so; `at` is where its rest begins.

    The beginning of a week is two days, of a month ten, of a year three months; what is early, mid or late is a third.
    """
    start, end = calendar.beginning(window), window.end
    assert end is not None
    length = end - start
    third, half = DAY * (length.days // 3), DAY * (length.days // 2)
    first, last, middle = start + third, end - third, start + half
    if unit == "year" and length.days < 370:
        middle = calendar.beginning(calendar.quarter_of(start, start.year, 3))
        if part in {"beginning", "start", "end", "first part", "last part"}:
            first, last = start + relativedelta(months=3), end - relativedelta(months=3)
    if unit == "week":
        first, last = start + 2 * DAY, end - 3 * DAY
    if few := re.fullmatch(r"(first|last)(?: few)? (days|weeks|months)", part):
        size = min(_FEW[few[2]], length)
        return Window(start, start + size) if few[1] == "first" else Window(end - size, end)
    ways = {
        "first half": Window(start, middle),
        "second half": Window(middle, end),
        "last half": Window(middle, end),
        "latter half": Window(middle, end),
        "middle": Window(first, last),
        "mid": Window(first, last),
        "late": Window(last, end),
        "end": Window(last, end),
        "last part": Window(last, end),
        "rest": Window(max(start, at or start), end),
        "turn": Window(start - 7 * DAY, start + 7 * DAY),
    }
    return ways.get(part, Window(start, first))


def _softness(window: Window) -> timedelta:
    assert window.end is not None
    return max(DAY, (window.end - calendar.beginning(window)) / 6)
