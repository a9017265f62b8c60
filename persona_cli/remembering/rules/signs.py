"""The signs by which sentences show how they are meant: signs.toml and states.toml, compiled at the first use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SIGNS = Path(__file__).with_name("signs.toml")
STATES = Path(__file__).with_name("states.toml")


@dataclass(frozen=True, slots=True)
class Sign:
    """One entry of a table: its pattern, and sentences that show the sign or do not, which run as tests."""

    pattern: re.Pattern[str]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    ends: frozenset[str] = frozenset()
    """States that being in this one ends."""
    searched: str = ""
    """Words by which memories of a state are found."""


def shows(name: str, text: str) -> bool:
    """Tell whether a text shows one of the signs of signs.toml; raises `KeyError` for a sign that is not there."""
    return _compiled(name).search(text) is not None


def without(name: str, text: str) -> str:
    """Return a text without the words of a sign."""
    return _compiled(name).sub("", text)


@cache
def _compiled(name: str) -> re.Pattern[str]:
    # each sign at its own first use: all of them take 30 ms, a short message needs five
    return _sign(_read(SIGNS)[name]).pattern


@cache
def signs(path: Path = SIGNS) -> Mapping[str, Sign]:
    """Return every entry of a table by its name."""
    bare = path == STATES
    return {name: _sign(entry | {"bare": bare or entry.get("bare", False)}) for name, entry in _read(path).items()}


@cache
def _read(path: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _sign(entry: Mapping[str, object]) -> Sign:
    either = "|".join(_texts(entry, "says"))
    return Sign(
        re.compile(either if entry.get("bare") else rf"\b(?:{either})\b", re.IGNORECASE | re.MULTILINE | re.DOTALL),
        _texts(entry, "yes"),
        _texts(entry, "no"),
        frozenset(_texts(entry, "ends")),
        str(entry.get("searched", "")),
    )


def _texts(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    texts = entry.get(key, ())
    if not isinstance(texts, list | tuple):
        raise TypeError(f"{key} is no list")
    return tuple(map(str, texts))
