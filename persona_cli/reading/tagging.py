"""The spans of a sentence: a label for each word by a trained line, the likeliest sequence that can be spans.

Viterbi's algorithm under one rule: inside a span stands only what a beginning of the same label leads to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persona_cli.reading.encoder import Part
from persona_cli.reading.heads import FILLED, TAGS, Heads, apply, slot_input, softmax
from persona_cli.reading.statement import Span
from persona_cli.reading.surface import word_features, words

Floats = NDArray[np.float32]

_NEVER = np.float32(-1e9)
_STEPS = np.array(
    [[_NEVER if tag[0] == "I" and before[1:] != tag[1:] else 0 for tag in TAGS] for before in TAGS], dtype=np.float32
)
_STARTS = np.array([_NEVER if tag[0] == "I" else 0 for tag in TAGS], dtype=np.float32)
_TITLES = ("mr", "mrs", "ms", "miss", "dr", "doctor", "prof", "professor", "mme", "madame")
_PARTICLES = ("van", "von", "de", "di", "la", "el", "al", "bin")
_NAME_BEHIND = re.compile(r"\.?(?:\s+(?:van|von|de|di|la|el|al|bin|der|den))*\s+[A-Z][\w-]+")
_TRAILING = ("'s", "’s", "'", "’")


def find_spans(heads: Heads, text: str, part: Part) -> tuple[Span, ...]:
    """Return the spans of a sentence in order, each with its slot."""
    places = [place for place in words(text) if any(pieces_of(part, *place))]
    if not places:
        return ()
    states = np.array([part.mean(*pieces_of(part, *place)) for place in places])
    chances = softmax(apply(heads.word, np.hstack([states, word_features(text, places)])))
    tags = likeliest(np.log(chances + 1e-9))
    found = []
    for first, last, label in grouped(tags):
        sure = float(np.mean([chances[row, tags[row]] for row in range(first, last)]))
        start, end = places[first][0], _without_possessive(text, places[first][0], places[last - 1][1])
        found.append(_filled(heads, part, Span(text[start:end], start, end, label, sure)))
    return named_whole(text, found)


def named_whole(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return spans with titles and particles as part of the name behind them: "Dr Okafor", "van Rijn".

    Nobody is called "Dr" or "van" alone; one without a name behind it is no person.
    """
    whole: list[Span] = []
    for span in spans:
        if whole and span.start < whole[-1].end:
            continue
        if span.label != "person" or span.text.casefold().rstrip(".") not in (*_TITLES, *_PARTICLES):
            whole.append(span)
        elif (behind := _NAME_BEHIND.match(text, span.end)) is not None:
            whole.append(replace(span, text=text[span.start : behind.end()], end=behind.end()))
    return tuple(whole)


def likeliest(scores: Floats) -> list[int]:
    """Return the sequence of tags with the highest sum of scores: (words, tags) to one tag a word."""
    best, came = scores[0] + _STARTS, []
    for row in scores[1:]:
        reached = best[:, None] + _STEPS
        came.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + row
    tags = [int(best.argmax())]
    for before in reversed(came):
        tags.append(int(before[tags[-1]]))
    return tags[::-1]


def grouped(tags: Sequence[int]) -> list[tuple[int, int, str]]:
    """Return the spans of a sequence of tags: first word, word behind the last, label."""
    spans: list[tuple[int, int, str]] = []
    for row, tag in enumerate(tags):
        kind, _, label = TAGS[tag].partition("-")
        if kind == "B":
            spans.append((row, row + 1, label))
        elif kind == "I":
            spans[-1] = (spans[-1][0], row + 1, label)
    return spans


def pieces_of(part: Part, start: int, end: int) -> tuple[int, int]:
    """Return the pieces of a stretch of the text, first and behind the last; (0, 0) where there are none."""
    rows = np.flatnonzero((part.places[:, 0] < end) & (part.places[:, 1] > start))
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)


def _filled(heads: Heads, part: Part, span: Span) -> Span:
    pieces = pieces_of(part, span.start, span.end)
    chances = softmax(apply(heads.slot, slot_input(part, pieces, span.label)[None]))[0]
    best = int(chances.argmax())
    return Span(span.text, span.start, span.end, span.label, span.probability, FILLED[best], float(chances[best]))


def _without_possessive(text: str, start: int, end: int) -> int:
    ending = next((ending for ending in _TRAILING if text[start:end].endswith(ending)), "")
    return end - len(ending) if end - len(ending) > start else end
