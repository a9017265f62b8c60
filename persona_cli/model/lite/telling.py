"""What is known, said to the person: "you" where the turning is certain, else their own words quoted, with the day.

Ages count on from the day they were said, and "yesterday" is said as the day it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from persona_cli.english.forms import capital, lower_first, mirror, to_second
from persona_cli.english.people import SOMEBODY
from persona_cli.english.tokens import NUMBERS
from persona_cli.model.lite.knowledge import THIRD, Known, Source
from persona_cli.records import Window
from persona_cli.timewords import describe, find_times, settle
from persona_cli.timewords.ageing import counted_on

_LONGEST = 220
"""Characters of what is turned into "you"; longer it is quoted."""
_CHATTED = {r"\bim\b": "I'm", r"\bive\b": "I've", r"\bi'm\b": "I'm", r"\bi\b": "I"}
_LEFT = re.compile(r"\b(?:I|i['’]?(?:m|ve|ll|d)?|id|ill|me|my|mine|we|our|us|myself)\b")
_SURE_AGO = timedelta(minutes=90)
_AGED = re.compile(r"\b(?P<age>\d{1,3}|[a-z]+)\b(?: (?P<unit>years?|months?|weeks?)\b)?", re.I)
_ABOUT = re.compile(r"\b(?:is|am|are) about (?P<age>\d+)")
_YEAR = timedelta(days=365)


def day_of(moment: datetime, at: datetime) -> str:
    """Say on which day something was said, seen from `at`: "today", "on 12 May", "on 12 May 2022"."""
    moment = moment.astimezone(at.tzinfo)
    days = (at.date() - moment.date()).days
    if days == 0:
        return "earlier today" if at - moment > timedelta(hours=1) else "just now"
    if days == 1:
        return "yesterday"
    year = f" {moment.year}" if moment.year != at.year else ""
    return f"on {moment.day} {moment:%B}{year}"


def when(window: Window, at: datetime) -> str:
    """Say when something happened or will happen."""
    return describe(window, at)


def second_person(text: str) -> str | None:
    """Return the person's own sentence as it is said to them, None where no turning is certain."""
    if len(text) > _LONGEST or any(mark in text for mark in '"“”\n'):
        return None
    for written, meant in _CHATTED.items():
        text = re.sub(written, meant, text)
    turned = mirror(text)
    return turned if turned is not None and not _LEFT.search(turned) else None


def tell(known: Known, at: datetime) -> str:
    """Give one thing known as a sentence, with the day it was said where that is not today."""
    plain = spoken(known, at)
    if plain is None:
        return quote(known, at)
    said = _said(known, at)
    return f"{plain.rstrip('.!… ')}{f' — you told me {said}' if said else ''}.{_grown(known, at)}"


def quote(known: Known, at: datetime) -> str:
    """Give the person's own words with the day they were said."""
    said = _said(known, at)
    known_one = _leans(known) and known.subject != SOMEBODY
    whom = f" (about {known.subject.removeprefix('my ')})" if known_one else ""
    who = "You said" if known.told_by else "I noted"
    return f"{who}{f' {said}' if said else ''}{whom}: “{known.text.strip()}”{_grown(known, at)}"


def line(known: Known, at: datetime) -> str:
    """Give one thing known as an entry of a list."""
    said = _said(known, at).removeprefix("on ")
    plain = spoken(known, at)
    text = plain.rstrip(".!… ") if plain is not None else f"“{known.text.strip()}”"
    ended = f", until {day_of(known.until, at).removeprefix('on ')}" if known.until else ""
    return f"{text}{f' ({said}{ended})' if said or ended else ''}{_grown(known, at)}"


def spoken(known: Known, at: datetime) -> str | None:
    """Return what is known in the second person, None where only a quotation is certain."""
    if not known.told_by:
        return to_second(known.text) if THIRD.search(known.text) else known.text
    if _leans(known) or known.unsure:
        return None
    text = known.text
    if known.at is not None and known.source is not Source.NOW:
        text = settle(text, find_times(text, known.at))
    turned = second_person(text)
    return capital(turned) if turned is not None else None


def several(entries: Sequence[Known], at: datetime) -> str:
    """Give several things known as a list, the newest first."""
    ordered = sorted(entries, key=lambda known: known.at.timestamp() if known.at else 0.0, reverse=True)
    return "\n".join(f"- {line(known, at)}" for known in ordered)


def within(sentence: str) -> str:
    """Return a sentence to go on inside another."""
    return lower_first(sentence)


def _leans(known: Known) -> bool:
    """Tell whether a sentence needs to be told whom it is about: "she starts on Monday"."""
    if known.subject in ("user", "") or not known.told_by:
        return False
    bare = known.subject.removeprefix("my ").casefold()
    return (
        bare not in known.text.casefold()
        and re.search(r"\b(?:s?he|they|it|his|hers?|him|them|their)\b", known.text, re.I) is not None
    )


def _said(known: Known, at: datetime) -> str:
    """Say when it was told; "" where it was in this conversation, which the person remembers."""
    if known.at is None or (known.source is Source.NOW and at - known.at < _SURE_AGO):
        return ""
    return day_of(known.at, at)


def _grown(known: Known, at: datetime) -> str:
    """Say how old somebody is by now, whose age was told more than a year ago; "" for anything else."""
    if known.at is None or at - known.at < _YEAR:
        return ""
    if not known.slot.endswith("/age"):
        of_somebody = known.subject not in ("user", "")
        aged = _ABOUT.search(counted_on(known.text, known.at, at, age=of_somebody))
        return f" By now that makes about {aged['age']}." if aged is not None else ""
    years = int((at - known.at) / _YEAR)
    for match in _AGED.finditer(known.text):
        age = int(match["age"]) if match["age"].isdigit() else NUMBERS.get(match["age"].casefold())
        if age is not None and (match["unit"] or "year").startswith("year"):
            return f" By now that makes about {age + years}."
    return ""
