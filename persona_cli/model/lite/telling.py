"""What is known, said to the person: "you" where the turning is certain, else their own words quoted, with the day.

Ages count on from the day they were said, and "yesterday" is said as the day it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from persona_cli.english.forms import capital, lower_first, mirror, to_second
from persona_cli.english.people import SOMEBODY
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import NUMBERS
from persona_cli.model.lite.knowledge import THIRD, Known, Source
from persona_cli.records import Window
from persona_cli.timewords import TimePhrase, describe, find_times, settle
from persona_cli.timewords.ageing import counted_on

_WHOLE = 320
"""Characters of a message that are quoted."""
_MORE, _FEW = 1.15, 8
"""How much longer a message is than the sentence that is told of it, where that has all of it."""
_NUMBERED = re.compile(r",? (?:the )?\d")
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


def certain_event(known: Known) -> Window | None:
    """Return when what is told happened or will happen, where the words leave no doubt which day they mean."""
    if known.at is None or known.event is None or known.event.start is None:
        return None
    phrases = find_times(known.text, known.at)
    certain = any(phrase.window == known.event and _is_certain(phrase, known.text) for phrase in phrases)
    return known.event if certain else None


def second_person(text: str) -> str | None:
    """Return the person's own sentence as it is said to them, None where no turning is certain."""
    if len(text) > _LONGEST or any(mark in text for mark in '"“”\n'):
        return None
    for written, meant in _CHATTED.items():
        text = re.sub(written, meant, text)
    turned = mirror(text)
    return turned if turned is not None and not _LEFT.search(turned) else None


def tell(known: Known, at: datetime) -> str:
    """Give one thing known as a sentence, with the day it was said where that is not today.

    Of a message of several sentences the whole is quoted: what "it" was stands in one, what became of it in another.
    """
    plain = spoken(known, at)
    if plain is None:
        return quote(known, at)
    said = _said(known, at)
    return f"{plain.rstrip('.!… ')}{f' — you told me {said}' if said else ''}.{_grown(known, at)}"


def quote(known: Known, at: datetime) -> str:
    """Give the person's own words with the day they were said."""
    said = _said(known, at)
    words = in_full(known)
    known_one = _leans(known) and known.subject != SOMEBODY
    whom = f" (about {known.subject.removeprefix('my ')})" if known_one else ""
    who = "You said" if known.told_by else "I noted"
    return f"{who}{f' {said}' if said else ''}{whom}: “{words}”{_grown(known, at)}"


def in_full(known: Known) -> str:
    """Return the words of the message something was said in, of a long one what stands around it."""
    if not known.message or known.corrects:
        return known.text.strip()
    parts = sentences(known.message)
    here = next((place for place, part in enumerate(parts) if part in known.text or known.text in part), None)
    if here is None:
        return known.message if len(known.message) <= _WHOLE else known.text.strip()
    first = last = here
    while (longer := _longer(parts, first, last)) is not None:
        first, last = longer
    return " ".join(parts[first : last + 1])


def _longer(parts: Sequence[str], first: int, last: int) -> tuple[int, int] | None:
    """Return a stretch of sentences with one more, the one before it if that has room; None where none has."""
    for start, end in ((first - 1, last), (first, last + 1)):
        if start >= 0 and end < len(parts) and sum(len(part) + 1 for part in parts[start : end + 1]) <= _WHOLE:
            return start, end
    return None


def line(known: Known, at: datetime) -> str:
    """Give one thing known as an entry of a list."""
    said = _said(known, at).removeprefix("on ")
    plain = spoken(known, at)
    text = plain.rstrip(".!… ") if plain is not None else f"“{in_full(known)}”"
    ended = f", until {day_of(known.until, at).removeprefix('on ')}" if known.until else ""
    return f"{text}{f' ({said}{ended})' if said or ended else ''}{_grown(known, at)}"


def spoken(known: Known, at: datetime) -> str | None:
    """Return what is known in the second person, None where only a quotation is certain."""
    if not known.told_by:
        return to_second(known.text) if THIRD.search(known.text) else known.text
    if _leans(known) or known.unsure or len(in_full(known)) > _MORE * len(known.text) + _FEW:
        return None
    text = known.text
    if known.at is not None and known.source is not Source.NOW:
        text = settle(text, [phrase for phrase in find_times(text, known.at) if _is_certain(phrase, text)])
    turned = second_person(text)
    return capital(turned) if turned is not None else None


def several(entries: Sequence[Known], at: datetime) -> str:
    """Give several things known as a list, the newest first."""
    ordered = sorted(entries, key=lambda known: known.at.timestamp() if known.at else 0.0, reverse=True)
    return "\n".join(f"- {line(known, at)}" for known in ordered)


def within(sentence: str) -> str:
    """Return a sentence to go on inside another."""
    return lower_first(sentence)


def _is_certain(phrase: TimePhrase, text: str) -> bool:
    """Tell whether a phrase means one day whatever is meant: "yesterday", and not "Friday 11", nor "31 October".

    The day it was told is said beside it, so a date in the person's own words needs no year.
    """
    dated = any(char.isdigit() for char in phrase.text) or _NUMBERED.match(text, phrase.end)
    return phrase.direction != "any" and not dated


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
