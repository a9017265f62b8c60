"""The table of rules: which words are a time phrase (rules.toml), and the function that says what each means.

A rule is tried only on a text that holds one of its keys, and its pattern is compiled then: of seventy rules a
question needs three, and to compile all of them takes longer than to answer it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from persona_cli.timewords import distances, meanings, portions
from persona_cli.timewords.atoms import NUMBER, Build
from persona_cli.timewords.feasts import feast_names, feast_pattern
from persona_cli.timewords.meanings import VAGUE
from persona_cli.timewords.patterns import expand, read_table

_START, _END = r"(?<![\w'’])(?:(?<!-)|(?<=mid-))", r"(?!\w)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One family of phrases."""

    name: str
    meaning: Build
    source: str
    """As it stands in the table."""
    keys: tuple[str, ...]
    """Of which a text must hold one, in lower case and without apostrophes; "#" is any digit."""
    yes: tuple[str, ...]
    no: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return what finds the phrases, compiled once."""
        return _compiled(self.source)


@cache
def rules() -> tuple[Rule, ...]:
    """Return every rule in the order of the table; of two that match the same words the first counts."""
    return tuple(
        Rule(
            row["name"],
            _meaning(row["meaning"]),
            row["pattern"],
            _keys(row["keys"]),
            tuple(row["yes"]),
            tuple(row["no"]),
        )
        for row in read_table("rules")["rule"]
    )


def rules_for(text: str) -> list[tuple[int, Rule]]:
    """Return the rules whose keys a text holds, by their place."""
    plain = " ".join(re.sub(r"['’]", "", text.lower()).split()) + " "
    digits = re.search(r"\d", plain) is not None
    return [
        (place, rule)
        for place, rule in enumerate(rules())
        if any(digits if key == "#" else key in plain for key in rule.keys)
    ]


def _meaning(name: str) -> Build:
    for module in (meanings, distances, portions):
        if hasattr(module, name):
            made: Build = getattr(module, name)
            return made
    raise LookupError(f"rules.toml names the meaning {name}, and there is no such function")


def _keys(names: list[str]) -> tuple[str, ...]:
    groups = {"@feasts": tuple(feast_names()), "@vague": tuple(VAGUE)}
    return tuple(key for name in names for key in groups.get(name, (name.replace("'", ""),)))


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(f"{_START}(?:{expand(source, _parts())}){_END}", re.IGNORECASE)


@cache
def _parts() -> Mapping[str, str]:
    vague = "|".join(re.escape(name).replace(r"\ ", " ") for name in sorted(VAGUE, key=len, reverse=True))
    parts: Mapping[str, str] = read_table("rules")["parts"]
    return {**parts, "number": NUMBER, "feast": f"(?P<feast>{feast_pattern()})", "vague": vague}
