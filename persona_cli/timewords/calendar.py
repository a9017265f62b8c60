"""Calendar arithmetic: days, weeks, months, quarters and seasons as windows in the zone of a given moment.

Adding a timedelta to an aware datetime is wall-clock arithmetic in Python, which is what people mean: "two
days ago" is the same hour across a change to summer time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
PARTS = {
    "morning": (5, 12),
    "noon": (11, 14),
    "lunchtime": (11, 14),
    "afternoon": (12, 18),
    "evening": (17, 24),
    "night": (18, 29),
}
"""Parts of a day by their hours; the night goes on until five."""

YEARS = range(1, 9999)


def midnight(at: datetime) -> datetime:
    """Return the first moment of the day of `at`."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def days(at: datetime, offset: int = 0, count: int = 1) -> Window:
    """Return `count` whole days, the first `offset` days from the day of `at`."""
    start = midnight(at) + timedelta(days=offset)
    return Window(start, start + timedelta(days=count))


def week(at: datetime, offset: int = 0) -> Window:
    """Return the week of `at`, Monday to Sunday, or one `offset` weeks away."""
    return days(at, 7 * offset - at.weekday(), 7)


def weekend(at: datetime, offset: int = 0) -> Window:
    """Return Saturday and Sunday of the week of `at`, or of one `offset` weeks away."""
    return days(at, 7 * offset - at.weekday() + 5, 2)


def months(at: datetime, offset: int = 0, count: int = 1) -> Window:
    """Return `count` calendar months, the first `offset` months from the month of `at`."""
    first = midnight(at).replace(day=1)
    return Window(first + relativedelta(months=offset), first + relativedelta(months=offset + count))


def years(at: datetime, offset: int = 0, count: int = 1) -> Window:
    """Return `count` calendar years, the first `offset` years from the year of `at`."""
    return months(midnight(at).replace(month=1, day=1), 12 * offset, 12 * count)


def quarter_of(at: datetime, year: int, number: int, count: int = 1) -> Window:
    """Return `count` quarters of `year`, the first the one of that number, 1 to 4."""
    return months(midnight(at).replace(year=year, month=3 * number - 2, day=1), 0, 3 * count)


def day_of(at: datetime, year: int, month: int, day: int) -> Window | None:
    """Return the day of that date in the zone of `at`, or None where the calendar has none."""
    try:
        return days(midnight(at).replace(year=year, month=month, day=day))
    except ValueError:
        return None


def month_of(at: datetime, year: int, month: int) -> Window:
    """Return that month in the zone of `at`."""
    return months(midnight(at).replace(year=year, month=month, day=1))


def season_of(at: datetime, year: int, name: str) -> Window:
    """Return a season of the northern half, by whole months; winter begins in December of `year`."""
    return months(midnight(at).replace(year=year, month=SEASONS[name], day=1), 0, 3)


def part_of(day: Window, name: str) -> Window:
    """Return the morning, evening ... of a day."""
    assert day.start is not None
    first, last = PARTS[name]
    return Window(day.start + timedelta(hours=first), day.start + timedelta(hours=last))


def beginning(window: Window) -> datetime:
    """Return the start of a window that has one, as all that are made here do."""
    assert window.start is not None
    return window.start


Yearly = Callable[[int], Window | None]


def ended(occurrences: Iterable[Window], at: datetime) -> Window | None:
    """Return the last occurrence that is over; occurrences come in order."""
    return max(
        (occurrence for occurrence in occurrences if occurrence.end and occurrence.end <= at),
        key=beginning,
        default=None,
    )


def begun(occurrences: Iterable[Window], at: datetime) -> Window | None:
    """Return the last occurrence that has begun."""
    return max(
        (occurrence for occurrence in occurrences if occurrence.start and occurrence.start <= at),
        key=beginning,
        default=None,
    )


def coming(occurrences: Iterable[Window], at: datetime) -> Window | None:
    """Return the first occurrence that has not begun."""
    return min(
        (occurrence for occurrence in occurrences if occurrence.start and occurrence.start > at),
        key=beginning,
        default=None,
    )


def unfinished(occurrences: Iterable[Window], at: datetime) -> Window | None:
    """Return the first occurrence that is not over."""
    return min(
        (occurrence for occurrence in occurrences if occurrence.end and occurrence.end > at),
        key=beginning,
        default=None,
    )


def nearest(occurrences: Iterable[Window], at: datetime) -> Window | None:
    """Return the occurrence closest to `at`."""
    return min(occurrences, key=lambda one: abs(beginning(one) - at), default=None)


def yearly(at: datetime, make: Yearly, reach: int = 2) -> tuple[Window, ...]:
    """Return what `make` gives for the years around `at`."""
    around = range(max(YEARS[0], at.year - reach), min(YEARS[-1] - 1, at.year + reach) + 1)
    return tuple(window for year in around if (window := make(year)) is not None)


def weekly(at: datetime, weekday: int, reach: int = 3) -> tuple[Window, ...]:
    """Return that day of each of the weeks around `at`."""
    return tuple(days(at, 7 * offset + weekday - at.weekday()) for offset in range(-reach, reach + 1))
