"""What lives (models/answers) add to the heads of act and kind: thousands of questions and requests, known as such.

What their messages do nobody wrote down. Nearly all of them tell: where the line that is fitted on the batches alone
takes a sentence without a question mark for a question or a request, the next likeliest act is taken instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import Inquiry, Life
from persona_cli.reading.encoder import Encoder
from persona_cli.reading.heads import apply, sentence_input, softmax
from persona_cli.reading.labels import ACTS, ASKED
from persona_cli.reading.reader import locate
from persona_cli.reading.surface import sentence_features

Floats = NDArray[np.float32]

_ASKS = ("ask", "request")
_NOT_OF_A_LIFE = ("world", "now", "you", "rhetorical")
MESSAGE = 0.3
"""What a sentence of a message counts, of which the act is only believed: at 1 wishes about memory are read less."""
SHORT = 8
"""Words up to which a sentence of a message is looked at alone as well: "allergic to nuts" is not asked, as all are
that stand alone in lives otherwise."""
_SURE = 0.8
"""Probability from which a rarer act than telling and talk is believed of a message."""


@dataclass(frozen=True, slots=True)
class Told:
    """Sentences of lives as the heads see them, with an act and a kind of question; "" where none is known."""

    inputs: Floats
    acts: tuple[str, ...]
    kinds: tuple[str, ...]

    def rows(self, name: str) -> tuple[Floats, list[str], NDArray[np.float64]]:
        """Return the inputs, labels and weights of those that have a label for a judgement."""
        labels = self.acts if name == "act" else self.kinds
        held = [row for row, label in enumerate(labels) if label]
        weights = np.array([1.0 if self.acts[row] in _ASKS else MESSAGE for row in held])
        return self.inputs[held], [labels[row] for row in held], weights


def told_in(lives: Sequence[Life], encoder: Encoder, act: Floats, asked: Floats) -> Told:
    """Return the sentences of lives; the lines `act` and `asked` say what their writers did not."""
    inputs: list[Floats] = []
    acts: list[str] = []
    kinds: list[str] = []
    for life in lives:
        for inquiry in life.inquiries:
            for _, seen in _sentences(inquiry.text, encoder):
                inputs.append(seen)
                acts.append("request" if inquiry.kind == "request" else "ask")
                kinds.append(_kind(inquiry, seen, asked))
        for said in life.told:
            for text, seen in _sentences(said.text, encoder):
                label = "" if "?" in text else _act(seen, act)
                alone = [_alone(text, encoder)] if label and len(text.split()) <= SHORT else []
                inputs += [seen, *alone]
                acts += [label] * (1 + len(alone))
                kinds += [""] * (1 + len(alone))
    return Told(np.array(inputs, dtype=np.float32), tuple(acts), tuple(kinds))


def _sentences(message: str, encoder: Encoder) -> Iterator[tuple[str, Floats]]:
    located = locate(message)
    parts = encoder.encode([[text for text, _ in located]])[0].parts if located else ()
    for place, ((text, _), part) in enumerate(zip(located, parts, strict=True)):
        yield text, sentence_input(part, sentence_features(text, place, len(located)))


def _alone(text: str, encoder: Encoder) -> Floats:
    return sentence_input(encoder.encode([[text]])[0].parts[0], sentence_features(text, 0, 1))


def _act(seen: Floats, line: Floats) -> str:
    chances = softmax(apply(line, seen[None]))[0]
    chances[[ACTS.index(label) for label in _ASKS]] = 0.0
    best = ACTS[int(chances.argmax())]
    return best if best in ("tell", "chat") or chances.max() > _SURE else ""


def _kind(inquiry: Inquiry, seen: Floats, line: Floats) -> str:
    """Return what a question asks for; of what was never told only that it is of a life."""
    if inquiry.kind == "request":
        return ""
    if inquiry.kind != "none":
        return inquiry.kind
    chances = apply(line, seen[None])[0]
    chances[[ASKED.index(label) for label in _NOT_OF_A_LIFE]] = -np.inf
    return ASKED[int(chances.argmax())]
