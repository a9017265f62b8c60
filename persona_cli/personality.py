"""The Personality Evolving Mechanism (PEM): five traits and how one reading moves them. Pure arithmetic.

Scores run from 1.0 to 5.0; 3.0 is neutral and, in a reading, means "no evidence".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

NEUTRAL = 3.0
LOWEST, HIGHEST = 1.0, 5.0
STABLE_AFTER = 50
"""Turns after which the momentum stays at its highest, 0.9 (PersonaVLM, PEM)."""


@dataclass(frozen=True, slots=True)
class Traits:
    """A Big Five vector, each trait from 1.0 to 5.0, in the order of the paper."""

    openness: float = NEUTRAL
    conscientiousness: float = NEUTRAL
    extraversion: float = NEUTRAL
    agreeableness: float = NEUTRAL
    neuroticism: float = NEUTRAL

    def __post_init__(self) -> None:
        for name, score in self:
            if not LOWEST <= score <= HIGHEST:
                raise ValueError(f"{name} is {score}, outside {LOWEST} to {HIGHEST}")

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Yield (name, score) in the paper's order."""
        for name in TRAITS:
            yield name, getattr(self, name)

    def __getitem__(self, name: str) -> float:
        if name not in TRAITS:
            raise KeyError(name)
        return float(getattr(self, name))


TRAITS: tuple[str, ...] = tuple(field.name for field in fields(Traits))


@dataclass(frozen=True, slots=True)
class Impression(Traits):
    """A reading of one turn that says how sure it is, from 0 to 1; bare `Traits` are wholly sure."""

    confidence: float = 1.0

    @classmethod
    def of(cls, reading: Traits) -> Impression:
        """Return a reading with its confidence."""
        return reading if isinstance(reading, cls) else cls(**dict(reading))


MANNERS: dict[str, tuple[str, str]] = {
    "openness": ("concrete and familiar", "curious, with ideas"),
    "conscientiousness": ("loose and brief", "orderly and exact"),
    "extraversion": ("calm", "lively"),
    "agreeableness": ("frank", "warm"),
    "neuroticism": ("light and direct", "reassuring"),
}
"""How somebody low and somebody high in a trait is best spoken to."""
STEP = 0.3
"""How far a score moves before a conversation under way takes it up."""
HEARD = 0.5
"""How far from neutral a score is heard in the tone: it takes several readings to get there."""


def manner(traits: Traits) -> dict[str, str]:
    """Return for each trait that is far enough from neutral how it asks to be spoken to."""
    heard = {name: score - NEUTRAL for name, score in traits if abs(score - NEUTRAL) >= HEARD}
    return {name: MANNERS[name][off > 0] for name, off in heard.items()}


def steady(shown: Traits, now: Traits) -> Traits:
    """Return the scores to go on with in a conversation that began with `shown`: those, until one has moved audibly.

    In a prompt the scores stand above the conversation (PersonaVLM), so a new decimal costs the evaluation of all that
    is below them; a tone does not change by `STEP`.
    """
    moved = any(abs(score - shown[name]) >= STEP for name, score in now)
    return now if moved or manner(shown) != manner(now) else shown


def momentum(turns: int) -> float:
    """Return lambda after `turns` earlier turns: 0.5 at the first, 0.7 at 25, 0.9 from 50 on."""
    share = min(max(turns, 0), STABLE_AFTER) / STABLE_AFTER
    return 1.0 - (0.1 + 0.4 * (math.cos(math.pi * share) + 1.0) / 2.0)


def weight(turns: int, confidence: float = 1.0) -> float:
    """Return what is kept of the vector: lambda, and the more the less sure a reading is.

    A doubtful reading takes a shorter step towards the same end: one that lay nearer the middle itself would lower a
    trait it speaks for.
    """
    return 1.0 - (1.0 - momentum(turns)) * confidence


def evolve(vector: Traits, reading: Traits, turns: int) -> Traits:
    """Return the vector after one reading: lambda * p + (1 - lambda) * p', per trait, at full confidence.

    A reading of exactly 3 leaves its trait as it is. `turns` counts the turns before this one.
    """
    return blend(vector, reading, weight(turns, Impression.of(reading).confidence))


def blend(vector: Traits, reading: Traits, weight: float) -> Traits:
    """Return the vector after one reading whose momentum is known."""
    return Traits(
        **{
            name: old if reading[name] == NEUTRAL else _clamp(weight * old + (1.0 - weight) * reading[name])
            for name, old in vector
        }
    )


def _clamp(score: float) -> float:
    return min(max(score, LOWEST), HIGHEST)
