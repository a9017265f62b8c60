"""Whether a sentence asks something of the assistant, requests something of it, or only tells.

The reader's head of acts goes by the words of a sentence; who tells a diary writes "i think we are together now??" and
wants no answer, and asks for dinner without a question mark. One trained line over a sentence between its neighbours,
fitted to what was told and asked in whole lives (models/answers/intent.py), puts such acts right, or says how likely
they are told.
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
"""Probability from which what was read as told is a request, and a question a request or the reverse.

What was read as told is no question on the word of this line: "allergic to nuts" looks like one among diaries.
"""


def judge(seen: Floats) -> Floats:
    """Return the probabilities of `MEANT` for each sentence of a message: (n, features) to (n, 3)."""
    return softmax(apply(_line(), seen))


def meant(act: Guess, chances: Floats) -> Guess:
    """Return the act of a sentence, put right where it is taken for a question, a request or neither."""
    _, asks, requests = chances.tolist()
    if requests >= {"tell": _REQUESTS, "chat": _REQUESTS, "ask": _RATHER}.get(act.label, 2.0):
        return Guess("request", requests)
    if act.label == "request" and asks >= _RATHER:
        return Guess("ask", asks)
    return act


@cache
def _line() -> Floats:
    return read_lines(shipped(str(COEFFICIENTS)))["line"]
