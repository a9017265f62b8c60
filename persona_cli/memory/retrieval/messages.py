"""Which messages answer a question: by themselves, and by what stands around them.

A message is rarely a whole statement. It answers the question before it, is explained by the one after it, and
shares its topic with its session; so each of these lends it some of their own evidence. All candidates are
weighed at once, as arrays with one row per message and a last row of nothing for the neighbour that is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.terms import names_in, speaker_of
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.memory.tables.turns import Line
from persona_cli.records import Kind

REACH = 2
"""How far around a message its neighbours are looked at."""

_AVERAGE_LENGTH = 120.0
_CLOSEST_OF_SESSION = 3

Column = NDArray[np.float64]


class Dialogue:
    """The candidates among the messages with their neighbours, and what each lane says of them."""

    def __init__(self, asked: Asked, lines: Sequence[Line], cosines: Mapping[int, float], weights: Weights) -> None:
        self._asked = asked
        self._lines = lines
        self._weights = weights
        noise = weights.noise.mean
        self._cosine = np.array([cosines.get(line.id, noise) for line in lines] + [noise])
        self._held = self._words_held()
        self._peaks = np.array([asked.peaks[term] for term in asked.terms])
        self._share = self._part(self._held.sum(axis=1))
        self._asks = np.array([line.user.rstrip().endswith("?") for line in lines] + [False])
        self._ids = np.array([line.id for line in lines], dtype=np.int64)
        self._sessions = np.array([line.session_id for line in lines], dtype=np.int64)

    def best(self, most: int | None, banned: Collection[int]) -> dict[int, dict[str, float]]:
        """Return the ids of the best messages that are not banned, best first, with what each lane adds."""
        if not self._lines:
            return {}
        lanes = self.lanes()
        score = np.sum(list(lanes.values()), axis=0)
        ranked = np.argsort(-score, kind="stable").tolist()
        order = [row for row in ranked if self._lines[row].id not in banned][:most]
        # by column: a number taken out of an array alone costs ten times as much
        parts = zip(*(lane[order].tolist() for lane in lanes.values()), strict=True)
        return {
            self._lines[row].id: dict(zip(lanes, part, strict=True)) for row, part in zip(order, parts, strict=True)
        }

    def lanes(self) -> dict[str, Column]:
        """Return what each lane adds to the score of each message."""
        weights, share = self._weights, self._share
        before, own, after = (self._beside(step) for step in (-1, -2, 1))
        here = np.arange(len(self._lines))
        around = self._cover((self._held[here] > 0) | (self._held[before] > 0) | (self._held[after] > 0))
        above = self._cosine - weights.noise.mean
        lengths = np.log(np.array([len(line.user) + 10 for line in self._lines]) / _AVERAGE_LENGTH)
        return {
            "dense": self._cosine[here],
            "text": weights.text * share[here] + weights.around * around,
            "neighbours": weights.after * above[after]
            + weights.text_after * share[after]
            + weights.text_own_before * share[own]
            + weights.reply * share[before] * self._asks[before],
            "session": self._session(above[here]),
            "person": self._person(),
            "form": weights.length * lengths - weights.question * self._asks[here],
        }

    def _words_held(self) -> Column:
        held = np.zeros((len(self._lines) + 1, len(self._asked.terms)))
        column = {term: place for place, term in enumerate(self._asked.terms)}
        hits = self._asked.hits.get(Kind.MESSAGE, {})
        for row, line in enumerate(self._lines):
            if line.id in hits:
                for term, score in hits[line.id].items():
                    held[row, column[term]] = score
        return held

    def _beside(self, step: int) -> NDArray[np.int64]:
        """Return the row of the message `step` further in the same session, the row of nothing where there is none."""
        nothing = len(self._ids)
        rows = np.searchsorted(self._ids, self._ids + step)
        rows[rows == nothing] = 0
        beside = (self._ids[rows] == self._ids + step) & (self._sessions[rows] == self._sessions)
        return np.where(beside, rows, nothing)

    def _part(self, amount: Column) -> Column:
        whole = float(self._peaks.sum())
        return amount / whole if whole else np.zeros(len(amount))

    def _cover(self, held: NDArray[np.bool_]) -> Column:
        return self._part(held @ self._peaks)

    def _session(self, above: Column) -> Column:
        """Return for each message what its session holds of the question, and how close its closest messages are."""
        _, group = np.unique(self._sessions, return_inverse=True)
        count = int(group.max()) + 1
        best = np.zeros((count, len(self._peaks)))
        np.maximum.at(best, group, self._held[:-1])
        order = np.lexsort((-above, group))
        firsts = np.searchsorted(group[order], np.arange(count))
        place = np.arange(len(order)) - firsts[group[order]]
        top = order[place < _CLOSEST_OF_SESSION]
        closest = np.bincount(group[top], weights=above[top], minlength=count) / np.bincount(group[top])
        value = self._weights.session * self._part(best.sum(axis=1)) + self._weights.session_dense * closest
        return np.asarray(value[group])

    def _person(self) -> Column:
        speakers = [speaker_of(line.user) for line in self._lines]
        named = {name for name in set(speakers) if name and names_in(name, self._asked.words)}
        # with two people named the question is about both, and who speaks tells nothing
        speaks = [len(named) == 1 and speaker in named for speaker in speakers]
        return self._weights.person * np.array(speaks, dtype=np.float64)
