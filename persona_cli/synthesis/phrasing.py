"""The grammar's words: tables in TOML, whose texts have choices ("[a|b]") and slots ("{name}", "{job:a}").

Chance comes from the generator that is passed in, so the same seed says the same words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_ARTICLE = re.compile(r"^(?:an?|the) ")
_OWN = re.compile(r"\bmy\b")

Slots = Mapping[str, str]


@cache
def load_table(name: str) -> dict[str, Any]:
    """Return a table of the grammar by the name of its file."""
    text = files("persona_cli.synthesis").joinpath("grammar", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def pool(name: str) -> tuple[str, ...]:
    """Return what a slot is drawn from; names of people are one text in the table."""
    if name == "relations":
        both = load_table("pools")["pool_of_relations"]
        return tuple(dict.fromkeys((*both["woman"], *both["man"])))
    listed = load_table("pools")[name]
    return tuple(listed.split() if isinstance(listed, str) else listed)


def chosen(text: str, rng: Random) -> str:
    """Return a text with each of its choices made, the innermost first."""
    while match := _CHOICE.search(text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text


def filled(text: str, slots: Slots) -> str:
    """Return a text with its slots filled; raises KeyError for one that is not there."""

    def fill(match: re.Match[str]) -> str:
        return _shaped(slots[match[1]], match[2] or "")

    return _SLOT.sub(fill, text)


def worded(forms: Sequence[str], slots: Slots, rng: Random) -> str:
    """Return one of several forms in words, as a sentence begins."""
    text = filled(chosen(rng.choice(forms), rng), slots)
    return text[:1].upper() + text[1:]


def fits(text: str, slots: Slots) -> bool:
    """Tell whether all slots of a text can be filled."""
    return all(match[1] in slots for match in _SLOT.finditer(text))


def _shaped(value: str, shape: str) -> str:
    match shape:
        case "a":
            return f"{'an' if value[:1].lower() in 'aeiou' else 'a'} {value}"
        case "c":
            return value[:1].upper() + value[1:]
        case "bare":
            return _ARTICLE.sub("", value)
        case "their" | "your":
            return _OWN.sub(shape, value)
        case _:
            return value
