"""Ranking the memories of one kind: who is in question, how close each is, what every lane says, what is junk."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import numpy as np

from persona_cli.errors import StorageError
from persona_cli.memory.retrieval.lane_weights import LEAST, TRAILING, LaneWeights
from persona_cli.memory.retrieval.lanes import (
    Closeness,
    Column,
    Evidence,
    Statement,
    began,
    ref_of,
    statement_lanes,
)
from persona_cli.memory.retrieval.messages import REACH, Dialogue
from persona_cli.memory.retrieval.question import SearchQuestion
from persona_cli.memory.retrieval.when import TOLD_LATER, holds
from persona_cli.memory.store import Store
from persona_cli.memory.tables.columns import instant, just_after
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.memory.vectors.exact import Ids
from persona_cli.memory.vectors.index import Index
from persona_cli.records import (
    CoreEntry,
    EpisodicMemory,
    Hit,
    Kind,
    ProceduralMemory,
    Ref,
    SemanticMemory,
    Status,
    Turn,
    Window,
)

M = TypeVar("M", FactLine, TopicLine, ProceduralMemory, CoreEntry, MessageLine)
L = TypeVar("L", FactLine, TopicLine, MessageLine)
R = TypeVar("R", SemanticMemory, EpisodicMemory, Turn)
S = TypeVar("S", FactLine, TopicLine, ProceduralMemory, CoreEntry)

DATED = frozenset({Kind.SEMANTIC, Kind.EPISODIC, Kind.MESSAGE})  # what a window can narrow

_CLOSEST = 60  # candidates per lane
_LIKELY = 48  # of those, statements that are read
_LEADING = 24  # messages whose topics are read
_CLOSEST_MESSAGES = 90  # 60 lost half a point of recall@20, more than 90 gained nothing
_SUMMED = 8  # turns that a summary is shown with
_LOOKED_THROUGH = 40  # messages whose own time words are read
_WHOLE = 120  # messages that are ranked on, best first
_AROUND = 0.5  # what lies only in the softness of a window counts half
_OF_SPEAKERS = 0.5  # of the floor: a name makes a question close to all that its owner said, and is taken out of it
_POOL = 10_000  # memories of a window up to which only they are searched, and exactly


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be found: nothing that `banned` names, nothing said after `until`, only what lies in `window`."""

    window: Window | None = None
    as_of: datetime | None = None
    until: datetime | None = None
    banned: frozenset[Ref] = frozenset()
    recent: frozenset[int] = frozenset()
    """Turns that are in the prompt already, and what was learnt from them."""
    usual: float = LEAST
    """How relevant the best must be, in deviations above the noise."""
    floor: float = LEAST
    """The same for what has a time: less where a window narrows the search, anything where it is all there is."""
    lenient: bool = False
    """Let messages of other times in, behind those of the window: one often tells of a time long after it."""
    sharp: Window | None = None
    """The window without its softness, where it has one: what lies in it comes before what only lies around it."""


