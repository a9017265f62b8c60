"""Ranking the memories of one kind: who is in question, how close each is, what every lane says, what is junk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import numpy as np

from persona_cli.errors import StorageError
from persona_cli.memory.index import Index
from persona_cli.memory.retrieval.asked import Asked
from persona_cli.memory.retrieval.facts import Closeness, Statement, began, ref_of, statement_lanes
from persona_cli.memory.retrieval.messages import REACH, Dialogue
from persona_cli.memory.retrieval.weights import LEAST, TRAILING, Weights
from persona_cli.memory.retrieval.window import TOLD_LATER, holds
from persona_cli.memory.store import Store
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import Line
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

M = TypeVar("M", FactLine, TopicLine, ProceduralMemory, CoreEntry, Line)
L = TypeVar("L", FactLine, TopicLine, Line)
R = TypeVar("R", SemanticMemory, EpisodicMemory, Turn)
S = TypeVar("S", FactLine, TopicLine, ProceduralMemory, CoreEntry)

DATED = frozenset({Kind.SEMANTIC, Kind.EPISODIC, Kind.MESSAGE})  # what a window can narrow

_CLOSEST = 60  # candidates per lane
_LIKELY = 48  # of those, statements that are read
_TELLING = 24  # messages whose topics are read
_CLOSEST_MESSAGES = 90  # 60 lost half a point of recall@20, more than 90 gained nothing
_TOLD = 8  # turns that a summary is told with
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
    asked: Asked
    scope: Scope
    weights: Weights
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
        return self._statements(self.store.lines.facts(self._likely(Kind.SEMANTIC, ids, near)), near)

    def facts(self, hits: Iterable[Hit[FactLine]]) -> list[Hit[SemanticMemory]]:
        """Return facts with their whole memories; one forgotten since is left out."""
        return _read(hits, self.store.semantic.many)

    def episodic(self, messages: Iterable[Hit[Line]]) -> list[Hit[TopicLine]]:
        """Return the topics, best first, as lines; a topic whose message was found gains by it."""
        pool = None
        if self.scope.window is not None:
            every = self.scope.as_of is not None
            pool = _few(self.store.episodes.ids(self.scope.window, most=_POOL + 1, every=every))
        near, ids = self._near(Kind.EPISODIC, pool)
        found = {hit.memory.id: hit.score - self.weights.noise.mean for hit in messages}
        telling, told_best, best = set(list(found)[:_TELLING]), set[int](), dict[int, float]()
        for topic, turn in self.store.episodes.told(found):
            best[topic] = max(best.get(topic, 0.0), found[turn])
            if turn in telling:
                told_best.add(topic)
        near = self._complete(Kind.EPISODIC, near, sorted({*ids, *told_best}))
        ids = sorted({*self._likely(Kind.EPISODIC, ids, near), *told_best})

        def told(memory: TopicLine) -> Mapping[str, float]:
            return {"turns": self.weights.turns * best.get(memory.id, 0.0)}

        return self._statements(self.store.lines.topics(ids), near, told)

    def topics(self, hits: Iterable[Hit[TopicLine]]) -> list[Hit[EpisodicMemory]]:
        """Return topics with their whole memories; one forgotten since is left out."""
        return _read(hits, self.store.episodes.many)

    def turns_of(self, memory: EpisodicMemory, messages: Iterable[Hit[Line]]) -> tuple[int, ...]:
        """Return the turns of a topic; of a summary, which may have many, those that answer best."""
        if not memory.parts:
            return memory.turn_ids
        best = [hit.memory.id for hit in messages if hit.memory.id in memory.turn_ids]
        best += self._search(Kind.MESSAGE, "content", list(memory.turn_ids), _TOLD)
        return tuple(sorted(list(dict.fromkeys(best))[:_TOLD]))

    def statements(self, kind: Kind, every: Collection[S]) -> list[Hit[S]]:
        """Rank statements of a kind that has so few that each is looked at."""
        near = self._complete(kind, Closeness({}, {}), [one.id for one in every])
        return self._statements(every, near)

    def messages(self) -> list[Hit[Line]]:
        """Return the messages, best first, as the user's words alone; `whole` reads the turns of the best."""
        window = self.scope.window
        near, ids = self._near(Kind.MESSAGE, None if window is None else self._told_in(window))
        if window is not None and self.scope.lenient:
            elsewhere, more = self._near(Kind.MESSAGE, None)
            near, ids = elsewhere.joined(near), sorted({*ids, *more})
        lines = self.store.turns.lines({row + step for row in ids for step in range(-REACH, REACH + 1)})
        near = self._complete(Kind.MESSAGE, near, [line.id for line in lines])
        ranked = self._ranked(self._best_of(lines, near), near)
        if window is None:
            return ranked
        if self.scope.lenient:
            return self._timed(ranked, window)
        held = (hit for hit in ranked if holds(window, hit.memory))
        sharpened = [_hit(hit.ref, hit.memory, {**hit.lanes, **self._sharply(hit.memory)}) for hit in held]
        return sorted(sharpened, key=lambda hit: (-hit.score, -hit.ref.id))

    def _sharply(self, memory: Statement | Line) -> dict[str, float]:
        """Return the lane of time for what lies in the window itself, nothing for what only lies around it."""
        sharp = self.scope.sharp
        dated = isinstance(memory, (FactLine, TopicLine, Line))
        sure = sharp is not None and dated and not self.scope.lenient and holds(sharp, memory)
        return {"window": self.weights.window} if sure else {}

    def whole(self, hits: Iterable[Hit[Line]]) -> list[Hit[Turn]]:
        """Return messages with their whole turns; one forgotten since is left out."""
        return _read(hits, self.store.turns.many)

    def _best_of(self, lines: Sequence[Line], near: Closeness) -> list[Hit[Line]]:
        dialogue = Dialogue(self.asked, lines, near.content, self.weights)
        most = _WHOLE if self.scope.as_of is None else None
        banned = self.scope.recent | {ref.id for ref in self.scope.banned if ref.kind is Kind.MESSAGE}
        by_id = {line.id: line for line in lines}
        return [
            _hit(Ref(Kind.MESSAGE, row_id), by_id[row_id], lanes)
            for row_id, lanes in dialogue.best(most, banned).items()
            if self._said(by_id[row_id])
        ]

    def _told_in(self, window: Window) -> list[int] | None:
        """Return the messages of a window and of the days after it, None where they are too many to name."""
        told = Window(window.start, window.end and window.end + TOLD_LATER)
        return _few(self.store.turns.ids_in(told, _POOL + 1))

    def _timed(self, ranked: list[Hit[Line]], window: Window) -> list[Hit[Line]]:
        """Add the lane of time: for being said in the window, and among the best for speaking of it.

        Returns nothing where no message has to do with the window: then it is for the caller to give it up.
        """
        timed = []
        for place, hit in enumerate(ranked):
            if hit.memory.at in window or (place < _LOOKED_THROUGH and holds(window, hit.memory)):
                sharp = self.scope.sharp is None or holds(self.scope.sharp, hit.memory)
                value = self.weights.window * (1.0 if sharp else _AROUND)
                timed.append(_hit(hit.ref, hit.memory, {**hit.lanes, "window": value}))
            else:
                timed.append(hit)
        if not any("window" in hit.lanes for hit in timed):
            return []
        return sorted(timed, key=lambda hit: (-hit.score, -hit.ref.id))

    def captions(self) -> dict[int, float]:
        """Return by id how well the captions of pictures answer, junk left out."""
        near, ids = self._near(Kind.IMAGE, None)
        near = self._complete(Kind.IMAGE, near, ids)
        scores = {}
        for row_id in ids:
            ref = Ref(Kind.IMAGE, row_id)
            if self._relevant(ref, near):
                share = self.asked.share(self.asked.held(Kind.IMAGE, row_id))
                scores[row_id] = near.content.get(row_id, self.weights.noise.mean) + self.weights.stated * share
        return scores

    def _near(self, kind: Kind, pool: list[int] | None) -> tuple[Closeness, list[int]]:
        """Return the cosines of the closest, and the ids that any lane finds worth a look."""
        if pool is not None and not pool:
            return Closeness({}, {}), []
        narrow = pool if pool is not None and len(pool) <= _POOL else None
        most = _CLOSEST_MESSAGES if kind is Kind.MESSAGE else _CLOSEST
        content = self._search(kind, "content", narrow, most)
        keywords = self._search(kind, "keywords", narrow, most)
        ids = {*content, *keywords, *self.asked.best(kind, most)}
        if pool is not None:
            ids.intersection_update(pool)
        return Closeness(content, keywords), sorted(ids)

    def _likely(self, kind: Kind, ids: Collection[int], near: Closeness) -> list[int]:
        """Return the statements that can be among the best whatever else is known of them; reading them is slow."""
        noise, weights = self.weights.noise.mean, self.weights

        def closest(row_id: int) -> float:
            held = self.asked.held(kind, row_id)
            cosine = max(near.content.get(row_id, noise), near.keywords.get(row_id, noise))
            return cosine + weights.stated * self.asked.share(held) + weights.stated_cover * self.asked.cover(held)

        return sorted(ids, key=closest, reverse=True)[:_LIKELY] if self.scope.window is None else list(ids)

    def _complete(self, kind: Kind, near: Closeness, ids: list[int]) -> Closeness:
        missing = [row for row in ids if row not in near.content]
        if not missing:
            return near
        content = {**near.content, **self._search(kind, "content", missing, len(missing))}
        keywords = {**near.keywords, **self._search(kind, "keywords", missing, len(missing))}
        return Closeness(content, keywords)

    def _search(self, kind: Kind, name: str, among: list[int] | None, k: int) -> dict[int, float]:
        if name == "keywords" and kind not in {Kind.SEMANTIC, Kind.EPISODIC}:
            return {}
        vector = self.asked.keywords if name == "keywords" else self.asked.content_for(kind)
        ids = None if among is None else np.array(among, dtype=np.int64)
        try:
            return dict(self.index.search(kind, name, vector, k, ids))
        except StorageError as exc:
            note = f"{exc.message} Searched by words only."
            if note not in self.notes:
                self.notes.append(note)
            return {}

    def _statements(
        self, every: Iterable[S], near: Closeness, more: Callable[[S], Mapping[str, float]] = lambda _: {}
    ) -> list[Hit[S]]:
        hits = []
        banned = self.scope.banned
        held = [one for one in every if self._holds(one) and not (banned and ref_of(one) in banned)]
        habits = [one.id for one in held if isinstance(one, ProceduralMemory)]
        uses = self.store.uses.of(Kind.PROCEDURAL, habits) if habits else {}
        for memory in held:
            use = memory.use if isinstance(memory, (FactLine, TopicLine)) else uses.get(memory.id)
            lanes = statement_lanes(memory, self.asked, near, self.weights, use)
            hits.append(_hit(ref_of(memory), memory, {**lanes, **more(memory), **self._sharply(memory)}))
        return self._ranked(hits, near)

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

    def _said(self, line: Line) -> bool:
        """Tell whether a message was said at the time in question, and is not in the prompt already."""
        if self.scope.until is not None and line.at >= self.scope.until:
            return False
        return self.scope.as_of is None or line.at <= self.scope.as_of

    def _ranked(self, hits: list[Hit[M]], near: Closeness) -> list[Hit[M]]:
        """Order hits, and drop junk: all of them where none is relevant, else what falls far behind the best."""
        hits = sorted(hits, key=lambda hit: (-hit.score, -hit.ref.id))
        # the best are mostly relevant, so this looks at one or two
        if not any(self._relevant(hit.ref, near) for hit in hits):
            return []
        noise = self.weights.noise.mean
        least = noise + TRAILING * (hits[0].score - noise)
        return [hit for hit in hits if hit.score >= least or self._relevant(hit.ref, near)]

    def _relevant(self, ref: Ref, near: Closeness) -> bool:
        noise = self.weights.noise.mean
        # single words are closer to each other than sentences are, whatever they mean
        cosine = max(near.content.get(ref.id, noise), near.keywords.get(ref.id, noise) - noise)
        floor = self.scope.floor if ref.kind in DATED else self.scope.usual
        if ref.kind is Kind.MESSAGE and self.asked.speakers:
            floor *= _OF_SPEAKERS
        return self.weights.relevance(cosine, self.asked.cover(self.asked.held(ref.kind, ref.id))) >= floor


def _few(ids: list[int]) -> list[int] | None:
    """Return a pool that is small enough to be searched alone."""
    return ids if len(ids) <= _POOL else None


def _read(hits: Iterable[Hit[L]], many: Callable[[Collection[int]], Iterable[R]]) -> list[Hit[R]]:
    lines = {hit.ref.id: hit for hit in hits}
    found = {one.id: one for one in many(lines)} if lines else {}
    return [Hit(hit.ref, found[row_id], hit.score, hit.lanes) for row_id, hit in lines.items() if row_id in found]


def _hit(ref: Ref, memory: M, lanes: Mapping[str, float]) -> Hit[M]:
    kept = {name: value for name, value in lanes.items() if value or name == "dense"}
    return Hit(ref, memory, sum(kept.values()), kept)
