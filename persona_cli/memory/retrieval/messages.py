"""Which messages answer a question: by themselves, and by what stands around them.

A message is rarely a whole statement. It answers the question before it, is explained by the one after it, and
shares its topic with its session; so each of these lends it some of their own evidence. All candidates are
weighed at once, as arrays with one row per message and a last row of nothing for the neighbour that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.evidence import Column, Evidence
from persona_cli.memory.retrieval.form import form_of, wants_name, wants_time
from persona_cli.memory.retrieval.terms import names_in
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.memory.tables.turns import Line

REACH = 2
"""How far around a message its neighbours are looked at."""


class Dialogue:
    """The candidates among the messages with their neighbours, and what each lane says of them."""

    def __init__(self, asked: Asked, lines: Sequence[Line], evidence: Evidence, weights: Weights) -> None:
        """Take the candidates, by id, and the evidence for each, in the same order."""
        self._asked = asked
        self._lines = lines
        self._evidence = evidence
        self._weights = weights
        self._cosine = np.append(evidence.content, weights.noise.mean)
        self._held = np.vstack([evidence.held, np.zeros((1, len(asked.terms)))])
        self._forms = [form_of(line.user) for line in lines]
        self._ids = np.array([line.id for line in lines], dtype=np.int64)
        self._sessions = np.array([line.session_id for line in lines], dtype=np.int64)

    def lanes(self) -> dict[str, Column]:
        """Return what each lane adds to the score of each message."""
        weights, above = self._weights, self._cosine - self._weights.noise.mean
        here, beside = np.arange(len(self._lines)), {step: self._beside(step) for step in range(-REACH, REACH + 1)}
        before = beside[-1]
        asks = np.array([form.asks for form in self._forms] + [False])
        holds = self._held > 0
        own, part = self._evidence.cover, self._evidence.part
        around = part(np.logical_or.reduce([holds[row] for row in beside.values()]) @ self._evidence.peaks)
        return {
            "dense": self._evidence.content,
            "text": weights.text * self._evidence.share + weights.around * own,
            "neighbours": weights.around * (around - own)
            + (weights.before + weights.reply * asks[before]) * above[before],
            "session": self._session(above[here]),
            "person": self._person(),
            "answer": self._answer(),
            "form": self._form(),
        }

    def _beside(self, step: int) -> NDArray[np.int64]:
        """Return the row of the message `step` further in the same session, the row of nothing where there is none."""
        nothing = len(self._ids)
        rows = np.searchsorted(self._ids, self._ids + step)
        rows[rows == nothing] = 0
        beside = (self._ids[rows] == self._ids + step) & (self._sessions[rows] == self._sessions)
        return np.where(beside, rows, nothing)

    def _session(self, above: Column) -> Column:
        """Return for each message what its session holds of the question, and how close its closest message is."""
        _, group = np.unique(self._sessions, return_inverse=True)
        best = np.zeros((int(group.max()) + 1, len(self._asked.terms)))
        np.maximum.at(best, group, self._held[:-1])
        closest = np.full(len(best), -np.inf)
        np.maximum.at(closest, group, above)
        value = self._weights.session * self._evidence.part(best.sum(axis=1)) + self._weights.session_dense * closest
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
