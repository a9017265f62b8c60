"""The pipeline from a question to what answers it, with two endings: what a chat recalls, what a search shows.

Both go the same way: the time the question is about (`when`), the question made ready (`question`), each kind ranked
(`ranking`), and the window given up with a note where it leaves nothing. A response is shown the best few of each kind,
whole, with what once held of it; a search the best of all kinds in one list.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from persona_cli.config import MemorySettings
from persona_cli.memory.picture_matches import PictureMatches
from persona_cli.memory.retrieval import pictures
from persona_cli.memory.retrieval.lane_weights import (
    LEAST,
    LEAST_SEARCHED,
    LaneWeights,
    for_requests,
    measure,
    weights_for,
)
from persona_cli.memory.retrieval.messages import TurnVoice, voice_of
from persona_cli.memory.retrieval.pictures import LooksLike, Sights, asks_to_see
from persona_cli.memory.retrieval.question import prepare
from persona_cli.memory.retrieval.ranking import Ranker, Scope
from persona_cli.memory.retrieval.reranking import judges, rerank
from persona_cli.memory.retrieval.when import LOOKED_AT, TimedQuestion, Timeframe, time_of
from persona_cli.memory.store import Store
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.memory.vectors import minilm_files
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.memory.vectors.index import Index
from persona_cli.reading.judging import Judge
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

AnyHit = Hit[SemanticMemory] | Hit[EpisodicMemory] | Hit[ProceduralMemory] | Hit[CoreEntry] | Hit[Turn] | Hit[Image]

_LineHit = Hit[MessageLine] | Hit[FactLine] | Hit[TopicLine]

_ALL = frozenset(Kind)
_RECALLED = _ALL - {Kind.CORE}  # the profile is in every prompt as it is
_SURE = 2.6
_SPARE = 20  # hits of a search that are there for those left out, as nobody says anything in them


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search has to show, best first, whatever its kind."""

    hits: tuple[AnyHit, ...]
    window: Window | None = None
    window_source: str = ""
    """Where the window came from: "given", the words of the question, or "" for none."""
    notes: tuple[str, ...] = ()
    backend: str = ""
    """How the vectors were searched, and why that way."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be ranked: the kinds, the pictures shown along with the question, and how many facts may bring one."""

    asked: str
    """The question as it was put, for the judge; "" where nothing is to be judged."""
    kinds: frozenset[Kind]
    shown: tuple[Image, ...] = ()
    picture_facts: int | None = None


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Each kind best first, as lines where whole memories are read for the best alone."""

    ranker: Ranker
    timeframe: Timeframe | None
    messages: list[Hit[MessageLine]] = field(default_factory=list)
    facts: list[Hit[FactLine]] = field(default_factory=list)
    topics: list[Hit[TopicLine]] = field(default_factory=list)
    habits: list[Hit[ProceduralMemory]] = field(default_factory=list)
    profile: list[Hit[CoreEntry]] = field(default_factory=list)
    images: list[Hit[Image]] = field(default_factory=list)

    @property
    def dated(self) -> bool:
        """Tell whether there is anything that a window can narrow, or that looks like a picture that was shown."""
        seen = any("picture" in hit.lanes or "looks" in hit.lanes for hit in self.images)
        return bool(self.messages or self.facts or self.topics or seen)

    def best(self, limit: int) -> tuple[AnyHit, ...]:
        """Return the best of all kinds with their whole memories; what was forgotten since is left out."""
        undated: list[AnyHit] = [*self.habits, *self.profile, *self.images]
        every = sorted([*self.messages, *self.facts, *self.topics, *undated], key=lambda hit: -hit.score)
        order = self._users_words_first(every[: limit + _SPARE], limit)
        wanted = set(order)
        whole: dict[Ref, AnyHit] = {
            hit.ref: hit
            for hits in (
                self.ranker.whole(hit for hit in self.messages if hit.ref in wanted),
                self.ranker.facts(hit for hit in self.facts if hit.ref in wanted),
                self.ranker.topics(hit for hit in self.topics if hit.ref in wanted),
                undated,
            )
            for hit in hits
        }
        return tuple(whole[ref] for ref in order if ref in whole)

    def _users_words_first(self, hits: Sequence[AnyHit | _LineHit], limit: int) -> list[Ref]:
        """Put what only the assistant said behind what the user did, and leave out where neither said anything."""
        noise, question = self.ranker.weights.noise, self.ranker.question
        near = noise.mean + LEAST_SEARCHED * noise.deviation
        answers = self.ranker.store.turns.answers([hit.ref.id for hit in hits if isinstance(hit.memory, MessageLine)])
        answered, first = list[Ref](), list[Ref]()
        for hit in hits:
            if len(first) == limit:
                break
            voice = TurnVoice.USER
            if isinstance(hit.memory, MessageLine) and hit.ref.id in answers:
                close = hit.lanes.get("dense", 0.0) >= near
                voice = voice_of(hit.memory.user, answers[hit.ref.id], question, close=close)
            if voice is not TurnVoice.NOBODY:
                (first if voice is TurnVoice.USER else answered).append(hit.ref)
        return (first + answered)[:limit]


class Retriever:
    """Finds memories; any thread may call it."""

    def __init__(
        self,
        store: Store,
        index: Index,
        embedder: Embedder,
        matches: PictureMatches,
        looks: LooksLike,
        *,
        judge: Judge,
        settings: MemorySettings,
        gap: timedelta,
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._matches = matches
        self._looks = looks
        self._judge = judge
        self._settings = settings
        self._gap = gap
        self._weights: LaneWeights | None = LaneWeights() if embedder.name == minilm_files.NAME else None

    def recall(self, query: Query, retrieve: Retrieve, shown: Collection[Ref] = ()) -> Recall:
        """Return what a response is shown: the best few of each kind, nothing twice, nothing of the last hour."""
        since = query.at - self._gap
        recent = frozenset(turn.id for turn in self._store.turns.recent(since, query.at))
        # who judges what it is shown looks at what is hardly near too
        usual = -math.inf if retrieve.most else LEAST
        scope = Scope(until=since, banned=self._banned(shown), recent=recent, usual=usual)
        timed = self._time_of(query.text, query.at, retrieve)
        words = retrieve.keywords.replace(timed.phrase, " ") if timed.phrase else retrieve.keywords
        wished = TimedQuestion(None, words)
        if timed.timeframe is None and not timed.notes:
            wished = self._time_of(retrieve.keywords, query.at)
        ranker = self._ranker(timed.rest or wished.rest, query.at, scope, wished.rest, _RECALLED)
        ranker.notes.extend((*timed.notes, *wished.notes))
        asked = "" if retrieve.most else query.text or retrieve.keywords
        request = _Request(asked, _RECALLED, query.images, 4 * self._settings.images)
        ranked = self._rank(ranker, request, timed.timeframe or wished.timeframe)
        return self._as_recall(ranked, retrieve.most or self._settings.semantic)

    def search(
        self,
        text: str,
        *,
        kinds: Collection[Kind] | None = None,
        window: Window | None = None,
        as_of: datetime | None = None,
        limit: int = 10,
        at: datetime,
    ) -> SearchResult:
        """Return the best memories of the kinds wanted; `as_of` searches what was held true then.

        A window that is given filters for good; one from the words of the question is given up where it leaves
        nothing.
        """
        wanted = _ALL if kinds is None else frozenset(kinds)
        given = Timeframe(window, window, "given") if window is not None else None
        timed = TimedQuestion(given, text) if given is not None else self._time_of(text, at)
        ranker = self._ranker(timed.rest, at, Scope(as_of=as_of, usual=LEAST_SEARCHED), "", wanted)
        ranker.notes.extend(timed.notes)
        ranked = self._rank(ranker, _Request(text, wanted), timed.timeframe)
        source, applied = _applied(ranked.timeframe)
        return SearchResult(ranked.best(limit), applied, source, tuple(ranker.notes), self._index.backend)

    def when(self, text: str, at: datetime) -> Window | None:
        """Return the time that words which hang on something remembered stand for: "since I moved to Lisbon"."""
        timeframe = self._time_of(text, at).timeframe
        return timeframe.window if timeframe is not None else None

    def _time_of(self, text: str, at: datetime, retrieve: Retrieve | None = None) -> TimedQuestion:
        def remembered(words: str) -> tuple[Sequence[Hit[SemanticMemory]], Sequence[Hit[MessageLine]]]:
            kinds = {Kind.SEMANTIC, Kind.MESSAGE}
            ranker = self._ranker(words, at, Scope(until=at, usual=LEAST_SEARCHED), "", kinds)
            return ranker.facts(ranker.semantic()[:LOOKED_AT]), ranker.messages()[:LOOKED_AT]

        return time_of(text, at, self._store, remembered, retrieve)

    def _rank(self, ranker: Ranker, request: _Request, timeframe: Timeframe | None) -> _Ranked:
        """Rank what is wanted within a time, and at all times where that leaves nothing and was not given for good."""
        ranked = self._ranked(_within(ranker, timeframe), request, timeframe)
        if timeframe is None or timeframe.source == "given" or ranked.dated:
            return ranked
        ranker.notes.insert(0, f"Nothing was found for {_named(timeframe)}; all times were searched.")
        return self._ranked(_within(ranker, None), request, None)

    def _ranked(self, ranker: Ranker, request: _Request, timeframe: Timeframe | None) -> _Ranked:
        kinds = request.kinds
        messages = ranker.messages() if kinds & {Kind.MESSAGE, Kind.EPISODIC} else []
        facts = ranker.semantic() if kinds & {Kind.SEMANTIC, Kind.IMAGE} else []
        return _Ranked(
            ranker,
            timeframe,
            messages=self._judged_messages(ranker, request, messages) if Kind.MESSAGE in kinds else [],
            facts=self._judged_facts(ranker, request, facts) if Kind.SEMANTIC in kinds else [],
            topics=ranker.episodic(messages) if Kind.EPISODIC in kinds else [],
            habits=ranker.habits() if Kind.PROCEDURAL in kinds else [],
            profile=ranker.profile() if Kind.CORE in kinds else [],
            images=self._images(ranker, request, facts) if Kind.IMAGE in kinds else [],
        )

    def _judged_messages(
        self, ranker: Ranker, request: _Request, hits: list[Hit[MessageLine]]
    ) -> list[Hit[MessageLine]]:
        first = hits[: self._most_judged(ranker, request)]
        return rerank(self._judge, request.asked, hits, {hit.ref: hit.memory.user for hit in first})

    def _judged_facts(self, ranker: Ranker, request: _Request, hits: list[Hit[FactLine]]) -> list[Hit[FactLine]]:
        first = ranker.facts(hits[: self._most_judged(ranker, request)])
        return rerank(self._judge, request.asked, hits, {hit.ref: hit.memory.content for hit in first})

    def _most_judged(self, ranker: Ranker, request: _Request) -> int:
        """Return how many of a kind are judged: all that may be where one of the two is wanted, else half."""
        if not judges(request.asked, request=ranker.question.request):
            return 0
        return self._settings.judged // len(request.kinds & {Kind.MESSAGE, Kind.SEMANTIC})

    def _images(self, ranker: Ranker, request: _Request, facts: Sequence[Hit[FactLine]]) -> list[Hit[Image]]:
        pictured = [hit for hit in facts[: request.picture_facts] if hit.memory.pictured]
        text = ranker.question.text
        seen = pictures.look_for(self._store, self._matches, request.shown, ranker.scope.until)
        looks = self._looks.alike(seen.new)
        sights = Sights(
            picture=seen.same,
            looks={**(seen.alike if seen.new else {}), **looks},
            shows=self._looks.showing(text) if request.kinds == {Kind.IMAGE} or asks_to_see(text) else {},
            caption=ranker.captions(),
        )
        return pictures.picture_hits(self._store, pictures.spoken_of(self._store, ranker.facts(pictured)), sights)

    def _as_recall(self, ranked: _Ranked, most: int) -> Recall:
        ranker, settings = ranked.ranker, self._settings
        topics = ranker.topics(ranked.topics[: settings.episodic])
        turns = {hit.ref: ranker.turns_of(hit.memory, ranked.messages) for hit in topics}
        of_topics = {turn_id for turn_ids in turns.values() for turn_id in turn_ids}
        alone = [hit for hit in ranked.messages if hit.memory.id not in of_topics]
        facts = ranker.facts(ranked.facts[:most])
        quoted = ranker.whole(alone[:most])
        source, window = _applied(ranked.timeframe)
        return Recall(
            semantic=(*facts, *self._former(facts, of_topics | {hit.memory.id for hit in quoted}, ranker)),
            episodic=tuple(Topic(hit, self._store.turns.many(turns[hit.ref])) for hit in topics),
            procedural=tuple(ranked.habits[: settings.procedural]),
            images=self._remembered(ranked),
            messages=tuple(quoted),
            window=window,
            window_source=source,
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
        heirs = self._store.semantic.many({memory.superseded_by for memory in former if memory.superseded_by} - shown)
        held = [memory for memory in heirs if memory.status is Status.ACTIVE]
        refs = [(Ref(Kind.SEMANTIC, memory.id), memory) for memory in (*held, *former)]
        unseen = [(ref, memory) for ref, memory in refs if ref not in ranker.scope.banned]
        return [Hit(ref, memory, 0.0) for ref, memory in unseen[: 2 * self._settings.semantic]]

    def _remembered(self, ranked: _Ranked) -> tuple[ImageMemory, ...]:
        scope = ranked.ranker.scope
        unseen = (hit for hit in ranked.images if hit.ref not in scope.banned)
        remembered = (pictures.remember(self._store, hit, scope.until) for hit in unseen)
        return tuple(image for image in remembered if image is not None)[: self._settings.images]

    def _ranker(self, text: str, at: datetime, scope: Scope, keywords: str, kinds: Collection[Kind]) -> Ranker:
        question = prepare(self._store, self._embedder, text, at, keywords=keywords, kinds=kinds)
        weights = for_requests(self._weigh()) if question.request else self._weigh()
        ranker = Ranker(self._store, self._index, question, scope, weights)
        if question.left_out:
            ranker.notes.append(f"Of so long a text {question.left_out:,} words in the middle were not looked up.")
        return ranker

    def _banned(self, shown: Collection[Ref]) -> frozenset[Ref]:
        """Add to what was shown the messages of the topics among it; of a summary only some were."""
        topics = self._store.episodes.many([ref.id for ref in shown if ref.kind is Kind.EPISODIC])
        whole = [topic for topic in topics if not topic.parts]
        return frozenset(shown) | {Ref(Kind.MESSAGE, turn_id) for topic in whole for turn_id in topic.turn_ids}

    def _weigh(self) -> LaneWeights:
        if self._weights is None:
            self._weights = weights_for(measure(self._embedder))
        return self._weights


def _within(ranker: Ranker, timeframe: Timeframe | None) -> Ranker:
    if timeframe is None:
        # a question with nothing but a time to go by, and that in vain, is easily close to small talk
        floor = ranker.scope.usual if ranker.question.terms else max(ranker.scope.usual, _SURE)
        return replace(ranker, scope=replace(ranker.scope, window=None, floor=floor, lenient=False))
    # "what did I do last Sunday" has nothing but its time to go by: all of that time answers, and no other does
    lenient = timeframe.from_words and bool(ranker.question.terms)
    sharp = None if timeframe.window == timeframe.wide else timeframe.window
    floor = ranker.scope.usual / 2 if lenient else -math.inf
    scope = replace(ranker.scope, window=timeframe.wide, floor=floor, lenient=lenient, sharp=sharp)
    return replace(ranker, scope=scope)


def _applied(timeframe: Timeframe | None) -> tuple[str, Window | None]:
    return (timeframe.source, timeframe.window) if timeframe is not None else ("", None)


def _named(timeframe: Timeframe) -> str:
    return f"“{timeframe.source}”" if timeframe.from_words else "the time asked about"
