"""Fit the line that tells requests from questions: python -m models.answers.requests; seconds.

Over the questions of all lives but those of the batch that settings are chosen by, as the embedder sees them. Prints
how many of that batch's requests and questions lie above the threshold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import CHOOSING, Life, read_lives
from persona_cli.memory.retrieval.proposals import THRESHOLD
from persona_cli.memory.vectors.minilm import MiniLM

OUT = Path(__file__).with_name("requests.npz")
RIDGE = 0.3


def questions_of(lives: Sequence[Life]) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the questions of lives, and which are requests: (n,)."""
    every = [question for life in lives for question in life.inquiries]
    return [question.text for question in every], np.array([question.kind == "request" for question in every])


def main() -> None:
    """Fit, write and measure."""
    from sklearn.linear_model import LogisticRegression

    lives = read_lives()
    with tempfile.TemporaryDirectory() as folder:
        embedder = MiniLM(Path(folder), print)
        texts, labels = questions_of([life for life in lives if not life.name.startswith(CHOOSING)])
        fitted = LogisticRegression(C=1 / RIDGE, max_iter=1_000).fit(embedder.embed_query(texts), labels)
        line = np.append(fitted.coef_[0], fitted.intercept_)
        texts, labels = questions_of([life for life in lives if life.name.startswith(CHOOSING)])
        scores = embedder.embed_query(texts) @ line[:-1] + line[-1]
    above = scores > np.log(THRESHOLD / (1 - THRESHOLD))
    print(f"above the threshold: {above[labels].sum()} of {labels.sum()} requests", end=", ")
    print(f"{above[~labels].sum()} of {(~labels).sum()} questions")
    np.savez(OUT, line=line.astype(np.float32), embedder=np.array(embedder.name))


if __name__ == "__main__":
    main()
