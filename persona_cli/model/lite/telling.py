"""What is known, said to the person: "you" where the turning is certain, else their own words quoted, with the day.

No word of theirs is put in the place of another: which day "yesterday" was stands in brackets behind their words, and
only where nothing else can be meant. Ages count on from the day they were said.
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
from persona_cli.timewords import TimePhrase, describe, find_times
from persona_cli.timewords.ageing import counted_on

_WHOLE = 320
"""Characters of a message that are quoted."""
_MORE, _FEW = 1.15, 8
"""How much longer a message is than the sentence that is told of it, where that has all of it."""
_LONGEST = 120
"""Characters of what is turned into "you"; longer it is quoted."""
_ITS_DAY = re.compile(
    r"\b(?:yesterday|tomorrow|last night|ago|from now|in an? \w+|in \w+ (?:days|weeks|months|years)"
    r"|(?:last|this|coming) (?!few|couple)\w+|next (?:week|month|year|spring|summer|autumn|winter))\b",
    re.I,
)
"""Words that name one day, seen from the day they were said; a weekday to come may be that of every week."""
_DATED = re.compile(r"\d(?:st|nd|rd|th)\b|\d{4}")
_THAT_DAY = re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening)|just now)\b", re.I)
"""Words for the day they were said, which is told beside them."""
_ON_A_DAY = re.compile(r"on [a-z]+day(?: (?:morning|afternoon|evening|night))?", re.I)
_FAR = timedelta(days=30)
_DATES = 2
"""Days that are written behind a quotation."""
_CHATTED = {r"\bim\b": "I'm", r"\bive\b": "I've", r"\bi'm\b": "I'm", r"\bi\b": "I"}
_OTHERS_TOO = re.compile(r"\b(?:us|ourselves)\b")
"""Words that take others along, whom "you" would leave out."""
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
    if len(text) > _LONGEST or _OTHERS_TOO.search(text) or any(mark in text for mark in '"“”\n'):
        return None
    for written, meant in _CHATTED.items():
        text = re.sub(written, meant, text)
    turned = mirror(text)
    return turned if turned is not None and not _LEFT.search(turned) else None


def tell(known: Known, at: datetime) -> str:
    """Give one thing known as a sentence, with the day it was said where that is not today.

    Of a message of several sentences the whole is quoted: what "it" was stands in one, what became of it in another.
    """
    plain = spoken(known)
    if plain is None:
        return quote(known, at)
    said = _said(known, at)
    return f"{plain.rstrip('.!… ')}{f' — you told me {said}' if said else ''}.{_grown(known, at)}"


def quote(known: Known, at: datetime) -> str:
    """Give the person's own words with the day they were said."""
    said = _said(known, at)
    known_one = _leans(known) and known.subject != SOMEBODY
    whom = f" (about {known.subject.removeprefix('my ')})" if known_one else ""
    who = "You told me" if known.told_by else "I noted"
    days = _days(known, at)
    return (
        f"{who}{f' {said}' if said else ''}{whom}: “{in_full(known)}”{f' ({days})' if days else ''}{_grown(known, at)}"
    )


def decided(verdict: str, known: Known, at: datetime) -> str:
    """Give a yes or a no with what decides it."""
    told = tell(known, at)
    return f"{verdict}: {within(told)}" if spoken(known) is not None else f"{verdict}. {told}"


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
    """Give one thing known as an entry of a list, its days in brackets: when it was said first."""
    said, plain = _said(known, at).removeprefix("on "), spoken(known)
    text = plain.rstrip(".!… ") if plain is not None else f"“{in_full(known)}”"
    ended = f"until {day_of(known.until, at).removeprefix('on ')}" if known.until else ""
    days = ", ".join(part for part in (said, ended) if part)
    noted = "; ".join(part for part in (days, "" if plain is not None else _days(known, at)) if part)
    return f"{text}{f' ({noted})' if noted else ''}{_grown(known, at)}"


def spoken(known: Known) -> str | None:
    """Return what is known in the second person, None where only a quotation is certain.

    A day that is named from the day of telling is not turned: "tomorrow" would be another one now.
    """
    if not known.told_by:
        return to_second(known.text) if THIRD.search(known.text) else known.text
    whole = len(in_full(known)) <= _MORE * len(known.text) + _FEW and len(sentences(known.text)) == 1
    if _leans(known) or known.unsure or not whole:
        return None
    if known.at is None or known.source is Source.NOW:
        seen_from_then = False
    else:
        seen_from_then = _THAT_DAY.search(known.text) is not None or bool(_days_named(known.text, known.at))
    if seen_from_then:
        return None
    turned = second_person(known.text)
    return capital(turned) if turned is not None else None


def several(entries: Sequence[Known], at: datetime) -> str:
    """Give several things known as a list, the newest first."""
    ordered = sorted(entries, key=lambda known: known.at.timestamp() if known.at else 0.0, reverse=True)
    return "\n".join(f"- {line(known, at)}" for known in ordered)


def within(sentence: str) -> str:
    """Return a sentence to go on inside another."""
    return lower_first(sentence)


def _days(known: Known, at: datetime) -> str:
    """Say which days the person's own words name, where that is certain: "yesterday: 2 May"."""
    if known.at is None or known.at.astimezone(at.tzinfo).date() == at.date():
        return ""  # seen from the day it was said the words do themselves
    days = [(phrase.text, _as_date(phrase.window, at)) for phrase in _days_named(in_full(known), known.at)[:_DATES]]
    return "; ".join(f"{words}: {day}" for words, day in days)


def _as_date(window: Window, at: datetime) -> str:
    """Say when it was as a date, also of what was the other day."""
    edge = window.end or window.start or at
    return describe(window, max(at, edge + _FAR) if edge.year == (edge + _FAR).year else at).removeprefix("on ")


def _days_named(text: str, at: datetime) -> list[TimePhrase]:
    """Return the phrases that mean one day or stretch for sure, other than the day they were said.

    Each sentence is looked at by itself: "I did ring them. The right one comes Thursday" is of two times.
    """
    every = [phrase for part in sentences(text) for phrase in find_times(part, at)]
    return [phrase for phrase in every if _is_certain(phrase) and not _is_of(phrase.window, at)]


def _is_certain(phrase: TimePhrase) -> bool:
    """Tell whether a phrase means one day whatever is meant, and no number says so already: "yesterday"."""
    if phrase.repeating or phrase.direction == "any" or _DATED.search(phrase.text):
        return False
    past = phrase.direction == "past" and _ON_A_DAY.fullmatch(phrase.text) is not None
    return past or _ITS_DAY.search(phrase.text) is not None


def _is_of(window: Window, at: datetime) -> bool:
    """Tell whether a window lies within the day of `at`."""
    start = window.start or window.end
    return start is not None and start.astimezone(at.tzinfo).date() == at.date()


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
