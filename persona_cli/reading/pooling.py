"""A small trained network over the states of a whole text, in numpy: which of some labels hold for it.

The mean of the states blurs what one word decides ("died", "finally"); so each state is narrowed, looked at beside its
neighbours, and pooled by four weightings of its own and by the largest. On lines of feeling that says 57 of 100 right
of sixteen where a line over the means says 52 (benchmarks/LOG.md). models/pooled.py trains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persona_cli.reading.encoder import Passage

Floats = NDArray[np.float32]

_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class PooledHead:
    """The weights; `width` is the encoder's, `narrow` that of the network, `more` what else it is given."""

    narrow: Floats
    """(width + 1, narrow), the intercepts last."""
    beside: Floats
    """What a state takes from the one before it, itself and the one behind it: (3 * narrow + 1, narrow)."""
    weighing: Floats
    """(narrow + 1, weightings)."""
    out: Floats
    """(weightings * narrow + narrow + width + more + 1, labels)."""

    @classmethod
    def of(cls, stored: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the head of stored arrays."""
        return cls(**{field.name: stored[field.name].astype(np.float32) for field in fields(cls)})

    def stored(self) -> dict[str, NDArray[np.float16]]:
        """Return the arrays in the precision they need."""
        return {field.name: getattr(self, field.name).astype(np.float16) for field in fields(self)}

    def scores(self, states: Floats, more: Floats) -> Floats:
        """Return a score for each label: (pieces, width) and (more,) to (labels,)."""
        middle = states.mean(axis=1, keepdims=True)
        even = (states - middle) / np.sqrt(states.var(axis=1, keepdims=True) + _EPSILON)
        narrowed = _gelu(_apply(self.narrow, even))
        edge = np.zeros((1, narrowed.shape[1]), dtype=np.float32)
        beside = np.hstack([np.vstack([edge, narrowed[:-1]]), narrowed, np.vstack([narrowed[1:], edge])])
        narrowed = narrowed + _gelu(_apply(self.beside, beside))
        weights = _apply(self.weighing, narrowed)
        weights = np.exp(weights - weights.max(axis=0))
        pooled = (weights / weights.sum(axis=0)).T @ narrowed
        given = np.concatenate([pooled.ravel(), narrowed.max(axis=0), even.mean(axis=0), more])
        return _apply(self.out, given)


def all_states(passage: Passage) -> Floats:
    """Return every state of a passage in order, those of its marks too: (pieces, width)."""
    rows = [passage.start[None], *(row for part in passage.parts for row in (part.states, part.end[None]))]
    return np.concatenate(rows).astype(np.float32)


def _apply(weights: Floats, given: Floats) -> Floats:
    return np.asarray(given @ weights[:-1] + weights[-1], dtype=np.float32)


def _gelu(given: Floats) -> Floats:
    inner = np.sqrt(2 / np.pi) * (given + 0.044715 * given**3)
    return np.asarray(0.5 * given * (1 + np.tanh(inner)), dtype=np.float32)
