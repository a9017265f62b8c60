"""How a reply is said: its words are data (tone.toml), chosen by the occasion and by the person's own traits.

A trait is heard from half a point off the middle; the two that stand out most are heard, each at its high or its low
end. The form of the answer before is never taken again, and the same message in the same situation gets the same form.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from persona_cli.model.lite.phrases import phrases_of
from persona_cli.personality import NEUTRAL, Traits

HEARD = 0.5
"""How far from the middle a trait is heard: a vector that has moved so far has seen several readings, not one."""
_PLAINLY = 1.0
"""How far a second trait must be, to be heard beside the first."""
_TROUBLED = frozenset({"grief", "sad", "worried", "angry"})


@dataclass(frozen=True, slots=True)
class Tone:
    """The traits to answer with, and what was answered lately."""

    traits: Traits
    lately: tuple[str, ...] = ()
    """The last answers, whose forms are not taken again."""

    def plain(self, occasion: str, seed: str, what: str = "", who: str = "") -> str:
        """Return a reply to an occasion of [plain] as anybody would get it."""
        name = f"{occasion}_of" if who and f"{occasion}_of" in _forms()["plain"] else occasion
        return self._chosen(_forms()["plain"][name], seed).replace("{who}", who).replace("{}", what)

    def said(self, text: str, occasion: str, seed: str) -> str:
        """Return a reply as this person likes to be spoken to; what it says is untouched."""
        mood = "sad" if occasion in _TROUBLED else occasion
        for trait, end in self._heard()[: 1 if mood == "sad" else 2]:
            forms = _forms()[trait][end]
            text = self._chosen(forms.get(mood, forms["any"]), seed + trait).replace("{}", text)
        return text

    def _heard(self) -> list[tuple[str, str]]:
        """Return the traits that are heard with their ends, the plainest first."""
        off = sorted(((trait, score - NEUTRAL) for trait, score in self.traits), key=lambda pair: -abs(pair[1]))
        least = (HEARD, _PLAINLY)
        return [
            (trait, "high" if by > 0 else "low")
            for (trait, by), wanted in zip(off, least, strict=False)
            if abs(by) >= wanted
        ]

    def _chosen(self, forms: Sequence[str], seed: str) -> str:
        first = zlib.crc32(seed.encode()) % len(forms)
        ordered = [*forms[first:], *forms[:first]]
        return next((form for form in ordered if not self._used(form)), ordered[0])

    def _used(self, form: str) -> bool:
        parts = [part.strip() for part in form.replace("{who}", "{}").split("{}")]
        return any(len(part) > 3 and part in answer for part in parts for answer in self.lately)


def occasion_of(text: str) -> str:
    """Return what feeling a statement calls for: grief, sad, worried, angry, glad, or "" for none."""
    for occasion in ("grief", "worried", "sad", "angry"):
        if phrases_of(occasion).search(text):
            return occasion
    return "glad" if phrases_of("glad").search(text) and not phrases_of("denied").search(text) else ""


@cache
def _forms() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("tone.toml").read_text(encoding="utf-8"))
