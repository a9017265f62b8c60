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
from persona_cli.memory.retrieval.form import form_of, wants_name, wants_time
from persona_cli.memory.retrieval.terms import names_in
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.memory.tables.turns import Line
from persona_cli.records import Kind

REACH = 2
"""How far around a message its neighbours are looked at."""

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
        self._forms = [form_of(line.user) for line in lines]
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
        weights, above = self._weights, self._cosine - self._weights.noise.mean
        here, beside = np.arange(len(self._lines)), {step: self._beside(step) for step in range(-REACH, REACH + 1)}
        before = beside[-1]
        asks = np.array([form.asks for form in self._forms] + [False])
        holds = self._held > 0
        own = self._part(holds[here] @ self._peaks)
        around = self._part(np.logical_or.reduce([holds[row] for row in beside.values()]) @ self._peaks)
        return {
            "dense": self._cosine[here],
            "text": weights.text * self._share[here] + weights.around * own,
            "neighbours": weights.around * (around - own)
            + (weights.before + weights.reply * asks[before]) * above[before],
            "session": self._session(above[here]),
            "person": self._person(),
            "answer": self._answer(),
            "form": self._form(),
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

    def _session(self, above: Column) -> Column:
        """Return for each message what its session holds of the question, and how close its closest message is."""
        _, group = np.unique(self._sessions, return_inverse=True)
        best = np.zeros((int(group.max()) + 1, len(self._peaks)))
        np.maximum.at(best, group, self._held[:-1])
        closest = np.full(len(best), -np.inf)
        np.maximum.at(closest, group, above)
        value = self._weights.session * self._part(best.sum(axis=1)) + self._weights.session_dense * closest
        return np.asarray(value[group])

    def _person(self) -> Column:
        words = self._asked.words
        named = {name for name in {form.speaker for form in self._forms} if name and names_in(name, words)}
        # with two people named the question is about both, and who speaks tells nothing
        speaks = [len(named) == 1 and form.speaker in named for form in self._forms]
        return self._weights.person * np.array(speaks, dtype=np.float64)

    def _answer(self) -> Column:
        """Return what each message gains by having the kind of thing that is asked for."""
        value = np.zeros(len(self._forms))
        if wants_time(self._asked.text):
            value += self._weights.time * np.array([form.dated for form in self._forms])
        if wants_name(self._asked.text):
            value += self._weights.name * (self._named() | np.array([form.quotes for form in self._forms]))
        return value

    def _form(self) -> Column:
        weights = self._weights
        value = weights.dated * np.array([form.dated for form in self._forms]) + weights.named * self._named()
        value -= weights.question * np.array([form.asks for form in self._forms])
        return np.asarray(value - weights.reaction * np.array([form.reacts for form in self._forms]))

    def _named(self) -> NDArray[np.bool_]:
        speakers = frozenset(form.speaker for form in self._forms)
        return np.array([form.named(speakers) for form in self._forms])
