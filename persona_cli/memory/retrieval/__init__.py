"""Retrieval: from a question to the memories that answer it, the same for chat, search and the benchmark.

A question is embedded and its words are looked up (asked.py); each kind of memory is ranked by what the lanes say
of it: closeness in meaning, shared words, and for messages what stands around them (ranking.py, messages.py,
facts.py, pictures.py, looks.py), with the weights of weights.py. Time words and the model's wishes become a window that
filters (window.py), and is given up with a note where it leaves nothing. A time that hangs on something remembered
("since I moved") is looked up first, by a search of its own (anchored.py, tellings.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from persona_cli.config import MemorySettings
from persona_cli.memory.retrieval import pictures
from persona_cli.memory.retrieval.anchored import resolve
from persona_cli.memory.retrieval.asked import prepare, without_times
from persona_cli.memory.retrieval.looks import LooksLike, asks_to_see
from persona_cli.memory.retrieval.noise import measure
from persona_cli.memory.retrieval.ranking import Ranker, Scope
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.retrieval.weights import LEAST_SEARCHED, Weights, weights_for
from persona_cli.memory.retrieval.window import Asking, window_of
from persona_cli.memory.store import Store
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import Line
from persona_cli.memory.vectors import minilm_files
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.memory.vectors.index import Index
from persona_cli.records import (
    CoreEntry,
    EpisodicMemory,
    Hit,
    Image,
    ImageMemory,
    Kind,
    ProceduralMemory,
    Query,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    Status,
    Topic,
    Turn,
    Window,
)
from persona_cli.timewords import Anchored, find_anchors

__all__ = ["AnyHit", "Found", "Retriever"]

AnyHit = Hit[SemanticMemory] | Hit[EpisodicMemory] | Hit[ProceduralMemory] | Hit[CoreEntry] | Hit[Turn] | Hit[Image]

_ALL = frozenset(Kind)
_SURE = 2.6
_RECALLED = _ALL - {Kind.CORE}  # the profile is in every prompt as it is


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, whatever its kind."""

    hits: tuple[AnyHit, ...]
    window: Window | None = None
    window_source: str = ""
    """Where the window came from: "given", the words of the question, or "" for none."""
    notes: tuple[str, ...] = ()
    backend: str = ""
    """How the vectors were searched, and why that way."""


