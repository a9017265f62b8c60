"""Fit the lines of persona_cli/reading/keeping: python -m models.keeping.train (part of `make train`); a minute.

What is worth keeping is learned from three kinds of examples: messages that were marked for it, sentences whose worth
is written in the reader's corpus, and, for little, messages of lives that are one sentence, by whether anything is
asked of them. What belongs together is learned from the marked messages alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import CHOOSING, read_lives
from models.reading.corpus import HELD_BACK, batches
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import SENTENCE, open_heads, sentence_input
from persona_cli.reading.keeping import COEFFICIENTS, KeepingLines, in_context
from persona_cli.reading.reader import locate
from persona_cli.reading.surface import sentence_features

HERE = Path(__file__).parent
MARKS = ("=", "+", "-")
STRENGTH = 3e-3
"""How freely the lines may bend (scikit-learn's C, of features brought to a variance of one); of 1e-3 to 3e-2."""
STATES = 0.3
"""What the encoder's states count beside what the heads make of them; of 0.1, 0.3 and 1."""
MARKED, WRITTEN, ASKED, UNASKED = 3.0, 1.0, 0.5, 0.15
"""What an example of each kind weighs; what nobody asks about may be worth keeping all the same."""
THRESHOLDS = (0.2, 0.3, 0.35, 0.4, 0.5, 0.65, 0.7)
_TELLING = ("tell", "keep", "correct", "remind", "chat")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Message:
    """The sentences of a message and the mark of each."""

    sentences: tuple[str, ...]
    marks: str


def read_messages(path: Path) -> list[Message]:
    """Return the messages of a file; raises ValueError for a line without a mark."""
    messages = []
    for written in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = written.splitlines()
        if any(line[:1] not in MARKS or line[1:2] != " " for line in lines):
            raise ValueError(f"a line without a mark: {written}")
        messages.append(Message(tuple(line[2:] for line in lines), "".join(line[0] for line in lines)))
    return messages


def seen_in(sentences: Sequence[str], encoder: Encoder) -> Floats:
    """Return what the lines are given of the sentences of a message: (n, features)."""
    count = len(sentences)
    (passage,) = encoder.encode([list(sentences)])
    inputs = [
        sentence_input(part, sentence_features(text, place, count))
        for place, (text, part) in enumerate(zip(sentences, passage.parts, strict=True))
    ]
    return in_context(inputs, open_heads().judge(np.array(inputs)))


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features with what is right and what each weighs."""

    seen: Floats
    right: NDArray[np.bool_]
    weights: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[Floats, bool, float]]) -> Examples:
        """Return the examples of some rows."""
        seen, right, weights = zip(*rows, strict=True)
        return cls(np.array(seen), np.array(right), np.array(weights, dtype=np.float32))


def marked(messages: Sequence[Message], encoder: Encoder) -> tuple[Examples, Examples]:
    """Return what marked messages teach of worth, and of what begins a memory."""
    worth, apart = [], []
    for message in messages:
        for place, row in enumerate(seen_in(message.sentences, encoder)):
            mark = message.marks[place]
            worth.append((row, mark != "-", MARKED))
            if mark != "-" and set(message.marks[:place]) - {"-"}:
                apart.append((row, mark == "=", 1.0))
    return Examples.of(worth), Examples.of(apart)


def written(encoder: Encoder) -> Iterator[tuple[Floats, bool, float]]:
    """Yield the sentences of the reader's corpus that tell something, by their worth."""
    for message in (
        message for batch in batches() if batch.name not in (HELD_BACK, CHOOSING) for message in batch.messages
    ):
        for row, example in zip(seen_in([example.text for example in message], encoder), message, strict=True):
            if example.act in _TELLING and example.speaker == "own":
                yield row, example.worth > 1, WRITTEN


def asked(encoder: Encoder) -> Iterator[tuple[Floats, bool, float]]:
    """Yield the messages of lives that are one sentence, by whether anything is asked of them."""
    for life in read_lives():
        if life.name[0] == CHOOSING or life.kind != "diary":
            continue
        wanted = {number for inquiry in life.inquiries for number in (*inquiry.right, *inquiry.outdated)}
        for said in life.told:
            if len(sentences := [text for text, _ in locate(said.text)]) == 1:
                row = seen_in(sentences, encoder)[0]
                yield row, said.number in wanted, ASKED if said.number in wanted else UNASKED


def fit(examples: Examples) -> Floats:
    """Return the line over some examples, the intercept last."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = examples.seen.mean(axis=0), examples.seen.std(axis=0) + 1e-2
    spread[: 2 * _width(examples)] /= STATES
    fitted = LogisticRegression(C=STRENGTH, max_iter=400).fit(
        (examples.seen - middle) / spread, examples.right, sample_weight=examples.weights
    )
    slope = fitted.coef_[0] / spread
    return np.append(slope, fitted.intercept_[0] - slope @ middle).astype(np.float32)


def report(lines: KeepingLines, held: Sequence[Message], encoder: Encoder) -> Iterator[str]:
    """Yield how messages are read that nothing was trained on, a row for each threshold."""
    judged = [(examples, lines.judge(examples.seen)) for examples in marked(held, encoder)]
    yield "| from | worth: so read | worth nothing: read as worth | begins one: so read | goes on: read as begun |"
    yield "|---|---:|---:|---:|---:|"
    for least in THRESHOLDS:
        cells = [
            f"{(scores[examples.right == wanted, column] >= least).sum()} of {(examples.right == wanted).sum()}"
            for column, (examples, scores) in enumerate(judged)
            for wanted in (True, False)
        ]
        yield f"| {least} | {' | '.join(cells)} |"


def _width(examples: Examples) -> int:
    labels = sum(len(names) for names in SENTENCE.values())
    return int(examples.seen.shape[1] - 3 * labels - 2 * 25 - 3) // 2


def main() -> None:
    """Fit, print how the messages that were left out are read, and write the lines."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--into", type=Path, default=HERE)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print)
        worth, apart = marked(read_messages(HERE / "messages.txt"), encoder)
        more = Examples.of([*written(encoder), *asked(encoder)])
        every = Examples(
            np.vstack([worth.seen, more.seen]),
            np.concatenate([worth.right, more.right]),
            np.concatenate([worth.weights, more.weights]),
        )
        lines = KeepingLines(fit(every), fit(apart))
        print(*report(lines, read_messages(HERE / "held.txt"), encoder), sep="\n")
        lines.save(given.into / COEFFICIENTS)
        encoder.close()


if __name__ == "__main__":
    main()
