"""How values stand in columns: times, windows, word lists, traits.

A time is one text in the form of RFC 9557, always in UTC and always of one width, with the zone it was given
in behind it: ``2026-05-12T16:30:00.000000Z[Europe/Berlin]``. So texts sort and compare as moments do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from persona_cli.errors import StorageError
from persona_cli.personality import NEUTRAL, TRAITS, Traits
from persona_cli.records import Window

Columns = sqlite3.Row | Mapping[str, Any]
"""A row by its column names, from a table or from the journal."""

ANSWER_WEIGHT = 0.3
"""Of the assistant's part of a message against the user's own words, in full text."""

_DECODER = json.JSONDecoder()
_WIDTH = len("2026-05-12T16:30:00.000000")


def to_column(moment: datetime) -> str:
    """Return an aware datetime as it is stored; raises ValueError for a naive one."""
    return f"{instant(moment)}[{_zone_name(moment)}]"


@lru_cache(maxsize=4_096)
def from_column(text: str) -> datetime:
    """Return a stored time in the zone it was given in, or in UTC where this machine does not know that zone."""
    with legible(text):
        moment = datetime.fromisoformat(text[:_WIDTH]).replace(tzinfo=UTC)
        return moment.astimezone(_zone(text[_WIDTH + 2 : -1]))


@lru_cache(maxsize=4_096)
def seconds(text: str) -> float:
    """Return a stored time in seconds since 1970."""
    with legible(text):
        return datetime.fromisoformat(text[:_WIDTH]).replace(tzinfo=UTC).timestamp()


def instant(moment: datetime) -> str:
    """Return a moment as a bound: stored times at it are >= the bound, earlier ones are < it."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def just_after(moment: datetime) -> str:
    """Return a moment as a bound that stored times at that very moment are < of."""
    return instant(moment) + "]"


def maybe_to_column(moment: datetime | None) -> str | None:
    """Return a time as it is stored, or None."""
    return None if moment is None else to_column(moment)


def maybe_from_column(text: str | None) -> datetime | None:
    """Return a stored time, or None."""
    return None if text is None else from_column(text)


def bounds(window: Window | None) -> tuple[str, str]:
    """Return a window as two texts to compare stored times with; an open side compares with everything."""
    start = "" if window is None or window.start is None else instant(window.start)
    end = "~" if window is None or window.end is None else instant(window.end)
    return start, end


def words_to_column(words: Iterable[str]) -> str:
    """Return keywords as a JSON array."""
    return json.dumps(list(words), ensure_ascii=False)


def words_from_column(text: str) -> tuple[str, ...]:
    """Return the keywords of a JSON array."""
    # as json.loads, without a look at the encoding and at spaces: a search reads some two hundred
    with legible(text):
        return tuple(_DECODER.raw_decode(text)[0])


def traits_to_column(traits: Traits) -> str:
    """Return a trait vector as a JSON object in the order of the paper."""
    return json.dumps(dict(traits))


def traits_from_column(text: str) -> Traits:
    """Return the trait vector of a JSON object."""
    scores = json_from_column(text)
    with legible(text):
        return Traits(**{name: scores.get(name, NEUTRAL) for name in TRAITS})


def json_from_column(text: str) -> Any:
    """Return the value of a JSON text; raises `StorageError` for one that is none."""
    with legible(text):
        return json.loads(text)


@contextmanager
def legible(text: str) -> Iterator[None]:
    """Raise `StorageError` where a value cannot be read: one flipped byte of it leaves every page in order."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, AssertionError, RecursionError) as exc:
        raise StorageError(
            f"the database is damaged: it has a value that cannot be read, {text[:60]!r}.",
            fix="`persona doctor --fix` saves the rest and keeps the damaged file; `persona restore newest` goes back.",
        ) from exc


def _zone_name(moment: datetime) -> str:
    if isinstance(moment.tzinfo, ZoneInfo) and moment.tzinfo.key:
        return moment.tzinfo.key
    offset = moment.utcoffset()
    # other zones, the machine's own among them, are known by their offset at that moment only
    return "UTC" if not offset else datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[19:]


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    if name[0] in "+-":
        fixed = datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
        assert fixed is not None
        return fixed
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return UTC
