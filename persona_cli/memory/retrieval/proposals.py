"""Whether a question asks for a proposal, which what somebody likes or cannot have bears on without answering it.

One trained line over the vector that the question has anyway, beside the plain forms of requests: people ask for
dinner in more ways than can be listed ("what could i cook wednesday night", "gift ideas for mum's 60th").
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.small_talk import requests
from persona_cli.paths import shipped

COEFFICIENTS = Path("answers") / "requests.npz"
THRESHOLD = 0.3
"""Of 60 requests of batch `e` 48 lie above it, and 5 of 390 questions for what was told."""


def asks_proposal(text: str, vector: NDArray[np.float32], embedder: str) -> bool:
    """Tell whether a text asks for a proposal or a deed; `vector` is its own, of the embedder of this name."""
    if requests(text):
        return True
    line, name = _line()
    return name == embedder and float(vector @ line[:-1] + line[-1]) > float(np.log(THRESHOLD / (1 - THRESHOLD)))


@cache
def _line() -> tuple[NDArray[np.float32], str]:
    with np.load(shipped(str(COEFFICIENTS)), allow_pickle=False) as stored:
        return np.asarray(stored["line"], dtype=np.float32), str(stored["embedder"])