@dataclass(frozen=True, slots=True)
class Ranker:
    """Ranks one kind at a time for one question; `notes` collects what was not available."""

    store: Store
    index: Index
    question: SearchQuestion
    scope: Scope
    weights: LaneWeights
    notes: list[str] = field(default_factory=list)

    def semantic(self) -> list[Hit[FactLine]]:
        """Return the facts that hold, best first, as lines; `facts` reads the whole memories of the best."""
        pool = None
        if self.scope.as_of is not None:
            pool = self.store.semantic.ids(self.scope.window, self.scope.as_of)
        elif self.scope.window is not None:
            pool = _few(self.store.semantic.ids(self.scope.window, most=_POOL + 1))
        near, ids = self._near(Kind.SEMANTIC, pool)
        near = self._complete(Kind.SEMANTIC, near, ids)
        return self._statements(Kind.SEMANTIC, self.store.lines.facts(self._likely(Kind.SEMANTIC, ids, near)), near)

    def facts(self, hits: Iterable[Hit[FactLine]]) -> list[Hit[SemanticMemory]]:
        """Return facts with their whole memories; one forgotten since is left out."""
        return _read(hits, self.store.semantic.many)

    def episodic(self, messages: Iterable[Hit[MessageLine]]) -> list[Hit[TopicLine]]:
        """Return the topics, best first, as lines; a topic whose message was found gains by it."""
        pool = None
        if self.scope.window is not None:
            every = self.scope.as_of is not None
            pool = _few(self.store.episodes.ids(self.scope.window, most=_POOL + 1, every=every))
        near, ids = self._near(Kind.EPISODIC, pool)
        scores = {hit.memory.id: hit.score - self.weights.noise.mean for hit in messages}
        leading, of_leading, best = set(list(scores)[:_LEADING]), set[int](), dict[int, float]()
        for topic, turn in self.store.episodes.told(scores):
            best[topic] = max(best.get(topic, 0.0), scores[turn])
            if turn in leading:
                of_leading.add(topic)
        near = self._complete(Kind.EPISODIC, near, sorted({*ids, *of_leading}))
        ids = sorted({*self._likely(Kind.EPISODIC, ids, near), *of_leading})

        def turns(topics: Sequence[TopicLine]) -> Mapping[str, Column]:
            return {"turns": self.weights.turns * np.array([best.get(topic.id, 0.0) for topic in topics])}

        return self._statements(Kind.EPISODIC, self.store.lines.topics(ids), near, turns)

    def topics(self, hits: Iterable[Hit[TopicLine]]) -> list[Hit[EpisodicMemory]]:
        """Return topics with their whole memories; one forgotten since is left out."""
        return _read(hits, self.store.episodes.many)

    def turns_of(self, memory: EpisodicMemory, messages: Iterable[Hit[MessageLine]]) -> tuple[int, ...]:
        """Return the turns of a topic; of a summary, which may have many, those that answer best."""
        if not memory.parts:
            return memory.turn_ids
        best = [hit.memory.id for hit in messages if hit.memory.id in memory.turn_ids]
        best += self._search(Kind.MESSAGE, "content", list(memory.turn_ids), _SUMMED)
        return tuple(sorted(list(dict.fromkeys(best))[:_SUMMED]))

    def habits(self) -> list[Hit[ProceduralMemory]]:
        """Return the habits, best first."""
        habits = self.store.habits
        return self._every(Kind.PROCEDURAL, habits.current() if self.scope.as_of is None else habits.history())

    def profile(self) -> list[Hit[CoreEntry]]:
        """Return the entries of the profile, best first."""
        core = self.store.core
        return self._every(Kind.CORE, core.current().entries if self.scope.as_of is None else core.history())

    def _every(self, kind: Kind, every: Collection[S]) -> list[Hit[S]]:
        """Rank statements of a kind that has so few that each is looked at."""
        near = self._complete(kind, Closeness({}, {}), [memory.id for memory in every])
        return self._statements(kind, every, near)

    def messages(self) -> list[Hit[MessageLine]]:
        """Return the messages, best first, as the user's words alone; `whole` reads the turns of the best."""
        window = self.scope.window
        pool = None if window is None else self._spoken_of_in(window)
        if pool is not None and not len(pool):
            return []  # no message can speak of that time
        near, ids = self._near(Kind.MESSAGE, pool)
        if window is not None and self.scope.lenient:
            elsewhere, more = self._near(Kind.MESSAGE, None)
            near, ids = elsewhere.joined(near), sorted({*ids, *more})
        lines = self.store.turns.lines({row + step for row in ids for step in range(-REACH, REACH + 1)})
        near = self._complete(Kind.MESSAGE, near, [line.id for line in lines])
        ranked = self._best_of(lines, near)
        if window is None:
            return ranked
        if self.scope.lenient:
            return self._timed(ranked, window)
        held = (hit for hit in ranked if holds(window, hit.memory))
        sharpened = [self._raised(hit, 1.0) if self._sharp(hit.memory) else hit for hit in held]
        return sorted(sharpened, key=lambda hit: (-hit.score, -hit.ref.id))

    def _sharp(self, memory: Statement | MessageLine) -> bool:
        """Tell whether a memory lies in the window itself, and not only around it."""
        sharp = self.scope.sharp
        dated = isinstance(memory, (FactLine, TopicLine, MessageLine))
        return sharp is not None and dated and not self.scope.lenient and holds(sharp, memory)

    def _raised(self, hit: Hit[MessageLine], part: float) -> Hit[MessageLine]:
        """Return a message with the lane of time."""
        value = part * self.weights.window
        return Hit(hit.ref, hit.memory, hit.score + value, {**hit.lanes, "window": value})

    def whole(self, hits: Iterable[Hit[MessageLine]]) -> list[Hit[Turn]]:
        """Return messages with their whole turns; one forgotten since is left out."""
        return _read(hits, self.store.turns.many)

    def _best_of(self, lines: Sequence[MessageLine], near: Closeness) -> list[Hit[MessageLine]]:
        if not lines:
            return []
        evidence = Evidence(self.question, Kind.MESSAGE, [line.id for line in lines], near, self.weights)
        lanes = Dialogue(self.question, lines, evidence, self.weights).lanes()
        banned = self.scope.recent | {ref.id for ref in self.scope.banned if ref.kind is Kind.MESSAGE}
        until = instant(self.scope.until) if self.scope.until is not None else "~"
        if self.scope.as_of is not None:
            until = min(until, just_after(self.scope.as_of))
        may = [row for row, line in enumerate(lines) if line.stored_at < until and line.id not in banned]
        return self._ranked(lines, may, lanes, evidence, _WHOLE if self.scope.as_of is None else None)

    def _spoken_of_in(self, window: Window) -> Ids | None:
        """Return the messages of a window and of the days after it, None where they are too many to name."""
        speaking = Window(window.start, window.end and window.end + TOLD_LATER)
        return _few(self.store.turns.ids_in(speaking, _POOL + 1))

    def _timed(self, ranked: list[Hit[MessageLine]], window: Window) -> list[Hit[MessageLine]]:
        """Add the lane of time: for being said in the window, and among the best for speaking of it.

        Returns nothing where no message has to do with the window: then it is for the caller to give it up.
        """
        timed = []
        for place, hit in enumerate(ranked):
            if hit.memory.at in window or (place < _LOOKED_THROUGH and holds(window, hit.memory)):
                sharp = self.scope.sharp is None or holds(self.scope.sharp, hit.memory)
                timed.append(self._raised(hit, 1.0 if sharp else _AROUND))
            else:
                timed.append(hit)
        if not any("window" in hit.lanes for hit in timed):
            return []
        return sorted(timed, key=lambda hit: (-hit.score, -hit.ref.id))

    def captions(self) -> dict[int, float]:
        """Return by id how well the captions of pictures answer, junk left out."""
        near, ids = self._near(Kind.IMAGE, None)
        if not ids:
            return {}
        near = self._complete(Kind.IMAGE, near, ids)
        evidence = Evidence(self.question, Kind.IMAGE, ids, near, self.weights)
        scores = (evidence.content + self.weights.stated * evidence.share).tolist()
        relevant = evidence.relevance >= self._floor(Kind.IMAGE)
        return {row_id: score for row_id, score, good in zip(ids, scores, relevant.tolist(), strict=True) if good}

    def _near(self, kind: Kind, pool: Ids | None) -> tuple[Closeness, list[int]]:
        """Return the cosines of the closest, and the ids that any lane finds worth a look."""
        if pool is not None and not len(pool):
            return Closeness({}, {}), []
        narrow = pool if pool is not None and len(pool) <= _POOL else None
        most = _CLOSEST_MESSAGES if kind is Kind.MESSAGE else _CLOSEST
        content = self._search(kind, "content", narrow, most)
        keywords = self._search(kind, "keywords", narrow, most)
        ids = {*content, *keywords, *self.question.best(kind, most)}
        if pool is not None:
            likely = np.array(sorted(ids), dtype=np.int64)
            return Closeness(content, keywords), likely[np.isin(likely, pool)].tolist()
        return Closeness(content, keywords), sorted(ids)

    def _likely(self, kind: Kind, ids: Collection[int], near: Closeness) -> list[int]:
        """Return the statements that can be among the best whatever else is known of them; reading them is slow."""
        if self.scope.window is not None or len(ids) <= _LIKELY:
            return list(ids)
        return Evidence(self.question, kind, list(ids), near, self.weights).likeliest(_LIKELY)

    def _complete(self, kind: Kind, near: Closeness, ids: list[int]) -> Closeness:
        missing = [row for row in ids if row not in near.content]
        if not missing:
            return near
        content = {**near.content, **self._search(kind, "content", missing, len(missing))}
        keywords = {**near.keywords, **self._search(kind, "keywords", missing, len(missing))}
        return Closeness(content, keywords)

    def _search(self, kind: Kind, name: str, among: Sequence[int] | Ids | None, k: int) -> dict[int, float]:
        if name == "keywords" and kind not in {Kind.SEMANTIC, Kind.EPISODIC}:
            return {}
        vector = self.question.keyword_vector if name == "keywords" else self.question.vector_for(kind)
        ids = None if among is None else np.asarray(among, dtype=np.int64)
        try:
            return dict(self.index.search(kind, name, vector, k, ids))
        except StorageError as exc:
            note = f"{exc.message} Searched by words only."
            if note not in self.notes:
                self.notes.append(note)
            return {}

    def _statements(
        self,
        kind: Kind,
        every: Iterable[S],
        near: Closeness,
        more: Callable[[Sequence[S]], Mapping[str, Column]] = lambda _: {},
    ) -> list[Hit[S]]:
        banned = self.scope.banned
        held = [memory for memory in every if self._holds(memory) and not (banned and ref_of(memory) in banned)]
        if not held:
            return []
        uses = self.store.uses.of(kind, [memory.id for memory in held]) if kind is Kind.PROCEDURAL else {}
        evidence = Evidence(self.question, kind, [memory.id for memory in held], near, self.weights)
        lanes = {**statement_lanes(held, evidence, self.question, self.weights, uses), **more(held)}
        if self.scope.sharp is not None:
            lanes["window"] = self.weights.window * np.array([self._sharp(memory) for memory in held], dtype=np.float64)
        return self._ranked(held, range(len(held)), lanes, evidence)

    def _holds(self, memory: Statement) -> bool:
        """Tell whether a statement is true at the time in question, and not in the prompt already."""
        if self.scope.window is not None and not holds(self.scope.window, memory):
            return False
        if isinstance(memory, FactLine) and memory.turn_id in self.scope.recent:
            return False
        if self.scope.as_of is None:
            return memory.status == Status.ACTIVE
        ended = memory.merged_at if isinstance(memory, TopicLine) else memory.valid_to
        held = began(memory) <= self.scope.as_of and (ended is None or self.scope.as_of < ended)
        return held and memory.status in {Status.ACTIVE, Status.SUPERSEDED}

    def _ranked(
        self,
        memories: Sequence[M],
        rows: Sequence[int],
        lanes: Mapping[str, Column],
        evidence: Evidence,
        most: int | None = None,
    ) -> list[Hit[M]]:
        """Order the memories of some rows, and drop junk: all of them where none is relevant, else what trails far."""
        kind, chosen = evidence.kind, np.array(rows, dtype=np.int64)
        ids, score = np.array(evidence.ids, dtype=np.int64), np.sum(list(lanes.values()), axis=0)
        order = chosen[np.lexsort((-ids[chosen], -score[chosen]))][:most]
        relevant = evidence.relevance[order] >= self._floor(kind)
        if not relevant.any():
            return []
        noise = self.weights.noise.mean
        # what bears on a request shares neither words nor much meaning with it: of 60 preferences 17% were found under
        # the usual floor, 58% without
        if not self.question.request:
            order = order[relevant | (score[order] >= noise + TRAILING * (score[order[0]] - noise))]
        # by column: a number taken out of an array alone costs ten times as much
        parts = zip(*(lane[order].tolist() for lane in lanes.values()), strict=True)
        return [
            Hit(Ref(kind, memories[row].id), memories[row], total, _kept(dict(zip(lanes, part, strict=True))))
            for row, total, part in zip(order.tolist(), score[order].tolist(), parts, strict=True)
        ]

    def _floor(self, kind: Kind) -> float:
        """Return how relevant one memory of a kind must be at least for the others to be shown as well."""
        floor = self.scope.floor if kind in DATED else self.scope.usual
        if self.question.request:
            return -math.inf
        return floor * _OF_SPEAKERS if kind is Kind.MESSAGE and self.question.speakers else floor


def _few(ids: Ids) -> Ids | None:
    """Return a pool that is small enough to be searched alone."""
    return ids if len(ids) <= _POOL else None


def _read(hits: Iterable[Hit[L]], many: Callable[[Collection[int]], Iterable[R]]) -> list[Hit[R]]:
    lines = {hit.ref.id: hit for hit in hits}
    memories = {memory.id: memory for memory in many(lines)} if lines else {}
    return [Hit(hit.ref, memories[row_id], hit.score, hit.lanes) for row_id, hit in lines.items() if row_id in memories]


def _kept(lanes: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in lanes.items() if value or name == "dense"}
