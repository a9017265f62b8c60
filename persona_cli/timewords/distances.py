"""So far from now or from a day: "two weeks ago", "a week last Monday", "this time last year"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import (
    DAY,
    SOFT,
    Found,
    Match,
    Unit,
    around,
    found,
    group,
    month_number,
    number,
    span,
    unit_of,
    weekday_number,
)
from persona_cli.timewords.feasts import feast_of
from persona_cli.timewords.phrase import Direction

_ROUGH = {"few", "some", "several"}
_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1, "": 0}
_WEEKS = {"week": 1, "fortnight": 2}
_PARTS = {"half": 30, "quarter": 15, "quarter of": 15, "three quarters of": 45}


def ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "two weeks ago", "a year and a half ago"."""
    unit, count = unit_of(match), number(match["count"])
    moment = at - span(unit, count)
    if match["half"] or match["half2"]:
        moment -= (moment - (moment - span(unit, 1))) / 2
    if unit == "day" and group(match, "count") in _ROUGH:
        return found(calendar.days(moment, -1, 3), "stretch", "past", DAY)
    return around(moment, unit, count, "past")


def ago_to_the_day(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "a year ago today", "two weeks ago yesterday", "a week ago Friday", "a year ago this month"."""
    moment = at - span(unit_of(match), number(match["count"]))
    if size := group(match, "size"):
        make = {"week": calendar.week, "month": calendar.months, "weekend": calendar.weekend}[size]
        return found(make(moment), "weekend" if size == "weekend" else "week" if size == "week" else "month", "past")
    if group(match, "weekday"):
        day = calendar.begun(calendar.weekly(moment - DAY, weekday_number(match)), moment - DAY)
        return found(day, "day", "past", DAY)
    return found(calendar.days(moment, _NEAR[group(match, "near")]), "day", "past")


def half_ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "half a year ago"."""
    smaller = {"year": ("month", 6), "hour": ("minute", 30), "day": ("hour", 12), "month": ("week", 2)}
    half = smaller.get(unit_of(match))
    return None if half is None else around(at - span(*half), half[0], half[1], "past")


def from_now(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "in two weeks", "three days from now"."""
    unit, count = unit_of(match), number(match["count"])
    if unit == "second" or (tense != "future" and unit == "minute") or (tense == "past" and _is_in(match)):
        return None  # "I ran it in two hours" and "it is ready in ten minutes" tell how long, not when
    base = at + DAY if match[0].lower().endswith("tomorrow") else at
    made = around(base + span(unit, count), unit, count, "future")
    if unit in {"week", "fortnight", "month"} and not _is_in(match) and not match[0].lower().endswith("now"):
        return found(calendar.days(base + span(unit, count)), "day", "future")  # counted from a day, so to the day
    return made


def part_from_now(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "in half an hour", "in an hour and a half"."""
    if tense == "past":
        return None
    minutes = _PARTS.get(group(match, "part").removeprefix("a ").replace("-", " "), 0)
    if whole := group(match, "whole") or group(match, "whole2"):
        minutes = 60 * number(whole) + _PARTS[group(match, "more") or group(match, "more2")]
    return around(at + timedelta(minutes=minutes), "minute", minutes, "future")


def _is_in(match: Match) -> bool:
    return match[0].lower().startswith("in")


def weeks_from_day(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "a week last Monday", "a week on Friday", "Thursday week", "a fortnight tomorrow"."""
    count = number(group(match, "count") or "one") * _WEEKS[group(match, "size")]
    near = group(match, "near")
    back = bool(group(match, "back")) or near == "yesterday" or (near == "today" and tense == "past")
    if near:
        day: Window | None = calendar.days(at, _NEAR[near])
    else:
        days = calendar.weekly(at, weekday_number(match))
        day = calendar.ended(days, at) if back else calendar.coming(days, at)
    if day is None:
        return None
    start = calendar.beginning(day) + timedelta(weeks=-count if back else count)
    return found(calendar.days(start), "day", "past" if back else "future")


def this_time(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "this time last year", "on this day in 2019", "this time tomorrow"."""
    exact = group(match, "what") != "time"
    if near := group(match, "near"):
        return found(calendar.days(at, _NEAR[near]), "day", "past" if near == "yesterday" else "future")
    if year := group(match, "year"):
        day = calendar.day_of(at, int(year), at.month, at.day)
        return found(day, "day", "any")
    if many := group(match, "many"):
        count, unit, back = number(match["count"]), many, True
    else:
        count, unit, back = 1, group(match, "unit"), group(match, "way") == "last"
    if unit in calendar.WEEKDAYS:
        chosen = (calendar.ended if back else calendar.coming)(calendar.weekly(at, calendar.WEEKDAYS.index(unit)), at)
        return found(chosen, "day", "past" if back else "future")
    there = at - span(unit, count) if back else at + span(unit, count)
    soft = SOFT["day"] if exact or unit in {"day", "week"} else 14 * DAY if unit == "year" else 4 * DAY
    return found(calendar.days(there), "day", "past" if back else "future", soft)


def weekdays_ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "three Sundays ago", "a couple of Fridays back"."""
    back = 7 * (number(match["count"]) - 1)
    last = calendar.ended(calendar.weekly(at, weekday_number(match)), at)
    return None if last is None else found(calendar.days(calendar.beginning(last), -back), "day", "past")


def yearly_ago(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "two Christmases ago", "three summers ago": the last one that is over counts as one."""
    make, unit = _each_year(match, at)
    over = [year for year in range(at.year - 2, at.year + 1) if (last := make(year)) and last.end and last.end <= at]
    window = make(over[-1] + 1 - number(match["count"]))
    return found(window, unit, "past", 2 * DAY if unit == "day" else None)


def yearly_before_last(match: Match, at: datetime, tense: Direction) -> Found | None:
    """Read "the Christmas before last", "the summer after next"."""
    back = "before" in group(match, "way")
    make, unit = _each_year(match, at)
    every = calendar.yearly(at, make, reach=4)
    past = [window for window in every if window.end and window.end <= at]
    ahead = [window for window in every if window.start and window.start > at]
    return found(past[-2], unit, "past") if back else found(ahead[1], unit, "future")


def _each_year(match: Match, at: datetime) -> tuple[Callable[[int], Window | None], Unit]:
    if season := group(match, "season"):
        return (lambda year: calendar.season_of(at, year, season)), "season"
    if feast := group(match, "feast"):
        return (lambda year: feast_of(at, year, feast)), "day"
    month = month_number(match["month"])
    return (lambda year: calendar.month_of(at, year, month)), "month"
