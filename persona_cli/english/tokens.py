"""Words as evidence: what of a sentence is a name, a number, a date, a value, and whether it was really said.

Used by the gate between a model's drafts and memory. Pure; errs on the side of "not said".
"""

from __future__ import annotations

import re
from collections.abc import Collection

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
MONTHS = _MONTH_TEXT.split()
DAYS = _DAY_TEXT.split()
NUMBERS = {word: number for number, word in enumerate(_NUMBER_TEXT.split())}
NUMBERS |= {"couple": 2, "pair": 2, "both": 2, "twins": 2, "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50}
_CLOCK = {
    "half": frozenset({30}),
    "quarter": frozenset({15, 45}),
    "noon": frozenset({12}),
    "midnight": frozenset({0, 24}),
}
UNCOUNTED = {"zero", "one", "couple", "pair", "both", "twins", "dozen"}
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
_CALENDAR = frozenset(stem(word) for word in MONTHS + DAYS)
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
    return all(word.isdigit() or is_date(word) or word.casefold() in ("may", "march") for word in words(text))


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
            if word[:1].isupper() and is_name and word.casefold() not in _STOP and not is_date(word):
                found.append(word)
    return found


def numbers(text: str) -> set[int]:
    """Return the numbers of a text, in digits or in words."""
    found = {int(digits[-9:]) for digits in re.findall(r"\d+", text)}
    for word in map(str.casefold, words(text)):
        found |= {NUMBERS[word]} if word in NUMBERS else _CLOCK.get(word, frozenset())
    return found


def is_date(word: str) -> bool:
    """Tell whether a word is the name of a day or of a month that is nothing else."""
    word = word.casefold()
    return word in DAYS or (word in MONTHS and word not in ("may", "march"))


def abbreviated(name: str, there: Collection[str]) -> bool:
    """Tell whether a name occurs in a longer or shorter form: German for Germany."""
    return any(_kin(stem(name), other) for other in there)


def _kin(one: str, other: str) -> bool:
    shared = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    return shared >= 4 and shared >= 0.7 * max(len(one), len(other))
