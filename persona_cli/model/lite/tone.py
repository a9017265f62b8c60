"""How a reply is said: its words are data (tone.toml), chosen by the occasion and by the person's own traits.

A trait is heard from half a point off the middle; the two that stand out most are heard, each at its high or its low
end. The form of the answer before is never taken again, and the same message in the same situation gets the same form.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from persona_cli.personality import NEUTRAL, Traits

HEARD = 0.5
"""How far from the middle a trait is heard: a vector that has moved so far has seen several readings, not one."""
_PLAINLY = 1.0
"""How far a second trait must be, to be heard beside the first."""
_UNTONED = ("quiet", "unclear", "unkept", "pleased")
"""What is not surely read, and may be heavy: whatever is said besides may be out of place."""
_SELDOM = ("noted", "soft")
"""Moods in which a trait is not heard where it was in an answer just before: people tell ten plain things in a row."""
_ONE_IS_ENOUGH = ("grave", "low", "soft", "glad", "joke", "noted")
"""Moods in which the plainest trait alone is heard."""


@dataclass(frozen=True, slots=True)
class Tone:
    """The traits to answer with, and what was answered lately."""

    traits: Traits
    lately: tuple[str, ...] = ()
    """The last answers, whose forms are not taken again."""

    day: str = ""
    """Today's date, for those who like things dated."""

    def reply(self, occasion: str, seed: str, excerpt: str = "") -> str:
        """Return the reply to an occasion of [plain] as this person likes to be spoken to.

        It takes up the `excerpt`, words of their own, where the occasion has forms for it and they like more words.
        """
        quoted = _forms()["plain"].get(f"{occasion}_quoted", []) if excerpt and not self._brief else []
        plain = self._chosen(quoted or _forms()["plain"][occasion], seed).replace("{}", excerpt)
        rests = occasion in _UNTONED or (_mood(occasion) in _SELDOM and self._heard_lately())
        return plain if rests else self.said(plain, occasion, seed)

    def plain(self, occasion: str, seed: str, what: str = "") -> str:
        """Return a reply to an occasion of [plain] as anybody would get it."""
        return self._chosen(_forms()["plain"][occasion], seed).replace("{}", what)

    def said(self, text: str, occasion: str, seed: str) -> str:
        """Return a reply as this person likes to be spoken to; what it says is untouched."""
        mood = _mood(occasion)
        for trait, end in self._heard()[: 1 if mood in _ONE_IS_ENOUGH else 2]:
            forms = _forms()[trait][end]
            text = self._chosen(forms.get(mood, forms["any"]), seed + trait).replace("{}", text)
        return text.replace("{day}", self.day)

    @property
    def _brief(self) -> bool:
        return ("extraversion", "low") in self._heard()

    def _heard(self) -> list[tuple[str, str]]:
        """Return the traits that are heard with their ends, the plainest first."""
        off = sorted(((trait, score - NEUTRAL) for trait, score in self.traits), key=lambda pair: -abs(pair[1]))
        least = (HEARD, _PLAINLY)
        return [
            (trait, "high" if by > 0 else "low")
            for (trait, by), wanted in zip(off, least, strict=False)
            if abs(by) >= wanted
        ]

    def _heard_lately(self) -> bool:
        """Tell whether one of the last answers was said as this person likes to be spoken to."""
        return any(
            self._used(form) for trait, end in self._heard() for of in _forms()[trait][end].values() for form in of
        )

    def _chosen(self, forms: Sequence[str], seed: str) -> str:
        first = zlib.crc32(seed.encode()) % len(forms)
        ordered = [*forms[first:], *forms[:first]]
        return next((form for form in ordered if not self._used(form)), ordered[0])

    def _used(self, form: str) -> bool:
        parts = [part.strip() for part in re.split(r"\{\w*\}", form)]
        return any(len(part) > 3 and part in answer for part in parts for answer in self.lately)


def _mood(occasion: str) -> str:
    return next((name for name, of in _forms()["moods"].items() if occasion in of.split()), occasion)


@cache
def _forms() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("tone.toml").read_text(encoding="utf-8"))
