"""What speaks for the candidates of one kind by themselves: how close each is, and which of the words it holds.

All candidates are weighed at once, as arrays with one row for each: a question has some five hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.weights import WORDS, Weights
from persona_cli.records import Kind

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of one kind by id: of the contents with the question, of the keywords with its keywords."""

    content: Mapping[int, float]
    keywords: Mapping[int, float]

    def joined(self, other: Closeness) -> Closeness:
        """Return the cosines of both."""
        return Closeness({**self.content, **other.content}, {**self.keywords, **other.keywords})


class Evidence:
    """The candidates of one kind, in the order of `ids`."""

    def __init__(self, asked: Asked, kind: Kind, ids: Sequence[int], near: Closeness, weights: Weights) -> None:
        self.kind = kind
        self.ids = ids
        self._asked = asked
        self._near = near
        self._weights = weights

    @cached_property
    def content(self) -> Column:
        """Return the cosine of each content, or that of noise where there is no vector: (n,)."""
        noise, cosines = self._weights.noise.mean, self._near.content
        return np.array([cosines.get(one, noise) for one in self.ids], dtype=np.float64)

    @cached_property
    def keywords(self) -> Column:
        """Return the cosine of each memory's keywords, NaN where it has none: (n,)."""
        cosines = self._near.keywords
        if not cosines:
            return np.full(len(self.ids), np.nan)
        return np.array([cosines.get(one, np.nan) for one in self.ids], dtype=np.float64)

    @cached_property
    def held(self) -> Column:
        """Return the BM25 of each word of the question in each memory: (n, words)."""
        held = np.zeros((len(self.ids), len(self._asked.terms)))
        column = {term: place for place, term in enumerate(self._asked.terms)}
        hits = self._asked.hits.get(self.kind, {})
        for row, one in enumerate(self.ids):
            if one in hits:
                for term, score in hits[one].items():
                    held[row, column[term]] = score
        return held

    @cached_property
    def peaks(self) -> Column:
        """Return how much each word can count: (words,)."""
        return np.array([self._asked.peaks[term] for term in self._asked.terms])

    @cached_property
    def share(self) -> Column:
        """Return the part of the question that each memory's words make up, 0 to 1: (n,)."""
        return self.part(self.held.sum(axis=1))

    @cached_property
    def cover(self) -> Column:
        """Return the same however often the words stand there: (n,)."""
        return self.part((self.held > 0) @ self.peaks)

    @cached_property
    def relevance(self) -> Column:
        """Return how far each memory by itself is above what has nothing to do with the question: (n,).

        In deviations of the noise.
        """
        noise = self._weights.noise
        # single words are closer to each other than sentences are, whatever they mean
        cosine = np.fmax(self.content, self.keywords - noise.mean)
        return np.asarray((cosine - noise.mean) / noise.deviation + WORDS * self.cover)

    def likeliest(self, most: int) -> list[int]:
        """Return the ids that can be among the best whatever else is known of them, best first."""
        weights = self._weights
        closest = np.maximum(self.content, np.nan_to_num(self.keywords, nan=weights.noise.mean))
        closest = closest + weights.stated * self.share + weights.stated_cover * self.cover
        return [self.ids[row] for row in np.argsort(-closest, kind="stable")[:most].tolist()]

    def part(self, amount: Column) -> Column:
        """Return an amount of words as a part of all that the question's words count."""
        whole = self._asked.whole
        return amount / whole if whole else np.zeros(len(amount))
