"""Words as evidence: what of a sentence is a name, a number, a date, a value, and whether it was really said.

The one stemmer stands here, and agrees with the full text's (FTS5, porter). Pure; errs on the side of "not said".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Any

from persona_cli.english.kept_texts import kept
from persona_cli.english.lexicon import STOP, tables, word_class
from persona_cli.english.sentences import sentences
from persona_cli.english.verbs import irregular_bases

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FROM_APOSTROPHE = re.compile(r"['’].*$")
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
_NEGATIVE = re.compile(r"n['’]t\b|\bno longer\b|\bany ?more\b", re.IGNORECASE)


def stem(word: str) -> str:
    """Return the form by which words are compared: "died", "dies" and "dead" are one; for comparing, not to show."""
    return _stem(word.casefold())


@lru_cache(maxsize=32_768)
def _stem(word: str) -> str:
    word = _POSSESSIVE.sub("", word.replace("’", "'"))
    return porter(base_form(word))


def base_form(word: str) -> str:
    """Return the base of an irregular form in small letters ("went": "go"); other words stay as they are."""
    return _irregular().get(word, word)


def porter(word: str) -> str:
    """Return the stem of a word in small letters as the full text has it: FTS5's porter without diacritics.

    Snowball's "porter" is the algorithm; FTS5 also knows its author's later -logi and -bli, undoubles every consonant,
    and leaves words alone that are shorter than three letters or longer than 64 bytes.
    """
    if not word.isascii():
        word = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    if not 2 < len(word) < _LONGEST:
        return word
    if word.endswith(("bly", "logy", "logies", "logied")) and _MEASURED.match(word):
        word = _LATER.sub(lambda match: "ble" if match[0] == "bly" else "log", word)
    short: str = _stemmer().stemWord(word)
    return short[:-1] if short[-2:] in _DOUBLED and word.endswith(("ed", "ing")) else short


_LONGEST = 64
_LATER = re.compile(r"(?:bly|logy|logie[sd])$")
_MEASURED = re.compile(r"\w*(?:[aeiouy][^aeiouy\W]|[aeiou]y)\w*(?:bly|logy|logie[sd])$")
"""A vowel and a consonant stand before the ending: "apology", not "eulogy"."""
_DOUBLED = frozenset(["cc", "hh", "jj", "kk", "qq", "vv", "ww", "xx", "yy"])
_POSSESSIVE = re.compile(r"'s?$")


@cache
def _stemmer() -> Any:
    import Stemmer  # Snowball in C: a twentieth of the time of snowballstemmer, which also imports 34 languages

    return Stemmer.Stemmer("porter")


@cache
def _irregular() -> dict[str, str]:
    """Return the base of every form that no rule leads to: "died", "children", "went"."""
    other = (line.split() for line in tables("words")["other_forms"].strip().splitlines())
    return irregular_bases() | {form: base for base, *forms in other for form in forms}


def words(text: str) -> list[str]:
    """Return the words and numbers of a text in order."""
    return _WORD.findall(text)


def telling_words(text: str) -> list[str]:
    """Return the words that carry meaning, in order."""
    return [word for word in words(text) if _FROM_APOSTROPHE.sub("", word.casefold()) not in STOP]


@kept
def stems(text: str) -> frozenset[str]:
    """Return the stems of the words that carry meaning."""
    return frozenset(map(stem, telling_words(text)))


@kept
def word_stems(text: str) -> frozenset[str]:
    """Return the stems of all words of a text."""
    return frozenset(map(stem, words(text)))


def stem_set(text: str) -> frozenset[str]:
    """Return the stems of the words of a list."""
    return frozenset(map(stem, text.split()))


@kept
def values(text: str) -> frozenset[str]:
    """Return the stems that say something specific: not "works as" or "likes", nor dates, which are judged apart."""
    found = stems(text)
    undated = frozenset(short for short in found if short not in _calendar() and not short[0].isdigit())
    return (undated - stemmed("frame")) or undated or found


def only_dates(text: str) -> bool:
    """Tell whether a text is a date and nothing else: what was said is judged by the calendar alone."""
    return all(word.isdigit() or is_date(word) or word.casefold() in ("may", "march") for word in words(text))


def supported(wanted: Collection[str], text: str) -> set[str]:
    """Return those of the stems that occur in a text, also in another form of the word."""
    return _supported(wanted, word_stems(text))


@kept
def negative(text: str) -> bool:
    """Tell whether a sentence denies something, or speaks of dislike or of an end."""
    return bool(_NEGATIVE.search(text)) or not stemmed("negative").isdisjoint(word_stems(text))


@kept
def names(text: str) -> tuple[str, ...]:
    """Return the capitalised words without possessives; the first of a sentence where it is its subject."""
    found = []
    for sentence in sentences(text):
        for place, match in enumerate(_WORD.finditer(sentence)):
            word = _CONTRACTED.sub("", match[0])
            is_name = place > 0 or word != match[0] or _SUBJECT.match(sentence, match.end())
            if word[:1].isupper() and is_name and word.casefold() not in STOP - _NAMES_TOO and not is_date(word):
                found.append(word)
    return tuple(found)


_NAMES_TOO = frozenset(("will",))
"""Stop words that are names where they have a capital inside a sentence, or before a verb: "Will moved"."""


@kept
def numbers(text: str) -> frozenset[int]:
    """Return the numbers of a text, in digits or in words."""
    found = {int(digits[-9:]) for digits in re.findall(r"\d+", text)}
    for word in map(str.casefold, words(text)):
        found |= {NUMBERS[word]} if word in NUMBERS else _CLOCK.get(word, frozenset())
    return frozenset(found)


def is_date(word: str) -> bool:
    """Tell whether a word is the name of a day or of a month that is nothing else."""
    word = word.casefold()
    return word in DAYS or (word in MONTHS and word not in ("may", "march"))


def abbreviated(name: str, there: Collection[str]) -> bool:
    """Tell whether a name occurs among stems in a longer or shorter form: German for Germany."""
    return any(_kin(stem(name), other) for other in there)


@cache
def stemmed(name: str) -> frozenset[str]:
    """Return the stems of a list of words.toml."""
    return frozenset(map(stem, word_class(name)))


@cache
def _calendar() -> frozenset[str]:
    return frozenset(map(stem, MONTHS + DAYS))


def _supported(wanted: Iterable[str], there: Collection[str]) -> set[str]:
    """Return the stems that are there or have kin there; only what begins alike is compared."""
    beginnings: dict[str, list[str]] = {}
    for other in there:
        beginnings.setdefault(other[:_ALIKE], []).append(other)
    return {
        short
        for short in wanted
        if short in there or any(_kin(short, other) for other in beginnings.get(short[:_ALIKE], ()))
    }


_ALIKE = 4
"""Letters that two words of one family must begin with."""


def _kin(short: str, other: str) -> bool:
    shared = next(
        (at for at, pair in enumerate(zip(short, other, strict=False)) if pair[0] != pair[1]),
        min(len(short), len(other)),
    )
    return shared >= _ALIKE and shared >= 0.7 * max(len(short), len(other))
