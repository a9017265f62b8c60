"""Bootstrap intervals: people are drawn anew, as the questions about one person stand or fall together.

With fewer than `FEW` people their questions are drawn instead, which makes the interval too narrow; the report says
which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEW = 8
RESAMPLES = 2_000
_SEED = 20_260


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the interval that holds 95 of 100 resampled means; all from 0 to 1."""

    mean: float
    low: float
    high: float
    count: int


def resample(scores: Sequence[float], people: Sequence[str]) -> Interval | None:
    """Return the mean of scores with its interval; None for none. `people` says whom each score belongs to."""
    if not scores:
        return None
    values = np.asarray(scores, dtype=float)
    chance = np.random.default_rng(_SEED)
    names, owner = np.unique(np.asarray(people), return_inverse=True)
    if len(names) < FEW:
        drawn = chance.integers(0, len(values), (RESAMPLES, len(values)))
        means = values[drawn].mean(axis=1)
    else:
        sums = np.bincount(owner, weights=values)
        counts = np.bincount(owner)
        drawn = chance.integers(0, len(names), (RESAMPLES, len(names)))
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high), len(values))
