"""What a matched phrase means: one function per family of phrases, from its match to a window."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import (
    DAY,
    HOUR,
    Found,
    Unit,
    around,
    choose,
    found,
    month_number,
    number,
    span,
    way_of,
    weekday_number,
)
from persona_cli.timewords.phrase import Direction

Match = re.Match[str]

_NEAR_DAYS = {
    "today": 0,
    "yesterday": -1,
    "tomorrow": 1,
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}
_NOW = 1 / 96  # a quarter of an hour, in days: what is meant is not over yet
VAGUE = {
    # name: days from, days to, softness in days
    "recently": (-30, _NOW, 30),
    "lately": (-30, _NOW, 30),
    "these days": (-30, _NOW, 30),
    "the other day": (-8, 0, 6),
    "the other night": (-8, 0, 6),
    "the other evening": (-8, 0, 6),
    "the other week": (-21, -4, 10),
    "the other month": (-75, -20, 20),
    "a while ago": (-365, -14, 120),
    "a while back": (-365, -14, 120),
    "some time ago": (-365, -14, 120),
    "a long time ago": (-3650, -180, 120),
    "long ago": (-3650, -180, 120),
    "ages ago": (-3650, -120, 120),
    "years ago": (-3650, -500, 365),
    "months ago": (-365, -40, 30),
    "weeks ago": (-60, -9, 7),
    "days ago": (-10, -1, 3),
    "just now": (-_NOW * 4, _NOW, 0.1),
    "a moment ago": (-_NOW * 4, _NOW, 0.1),
    "soon": (0, 30, 30),
}


_ROUGH = {"few", "some", "several"}
_WHOLE: dict[str, tuple[Callable[[datetime, int], Window], Unit]] = {
    "week": (calendar.week, "week"),
    "month": (calendar.months, "month"),
    "year": (calendar.years, "year"),
}


def near_day(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "yesterday", "the day after tomorrow"."""
    offset = _NEAR_DAYS[re.sub(r"\s+", " ", match[0].lower())]
    direction: Direction = "past" if offset < 0 else "future" if offset > 0 else tense
    return found(calendar.days(at, offset), "day", direction)


