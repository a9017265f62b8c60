"""When somebody was that old: "in my twenties", "when I was 12", from a birth or an age that was told."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from persona_cli.memory.store import Store
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.records import Hit, SemanticMemory, Window
from persona_cli.timewords import Anchored, describe, find_times

_BORN = re.compile(r"\b(?:born|birthday|date of birth|birth ?date)\b", re.IGNORECASE)
_BIRTH_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_AGED = re.compile(
    r"\b(?:I am|I['’]m|you are|the user is|am|turned|turning|is) (?:now |just |already )?(\d{1,3})"
    r"(?: years old| today| yesterday|[.,!?]|$| and\b)",
    re.IGNORECASE,
)
_OLD = re.compile(r"\b(\d{1,3}) years old\b", re.IGNORECASE)
_OLDEST = 120


_Remembered = Callable[[str], tuple[Sequence[Hit[SemanticMemory]], Sequence[Hit[MessageLine]]]]


@dataclass(frozen=True, slots=True)
class Birth:
    """When somebody was born, as surely as it was told, and the words it is known from."""

    window: Window
    words: str
    told: datetime | None
    """None for the profile."""


def years_of_age(anchored: Anchored, birth: Birth) -> Window | None:
    """Return the years in which somebody born then was as old as the words say."""
    start, end = birth.window.start, birth.window.end
    if start is None or end is None or anchored.ages is None:
        return None
    first, last = anchored.ages
    return Window(start + relativedelta(years=first), end - timedelta(days=1) + relativedelta(years=last))


def find_birth(anchored: Anchored, at: datetime, store: Store, remembered: _Remembered) -> Birth | None:
    """Return when the owner of the birthday was born; None where neither a year nor an age is known."""
    owner = anchored.anchor.rsplit(" ", maxsplit=1)[0]
    mine = owner.lower() == "my"
    if mine and (birth := next(_of_profile(store, at), None)):
        return birth
    name = re.sub(r"['’]s$", "", owner.split()[-1])
    asked = (
        ("I was born, my birthday", "I am years old")
        if mine
        else (f"{anchored.anchor}, {name} was born", f"{name} is years old")
    )
    for sentence, moment in _sentences(_said(*remembered(words)) for words in asked):
        meant = _of_me(sentence) if mine else name.casefold() in sentence.casefold()
        if meant and (window := _read(sentence, moment.astimezone(at.tzinfo))):
            return Birth(window, sentence, moment)
    return None


def source_of(birth: Birth, at: datetime) -> str:
    """Return the words a birth is known from, as `--explain` prints them."""
    words = " ".join(birth.words.split())[:80]
    if birth.told is None:
        return f" (your profile says “{words}”)"
    day = birth.told.astimezone(at.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
    return f" (you said “{words}” {describe(Window(day, day + timedelta(days=1)), at)})"


def _of_profile(store: Store, at: datetime) -> Iterator[Birth]:
    for entry in store.core.current().entries:
        key = entry.key.replace("_", " ").lower()
        moment = entry.recorded_at.astimezone(at.tzinfo)
        words = f"{entry.key}: {entry.value}"
        if _BORN.search(key) and (birth := _of_year(entry.value, moment)):
            yield Birth(birth, words, None)
        elif key in {"age", "my age"} and (age := re.search(r"\d{1,3}", entry.value)):
            yield Birth(_of_age(int(age[0]), moment), words, None)


def _said(facts: Sequence[Hit[SemanticMemory]], messages: Sequence[Hit[MessageLine]]) -> list[tuple[str, datetime]]:
    said = [(hit.memory.content, hit.memory.valid_from) for hit in facts]
    return said + [(hit.memory.user, hit.memory.at) for hit in messages]


def _sentences(searches: Iterable[list[tuple[str, datetime]]]) -> Iterator[tuple[str, datetime]]:
    for text, moment in itertools.chain.from_iterable(searches):
        for sentence in re.split(r"(?<=[.!?])\s+|\n", text):
            yield sentence, moment


def _of_me(sentence: str) -> bool:
    """Tell whether it is the user who was born or is so old: "my son is 8" says nothing of that."""
    return (
        re.match(r"\s*(?:well,? |so,? |today,? )?(?:I\b|I['’]m\b|my birthday|the user\b|you\b)", sentence, re.I)
        is not None
    )


def _read(sentence: str, moment: datetime) -> Window | None:
    if _BORN.search(sentence) and (birth := _of_year(sentence, moment)):
        return birth
    age = _OLD.search(sentence) or _AGED.search(sentence)
    return _of_age(int(age[1]), moment) if age and 1 < int(age[1]) <= _OLDEST else None


def _of_year(words: str, moment: datetime) -> Window | None:
    """Return the day or the year of a birth; a birthday without its year tells no age."""
    if not _BIRTH_YEAR.search(words):
        return None
    dated = [phrase for phrase in find_times(words, moment) if _BIRTH_YEAR.search(phrase.text)]
    if dated:
        return dated[0].window
    year = int(_BIRTH_YEAR.findall(words)[0])
    first = moment.replace(year=year, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return Window(first, first + relativedelta(years=1))


def _of_age(age: int, moment: datetime) -> Window:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(
        day - relativedelta(years=age + 1) + timedelta(days=1), day - relativedelta(years=age) + timedelta(days=1)
    )
