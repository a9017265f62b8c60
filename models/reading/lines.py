"""Fit every head over the adapted states as they are in the program, in 8 bits: logistic regression, some minutes.

The heads that were trained together with the adapter are let go: fitted anew on the states that the reader will look
at they read what they never saw better (benchmarks/LOG.md), and new examples need no new adapter.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import Life
from models.reading.asking import told_in
from models.reading.corpus import Batch, Example
from models.reading.prepared import who_of
from persona_cli.reading.encoder import Encoder, Part
from persona_cli.reading.heads import FILLED, SENTENCE, TAGS, Heads, sentence_input, slot_input
from persona_cli.reading.labels import KINDS
from persona_cli.reading.surface import sentence_features, word_features, words
from persona_cli.reading.tagging import pieces_of

Floats = NDArray[np.float32]
Labels = Sequence[str]

SENTENCE_STRENGTH, WORD_STRENGTH, SLOT_STRENGTH = 1e-2, 2e-2, 1e-2
"""How freely a line may bend (scikit-learn's C, of features brought to a variance of one)."""
OUTSIDE = 1.5
"""What is taken off the score of "no span": as many are found as there are."""
_STEPS = 200


def fit_lines(batches: Sequence[Batch], lives: Sequence[Life], encoder: Encoder) -> Heads:
    """Return all heads, fitted on some batches; what a sentence does and asks for on lives as well."""
    read = list(_read(batches, encoder))
    inputs = np.array([sentence_input(part, surface) for _, part, surface in read])
    examples = [example for example, _, _ in read]
    columns = asking_lines(inputs, examples, lives, encoder)
    columns |= {
        name: np.hstack(
            [_line(inputs[rows], labels, names, SENTENCE_STRENGTH) for rows, labels in _labelled(name, examples)]
        )
        for name, names in SENTENCE.items()
        if name not in columns
    }
    return Heads(np.hstack([columns[name] for name in SENTENCE]), *_token_lines(read))


def asking_lines(
    inputs: Floats, examples: Sequence[Example], lives: Sequence[Life], encoder: Encoder
) -> dict[str, Floats]:
    """Return the lines of act and kind of question over what the batches and the lives show."""
    chosen = {name: next(_labelled(name, examples)) for name in ("act", "asked")}
    plain = {
        name: _line(inputs[rows], labels, SENTENCE[name], SENTENCE_STRENGTH) for name, (rows, labels) in chosen.items()
    }
    if not lives:
        return plain
    told = told_in(lives, encoder, plain["act"], plain["asked"])
    lines = {}
    for name, (rows, labels) in chosen.items():
        more, known, weights = told.rows(name)
        lines[name] = _line(
            np.vstack([inputs[rows], more]),
            [*labels, *known],
            SENTENCE[name],
            SENTENCE_STRENGTH,
            np.concatenate([np.ones(len(rows)), weights]),
        )
    return lines


def _read(batches: Sequence[Batch], encoder: Encoder) -> Iterator[tuple[Example, Part, Floats]]:
    for message in (message for batch in batches for message in batch.messages):
        parts = encoder.encode([[example.text for example in message]])[0].parts
        for place, (example, part) in enumerate(zip(message, parts, strict=True)):
            yield example, part, sentence_features(example.text, place, len(message))


def _labelled(name: str, examples: Sequence[Example]) -> Iterator[tuple[list[int], list[str]]]:
    """Yield which examples a judgement is fitted on, with their labels; once for each label where several may hold."""
    every = list(range(len(examples)))
    if name == "kinds":
        for kind in KINDS:
            yield every, [str(kind in example.kinds) for example in examples]
    elif name in ("unsure", "negative"):
        yield every, [str(bool(getattr(example, name))) for example in examples]
    else:
        labels = [who_of(example) if name == "who" else str(getattr(example, name)) for example in examples]
        rows = [row for row in every if labels[row]]
        yield rows, [labels[row] for row in rows]


def _token_lines(read: Sequence[tuple[Example, Part, Floats]]) -> tuple[Floats, Floats]:
    """Return the lines of words and of slots."""
    inputs: list[Floats] = []
    tags: list[str] = []
    spans: list[Floats] = []
    slots: list[str] = []
    for example, part, _ in read:
        places = [place for place in words(example.text) if any(pieces_of(part, *place))]
        if not places:
            continue
        states = np.array([part.mean(*pieces_of(part, *place)) for place in places])
        inputs.append(np.hstack([states, word_features(example.text, places)]))
        marked = ["O"] * len(places)
        for span in example.spans:
            inside = [row for row, (start, end) in enumerate(places) if start < span.end and end > span.start]
            for row in inside:
                marked[row] = f"{'B' if row == inside[0] else 'I'}-{span.label}"
            if inside:
                spans.append(slot_input(part, pieces_of(part, span.start, span.end), span.label))
                slots.append(span.slot)
        tags += marked
    word = _line(np.vstack(inputs), tags, TAGS, WORD_STRENGTH)
    word[-1, TAGS.index("O")] -= OUTSIDE
    return word, _line(np.array(spans), slots, FILLED, SLOT_STRENGTH)


def _line(
    inputs: Floats, wanted: Sequence[str], names: Labels, strength: float, weights: NDArray[np.float64] | None = None
) -> Floats:
    """Return the matrix of a head, (features + 1, names); a name that never occurs gets a score of -20."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    fitted = LogisticRegression(C=strength, max_iter=_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it would go on: the rest moves no label
        fitted.fit((inputs - middle) / spread, list(wanted), weights)
    rows, shift = fitted.coef_ / spread, fitted.intercept_ - fitted.coef_ @ (middle / spread)
    if list(fitted.classes_) == ["False", "True"]:
        return np.vstack([rows.T, shift]).astype(np.float32)
    line = np.zeros((inputs.shape[1] + 1, len(names)), dtype=np.float32)
    line[-1] = -20.0
    for row, name in enumerate(fitted.classes_):
        line[:-1, names.index(name)], line[-1, names.index(name)] = rows[row], shift[row]
    return line