def this_part(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "this morning", "tonight", "last night"."""
    words = re.sub(r"\s+", " ", match[0].lower())
    if words in {"last night", "yesternight"}:
        return found(calendar.part_of(calendar.days(at, -1), "night"), "moment", "past", 3 * HOUR)
    part = "evening" if words in {"tonight", "this evening"} else words.split()[-1]
    return found(calendar.part_of(calendar.days(at), part), "moment", tense, 2 * HOUR)


def earlier_today(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "earlier today" and "later today": up to now, or from now."""
    today = calendar.days(at)
    if match["side"].lower() == "earlier":
        # at midnight sharp the day has no past yet: times are minutes
        until = at + timedelta(minutes=1) if at == today.start else at
        return found(Window(today.start, until), "moment", "past", HOUR)
    return found(Window(at, today.end), "moment", "future", HOUR)


def ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "two weeks ago", "a year and a half ago"."""
    unit, count = match["unit"].lower(), number(match["count"])
    moment = at - span(unit, count)
    if match["half"] or match["half2"]:
        moment -= (moment - (moment - span(unit, 1))) / 2
    if unit == "day" and match["count"].lower() in _ROUGH:
        return found(calendar.days(moment, -1, 3), "stretch", "past", DAY)
    return around(moment, unit, count, "past")


def half_ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "half a year ago"."""
    unit = match["unit"].lower()
    smaller = {"year": ("month", 6), "hour": ("minute", 30), "day": ("hour", 12), "month": ("week", 2)}.get(unit)
    return None if smaller is None else around(at - span(*smaller), smaller[0], smaller[1], "past")


def from_now(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "in two weeks", "three days from now"."""
    unit, count = match["unit"].lower(), number(match["count"])
    if unit in {"second", "minute"} or (tense == "past" and match[0].lower().startswith("in")):
        return None  # "I ran it in two hours" tells how long, not when
    base = at + DAY if match[0].lower().endswith("tomorrow") else at
    return around(base + span(unit, count), unit, count, "future")


def weekdays_ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "three Sundays ago"."""
    back = 7 * (number(match["count"]) - 1)
    last = calendar.ended(calendar.weekly(at, weekday_number(match)), at)
    return None if last is None else found(calendar.days(calendar.beginning(last), -back), "day", "past")


def last_units(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the last few days", "over the past month", "the next two weeks": counted from now."""
    unit, count = match["unit"].lower(), number(match["count"] or "one")
    if unit == "second" or (match["count"] is None and match["way"].lower() != "past"):
        return None  # "last week" is a week of the calendar, "the past week" the last seven days
    length = span(unit, count)
    if match["way"].lower() in {"next", "coming", "following"}:
        return found(Window(at, at + length), "stretch", "future", (at + length - at) / 8)
    return found(Window(at - length, at), "stretch", "past", (at - (at - length)) / 8)


def _unit_offset(match: Match) -> tuple[int, Direction]:
    word = match["which"].lower().split(" ")[-1]
    if word in {"last", "previous", "past"}:
        return -1, "past"
    return (1, "future") if word in {"next", "coming", "following"} else (0, "any")


def calendar_unit(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last week", "this month", "next year": whole ones of the calendar."""
    offset, direction = _unit_offset(match)
    unit = match["unit"].lower()
    if unit == "weekend":
        return weekend(match, at, tense)
    make, size = _WHOLE[unit]
    return found(make(at, offset), size, direction if offset else tense)


def weekend(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last weekend", "at the weekend"."""
    way, direction = way_of(match, tense)
    if way == "next" and at.weekday() < 5:
        # the coming one is "this weekend"; some call it the next, so it is let through too
        return found(calendar.weekend(at, 1), "weekend", direction, 7 * DAY)
    around_now = tuple(calendar.weekend(at, offset) for offset in range(-2, 4))
    return found(choose(around_now, at, "future" if way == "any" else way), "weekend", direction)


def before_last(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the weekend before last", "the week after next"."""
    unit, back = match["unit"].lower(), "before" in match["way"].lower()
    steps = -1 if back else 1
    direction: Direction = "past" if back else "future"
    if unit in _WHOLE:
        make, size = _WHOLE[unit]
        return found(make(at, 2 * steps), size, direction)
    days = calendar.WEEKDAYS.index(unit) if unit in calendar.WEEKDAYS else 5
    one = (calendar.ended if back else calendar.coming)(calendar.weekly(at, days), at)
    if one is None:
        return None
    moment = calendar.beginning(one) + timedelta(weeks=steps)
    if unit == "weekend":
        return found(calendar.weekend(moment), "weekend", direction)
    return found(calendar.days(moment), "day", direction)


def weekday(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "on Sunday", "last Sunday", "Tuesday of last week"."""
    way, direction = way_of(match, tense)
    days = calendar.weekly(at, weekday_number(match))
    week_word = (match.groupdict().get("week") or "").lower()
    if week_word:
        offset = {"last": -1, "this": 0, "next": 1}[week_word]
        start = calendar.beginning(calendar.week(at, offset))
        return found(calendar.days(start, weekday_number(match)), "day", tense)
    if way == "next" and weekday_number(match) > at.weekday():
        # the coming one, or the one of next week: people differ
        return found(calendar.coming(days, at), "day", direction, 7 * DAY)
    # who means today says today
    return found(choose(days, at, {"past": "last", "any": "future"}.get(way, way)), "day", direction)


def weekday_of_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """The first week, second Sunday, last weekend of a month."""
    month = month_named(match, at, tense) if match["month"] else calendar_unit(match, at, tense)
    if month is None or month.window.start is None or month.window.end is None:
        return None
    start, end, what = month.window.start, month.window.end, match["what"].lower()
    rank = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}.get(match["rank"].lower(), 0)
    if what == "week":
        window = calendar.days(start, 7 * rank, 7) if rank >= 0 else calendar.days(end, -7, 7)
        return found(window, "week", month.direction)
    weekday = 5 if what == "weekend" else calendar.WEEKDAYS.index(what)
    first = (
        start + DAY * ((weekday - start.weekday()) % 7)
        if rank >= 0
        else end - DAY * (1 + (end - DAY - DAY * weekday).weekday() % 7)
    )
    day = first + timedelta(days=7 * max(rank, 0))
    return found(calendar.days(day, 0, 2 if what == "weekend" else 1), "day", month.direction)


def month_named(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last May", "May 2023"."""
    month, year = month_number(match["month"]), match.groupdict().get("year")
    if year:
        return found(calendar.month_of(at, int(year), month), "month", "any")
    way, direction = way_of(match, tense)
    if way == "last" and match["month"][:3].lower() == calendar.MONTHS[at.month - 1][:3]:
        return found(calendar.month_of(at, at.year - 1, month), "month", "past")
    return found(choose(calendar.yearly(at, lambda y: calendar.month_of(at, y, month)), at, way), "month", direction)


def month_alone(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read a bare month; the words around it decide whether it is one."""
    one = month_named(match, at, tense)
    return None if one is None else replace(one, weak=True)


def date(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "12 May", "May 3rd, 2023"."""
    month, day, year = month_number(match["month"]), int(match["day"]), match["year"]
    if year:
        return found(calendar.day_of(at, int(year), month, day), "day", "any")
    days = calendar.yearly(at, lambda y: calendar.day_of(at, y, month, day), reach=4)
    return found(choose(days, at, tense), "day", tense)


def iso(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "2023-05-12", with or without a time, and "12.05.2023"."""
    day = calendar.day_of(at, int(match["y"]), int(match["m"]), int(match["d"]))
    if day is None or day.start is None or match["hour"] is None:
        return found(day, "day", "any")
    if int(match["hour"]) > 23 or int(match["minute"]) > 59:
        return None
    moment = day.start + timedelta(hours=int(match["hour"]), minutes=int(match["minute"]))
    return found(Window(moment, moment + HOUR), "moment", "any")


def iso_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "2023-05"."""
    return found(calendar.month_of(at, int(match["y"]), int(match["m"])), "month", "any")


def day_of_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "on the 12th"."""
    day = int(match["day"])
    candidates = tuple(
        one
        for offset in range(-3, 4)
        if (first := calendar.beginning(calendar.months(at, offset)))
        and (one := calendar.day_of(at, first.year, first.month, day)) is not None
    )
    return found(choose(candidates, at, tense), "day", tense)


def year(match: Match, at: datetime, tense: Direction) -> Found:
    """Read a bare year; the words around it decide whether it is one."""
    window = calendar.years(at.replace(month=1, day=1, year=int(match["year"])))
    return Found(window, "year", "any", 30 * DAY, weak=True)


def whole_year(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the year 2021"."""
    return replace(year(match, at, tense), weak=False)


def decade(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the 90s"."""
    tens = int(match["tens"])
    first = int(match["century"] or ("19" if tens > 20 else "20")) * 100 + tens
    return found(calendar.years(at.replace(month=1, day=1, year=first), 0, 10), "year", "past")


def season(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last summer", "in the spring of 2021"."""
    name, year = match["season"].lower(), match["year"]
    if year:
        return found(calendar.season_of(at, int(year), name), "season", "any")
    way, direction = way_of(match, tense)
    around_now = calendar.yearly(at, lambda y: calendar.season_of(at, y, name))
    if (match["which"] or "").lower() == "this":
        way = "any"
    return found(choose(around_now, at, way), "season", direction)


def feast(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "at Christmas", "last Halloween", "Easter 2022"."""
    name = re.sub(r"\s+", " ", match["feast"].lower()).replace("st. ", "st ")
    if match["year"]:
        return found(calendar.feast_of(at, int(match["year"]), name), "day", "any", 2 * DAY)
    way, direction = way_of(match, tense)
    around_now = calendar.yearly(at, lambda y: calendar.feast_of(at, y, name))
    return found(choose(around_now, at, way), "day", direction, 2 * DAY)


def vague(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "recently", "the other day", "a while ago": wide, and softer than wide."""
    first, last, soft = VAGUE[re.sub(r"\s+", " ", match["vague"].lower())]
    window = Window(at + DAY * first, at + DAY * last)
    return found(window, "stretch", "future" if first >= 0 else "past", DAY * soft)


def repeating(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "twice a week", "every morning": no window can be named."""
    return Found(Window(), "stretch", "any", timedelta(0), repeating=True)


def every_weekday(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "every Thursday", "on Thursdays": the next one."""
    window = calendar.unfinished(calendar.weekly(at, weekday_number(match)), at)
    return None if window is None else Found(window, "stretch", "any", timedelta(0), repeating=True)