@dataclass(frozen=True, slots=True)
class _When:
    """The time a question is about, and what is left of the question without the words that were looked up for it."""

    asking: Asking | None
    rest: str
    phrase: str = ""
    """The words that were looked up: "since I moved"."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ranked:
    """What a search found, each kind best first, as lines where whole memories are read for the best alone."""

    ranker: Ranker
    messages: list[Hit[Line]] = field(default_factory=list)
    facts: list[Hit[FactLine]] = field(default_factory=list)
    topics: list[Hit[TopicLine]] = field(default_factory=list)
    others: list[Hit[ProceduralMemory] | Hit[CoreEntry] | Hit[Image]] = field(default_factory=list)

    def dated(self) -> bool:
        """Tell whether anything was found that a window can narrow."""
        return bool(self.messages or self.facts or self.topics)

    def best(self, limit: int) -> tuple[AnyHit, ...]:
        """Return the best of all kinds with their whole memories; what was forgotten since is left out."""
        every = [*self.messages, *self.facts, *self.topics, *self.others]
        order = [hit.ref for hit in sorted(every, key=lambda hit: -hit.score)[:limit]]
        wanted = set(order)
        found: dict[Ref, AnyHit] = {
            hit.ref: hit
            for hits in (
                self.ranker.whole(hit for hit in self.messages if hit.ref in wanted),
                self.ranker.facts(hit for hit in self.facts if hit.ref in wanted),
                self.ranker.topics(hit for hit in self.topics if hit.ref in wanted),
                self.others,
            )
            for hit in hits
        }
        return tuple(found[ref] for ref in order if ref in found)


class Retriever:
    """Finds memories; any thread may call it."""

    def __init__(
        self,
        store: Store,
        index: Index,
        embedder: Embedder,
        looks: LooksLike,
        *,
        settings: MemorySettings,
        gap: timedelta,
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._looks = looks
        self._settings = settings
        self._gap = gap
        self._weights: Weights | None = Weights() if embedder.name == minilm_files.NAME else None

    def recall(self, query: Query, retrieve: Retrieve, shown: Collection[Ref] = ()) -> Recall:
        """Return what a response is shown: the best few of each kind, nothing twice, nothing of the last hour."""
        since = query.at - self._gap
        recent = frozenset(turn.id for turn in self._store.turns.recent(since, query.at))
        scope = Scope(until=since, banned=self._banned(shown), recent=recent)
        when = self._when(query.text, query.at, retrieve)
        wished = _When(None, retrieve.keywords.replace(when.phrase, " ") if when.phrase else retrieve.keywords)
        if when.asking is None and not when.notes:
            wished = self._when(retrieve.keywords, query.at)
        asking = when.asking or wished.asking
        ranker = self._ranker(when.rest or wished.rest, query.at, scope, wished.rest, _RECALLED)
        ranker.notes.extend((*when.notes, *wished.notes))
        found = self._recall(ranker, query, asking)
        if asking is not None and not (found.semantic or found.episodic or found.messages or found.images):
            note = f"Nothing was found for {_named(asking)}; all times were searched."
            found = self._recall(ranker, query, None)
            found = replace(found, notes=(note, *found.notes))
        return found

    def search(
        self,
        text: str,
        *,
        kinds: Collection[Kind] | None = None,
        window: Window | None = None,
        as_of: datetime | None = None,
        limit: int = 10,
        at: datetime,
    ) -> Found:
        """Return the best memories of the kinds wanted; `as_of` searches what was held true then.

        A window that is given filters for good; one from the words of the question is given up where it leaves
        nothing.
        """
        wanted = _ALL if kinds is None else frozenset(kinds)
        given = Asking(window, window, "given") if window is not None else None
        when = _When(given, text) if given is not None else self._when(text, at)
        asking = when.asking
        ranker = self._ranker(when.rest, at, Scope(as_of=as_of, usual=LEAST_SEARCHED), "", wanted)
        ranker.notes.extend(when.notes)
        ranked = self._search(ranker, wanted, asking)
        if asking is not None and given is None and not ranked.dated():
            ranker.notes.append(f"Nothing was found for {_named(asking)}; all times were searched.")
            asking = None
            ranked = self._search(ranker, wanted, None)
        source = asking.source if asking else ""
        window = asking.window if asking else None
        return Found(ranked.best(limit), window, source, tuple(ranker.notes), self._index.backend)

    def when(self, text: str, at: datetime) -> Window | None:
        """Return the time that words which hang on something remembered stand for: "since I moved to Lisbon"."""
        when = self._when(text, at)
        return when.asking.window if when.asking is not None else None

    def _when(self, text: str, at: datetime, retrieve: Retrieve | None = None) -> _When:
        """Return the window of a question: the model's, else that of its time words, looked up where they need it."""
        plain = window_of(text, at, retrieve)
        anchored = next((one for one in find_anchors(text, at) if plain is None or one.time is not None), None)
        if anchored is None or (plain is not None and not plain.from_words):
            return _When(plain, text)

        def rank(words: str) -> Ranker:
            kinds = {Kind.SEMANTIC, Kind.MESSAGE}
            return self._ranker(words, at, Scope(until=at, usual=LEAST_SEARCHED), "", kinds)

        asking = resolve(anchored, at, self._store, rank)
        if asking is None:
            return _When(
                plain, text, notes=(f"No time is known for “{anchored.anchor}”; it was searched for as words.",)
            )
        rest = f"{text[: anchored.start]} {text[anchored.end :]}"
        if _tells_its_own_time(anchored) and search_terms(without_times(rest, at)):
            return _When(asking, text)
        return _When(asking, rest if any(map(str.isalnum, rest)) else text, anchored.text)

    def _recall(self, ranker: Ranker, query: Query, asking: Asking | None) -> Recall:
        ranker = _within(ranker, asking)
        messages = ranker.messages()
        semantic = ranker.semantic()
        topics = ranker.topics(ranker.episodic(messages)[: self._settings.episodic])
        shown = {hit.ref: ranker.turns_of(hit.memory, messages) for hit in topics}
        told = {turn_id for turn_ids in shown.values() for turn_id in turn_ids}
        untold = [hit for hit in messages if hit.memory.id not in told]
        facts = ranker.facts(semantic[: self._settings.semantic])
        quoted = ranker.whole(untold[: self._settings.semantic])
        return Recall(
            semantic=(*facts, *self._former(facts, told | {hit.memory.id for hit in quoted}, ranker)),
            episodic=tuple(Topic(hit, self._store.turns.many(shown[hit.ref])) for hit in topics),
            procedural=tuple(
                ranker.statements(Kind.PROCEDURAL, self._store.habits.current())[: self._settings.procedural]
            ),
            images=self._images(ranker, query, semantic),
            messages=tuple(quoted),
            window=asking.window if asking else None,
            window_source=asking.source if asking else "",
            notes=tuple(ranker.notes),
        )

    def _former(
        self, facts: Sequence[Hit[SemanticMemory]], turns: Collection[int], ranker: Ranker
    ) -> list[Hit[SemanticMemory]]:
        """Return what once held of what is shown, with what took its place.

        Without it, an old message reads as if it still held.
        """
        former = self._store.semantic.former([hit.memory.id for hit in facts], turns)
        shown = {hit.memory.id for hit in facts}
        heirs = self._store.semantic.many({one.superseded_by for one in former if one.superseded_by} - shown)
        held = [one for one in heirs if one.status is Status.ACTIVE]
        refs = [(Ref(Kind.SEMANTIC, memory.id), memory) for memory in (*held, *former)]
        unseen = [(ref, memory) for ref, memory in refs if ref not in ranker.scope.banned]
        return [Hit(ref, memory, 0.0) for ref, memory in unseen[: 2 * self._settings.semantic]]

    def _images(self, ranker: Ranker, query: Query, semantic: list[Hit[FactLine]]) -> tuple[ImageMemory, ...]:
        told = _pictured(ranker, semantic[: 4 * self._settings.images])
        sights = pictures.Sights(
            picture=pictures.seen_before(self._store, query.images),
            looks=self._looks.alike(pictures.new_ones(self._store, query.images, ranker.scope.until)),
            shows=self._looks.showing(query.text) if asks_to_see(query.text) else {},
            caption=ranker.captions(),
        )
        hits = pictures.picture_hits(self._store, told, sights)
        remembered = (
            pictures.remember(self._store, hit, ranker.scope.until)
            for hit in hits
            if hit.ref not in ranker.scope.banned
        )
        return tuple(one for one in remembered if one is not None)[: self._settings.images]

    def _search(self, ranker: Ranker, kinds: frozenset[Kind], asking: Asking | None) -> _Ranked:
        ranker = _within(ranker, asking)
        messages = ranker.messages() if kinds & {Kind.MESSAGE, Kind.EPISODIC} else []
        semantic = ranker.semantic() if kinds & {Kind.SEMANTIC, Kind.IMAGE} else []
        ranked = _Ranked(ranker)
        if Kind.MESSAGE in kinds:
            ranked.messages.extend(messages)
        if Kind.SEMANTIC in kinds:
            ranked.facts.extend(semantic)
        if Kind.EPISODIC in kinds:
            ranked.topics.extend(ranker.episodic(messages))
        if Kind.PROCEDURAL in kinds:
            versions = self._store.habits.history() if ranker.scope.as_of else self._store.habits.current()
            ranked.others.extend(ranker.statements(Kind.PROCEDURAL, versions))
        if Kind.CORE in kinds:
            entries = self._store.core.history() if ranker.scope.as_of else self._store.core.current().entries
            ranked.others.extend(ranker.statements(Kind.CORE, entries))
        if Kind.IMAGE in kinds:
            told = _pictured(ranker, semantic)
            seeing = kinds == {Kind.IMAGE} or asks_to_see(ranker.asked.text)
            shows = self._looks.showing(ranker.asked.text) if seeing else {}
            sights = pictures.Sights(shows=shows, caption=ranker.captions())
            ranked.others.extend(pictures.picture_hits(self._store, told, sights))
        return ranked

    def _ranker(self, text: str, at: datetime, scope: Scope, keywords: str, kinds: Collection[Kind]) -> Ranker:
        asked = prepare(self._store, self._embedder, text, at, keywords=keywords, kinds=kinds)
        return Ranker(self._store, self._index, asked, scope, self._weigh())

    def _banned(self, shown: Collection[Ref]) -> frozenset[Ref]:
        """Add to what was shown the messages of the topics among it; of a summary only some were."""
        topics = self._store.episodes.many([ref.id for ref in shown if ref.kind is Kind.EPISODIC])
        whole = [topic for topic in topics if not topic.parts]
        return frozenset(shown) | {Ref(Kind.MESSAGE, turn_id) for topic in whole for turn_id in topic.turn_ids}

    def _weigh(self) -> Weights:
        if self._weights is None:
            self._weights = weights_for(measure(self._embedder))
        return self._weights


