"""Which messages answer a question: by themselves, and by what stands around them.

A message is rarely a whole statement. It answers the question before it, is explained by the one after it, and
shares its topic with its session; so each of these lends it some of their own evidence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.terms import names_in, speaker_of
from persona_cli.memory.retrieval.weights import Weights
from persona_cli.records import Kind, Ref, Turn

REACH = 2
"""How far around a message its neighbours are looked at."""

_AVERAGE_LENGTH = 120.0


@dataclass(frozen=True, slots=True)
class _Session:
    share: float
    closest: float


class Dialogue:
    """The candidates among the messages with their neighbours, and what each lane says of them."""

    def __init__(self, asked: Asked, turns: Sequence[Turn], cosines: Mapping[int, float], weights: Weights) -> None:
        self._asked = asked
        self._turns = {turn.id: turn for turn in turns}
        self._cosines = cosines
        self._weights = weights
        self._noise = weights.noise
        self._held = {turn.id: asked.hits.get(Ref(Kind.MESSAGE, turn.id), {}) for turn in turns}
        self._words = frozenset(asked.terms)
        self._speakers = {turn.id: speaker_of(turn.user) for turn in turns}
        self._named = {name for name in self._speakers.values() if name and names_in(name, self._words)}
        self._sessions = self._weigh_sessions()

    def lanes(self, turn: Turn) -> dict[str, float]:
        """Return what each lane adds to the score of one message."""
        weights = self._weights
        before, own, after = (self._beside(turn, step) for step in (-1, -2, 1))
        session = self._sessions[turn.session_id]
        beside = [self._held[one.id] for one in (before, turn, after) if one is not None]
        asks = turn.user.rstrip().endswith("?")
        return {
            "dense": self._cosines.get(turn.id, self._noise.mean),
            "text": weights.text * self._share(turn) + weights.around * self._asked.cover(beside),
            "neighbours": weights.after * self._above(after)
            + weights.text_after * self._share(after)
            + weights.text_own_before * self._share(own)
            + (weights.reply * self._share(before) if before and before.user.rstrip().endswith("?") else 0.0),
            "session": weights.session * session.share + weights.session_dense * session.closest,
            "person": self._person(turn),
            "form": weights.length * math.log((len(turn.user) + 10) / _AVERAGE_LENGTH)
            - (weights.question if asks else 0.0),
        }

    def _beside(self, turn: Turn, step: int) -> Turn | None:
        other = self._turns.get(turn.id + step)
        return other if other is not None and other.session_id == turn.session_id else None

    def _share(self, turn: Turn | None) -> float:
        return 0.0 if turn is None else self._asked.share(self._held[turn.id])

    def _above(self, turn: Turn | None) -> float:
        """Return how far a cosine is above the noise; a message that is not there counts as noise."""
        return 0.0 if turn is None else self._cosines.get(turn.id, self._noise.mean) - self._noise.mean

    def _person(self, turn: Turn) -> float:
        # with both named the question is about both, and who speaks tells nothing
        return self._weights.person if len(self._named) == 1 and self._speakers[turn.id] in self._named else 0.0

    def _weigh_sessions(self) -> dict[int, _Session]:
        members: defaultdict[int, list[Turn]] = defaultdict(list)
        for turn in self._turns.values():
            members[turn.session_id].append(turn)
        return {session: self._weigh(turns) for session, turns in members.items()}

    def _weigh(self, turns: Sequence[Turn]) -> _Session:
        best: dict[str, float] = {}
        for turn in turns:
            for word, score in self._held[turn.id].items():
                best[word] = max(score, best.get(word, 0.0))
        closest = sorted((self._above(turn) for turn in turns), reverse=True)[:3]
        return _Session(self._asked.share(best), fmean(closest))
