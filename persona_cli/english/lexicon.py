"""The closed word classes: stop words, verbs, people, trades, and words that name nobody, read from TOML.

They are lists and not a tagger, because a tagger is a download and these classes hardly grow. The files are read once,
when the first module that needs a class is imported: 3 ms, which `persona --help` does not spend.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


def words(text: str) -> frozenset[str]:
    """Return the words of `text` as a class."""
    return frozenset(text.split())


@cache
def tables(name: str) -> dict[str, str]:
    """Return the lists of english/NAME.toml as text."""
    loaded: dict[str, str] = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return loaded


@cache
def word_class(name: str, file: str = "words") -> frozenset[str]:
    """Return a list as a class of words; raises `KeyError` for one that is not there."""
    return words(tables(file)[name])


NAME = r"(?-i:[A-Z](?:[\w-]|'(?!s\b))+)"
"""A name as it is written, without its possessive ending."""

STOP_WORDS = word_class("stop")
"""Words that join and point and carry no matter of their own: the one stop list."""
ASKING = word_class("asking")
WEIGHTLESS = word_class("weightless")
TALKING = word_class("talking")
"""Each is told apart by its comment in words.toml; each adds to `STOP_WORDS` where more than grammar is left out."""
STOP = STOP_WORDS | WEIGHTLESS
"""Words that are no keywords."""

BASE = word_class("activities")
AUXILIARIES = word_class("auxiliaries")
MODALS = word_class("modals")
ADVERBS = word_class("adverbs")
NOT_NAMES = word_class("not_names")

KIN = word_class("kin", "people")
PEOPLE = KIN | word_class("others", "people")
PETS = word_class("pets", "people")