def _pictured(ranker: Ranker, facts: Sequence[Hit[FactLine]]) -> dict[int, Hit[SemanticMemory]]:
    """Return for each picture, by id, the best of the facts that belongs to it."""
    return pictures.spoken_of(ranker.store, ranker.facts([hit for hit in facts if hit.memory.pictured]))


def _tells_its_own_time(anchored: Anchored) -> bool:
    """Tell whether what is asked is told along with the anchor: "after the race", "when I was in Rome".

    The words of "since I moved" and "the day before my birthday" only find the move and the birthday again.
    """
    return anchored.distance is None and anchored.relation in {"during", "around", "after"}


def _within(ranker: Ranker, asking: Asking | None) -> Ranker:
    if asking is None:
        # a question with nothing but a time to go by, and that in vain, is easily close to small talk
        floor = ranker.scope.usual if ranker.asked.terms else max(ranker.scope.usual, _SURE)
        return replace(ranker, scope=replace(ranker.scope, window=None, floor=floor, lenient=False))
    # "what did I do last Sunday" has nothing but its time to go by: all of that time answers, and no other does
    lenient = asking.from_words and bool(ranker.asked.terms)
    sharp = None if asking.window == asking.wide else asking.window
    floor = ranker.scope.usual / 2 if lenient else -math.inf
    scope = replace(ranker.scope, window=asking.wide, floor=floor, lenient=lenient, sharp=sharp)
    return replace(ranker, scope=scope)


def _named(asking: Asking) -> str:
    return f"“{asking.source}”" if asking.from_words else "the time asked about"
