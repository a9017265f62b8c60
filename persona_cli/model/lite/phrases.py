"""Word lists and phrases of the built-in model, kept as data in phrases.toml and read when they are first needed."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words_of(name: str) -> frozenset[str]:
    """Return a list of words."""
    return frozenset(_load()[name].split())


@cache
def table_of(name: str) -> dict[str, str]:
    """Return words with what each stands for; several of the same stand before it, one blank apart."""
    return {word: meaning for meaning, words in _load()[name].items() for word in words.split("|")}


@cache
def phrases_of(name: str) -> re.Pattern[str]:
    """Return a pattern that finds any of the phrases of a list, as whole words, in any case."""
    phrases = sorted(_load()[name], key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(phrases) + r")(?!\w)", re.IGNORECASE)


def without_opening(text: str, *names: str) -> str:
    """Return a text without the phrases of these lists at its beginning, one after the other, and their commas."""
    patterns = [phrases_of(name) for name in names]
    before = None
    while text != before:
        before = text
        for pattern in patterns:
            if (match := pattern.match(text)) and (rest := text[match.end() :].lstrip(" ,:;.!…–—-")):
                text = rest
    return text


@cache
def _load() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
