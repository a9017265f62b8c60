"""Fit the line of persona_cli/model/lite/matching: python -m models.answers.fit --heads FOLDER.

FOLDER holds a reader that was trained without the batch whose pairs of question and memory the line is fitted on
(`python -m models.reading.train --without e --into FOLDER`): on pairs the reader has seen its answer head is always
sure. The weights of the labels 'answers', 'yes' and 'no' against the rest are chosen by ridge, few as they are.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.reading.corpus import Batch, batches
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.state_encoder import ADAPTER, StateEncoder
from persona_cli.model.lite import LiteModel
from persona_cli.model.lite.answer import aliases_of, weighed
from persona_cli.model.lite.knowledge import Known, Source, gather
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import COEFFICIENTS, NAMES, features, understand
from persona_cli.reading.filling import subject_name
from persona_cli.reading.heads import COEFFICIENTS as HEADS
from persona_cli.reading.heads import Heads
from persona_cli.reading.inquiry import Question, question_of
from persona_cli.reading.judging import FOLDER as JUDGING
from persona_cli.reading.judging import open_judge
from persona_cli.reading.labels import Guess
from persona_cli.reading.reader import Reader

HERE = Path(__file__).parent
RIDGE = 1.0
_PLACE = 10_000  # where a pair comes from no search
_GIVES = ("answers", "yes", "no")
Floats = NDArray[np.float64]


def counted(batch: Batch, listener: Listener, embedder: MiniLM) -> tuple[Floats, Floats]:
    """Return the features of each pair of a batch, and whether its memory gives what is asked."""
    rows, right = [], []
    for pair in batch.answers:
        statements = listener.read(pair.first)
        if not statements:
            continue
        asking = next((one for one in statements if one.asked is not None), statements[0])
        question = Question(pair.first, asking.asked or Guess("what", 0.5), "", asking.subject)
        reading = listener.read(pair.second)
        subject = subject_name(reading[0]) if reading else "user"
        known = Known(pair.second, None, Source.MEMORY, _PLACE, subject)
        asked = understand(question, asking, None, {})
        (bearing,) = listener.judge(pair.first, [pair.second])
        vectors = embedder.embed_query([pair.first, pair.second])
        rows.append(features(asked, known, reading, bearing, float(vectors[0] @ vectors[1])))
        right.append(pair.label in _GIVES)
    return np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64)


def told(half: int, listener: Listener, embedder: MiniLM) -> tuple[Floats, Floats]:
    """Return the same of the questions of every second little life of the tests, and all that a search brings."""
    from tests.stories import DATA, Person, read_stories

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return embedder.embed_query(list(texts))

    model = LiteModel(embed, listener.open_reader)
    rows, right = [], []
    for story in read_stories(DATA)[half::2]:
        person = Person(model, embed, story.turns)
        for text, wanted in story.questions:
            situation = person.situation(text, story.now)
            every = gather(situation, listener)
            statements = listener.read(text)
            question = question_of(statements[0]) if statements else None
            if question is None:
                continue
            asked = understand(question, statements[0], None, aliases_of([], every))
            for known, reading, bearing, cosine in weighed(asked, every, listener, embed):
                if (right_one := _gives(known.text, wanted)) is not None:
                    rows.append(features(asked, known, reading, bearing, cosine))
                    right.append(right_one)
    return np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64)


def _gives(text: str, wanted: str) -> bool | None:
    """Tell whether a text has what is wanted of an answer; None where a date is wanted that nobody writes so."""
    from tests.stories import holds_all

    parts = [part.strip() for part in wanted.split("&") if part.strip() not in ("yes", "no")]
    if wanted == "no":
        return False
    if not parts or any(re.search(r"\d", part) for part in parts):
        return None
    return holds_all(text, "&".join(parts))


def fit(rows: Floats, right: Floats, ridge: float = RIDGE) -> Floats:
    """Return a line, intercept last, by Newton's method on the logistic loss with a ridge."""
    seen = np.hstack([rows, np.ones((len(rows), 1))])
    line = np.zeros(seen.shape[1])
    penalty = ridge * np.eye(seen.shape[1])
    penalty[-1, -1] = 0.0
    for _ in range(30):
        chances = 1 / (1 + np.exp(-seen @ line))
        slope = seen.T @ (chances - right) + penalty @ line
        bend = seen.T @ (seen * (chances * (1 - chances))[:, None]) + penalty
        line -= np.linalg.solve(bend, slope)
    return line


def open_listener(heads: Path, weights: Path) -> Listener:
    """Return a listener with the reader of a folder."""
    judge = open_judge(StateEncoder(weights, print, folder=JUDGING))
    reader = Reader(StateEncoder(weights, print, heads / ADAPTER), Heads.load(heads / HEADS), judge)
    return Listener(lambda: reader)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and write the line; print its weights and how well it does on the pairs it was fitted on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=Path, required=True)
    parser.add_argument("--batch", default="e")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder)
        chosen = [batch for batch in batches() if batch.name == given.batch]
        listener, embedder = open_listener(given.heads, weights), MiniLM(weights, print)
        pairs, lives, held = (
            counted(chosen[0], listener, embedder),
            told(0, listener, embedder),
            told(1, listener, embedder),
        )
    # lives count twice: people ask with the words they told it with, which the writers of the pairs were to avoid
    rows, right = (np.concatenate(each) for each in zip(pairs, lives, lives, strict=True))
    # half of the pairs are answers, a tenth of what a search brings: that is no property of either
    apart = np.arange(len(rows))[:, None] < len(pairs[0])
    line = np.delete(fit(np.hstack([rows, apart]), right), rows.shape[1])
    for name, weight in zip((*NAMES, "always"), line, strict=True):
        print(f"{weight:+.2f}  {name}")
    for name, (seen, answer) in (("pairs", pairs), ("lives", lives), ("lives held out", held)):
        said = np.hstack([seen, np.ones((len(seen), 1))]) @ line > 0
        print(
            f"{name}: {np.mean(said == (answer > 0)):.3f} of {len(answer)} right, {answer.mean():.2f} of them answers"
        )
    np.savez(HERE / COEFFICIENTS, line=line.astype(np.float32))


if __name__ == "__main__":
    main()
