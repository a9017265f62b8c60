"""Time words that still read right in a year: "yesterday" becomes "on 30 March 2026".

A date is put only where the words depend on the day they were said. What comes round every year ("my birthday is
on 4 June") keeps its words, and so does what names its year already or is too vague to be a date ("recently").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.feasts import feast_of
from persona_cli.timewords.phrase import TimePhrase

_VAGUE = re.compile(r"\b(?:recently|lately|soon|these days|nowadays|later|now|ever|some day|one day)\b", re.I)
_LASTING = re.compile(r"\b(?:last|past|next|coming|following)\s+(?:few|couple|\d+|two|three|four|five|six|ten)\b", re.I)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b|\b\d0s\b")
_YEARLY = re.compile(r"\b(?:birthday|bday|anniversary|born|every year|each year|annual\w*|yearly|name day)\b", re.I)
_ABOUT = re.compile(r"\bago\b|\bfrom now\b|\bin (?:about |around )?(?:an?|\w+) (?:months?|years?)\b", re.I)
_PART = re.compile(r"\b(morning|afternoon|evening|night|lunchtime)\b|\b(tonight)\b", re.I)
_TIME_OF_DAY = r"(?:at|around|about) (?:\d[\w:.]*(?: ?[ap]\.?m\.?)?|noon|midnight)"
_CLOCK = re.compile(rf"^{_TIME_OF_DAY}(?= )|\b{_TIME_OF_DAY}$", re.I)
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(calendar.WEEKDAYS)})\b", re.I)
_DETERMINED = re.compile(r"\b(?:the|that|our|my|your|their|his|her|a) $", re.I)  # "the last night" of something
_LEADING = re.compile(
    r"\b(?:in|on|for|from|of|about|to|by|than|till|until|since|before|after|around|through)\s+$", re.I
)
_MANY = r"(?:morning|afternoon|evening|night|lunchtime)s\b"
_MONTH = re.compile(rf"\b(?:{'|'.join(calendar.MONTHS)})\b", re.I)
_SEASON = re.compile(r"\b(?:spring|summer|autumn|fall|winter)\b", re.I)
_ONE_OF_THEM = re.compile(r"\b(?:last|next|this|past|coming|following)\b", re.I)
_OFTEN = "usually always often normally generally typically sometimes regularly rarely never every each favou?rite"
_DOINGS = "goes to (?:church|mass|choir|yoga|the gym)|swims|sings|volunteers"
_HABIT = re.compile(rf"\b(?:{'|'.join(_OFTEN.split())}|(?<!that )day is|{_DOINGS})\b", re.I)
"""What is so on any Friday or in any August: the words name no single one."""
_CLAUSE = re.compile(r"[.,;!?]\s|\b(?:and|but)\b")
_SENTENCE = re.compile(r"(?:^|[.!?:;])[\s\"“'‘(]*$")
_TITLE = re.compile(r"(?:Yesterday|Today|Tomorrow|Tonight|(?:Last|Next|This|The) [A-Z])")
_SUBJECT_OR_NAME = re.compile(r" (?:is|was|are|were|has|had)\b| (?-i:[A-Z])", re.I)
_DATE = rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{'|'.join(calendar.MONTHS)})\b"
_GOES_ON = re.compile(rf"(?<=day),? {_DATE}| (?:last|next|this) year\b", re.I)
_BEGUN = re.compile(rf"\b(?:{'|'.join((*calendar.WEEKDAYS, *calendar.MONTHS))}),? $", re.I)
"""Two phrases that make one date: "on Tuesday, 24 November", "in May next year"."""
_EDGE = re.compile(r"\b(?:early|mid|late|beginning of|start of|middle of|end of)\b", re.I)


_MOST = 40
"""Phrases from which on a text is a page of dates, which keeps its words: each is looked for in the whole text."""


def comes_yearly(text: str) -> bool:
    """Tell whether what is said comes round every year: a birthday, an anniversary."""
    return _YEARLY.search(text) is not None


def settle(text: str, phrases: Iterable[TimePhrase]) -> str:
    """Return `text` with the phrases in it that depend on their day written as the dates they mean."""
    phrases = tuple(phrases)
    for phrase in phrases if len(phrases) <= _MOST else ():
        if (date := settled(phrase, yearly=comes_yearly(text))) is None:
            continue
        words = r"\s+".join(map(re.escape, phrase.text.split()))
        match = re.search(rf"(?<!\w){words}(?!['’]|\w| (?:{_MANY}))", text, re.I)
        if match is None or _DETERMINED.search(text, 0, match.start()):
            continue
        if _is_name(text, match) or _is_any(text, match) or _GOES_ON.match(text, match.end()):
            continue
        if _BEGUN.search(text, 0, match.start()):
            date = re.sub(r"^(?:on|in) (?=\d)", "", date)
        if _LEADING.search(text, 0, match.start()):
            date = re.sub(r"^(?:on|in)\s+", "", date)
        before = re.sub(r"(?i)\bat $", "", text[: match.start()])  # "at about 7 yesterday"
        if re.search(r"[.!?]\s+$", before):
            date = date[:1].upper() + date[1:]
        text = before + date + text[match.end() :]
    return text[:1].upper() + text[1:]


def _is_name(text: str, match: re.Match[str]) -> bool:
    """Tell whether time words are what something is called: a song, a paper, a friend Wednesday."""
    if _SENTENCE.search(text, 0, match.start()):
        return False
    if re.fullmatch(_WEEKDAY, match[0]):
        return _SUBJECT_OR_NAME.match(text, match.end()) is not None
    return text[match.start() - 1] in "\"“«‘'" or _TITLE.match(match[0]) is not None


def _is_any(text: str, match: re.Match[str]) -> bool:
    """Tell whether a weekday, a month or a season stands for every one of them."""
    if _ONE_OF_THEM.search(match[0]) or not any(pattern.search(match[0]) for pattern in (_WEEKDAY, _MONTH, _SEASON)):
        return False
    before = _CLAUSE.split(text[: match.start()])[-1]
    after = _CLAUSE.split(text[match.end() :])[0]
    return _HABIT.search(f"{before}{match[0]}{after}") is not None


def settled(phrase: TimePhrase, *, yearly: bool = False) -> str | None:
    """Return the date a phrase means, None where its own words do; `yearly` leaves the year out."""
    words, start, end = phrase.text, phrase.window.start, phrase.window.end
    kept = phrase.repeating or any(pattern.search(words) for pattern in (_VAGUE, _LASTING, _YEAR))
    # "Tuesday to Friday", "Monday and Wednesday": of every week, unless one is named
    kept = kept or (len(_WEEKDAY.findall(words)) > 1 and _ONE_OF_THEM.search(words) is None)
    if kept or (yearly and _dated(words)):
        return None
    if start is None or end is None or _EDGE.search(words):
        return _bound(words, start, end)
    if end - start <= timedelta(hours=30):
        return _day(words, start, end, yearly=yearly)
    if phrase.direction == "any" and not re.match(r"(?i)(?:last|next|this|coming|past)\b", words):
        return None  # "in May we go sailing": which May, or every May, the words do not tell
    if end - start <= timedelta(days=5) and " and " in words:
        return f"from {_date(start)} to {_date(end - timedelta(seconds=1))}"
    stretch = "" if _ABOUT.search(words) else _stretch(words, start, end)
    return stretch or _around(start, end)


def _dated(words: str) -> bool:
    """Tell whether the words name a day or a month of any year."""
    return _MONTH.search(words) is not None and not re.search(r"(?i)\b(?:last|next|this)\b", words)


def _bound(words: str, start: datetime | None, end: datetime | None) -> str | None:
    bound = re.match(r"(?i)(?:ever since|since|until|till|up to|before|prior to|by|after|as of)\b", words)
    moment = start or (end and end - timedelta(seconds=1))
    if moment is None:
        return None
    if _MONTH.search(words) and not re.search(r"\d", words):
        return f"{words} {moment.year}" if _EDGE.search(words) else bound and f"{bound[0]} {_month(moment)}"
    return bound and f"{bound[0]} {_year_or_date(words, moment)}"


def _year_or_date(words: str, moment: datetime) -> str:
    return str(moment.year) if re.search(r"(?i)\byear\b", words) else _date(moment)


def _day(words: str, start: datetime, end: datetime, *, yearly: bool) -> str:
    date = _date(start, year=not yearly)
    if _WEEKDAY.search(words):
        comma = "," if re.search(r"(?i)day,", words) else ""
        date = f"{calendar.WEEKDAYS[start.weekday()].capitalize()}{comma} {date}"
    part, clock = _PART.search(words), _CLOCK.search(words)
    named = ("evening" if part[2] else part[1].lower()) if part else ""
    before = f"on the {named} of {date}" if named else f"on {date}"
    return f"{before} {clock[0]}" if clock else before


def _stretch(words: str, start: datetime, end: datetime) -> str:
    window = Window(start, end)
    name = re.sub(r"(?i)^(?:at|over|on|for|during|last|next|this) ", "", words)
    forms = [
        (calendar.months(start), f"in {_month(start)}"),
        (calendar.years(start), f"in {start.year}"),
        (calendar.week(start), f"in the week of {_date(start)}"),
        (calendar.weekend(start), f"on the weekend of {_date(start)}"),
        (feast_of(start, start.year, name), f"at {name} {start.year}"),
        *(
            (calendar.season_of(start, start.year, season), f"in the {season} of {start.year}")
            for season in ("spring", "summer", "autumn", "winter")
        ),
    ]
    return next((form for named, form in forms if named == window), "")


def _around(start: datetime, end: datetime) -> str:
    length = end - start
    if length > timedelta(days=300):
        return f"around {start.year}"
    return f"around {_month(start) if length > timedelta(days=25) else _date(start + length / 2)}"


def _month(moment: datetime) -> str:
    return f"{calendar.MONTHS[moment.month - 1].capitalize()} {moment.year}"


def _date(moment: datetime, *, year: bool = True) -> str:
    month = calendar.MONTHS[moment.month - 1].capitalize()
    return f"{moment.day} {month}" + (f" {moment.year}" if year else "")
