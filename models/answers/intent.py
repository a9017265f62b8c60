"""Fit the line of persona_cli/reading/intent: python -m models.answers.intent; a minute.

What was told in the lives is not asked, their questions are, and their requests are requested; the lives of the batch
that settings are chosen by are left out, and how they are read is printed. Diaries hardly ever tell a thing in a few
words alone: fragments.txt does, each beside a question of much the same words.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import CHOOSING, Life, read_lives
from models.keeping.train import seen_in
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import write_lines
from persona_cli.reading.intent import COEFFICIENTS, MEANT, judge
from persona_cli.reading.reader import locate

OUT = Path(__file__).with_name(COEFFICIENTS.name)
FRAGMENTS = Path(__file__).with_name("fragments.txt")
WEIGHT = 3.0
"""What a fragment weighs beside a sentence of a life; with 8 no more of those left out are read right."""
STRENGTH = 0.01
"""How freely the line may bend (scikit-learn's C, of features brought to a variance of one); of 1e-3 to 1e-2."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Sentences as the line sees them, (n, features), and which of `MEANT` each is."""

    seen: Floats
    labels: NDArray[np.int64]
    weights: Floats

    @classmethod
    def of(cls, lives: Sequence[Life], encoder: Encoder, fragments: Sequence[tuple[str, str]] = ()) -> Examples:
        """Return the sentences of lives, and fragments, each with what it means."""
        told = [(*row, 1.0) for life in lives for row in _rows(life, encoder)]
        told += [(seen_in([text], encoder)[-1], MEANT.index(name), WEIGHT) for name, text in fragments]
        rows, labels, weights = zip(*told, strict=True)
        return cls(np.array(rows), np.array(labels), np.array(weights, dtype=np.float32))


def read_fragments(path: Path = FRAGMENTS) -> list[tuple[str, str]]:
    """Return the fragments of a file, what each means first; raises ValueError for a line that does not say it."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    fragments = [(name, text) for name, _, text in (line.partition(" | ") for line in lines)]
    if unknown := [name for name, text in fragments if name not in MEANT or not text]:
        raise ValueError(f"none of {', '.join(MEANT)}: {unknown[0]}")
    return fragments


def _rows(life: Life, encoder: Encoder) -> Iterator[tuple[Floats, int]]:
    """Yield every sentence that was told, and of every question its last, which asks."""
    for said in life.told:
        for row in seen_in([text for text, _ in locate(said.text)], encoder):
            yield row, MEANT.index("tell")
    for inquiry in life.inquiries:
        meant = "request" if inquiry.kind == "request" else "ask"
        yield seen_in([text for text, _ in locate(inquiry.text)], encoder)[-1], MEANT.index(meant)


def fit(examples: Examples) -> Floats:
    """Return the line over some examples, the intercepts last: (features + 1, 3)."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = examples.seen.mean(axis=0), examples.seen.std(axis=0) + 1e-3
    fitted = LogisticRegression(C=STRENGTH, max_iter=300).fit(
        (examples.seen - middle) / spread, examples.labels, sample_weight=examples.weights
    )
    slope = (fitted.coef_ / spread).T
    return np.vstack([slope, fitted.intercept_ - middle @ slope]).astype(np.float32)


def main() -> None:
    """Fit, write, and print how the lives that were left out are read."""
    lives = [life for life in read_lives() if life.kind == "diary"]
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print)
        fitted, held = (
            Examples.of([life for life in lives if (life.name[0] == CHOOSING) is chosen], encoder, fragments)
            for chosen, fragments in ((False, read_fragments()), (True, ()))
        )
        encoder.close()
    write_lines(OUT, {"line": fit(fitted)})
    read = judge(held.seen).argmax(axis=1)
    for place, name in enumerate(MEANT):
        counts = np.bincount(read[held.labels == place], minlength=len(MEANT)).tolist()
        print(f"{name}: " + ", ".join(f"{count} read as {other}" for other, count in zip(MEANT, counts, strict=True)))


if __name__ == "__main__":
    main()
