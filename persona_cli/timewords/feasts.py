"""Days that have a name: Christmas, Lent, the August bank holiday. Their dates are data (feasts.toml)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from dateutil.easter import easter

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.patterns import read_table

_ANY_APOSTROPHE = "['’]?"


def feast_of(at: datetime, year: int, name: str) -> Window | None:
    """Return the days of a feast in `year` in the zone of `at`, or None for a name that is none."""
    entry = _feasts().get(_key(name))
    if entry is None:
        return None
    if "month" not in entry:
        sunday = easter(year)
        first = calendar.day_of(at, year, sunday.month, sunday.day)
    else:
        first = calendar.day_of(at, year, entry["month"], entry["day"])
    assert first is not None
    start = calendar.beginning(first)
    if "weekday" in entry:
        start += timedelta(days=(entry["weekday"] - start.weekday()) % 7)
    return calendar.days(start, entry.get("offset", 0), entry.get("days", 1))


def day_of_feast(name: str) -> str | None:
    """Return which day of a feast of several days is meant by "the day before Christmas"."""
    entry = _feasts().get(_key(name))
    return None if entry is None else entry.get("day_of")


def is_feast(words: str) -> bool:
    """Tell whether words are the name of a feast and nothing else."""
    return _key(words) in _feasts()


def feast_names() -> Iterator[str]:
    """Yield every name, without its apostrophe."""
    yield from _feasts()


def feast_pattern() -> str:
    """Return the names as one pattern, the longest first."""
    table = read_table("feasts")
    names = {name: entry for kind in table.values() for name, entry in kind.items()}
    return "|".join(_pattern(name, names[name]) for name in sorted(names, key=len, reverse=True))


def _pattern(name: str, entry: Mapping[str, Any]) -> str:
    if entry.get("capital"):
        return f"(?-i:{name.capitalize()})"
    return re.sub(r"^st ", r"(?:st\\.?|saint) ", name).replace("'", _ANY_APOSTROPHE)


@cache
def _feasts() -> Mapping[str, Mapping[str, Any]]:
    return {_key(name): entry for kind in read_table("feasts").values() for name, entry in kind.items()}


def _key(name: str) -> str:
    words = re.sub(r"\s+", " ", re.sub(r"['’.]", "", name.lower()))
    return re.sub(r"^saint ", "st ", words)
