"""Words as evidence: what of a sentence is a name, a number, a date, a value, and whether it was really said.

Used by the gate between a model's drafts and memory. Pure; errs on the side of "not said".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from persona_cli.timewords import find_times, settled

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|$)|[.](?=\S)[^.!?\n]*)*[.!?]*")
_ABBREVIATED = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Sr|Jr|[A-Z])\.$")
_CONTRACTED = re.compile(r"['’](?:s|m|re|ve|ll|d|t)?$")
_SUBJECT = re.compile(r"\s+(?:is|was|has|had|and|will|likes?|loves?|lives?|works?|wants?|plays?|moved|died)\b")
_MONTH_TEXT = "january february march april may june july august september october november december"
_DAY_TEXT = "monday tuesday wednesday thursday friday saturday sunday"
_NUMBER_TEXT = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty
"""
_MONTHS = _MONTH_TEXT.split()
_DAYS = _DAY_TEXT.split()
_NUMBERS = {word: number for number, word in enumerate(_NUMBER_TEXT.split())}
_NUMBERS |= {"couple": 2, "pair": 2, "both": 2, "twins": 2, "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50}
_CLOCK = {
    "half": frozenset({30}),
    "quarter": frozenset({15, 45}),
    "noon": frozenset({12}),
    "midnight": frozenset({0, 24}),
}
_UNCOUNTED = {"zero", "one", "couple", "pair", "both", "twins", "dozen"}
_STOP_TEXT = """
a about after all also am an and any are around as at be because been before being but by can could did do does doing
done for from had has have having he her hers him his i if in into is it its just longer me more my no not now of off
on one only or others our ours out over own she so some such than that the their theirs them then there these they
this those to too up us very was we were what when where which while who will with would you your yours user users
person years year old s t m re ve ll d once again currently still really
"""
_STOP = frozenset(_STOP_TEXT.split())
_FRAME_TEXT = """
work live name call like love enjoy prefer dislike hate like favourite favorite job home move stay reside employ want
plan hope think feel go went gone get got use start begin began stop quit make take say said mention describe share
drink eat play study attend interest consider know keep become been tell told express state someone something thing
time day born age
"""
_NEGATIVE_TEXT = (
    "not never no cannot without nothing nobody neither nor dislike hate detest loathe avoid stop quit unable"
)
_NEGATIVE = re.compile(r"n['’]t\b|\bno longer\b|\bany ?more\b", re.IGNORECASE)


def stem(word: str) -> str:
    """Return a word without case, possessive and the commonest endings; good enough to compare, not to show."""
    word = re.sub(r"['’]s?$", "", word.casefold())
    for ending in ("ing", "ies", "ied", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiosl":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] == "e" else word


_FRAME = frozenset(stem(word) for word in _FRAME_TEXT.split())
_CALENDAR = frozenset(stem(word) for word in _MONTHS + _DAYS)
_NEGATIVES = frozenset(stem(word) for word in _NEGATIVE_TEXT.split())


def words(text: str) -> list[str]:
    """Return the words and numbers of a text in order."""
    return _WORD.findall(text)


def stems(text: str) -> set[str]:
    """Return the stems of the words that carry meaning."""
    return {stem(word) for word in words(text) if re.sub(r"['’].*$", "", word.casefold()) not in _STOP}


def values(text: str) -> set[str]:
    """Return the stems that say something specific: not "works as" or "likes", nor dates, which are judged apart."""
    found = stems(text)
    undated = {one for one in found if one not in _CALENDAR and not one[0].isdigit()}
    return (undated - _FRAME) or undated or found


def only_dates(text: str) -> bool:
    """Tell whether a text is a date and nothing else: what was said is judged by the calendar alone."""
    return all(word.isdigit() or _is_date(word) or word.casefold() in ("may", "march") for word in words(text))


def supported(wanted: Collection[str], text: str) -> set[str]:
    """Return those of the stems that occur in a text, also in another form of the word."""
    there = {stem(word) for word in words(text)}
    return {one for one in wanted if one in there or any(_kin(one, other) for other in there)}


def negative(text: str) -> bool:
    """Tell whether a sentence denies something, or speaks of dislike or of an end."""
    return bool(_NEGATIVE.search(text)) or any(stem(word) in _NEGATIVES for word in words(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text as they stand in it."""
    found: list[str] = []
    end = 0
    for match in _SENTENCE.finditer(text):
        if found and _ABBREVIATED.search(found[-1]) and not text[end : match.start()].strip():
            found[-1] += text[end : match.end()].rstrip()
        elif match[0].strip():
            found.append(match[0].strip())
        end = match.end()
    return found


def names(text: str) -> list[str]:
    """Return the capitalised words without possessives; the first of a sentence where it is its subject."""
    found = []
    for sentence in sentences(text):
        for place, match in enumerate(_WORD.finditer(sentence)):
            word = _CONTRACTED.sub("", match[0])
            is_name = place > 0 or word != match[0] or _SUBJECT.match(sentence, match.end())
            if word[:1].isupper() and is_name and word.casefold() not in _STOP and not _is_date(word):
                found.append(word)
    return found


def numbers(text: str) -> set[int]:
    """Return the numbers of a text, in digits or in words."""
    found = {int(digits[-9:]) for digits in re.findall(r"\d+", text)}
    for word in map(str.casefold, words(text)):
        found |= {_NUMBERS[word]} if word in _NUMBERS else _CLOCK.get(word, frozenset())
    return found


def unsaid(content: str, said: str, at: datetime) -> tuple[list[str], list[str]]:
    """Return the names of `content` that were not `said`, and its numbers and dates that were not.

    What time words stand for was said ("yesterday" allows its date), and so was the date of the turn itself
    where the content writes it out.
    """
    there = {stem(word) for word in words(said)}
    content = _without_date(content, at)
    missing = [name for name in names(content) if stem(name) not in there and not _abbreviated(name, there)]
    dates = [word for word in words(content) if _is_date(word) and stem(word) not in there]
    counted = {_NUMBERS[word.casefold()] for word in words(content) if word.casefold() in _NUMBERS.keys() - _UNCOUNTED}
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
            calendar_words |= {_MONTHS[moment.month - 1], _MONTHS[moment.month - 1][:3]}
            calendar_words |= {_DAYS[moment.weekday()], _DAYS[moment.weekday()][:3]}
            calendar_numbers |= {moment.year, moment.month, moment.day, moment.hour, moment.minute}
    return calendar_words, calendar_numbers


def _ends(start: datetime | None, end: datetime | None) -> Iterator[datetime]:
    if start is not None:
        yield start
    if end is not None:
        yield end - timedelta(minutes=1)


def _without_date(content: str, at: datetime) -> str:
    month = _MONTHS[at.month - 1]
    year = rf"(?:,?\s+{at.year})?"
    day = rf"0?{at.day}(?:st|nd|rd|th)?"
    weekday = rf"(?:{_DAYS[at.weekday()]},?\s+)?"
    pattern = rf"\b(?:{at:%Y-%m-%d}|{weekday}{day}\s+(?:of\s+)?{month}{year}|{weekday}{month}\s+{day}{year})\b"
    return re.sub(pattern, " ", content, flags=re.IGNORECASE)


def _is_date(word: str) -> bool:
    word = word.casefold()
    return word in _DAYS or (word in _MONTHS and word not in ("may", "march"))


def _abbreviated(name: str, there: Collection[str]) -> bool:
    """Tell whether a name occurs in a longer or shorter form: German for Germany."""
    return any(_kin(stem(name), other) for other in there)


def _kin(one: str, other: str) -> bool:
    shared = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    return shared >= 4 and shared >= 0.7 * max(len(one), len(other))
