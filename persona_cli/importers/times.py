"""The times of an imported file, which are never guessed: what a file leaves open is an error that names the line.

Whether 5/3/2023 is in March or in May is decided over the whole file, by the lines that can be read in one way only;
where none can, the person says it.
A time without a year, a month or a day is none: nothing is filled in from today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum
from zoneinfo import ZoneInfo

from dateutil import parser as dates

from persona_cli.errors import TransferError

_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([./ -])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([./-])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"\d{8}(?:T?\d{4,6})?(?:Z|[+-]\d{2}:?\d{2})?")
_ZONE = re.compile(r"\s*(?:\[\s*([\w/+-]+)\s*\]|\b([A-Z][A-Za-z]+/[\w/+-]+))$")
_DEFAULTS = (datetime(1904, 1, 1), datetime(2008, 12, 31))
_SIXTIES = 69
"""Two digits up to 68 are of this century, as POSIX has it."""
_LONGEST = 100
"""Characters; no time is longer, and the parser takes quadratic time for some that are."""

_OLDEST_YEAR, _NEWEST_YEAR = 1000, 2999
"""Years a message may be of: near the first and the last that the calendar has, "in a week" is no date."""


class DateOrder(Enum):
    """Which stands first in a date of numbers that ends with its year."""

    DAY_FIRST = "day"
    MONTH_FIRST = "month"


def order_of(written: Iterable[tuple[str, str]], said: DateOrder | None = None) -> DateOrder | None:
    """Return how a file orders day and month, from (place, time) of each line; None where nothing depends on it.

    Raises `TransferError` where the lines contradict each other or what the person `said`, and where nothing tells.
    """
    telling: dict[DateOrder, str] = {}
    open_at = ""
    for place, text in written:
        if (match := _YEAR_LAST.search(text[:_LONGEST])) is None:
            continue
        first, second = int(match[1]), int(match[3])
        if first > 12 >= second:
            telling.setdefault(DateOrder.DAY_FIRST, place)
        elif second > 12 >= first:
            telling.setdefault(DateOrder.MONTH_FIRST, place)
        elif first != second and not open_at:
            open_at = f"{place}: {text!r}"
    if len(telling) > 1:
        raise TransferError(
            f"{telling[DateOrder.DAY_FIRST]} has the day first, and {telling[DateOrder.MONTH_FIRST]} the month",
            fix="Write every date with its year first: 2023-04-27.",
        )
    if said is not None and (other := next((place for order, place in telling.items() if order is not said), "")):
        raise TransferError(
            f"{other} does not have the {said.value} first", fix="Leave the option out: the file itself tells."
        )
    if open_at and not telling and said is None:
        raise TransferError(
            f"{open_at} may have its day or its month first, and no line of the file tells",
            fix="Say it with --day-first or --month-first, or write every date with its year first: 2023-04-27.",
        )
    return next(iter(telling), said)


def parse_time(text: str, order: DateOrder | None, place: str) -> datetime:
    """Return a time that says its year, month and day; without a zone it is in that of this machine.

    Without an hour it is midnight. Raises `TransferError` that names the place for anything else.
    """
    try:
        if len(text) > _LONGEST:
            raise ValueError(text)
        body, zone = _split_zone(_with_year_first(text.strip(), order))
        moment = _whole(body)
        if not _OLDEST_YEAR <= moment.year <= _NEWEST_YEAR:
            raise ValueError(text)
        return (moment if zone is None else moment.replace(tzinfo=zone)).astimezone()
    except _UnknownZone as exc:
        raise TransferError(
            f"{place}: {text!r} has a zone that is not known: {exc}", fix='Write it as "2023-04-27 18:30+02:00".'
        ) from exc
    # decimal.InvalidOperation, which the parser lets through, is an ArithmeticError, as OverflowError is
    except (ValueError, ArithmeticError) as exc:
        raise TransferError(
            f"{place}: {text[:_LONGEST]!r} is no time with year, month and day", fix='Write it as "2023-04-27 18:30".'
        ) from exc


class _UnknownZone(Exception):  # noqa: N818 - never leaves this module
    """A zone by a name that nobody can tell the meaning of."""


def _with_year_first(text: str, order: DateOrder | None) -> str:
    """Return the text with a date of numbers as ISO 8601 has it."""

    def ordered(match: re.Match[str]) -> str:
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if len(match[4]) == 2:
            if match[2] == "-":
                # 24-05-12 may begin with its year
                raise ValueError(text)
            year += 2000 if year < _SIXTIES else 1900
        day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
        return f"{year:04}-{month:02}-{day:02}"

    if found := _YEAR_FIRST.search(text):
        return f"{text[: found.start()]}{found[1]}-{found[3]:0>2}-{found[4]:0>2}{text[found.end() :]}"
    return _YEAR_LAST.sub(ordered, text, count=1)


def _split_zone(text: str) -> tuple[str, tzinfo | None]:
    if (match := _ZONE.search(text)) is None:
        return text, None
    name = match[1] or match[2]
    try:
        return text[: match.start()], ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # ZoneInfoNotFoundError is a KeyError
        raise _UnknownZone(name) from exc


def _whole(text: str) -> datetime:
    """Return the time a text says whole; raises `ValueError` where the parser would have filled something in."""
    if text.isdigit() and not _COMPACT.fullmatch(text):
        raise ValueError(text)
    if _COMPACT.fullmatch(text) or re.match(r"\d{4}-\d{2}-\d{2}(?![\d-])", text):
        try:
            return dates.isoparse(text)
        except ValueError:
            # "2023-04-27 6:30 pm"
            pass
    low, high = (dates.parse(text, default=default, tzinfos=_named_zone) for default in _DEFAULTS)
    if low != high:
        raise ValueError(text)
    return low


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name in ("UTC", "GMT", "Z"):
        return ZoneInfo("UTC")
    # EST, IST, CST: each is the name of several zones
    raise _UnknownZone(name)


def from_seconds(value: object) -> datetime | None:
    """Return the moment of a number of seconds since 1970; None for what is none, 0 included."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
        return _of_a_message(datetime.fromtimestamp(number, UTC).astimezone()) if number > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def from_iso(text: object) -> datetime | None:
    """Return the moment of an ISO 8601 text that says its zone; None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        moment = dates.isoparse(text)
        return None if moment.tzinfo is None else _of_a_message(moment.astimezone())
    except (ValueError, ArithmeticError):
        return None


def _of_a_message(moment: datetime) -> datetime | None:
    return moment if _OLDEST_YEAR <= moment.year <= _NEWEST_YEAR else None
