"""The order of rows: those of like length share a batch, so that little padding is computed, and batches are mixed.

The library's own goes from the longest to the shortest row of every fifty batches. A run of fifty steps on prompts of
several tasks would end on the short tasks alone, and so at the lowest rate on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import torch

APART = 0.1
"""By what share of its length a row may stand too far up or down: the same rows do not always meet."""


class LikeLengths(torch.utils.data.Sampler[int]):
    """Rows in batches of like length, the batches in any order; the same seed gives the same order."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._seed = seed

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        """Yield the places of the rows, a batch that is not full last."""
        rng = Random(self._seed)  # noqa: S311 - chance that can be repeated
        moved = [length * rng.uniform(1 - APART, 1 + APART) for length in self._lengths]
        order = sorted(range(len(moved)), key=moved.__getitem__)
        whole = len(order) // self._batch * self._batch
        batches = [order[place : place + self._batch] for place in range(0, whole, self._batch)]
        rng.shuffle(batches)
        yield from (row for batch in batches for row in batch)
        yield from order[whole:]
