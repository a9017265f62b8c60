"""Big Five readings from sentences: small heads on all-MiniLM-L6-v2 vectors, numpy only.

One line says whether a sentence speaks of any trait at all, because nearly everything people write does not; five say
how much it speaks of each, and it may speak of two; the sign head says for which pole. Vectors of a sentence and of its
negation lie close together, so the sign head also sees the vector turned round by negation and by words of dislike, and
bends: what a word says depends on the others, which squares of directions can tell and a straight line cannot.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.personality import HIGHEST, LOWEST, NEUTRAL, TRAITS, Impression, Traits

Floats = NDArray[np.float64]

_PREFERENCE = re.compile(r"\b(?:rather|prefer\w*|sooner|instead)\b", re.IGNORECASE)
_COMPARISON = re.compile(r"\b(?:than|over|instead)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“”«»]|^\s*(?:>|')")
STANCES = Path(__file__).with_name("stance.toml")
_STEEPNESS = 2.0
_NEAR, _LEAST = 0.2, 0.15
"""How much less than of the first trait, and how much at least, a sentence speaks of a second (benchmarks/LOG.md)."""
COEFFICIENTS = "coefficients.npz"


@dataclass(frozen=True, slots=True)
class TraitEvidence:
    """One sentence that moved one trait, and how far (signed, 1 is as far as a whole step of the scale)."""

    sentence: str
    trait: str
    strength: float


@dataclass(frozen=True, slots=True)
class SignHead:
    """Per trait a line (intercept last) plus scaled squares of directions: (5, d + 1), (5, r, d) whole, (5, r)."""

    linear: Floats
    curve: Floats
    scale: Floats

    def read(self, seen: Floats) -> Floats:
        """Return (n, 5), signed around 0, from what `features` gives."""
        traits, directions, width = self.curve.shape
        along = (seen @ self.curve.reshape(-1, width).T).reshape(-1, traits, directions)
        bent = np.einsum("ntd,td->nt", along**2, self.scale)
        return np.asarray(seen @ self.linear[:, :-1].T + self.linear[:, -1] + bent)


@dataclass(frozen=True, slots=True)
class TraitHeads:
    """The trained heads: rows are traits in the paper's order, intercepts last; `anything` is a row of its own."""

    sign: SignHead
    relevance: Floats
    anything: Floats

    @classmethod
    def load(cls) -> Self:
        """Read the coefficients that ship with the program."""
        with np.load(shipped("traits") / COEFFICIENTS, allow_pickle=False) as stored:
            linear, curve, scale, relevance, anything = (
                stored[name].astype(np.float64) for name in ("linear", "curve", "scale", "relevance", "anything")
            )
        return cls(SignHead(linear, curve, scale), relevance, anything)

    def save(self, path: Path) -> None:
        """Write the coefficients in the precision they need, no more."""
        np.savez(
            path,
            linear=self.sign.linear.astype(np.float16),
            curve=self.sign.curve.astype(np.int8),
            scale=self.sign.scale.astype(np.float32),
            relevance=self.relevance.astype(np.float16),
            anything=self.anything.astype(np.float16),
        )

    def raw(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Floats:
        """Return (n, 5), signed around 0: which pole each sentence speaks for, if it speaks of the trait."""
        return self.sign.read(features(vectors, texts))

    def evidence(self, sentences: Sequence[str], vectors: NDArray[np.float32]) -> tuple[TraitEvidence, ...]:
        """Return what each sentence shows about the one who says it, strongest first."""
        if not sentences:
            return ()
        plain = vectors.astype(np.float64)
        speaks = plain @ self.anything[:-1] + self.anything[-1]
        relevant = plain @ self.relevance[:, :-1].T + self.relevance[:, -1]
        first = relevant.max(axis=1, keepdims=True)
        chosen = (relevant == first) | ((relevant >= first - _NEAR) & (relevant >= _LEAST))
        signs = np.tanh(_STEEPNESS * self.raw(vectors, sentences))
        found = [
            TraitEvidence(sentence, trait, float(signs[row, column]))
            for row, sentence in enumerate(sentences)
            if speaks[row] > 0 and speaks_of_self(sentence)
            for column, trait in enumerate(TRAITS)
            if chosen[row, column]
        ]
        return tuple(sorted(found, key=lambda each: -abs(each.strength)))

    def score(self, vectors: NDArray[np.float32], texts: Sequence[str]) -> Traits:
        """Return the reading of one turn from its sentences: the pole of each trait spoken of, and how sure it is.

        Exactly 3.0 is no evidence. A doubtful sentence names its pole too: it moves the trait less, not elsewhere.
        """
        found = self.evidence(texts, vectors)
        means = {
            trait: float(np.mean([each.strength for each in found if each.trait == trait]))
            for trait in dict.fromkeys(each.trait for each in found)
        }
        if not means:
            return Traits()
        poles = {trait: HIGHEST if mean > 0 else LOWEST for trait, mean in means.items()}
        confidence = sum(abs(mean) for mean in means.values()) / len(means)
        return Impression(**{trait: poles.get(trait, NEUTRAL) for trait in TRAITS}, confidence=confidence)


def features(vectors: NDArray[np.float32], texts: Sequence[str]) -> Floats:
    """Return what the sign head sees: (n, 3 * dimension + 7)."""
    if len(vectors) != len(texts):
        raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
    words = np.array([_stance(text) for text in texts], dtype=np.float64).reshape(len(texts), 7)
    negated, averse = words[:, 0:1] > 0, words[:, 1:2] > 0
    plain = vectors.astype(np.float64)
    turned = 0.7 * plain
    return np.hstack(
        [plain, 0.15 * words, np.where(negated, -1.0, 1.0) * turned, np.where(negated != averse, -1.0, 1.0) * turned]
    )


def speaks_of_self(sentence: str) -> bool:
    """Tell whether a sentence can be evidence about its speaker: no question, no quotation, nobody else's portrait."""
    text = sentence.strip()
    return bool(text) and not text.endswith("?") and not _QUOTED.search(text) and not _stances()["others"].match(text)


@cache
def _stances() -> dict[str, re.Pattern[str]]:
    loaded = tomllib.loads(STANCES.read_text(encoding="utf-8"))
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in loaded.items()}


def _stance(text: str) -> tuple[float, ...]:
    no, averse, liking = (len(_stances()[name].findall(text)) for name in ("negation", "aversion", "liking"))
    preference, comparison = bool(_PREFERENCE.search(text)), bool(_COMPARISON.search(text))
    odd = (min(no, 2), min(averse, 2), min(liking, 2), preference, comparison, no % 2, (no + averse) % 2)
    return tuple(float(each) for each in odd)
