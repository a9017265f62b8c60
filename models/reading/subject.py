"""Fit the line that chooses whom a sentence is about: a softmax over those it may be, by gradient descent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.reading.corpus import Batch, Example
from persona_cli.reading.labels import WHO
from persona_cli.reading.mentions import FEATURES, Mention, features, latest, mentions

Floats = NDArray[np.float64]
_BACK = 8
_STEPS = 400
_RATE = 0.5
_PENALTY = 1e-3


def fit_subject(batches: Sequence[Batch]) -> Floats:
    """Return the line over `features`, the score of nobody last: (FEATURES + 1,)."""
    seen, right = _side_by_side([choice for batch in batches for choice in choices_of(batch)])
    line = np.zeros(FEATURES + 1)
    for _ in range(_STEPS):
        chances = _chances(seen, line)
        chances[np.arange(len(right)), right] -= 1
        line -= _RATE * (np.einsum("nc,ncf->f", chances, np.nan_to_num(seen)) / len(right) + _PENALTY * line)
    return line


def chosen_right(batches: Sequence[Batch], line: Floats) -> float:
    """Return the share of sentences about somebody whose subject is the likeliest, nobody counted where not named."""
    seen, right = _side_by_side([choice for batch in batches for choice in choices_of(batch)])
    return float(np.mean(_chances(seen, line).argmax(axis=1) == right))


def _side_by_side(choices: Sequence[tuple[Floats, int]]) -> tuple[Floats, NDArray[np.int64]]:
    """Return features (n, most candidates + 1, FEATURES + 1) and who is right; nobody is last, what is empty is nan."""
    most = max(len(seen) for seen, _ in choices)
    every = np.full((len(choices), most + 1, FEATURES + 1), np.nan)
    for row, (seen, _) in enumerate(choices):
        every[row, : len(seen), :-1], every[row, : len(seen), -1] = seen, 0.0
        every[row, most] = np.eye(FEATURES + 1)[-1]
    return every, np.array([most if place == len(seen) else place for seen, place in choices])


def _chances(seen: Floats, line: Floats) -> Floats:
    scores = np.nan_to_num(seen @ line, nan=-1e9)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def choices_of(batch: Batch) -> Iterator[tuple[Floats, int]]:
    """Yield the features of those a sentence may be about, and which one it is; one more than the last is nobody."""
    for messages in batch.people:
        before: list[tuple[Example, str]] = []
        for example in (example for message in messages for example in message):
            if example.subject and example.subject not in WHO:
                found = _candidates(example, before)
                right = next(
                    (at for at, mention in enumerate(found) if same(mention.name, example.subject)), len(found)
                )
                if found:
                    yield np.array([features(mention, example.text) for mention in found], dtype=np.float64), right
            before.append((example, example.subject))


def called(mention: Mention, subject: str) -> bool:
    """Tell whether a mention is of the one written behind the @, by name or by role."""
    return same(mention.name, subject) or (bool(mention.role) and same(mention.role, subject))


def same(name: str, other: str) -> bool:
    """Tell whether a name as it stands in a sentence is the one written behind the @."""
    one, two = name.casefold().split(), other.casefold().split()
    return one == two or (bool(one and two) and (one[-1] == two[-1] or one[0] == two[0]))


def _candidates(example: Example, before: Sequence[tuple[Example, str]]) -> list[Mention]:
    past = []
    for back, (earlier, subject) in enumerate(reversed(before[-_BACK:]), start=1):
        named = list(mentions(earlier.text, earlier.spans))
        if subject and subject not in WHO and not any(called(mention, subject) for mention in named):
            named.insert(0, Mention(subject, "person", "", "", back))
        past.append([replace(mention, back=back, subject_before=called(mention, subject)) for mention in named])
    return list(latest(mentions(example.text, example.spans), past))
