"""Whether a sentence asks something of the assistant, requests something of it, or only tells.

The reader's head of acts goes by the words of a sentence; who tells a diary writes "i think we are together now??" and
wants no answer, and asks for dinner without a question mark. One trained line over a sentence between its neighbours,
fitted to what was told and asked in whole lives (models/answers/intent.py), puts such acts right, or says how likely
they are told. What is said alone in a few words may be either, "date the dog was put down": then it stays told, with
the question it may be beside it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_cli.paths import shipped
from persona_cli.reading.heads import apply, read_lines, softmax
from persona_cli.reading.labels import Guess

Floats = NDArray[np.float32]

COEFFICIENTS = Path("answers") / "intent.npz"
MEANT = ("tell", "ask", "request")
"""What the line tells apart, in order."""
_REQUESTS, _RATHER = 0.7, 0.6
"""Probability from which what was read as told is a request, and a question a request or the reverse, or told.

What was read as told is no question on the word of this line: "allergic to nuts" looks like one among diaries.
"""
_PERHAPS, _SURELY = 0.2, 0.97
"""Probability from which what is told alone may be a question, and that of the act from which it is none: so 14 of the
15 are known that are missed of 40 fresh questions in a few words, and 3 of 40 tellings may be questions too."""


def judge(seen: Floats) -> Floats:
    """Return the probabilities of `MEANT` for each sentence of a message: (n, features) to (n, 3)."""
    return softmax(apply(_line(), seen))


def meant(act: Guess, chances: Floats, *, plain: bool = False) -> Guess:
    """Return the act of a sentence, put right where it is taken for a question, a request or neither.

    Only what is `plain`, said alone and without a question mark, is told on the word of this line: "name of the vet is
    Dr Patel"; among others a question in a few words looks told.
    """
    told, asks, requests = chances.tolist()
    if plain and act.label in ("ask", "request") and told >= _RATHER:
        return Guess("tell", told)
    if requests >= {"tell": _REQUESTS, "chat": _REQUESTS, "ask": _RATHER}.get(act.label, 2.0):
        return Guess("request", requests)
    if act.label == "request" and asks >= _RATHER:
        return Guess("ask", asks)
    return act


def may_ask(act: Guess, chances: Floats) -> float:
    """Return how probable it is that a plain sentence read as told asks after all; 0 where it hardly can."""
    asks = float(chances[MEANT.index("ask")])
    return asks if act.label == "tell" and act.probability < _SURELY and asks >= _PERHAPS else 0.0


@cache
def _line() -> Floats:
    return read_lines(shipped(str(COEFFICIENTS)))["line"]
