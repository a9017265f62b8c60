"""Denials: a new sentence says the opposite of an old one, or that what was hurt or broken is well again."""

from __future__ import annotations

import re

from persona_cli.english.tokens import negative, numbers, stem, stem_set, supported, values
from persona_cli.remembering.rules.sentence import plainly
from persona_cli.remembering.rules.signs import shows

_LEFT_OUT = stem_set(
    "love like enjoy adore prefer fond into keen fan favourite favorite"
    " not never no dislike hate detest loathe avoid stand cannot longer more"
    " handle take eat eaten drink drunk since almost every nearly mostly any"
)
"""What a sentence and its denial need not share."""


def opposed(new: str, old: str) -> bool:
    """Tell whether one sentence denies what the other says: the same words with the other polarity."""
    if negative(new) == negative(old) or numbers(new) != numbers(old):
        return False
    mine, theirs = (values(plainly(text)) - _LEFT_OUT for text in (new, old))
    return bool(mine) and supported(mine, old) == mine and supported(theirs, new) == theirs


def recovers(new: str, old: str) -> bool:
    """Tell whether `new` says that what hurts or is broken in `old` is well again."""
    return shows("well", new) and shows("unwell", old) and bool(supported(_parts(old), new)) and not negative(old)


def _parts(text: str) -> set[str]:
    return {
        stem(word) for word in re.findall(r"(?i)\b(?:the user['’]s|a|an|the) (\w+)", text) if word.casefold() != "user"
    }
