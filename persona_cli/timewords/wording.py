"""Times as text: the stamp a model reads and writes, and a window in the words a person would use."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from persona_cli.records import Window
from persona_cli.timewords import calendar

_STAMP = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?)?\s*(?:\([A-Za-z]+\))?\s*"
)


def stamp(moment: datetime) -> str:
    """Return "YYYY-MM-DD HH:MM (Weekday)", the form in which a model is told a time."""
    return f"{moment:%Y-%m-%d %H:%M} ({calendar.WEEKDAYS[moment.weekday()].capitalize()})"


def parse_stamp(text: str, zone: tzinfo) -> datetime | None:
    """Return the moment a stamp names in `zone`; the weekday and the time may be missing, "null" is None."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    try:
        return datetime(year, month, day, int(match[4] or 0), int(match[5] or 0), tzinfo=zone)
    except ValueError:
        return None


def describe(window: Window, at: datetime) -> str:
    """Return a window in words, seen from `at`: "yesterday", "last Sunday", "on 12 May", "in May 2023"."""
    start = window.start and window.start.astimezone(at.tzinfo)
    end = window.end and window.end.astimezone(at.tzinfo)
    if start is None:
        return f"until {_date(end - timedelta(seconds=1), at)}" if end else "at some time"
    if end is None:
        return f"since {_date(start, at)}"
    length = end - start
    if length <= timedelta(hours=30):
        return _day(start, end, at)
    if length.days == 7 and start.weekday():
        return f"around {_date(start + length / 2, at)}"
    return _named_stretch(start, end, at) or f"between {_date(start, at)} and {_date(end - timedelta(seconds=1), at)}"


def _day(start: datetime, end: datetime, at: datetime) -> str:
    distance, part = (start.date() - at.date()).days, _part(start, end)
    if distance == 0:
        return {"": "today", "night": "tonight"}.get(part, f"this {part}")
    if (distance, part) == (-1, "night"):
        return "last night"
    if abs(distance) > 7:
        return f"on {_date(start, at)}"
    weekday = calendar.WEEKDAYS[start.weekday()].capitalize()
    far = {7: f"next {weekday}", -1: "yesterday", 1: "tomorrow"}
    return f"{far.get(distance, f'last {weekday}' if distance < 0 else f'on {weekday}')} {part}".rstrip()


def _part(start: datetime, end: datetime) -> str:
    hours = (start.hour, start.hour + round((end - start).total_seconds() / 3600))
    return next((name for name, span in calendar.PARTS.items() if span == hours and name != "lunchtime"), "")


def _date(moment: datetime | None, at: datetime) -> str:
    assert moment is not None
    month = calendar.MONTHS[moment.month - 1].capitalize()
    return f"{moment.day} {month}" + (f" {moment.year}" if _far(moment, at) else "")


def _far(moment: datetime, at: datetime) -> bool:
    return moment.year != at.year


def _named_stretch(start: datetime, end: datetime, at: datetime) -> str:
    window, weeks = Window(start, end), _weeks(start, at)
    month = calendar.MONTHS[start.month - 1].capitalize()
    weekend = {-1: "last weekend", 0: "this weekend", 1: "next weekend"}
    week = {-1: "last week", 0: "this week", 1: "next week"}
    names = [
        (calendar.months(start), f"in {month}" + (f" {start.year}" if _far(start, at) else "")),
        (calendar.years(start), f"in {start.year}"),
        (calendar.years(start, 0, end.year - start.year), f"between {start.year} and {end.year - 1}"),
        (calendar.weekend(start), weekend.get(weeks, f"on the weekend of {_date(start, at)}")),
        (calendar.week(start), week.get(weeks, f"in the week of {_date(start, at)}")),
    ]
    seasons = ("spring", "summer", "autumn", "winter")
    names += [(calendar.season_of(start, start.year, name), f"in the {name} of {start.year}") for name in seasons]
    return next((name for named, name in names if named == window), "")


def _weeks(start: datetime, at: datetime) -> int:
    first, now = calendar.week(start).start, calendar.week(at).start
    assert first is not None
    assert now is not None
    return round((first.date() - now.date()).days / 7)
