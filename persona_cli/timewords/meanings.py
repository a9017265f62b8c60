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
    Match,
    Unit,
    choose,
    day_number,
    found,
    group,
    month_number,
    number,
    span,
    unit_of,
    way_of,
    weekday_number,
    year_of,
    year_way,
)
from persona_cli.timewords.feasts import feast_of
from persona_cli.timewords.phrase import Direction

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


_RANKS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3} | {
    "last": -1,
    "final": -1,
}
_QUESTION = re.compile(
    r"\?\s{0,9}$|^\s{0,9}(?:what|when|where|who|which|how|do|does|did|will|is|are|am|have|has|can|any\w*)\b",
    re.IGNORECASE,
)
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


def last_units(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the last few days", "over the past month", "the coming weeks": counted from now."""
    unit, way = unit_of(match), group(match, "way")
    word = group(match, "count") or ("few" if group(match, "plural") else "one")
    if unit == "second" or (word == "one" and not group(match, "count") and way != "past"):
        return None  # "last week" is a week of the calendar, "the past week" the last seven days
    length = span(unit, number(word))
    if way in {"next", "coming", "following"}:
        return found(Window(at, at + length), "stretch", "future", (at + length - at) / 8)
    return found(Window(at - length, at), "stretch", "past", (at - (at - length)) / 8)


def _unit_offset(match: Match) -> tuple[int, Direction]:
    word = group(match, "which").split(" ")[-1]
    if word in {"last", "previous", "past"}:
        return -1, "past"
    return (1, "future") if word in {"next", "coming", "following"} else (0, "any")


def calendar_unit(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last week", "this month", "next year": whole ones of the calendar."""
    offset, direction = _unit_offset(match)
    unit = group(match, "unit") or group(match, "unit2")
    if unit == "weekend":
        return weekend(match, at, tense)
    make, size = _WHOLE[unit]
    return found(make(at, offset), size, direction if offset else tense)


def part_before_last(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the night before last"."""
    return found(calendar.part_of(calendar.days(at, -2), group(match, "part")), "moment", "past", 3 * HOUR)


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
    nearest = (calendar.ended if back else calendar.coming)(calendar.weekly(at, days), at)
    if nearest is None:
        return None
    moment = calendar.beginning(nearest) + timedelta(weeks=steps)
    if unit == "weekend":
        return found(calendar.weekend(moment), "weekend", direction)
    return found(calendar.days(moment), "day", direction)


def weekday(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "on Sunday", "last Sunday", "Tuesday of last week"."""
    way, direction = way_of(match, tense)
    days = calendar.weekly(at, weekday_number(match))
    week_word = group(match, "week")
    if week_word:
        offset = {"last": -1, "this": 0, "next": 1}[week_word]
        start = calendar.beginning(calendar.week(at, offset))
        return found(calendar.days(start, weekday_number(match)), "day", tense)
    if group(match, "which") == "this":
        # the one of this week, unless that is over and what is said lies ahead
        day = calendar.days(calendar.beginning(calendar.week(at)), weekday_number(match))
        over = tense == "future" and day.end is not None and day.end <= at
        return found(calendar.coming(days, at) if over else day, "day", direction)
    if way == "next" and weekday_number(match) > at.weekday():
        # the coming one, or the one of next week: people differ
        return found(calendar.coming(days, at), "day", direction, 7 * DAY)
    # who means today says today
    return found(choose(days, at, {"past": "last", "any": "future"}.get(way, way)), "day", direction)


def weekday_of_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read the first week, second Sunday, last weekend, last day of a month."""
    month = month_named(match, at, tense) if match["month"] else calendar_unit(match, at, tense)
    if month is None or month.window.start is None or month.window.end is None:
        return None
    start, end, what = month.window.start, month.window.end, group(match, "what")
    rank = _RANKS[group(match, "rank")]
    if what in {"week", "fortnight", "day"}:
        length = {"week": 7, "fortnight": 14}.get(what, 1)
        window = calendar.days(start, length * rank, length) if rank >= 0 else calendar.days(end, -length, length)
        return found(window, "day" if what == "day" else "week", month.direction)
    weekday = 5 if what == "weekend" else calendar.WEEKDAYS.index(what)
    first = (
        start + DAY * ((weekday - start.weekday()) % 7)
        if rank >= 0
        else end - DAY * (1 + (end - DAY - DAY * weekday).weekday() % 7)
    )
    day = first + timedelta(days=7 * max(rank, 0))
    return found(calendar.days(day, 0, 2 if what == "weekend" else 1), "day", month.direction)


def day_of_that_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the 15th of last month", "the first of the month"."""
    offset, direction = _unit_offset(match)
    first = calendar.beginning(calendar.months(at, offset))
    day = calendar.day_of(at, first.year, first.month, day_number(match))
    return found(day, "day", direction if offset else tense)


def month_named(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last May", "May 2023", "May last year"."""
    month, year = month_number(match["month"]), year_of(match, at)
    if year is not None:
        return found(calendar.month_of(at, year, month), "month", year_way(match))
    way, direction = way_of(match, tense)
    if group(match, "which") == "this":
        return found(calendar.month_of(at, at.year, month), "month", direction)
    if way == "last" and match["month"][:3].lower() == calendar.MONTHS[at.month - 1][:3]:
        return found(calendar.month_of(at, at.year - 1, month), "month", "past")
    return found(choose(calendar.yearly(at, lambda y: calendar.month_of(at, y, month)), at, way), "month", direction)


def month_alone(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read a bare month; the words around it decide whether it is one."""
    one = month_named(match, at, tense)
    return None if one is None else replace(one, weak=True)


def date(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "12 May", "May 3rd, 2023", "5 May last year"."""
    month, day, year = month_number(match["month"]), day_number(match), year_of(match, at)
    if year is not None:
        return found(calendar.day_of(at, year, month, day), "day", year_way(match))
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


def slashed(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "23/10/2025" and "10/23/2025"; where day and month cannot be told apart it is no date."""
    one, two = int(match["one"]), int(match["two"])
    if one <= 12 and two <= 12 and one != two:
        return None
    return found(calendar.day_of(at, int(match["y"]), min(one, two), max(one, two)), "day", "any")


def slashed_day(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "by 13/09"; where day and month cannot be told apart it is no date."""
    low, high = sorted((int(match["one"]), int(match["two"])))
    if not 1 <= low <= 12 < high:
        return None
    return found(choose(calendar.yearly(at, lambda y: calendar.day_of(at, y, low, high)), at, tense), "day", tense)


def iso_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "2023-05"."""
    return found(calendar.month_of(at, int(match["y"]), int(match["m"])), "month", "any")


def day_of_month(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "on the 12th"."""
    day = day_number(match)
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


def season(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "last summer", "in the spring of 2021", "summer last year"."""
    name, year = group(match, "season"), year_of(match, at)
    if year is not None:
        return found(calendar.season_of(at, year, name), "season", year_way(match))
    way, direction = way_of(match, tense)
    around_now = calendar.yearly(at, lambda y: calendar.season_of(at, y, name))
    if group(match, "which") == "this":
        way = "any"
    return found(choose(around_now, at, way), "season", direction)


def feast(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "at Christmas", "last Halloween", "Easter 2022", "the August bank holiday weekend"."""
    name, year = group(match, "feast"), year_of(match, at)
    way, direction = ("any", year_way(match)) if year is not None else way_of(match, tense)
    if year is not None:
        window = feast_of(at, year, name)
    else:
        way = "any" if group(match, "which") == "this" else way
        window = choose(calendar.yearly(at, lambda y: feast_of(at, y, name)), at, way)
    if window is not None and group(match, "long"):
        window = calendar.days(calendar.beginning(window), -2, 3)
    if window is None or window.end is None:
        return None
    lasts = window.end - calendar.beginning(window)
    # a stay of weeks is more vague than a day, and has its beginning and its end
    return found(window, "season" if lasts > 10 * DAY else "day", direction, max(2 * DAY, lasts / 4))


def vague(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "recently", "the other day", "a while ago": wide, and softer than wide."""
    name = group(match, "vague")
    if name == "soon" and not _QUESTION.search(match.string):
        return None  # who says "I'll be visiting soon" names no time; who asks what is soon wants the coming weeks
    first, last, soft = VAGUE[name]
    window = Window(at + DAY * first, at + DAY * last)
    return found(window, "stretch", "future" if first >= 0 else "past", DAY * soft)


def repeating(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "twice a week", "every morning": no window can be named."""
    return Found(Window(), "stretch", "any", timedelta(0), repeating=True)


def every_weekday(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "every Thursday", "on Thursdays": the next one."""
    window = calendar.unfinished(calendar.weekly(at, weekday_number(match)), at)
    return None if window is None else Found(window, "stretch", "any", timedelta(0), repeating=True)
