"""Whether one statement takes the place of another, where no rule says so: a head over the vectors of both.

It was trained on statements about two dozen matters of a life (models/successors), each with changes that end it and
remarks that leave it standing. It knows change from more of the same; of what the two speak, their cosine tells.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped

Vectors = NDArray[np.float32]
COEFFICIENTS = "coefficients.npz"
SURE = 0.3
"""Score from which a statement that speaks of a change takes the place of another."""
VERY_SURE = 1.2
"""The same for one that may speak of a change, or of something more."""
_SCALES = (10.0, 3.0, 2.0)
"""Weights of the product, of the difference and of the new vector itself, which keep their penalties comparable."""


@dataclass(frozen=True, slots=True)
class SuccessorHead:
    """A line over `features`, the intercept last."""

    line: NDArray[np.float64]

    @classmethod
    def load(cls) -> Self:
        """Read the coefficients that ship with the program."""
        with np.load(shipped("successors") / COEFFICIENTS, allow_pickle=False) as stored:
            return cls(stored["line"].astype(np.float64))

    def save(self, path: Path) -> None:
        """Write the coefficients in the precision they need."""
        np.savez(path, line=self.line.astype(np.float16))

    def score(self, old: Vectors, new: Vectors) -> NDArray[np.float64]:
        """Return one number per row of `old` and `new`; above 0 the new statement rather ends the old one."""
        return np.asarray(features(old, new) @ self.line[:-1] + self.line[-1])


def features(old: Vectors, new: Vectors) -> NDArray[np.float64]:
    """Return (n, 3 d + 1) of two (n, d): what they share, in what they differ, the new one, and their cosine."""
    product, difference = old * new, np.abs(old - new)
    cosine = product.sum(axis=1, keepdims=True)
    parts = [part * scale for part, scale in zip((product, difference, new), _SCALES, strict=True)]
    return np.hstack([*parts, cosine]).astype(np.float64)


@cache
def open_head() -> SuccessorHead:
    """Return the head that ships with the program, read once."""
    return SuccessorHead.load()


def needed(said: str) -> float:
    """Return the score from which a statement in these words ends another; infinite where they show no change.

    "I've switched" speaks of a change by itself; "I got", "I just" and "I started" tell more often of something more.
    """
    if _BESIDES.search(said):
        return math.inf
    return SURE if _STRONG.search(said) else VERY_SURE if _WEAK.search(said) else math.inf


_STRONG = re.compile(
    r"\b(?:now|nowadays|these days|no longer|any ?more|any longer|instead|rather than|changed?|switch\w*"
    r"|swapp?\w*|trad(?:e|ed)|replac\w*"
    r"|transfer\w*|moved|upgrad\w*|convert\w*|stopp(?:ed|ing)|quit|gave up|given up|giving up|ended|left"
    r"|bec(?:ome|ame)|turned|sold|again"
    r"|from now on|redundant|retire[ds]?|died|passed away|after all|turns out|done with|ditch\w*|dump\w*"
    r"|cancel\w*|delet\w*|dropped"
    r"|adopted|married|divorced?|broke up|split up|outgrown|grown out|grew out|come (?:round|around|to)"
    r"|fallen (?:out|in)|fell (?:out|in)|lost"
    r"|tired of|sick of|bored (?:of|with)|can'?t stand|can'?t get enough|used to|settled|relocated|postponed"
    r"|pushed|rescheduled|brought forward"
    r"|shaved|dyed|chopped|cut (?:it|my)|painted|closed|paid off|signed with|graduated|dropped out|scrapped"
    r"|abandoned|shelved|behind me|thing of"
    r" the past|lately|went (?:full|part|vegan|vegetarian|back|over|electric|remote)|gone (?:off|over|back|from"
    r"|full|part)|jump to|out of|new"
    r" (?:favou?rite|home|job|boss|number)|back (?:home|in|at|to|with|on)|promoted|hired|-free|got rid|moved in"
    r"|no more)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:new|start(?:ed|ing)|went|got|bought|finally|just|passed|finish(?:ed)?|decided|over|off|met|had|born"
    r"|free|cured|healed|recovered"
    r"|only|took up|taken up|picked up|opened|better|prefer\w*|favou?rite|since|moving|joined|rather)\b",
    re.IGNORECASE,
)
_BESIDES = re.compile(
    r"(?:\btoo(?=\s*(?:[.,;!?]|$|and\b|now\b)))|\b(?:also|as well|in addition"
    r"|besides|volunteer\w*|another|second (?!thoughts)|both|still|sometimes|now and (?:then|again)|on the side)\b",
    re.IGNORECASE,
)
