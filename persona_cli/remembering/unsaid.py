"""What of a sentence nobody said: names, numbers and dates, the calendar of the time words counted as said. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from persona_cli.english.tokens import (
    DAYS,
    MONTHS,
    NUMBERS,
    UNCOUNTED,
    abbreviated,
    is_date,
    names,
    numbers,
    stem,
    words,
)
from persona_cli.timewords import find_times, settled


def unsaid(content: str, said: str, at: datetime) -> tuple[list[str], list[str]]:
    """Return the names of `content` that were not `said`, and its numbers and dates that were not.

    What time words stand for was said ("yesterday" allows its date), and so was the date of the turn itself
    where the content writes it out.
    """
    there = {stem(word) for word in words(said)}
    content = _without_date(content, at)
    missing = [name for name in names(content) if stem(name) not in there and not abbreviated(name, there)]
    dates = [word for word in words(content) if is_date(word) and stem(word) not in there]
    counted = {NUMBERS[word.casefold()] for word in words(content) if word.casefold() in NUMBERS.keys() - UNCOUNTED}
    uncounted = {int(digits[-9:]) for digits in re.findall(r"\d+", content)} | counted
    uncounted -= _spoken(said, numbers(said))
    if not (missing or dates or uncounted):
        return [], []
    # time words are looked at last, being the slow part of a long text
    calendar_words, calendar_numbers = _calendar(said, at)
    uncounted -= _spoken(said, calendar_numbers)
    missing = [name for name in missing if name.casefold() not in calendar_words]
    dates = [word for word in dates if word.casefold() not in calendar_words]
    return missing, dates + [str(number) for number in sorted(uncounted)]


def _spoken(said: str, found: set[int]) -> set[int]:
    """Add to the numbers of a text the hours of the afternoon: 18 for "6 pm"."""
    if not re.search(r"\d\s*p\.?m|evening|night|afternoon", said, re.IGNORECASE):
        return found
    return found | {number + 12 for number in found if number < 12}


def _calendar(said: str, at: datetime) -> tuple[set[str], set[int]]:
    """Return the words and the numbers that dates of the time words in `said` are written with."""
    calendar_words: set[str] = set()
    calendar_numbers: set[int] = set()
    for phrase in find_times(said, at):
        for form in (settled(phrase), settled(phrase, yearly=True)):
            calendar_numbers |= {int(digits) for digits in re.findall(r"\d+", form or "")}
            calendar_words |= {word.casefold() for word in words(form or "")}
        for moment in _ends(phrase.window.start, phrase.window.end):
            calendar_words |= {MONTHS[moment.month - 1], MONTHS[moment.month - 1][:3]}
            calendar_words |= {DAYS[moment.weekday()], DAYS[moment.weekday()][:3]}
            calendar_numbers |= {moment.year, moment.month, moment.day, moment.hour, moment.minute}
    return calendar_words, calendar_numbers


def _ends(start: datetime | None, end: datetime | None) -> Iterator[datetime]:
    if start is not None:
        yield start
    if end is not None:
        yield end - timedelta(minutes=1)


def _without_date(content: str, at: datetime) -> str:
    month = MONTHS[at.month - 1]
    year = rf"(?:,?\s+{at.year})?"
    day = rf"0?{at.day}(?:st|nd|rd|th)?"
    weekday = rf"(?:{DAYS[at.weekday()]},?\s+)?"
    pattern = rf"\b(?:{at:%Y-%m-%d}|{weekday}{day}\s+(?:of\s+)?{month}{year}|{weekday}{month}\s+{day}{year})\b"
    return re.sub(pattern, " ", content, flags=re.IGNORECASE)
