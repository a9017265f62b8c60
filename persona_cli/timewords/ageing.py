"""What was said of a moment, as it is at a later one: ages count on, and "in two weeks" is of the day it was said.

A memory keeps what was said; this is a view of it, made where it is told. Pure.
"""

from __future__ import annotations

import re
from datetime import datetime

from persona_cli.english.tokens import NUMBERS
from persona_cli.timewords import find_times, settle

_NUMBER = rf"(?P<age>\d{{1,3}}|{'|'.join(NUMBERS)})"
_OLD = re.compile(rf"\b(?:is|am|are|turned|just turned) {_NUMBER}(?P<unit> (?:years?|months?) old)", re.IGNORECASE)
_BARE = re.compile(
    rf"\b(?:is|am|are|turned|just turned) {_NUMBER}(?P<unit>)(?=\s*[.,;!?]|\s*$| and\b| now\b)", re.IGNORECASE
)
_RELATIVE = re.compile(
    r"\b(?:in|ago|from now|yesterday|today|tonight|tomorrow|next|last|this|coming|weekend)\b", re.IGNORECASE
)
"""Without one of these words nothing depends on the day: most contents are not looked through."""
_MONTHS_A_YEAR = 12
_OLDEST = 120


def counted_on(content: str, said_at: datetime, now: datetime, *, age: bool = False) -> str:
    """Return a sentence said at `said_at` as it is `now`: "is 8" of seven years ago is "is about 15 (8 in May 2019)".

    A number alone is an age only where the caller knows it for one. What is no older than its unit stays as it is.
    """
    if said_at.date() != now.date() and _RELATIVE.search(content):
        content = settle(content, find_times(content, said_at))
    return (_BARE if age and not _OLD.search(content) else _OLD).sub(lambda match: _older(match, said_at, now), content)


def _older(match: re.Match[str], said_at: datetime, now: datetime) -> str:
    told = match["age"].casefold()
    age = NUMBERS[told] if told in NUMBERS else int(told)
    months = (now.year - said_at.year) * _MONTHS_A_YEAR + now.month - said_at.month - (now.day < said_at.day)
    by_month = "month" in match["unit"].casefold()
    passed = months if by_month else months // _MONTHS_A_YEAR
    if passed < 1 or age + passed > (_OLDEST * _MONTHS_A_YEAR if by_month else _OLDEST):
        return match[0]
    verb = "are" if match[0].casefold().startswith("are") else "am" if match[0].casefold().startswith("am") else "is"
    grown, unit = age + passed, match["unit"]
    if by_month and grown >= 2 * _MONTHS_A_YEAR:
        grown, unit = grown // _MONTHS_A_YEAR, " years old"
    return f"{verb} about {grown}{unit} ({match['age']}{match['unit']} in {said_at:%B %Y})"
