"""What every meaning is made of: a match becomes a window with a size, a softness and a direction.

A rule knows nothing of the words around it: "since", "early", "morning", "at 5" are put on top by scanning.py.
A bare month or year is `weak`: "may", "march" and "2021" are times only beside a word that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.phrase import Direction

Unit = Literal["moment", "day", "week", "weekend", "month", "season", "year", "stretch"]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SOFT: dict[str, timedelta] = {
    "moment": HOUR,
    "day": 6 * HOUR,
    "week": 2 * DAY,
    "weekend": DAY,
    "month": 5 * DAY,
    "season": 21 * DAY,
    "year": 30 * DAY,
    "stretch": 2 * DAY,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule made of its match."""

    window: Window
    unit: Unit
    direction: Direction
    soft: timedelta
    weak: bool = False
    repeating: bool = False


def found(window: Window | None, unit: Unit, direction: Direction, soft: timedelta | None = None) -> Found | None:
    """Return a `Found` with the softness of its unit, or None where there is no window."""
    return None if window is None else Found(window, unit, direction, SOFT[unit] if soft is None else soft)


Match = re.Match[str]
Build = Callable[[Match, datetime, Direction], Found | None]
"""From a match, the present moment and the tense around it."""

_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_NUMBERS = {word: value for value, word in enumerate(_WORDS.split(), 1)} | {
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "dozen": 12,
    "hundred": 100,
    "a": 1,
    "an": 1,
    "couple": 2,
    "few": 3,
    "some": 3,
    "several": 4,
    "many": 5,
}
_DIGITS = r"(?<!\d[.,])(?:\d{1,3}(?:,\d{3})+|\d{1,4})(?![.,]?\d)"
_TENS = r"(?:twenty|thirty|forty|fifty)[\s-](?:one|two|three|four|five|six|seven|eight|nine)"
_HUNDREDS = r"(?:one|two|three|four|five|six|seven|eight|nine) hundred"
NUMBER = rf"(?:{_DIGITS}|{_HUNDREDS}|{_TENS}|half a dozen|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
_UNEVEN = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_UNEVEN |= {"twentieth": 20, "thirtieth": 30}
_UNITS = {"min": "minute", "sec": "second", "hr": "hour", "wk": "week", "mth": "month", "yr": "year"}


def number(word: str) -> int:
    """Return the number a word of `NUMBER` stands for."""
    word = re.sub(r"\s+", " ", word.lower())
    if word[0].isdigit():
        return int(word.replace(",", ""))
    if word == "half a dozen":
        return 6
    parts = [_NUMBERS[part] for part in re.split(r"[ -]", word)]
    return parts[0] * parts[1] if parts[1:] == [100] else sum(parts)


def day_number(match: re.Match[str]) -> int:
    """Return the day of the month that a match names in figures or as "twenty-third"."""
    if word := group(match, "rank_day"):
        *tens, last = re.split(r"[ -]", word)
        return sum(_NUMBERS[ten] for ten in tens) + (_UNEVEN.get(last) or _NUMBERS[last.removesuffix("th")])
    return int(group(match, "day"))


def unit_of(match: re.Match[str]) -> str:
    """Return the unit of a match by its whole name: "wks" is "week"."""
    word = match["unit"].lower()
    return _UNITS.get(word.rstrip("s"), word)


def group(match: re.Match[str], name: str) -> str:
    """Return a group in lower case with single blanks, "" where the rule has none or it is empty."""
    return re.sub(r"\s+", " ", (match.groupdict().get(name) or "").lower())


def year_of(match: re.Match[str], at: datetime) -> int | None:
    """Return the year a match names: "2021", "'21", "last year", "two years ago"; None where it names none."""
    if group(match, "year"):
        return int(group(match, "year"))
    if short := group(match, "short_year"):
        return at.year // 100 * 100 + int(short) - (100 if int(short) > at.year % 100 + 20 else 0)
    if way := group(match, "year_way"):
        return at.year + {"last": -1, "this": 0, "next": 1}[way]
    if group(match, "year_two"):
        return at.year - 2
    back = group(match, "years_ago")
    return at.year - number(back) if back else None


def year_way(match: re.Match[str]) -> Direction:
    """Return which way the year of a match lies, "any" where it is a number."""
    if group(match, "year_way") in {"last", "next"}:
        return "past" if group(match, "year_way") == "last" else "future"
    return "past" if group(match, "year_two") or group(match, "years_ago") else "any"


def month_number(word: str) -> int:
    """Return 1 to 12 for a month's name or its first letters."""
    return next(i for i, name in enumerate(calendar.MONTHS, 1) if name.startswith(word.lower().rstrip(".")[:3]))


def weekday_number(match: re.Match[str]) -> int:
    """Return 0 for Monday to 6 for Sunday."""
    word = (group(match, "weekday") or group(match, "short"))[:3]
    return next(i for i, name in enumerate(calendar.WEEKDAYS) if name.startswith(word))


def choose(occurrences: tuple[Window, ...], at: datetime, way: str) -> Window | None:
    """Return the occurrence that "last", "next", "this" or a tense asks for."""
    pick = {
        "last": calendar.ended,
        "past": calendar.begun,
        "next": calendar.coming,
        "future": calendar.unfinished,
    }.get(way, calendar.nearest)
    return pick(occurrences, at)


def way_of(match: re.Match[str], tense: Direction) -> tuple[str, Direction]:
    """Return how to choose, and the direction, from "last", "next", "this" or else the tense."""
    word = group(match, "which").split(" ")[-1]
    if word in {"last", "past", "previous"}:
        return "last", "past"
    if word in {"next", "coming", "upcoming", "following"}:
        return "next", "future"
    return tense, tense


def span(unit: str, count: int) -> relativedelta:
    """Return `count` units as something to add to a date."""
    unit, count = {"night": ("day", count), "weekend": ("week", count)}.get(unit, (unit, count))
    unit, count = {"fortnight": ("week", 2 * count), "decade": ("year", 10 * count)}.get(unit, (unit, count))
    return relativedelta(**{f"{unit}s": count})  # type: ignore[arg-type]  # the stubs name each keyword


def around(moment: datetime, unit: str, count: int, direction: Direction) -> Found:
    """Return the stretch meant by "three weeks ago" at that moment: the coarser the unit, the wider."""
    made: dict[str, tuple[Window, Unit, timedelta]] = {
        "minute": (Window(moment - HOUR / 6, moment + HOUR / 6), "moment", HOUR),
        "hour": (Window(moment - HOUR / 2, moment + HOUR / 2), "moment", HOUR * (1 + count / 3)),
        "day": (calendar.days(moment), "day", DAY * (count // 2) if count > 1 else SOFT["day"]),
        "weekend": (calendar.weekend(moment), "weekend", SOFT["weekend"]),
        "week": (calendar.days(moment, -3, 7), "stretch", DAY * (1 + count)),
        "month": (calendar.months(moment), "month", DAY * min(10 + 5 * count, 60)),
        "year": (calendar.years(moment), "year", DAY * min(60 + 30 * count, 365)),
    }
    same = {"second": "minute", "night": "day", "fortnight": "week", "decade": "year"}
    window, size, soft = made[same.get(unit, unit)]
    return Found(window, size, direction, soft)
