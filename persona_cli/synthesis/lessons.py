"""One person's lessons: every call of a stage in the order of their life, with its prompt and the reply that is right.

Memory grows as the life goes on, so each prompt shows what was known then. A question is answered as the paper's
trajectories are: think, search with the real retriever, think, answer; where two searches do not bring what the answer
rests on, there is no lesson, and that is counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from random import Random

from persona_cli.agent.respond import RespondOptions, respond
from persona_cli.model.engines import Message
from persona_cli.model.grounding import training_size
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import Prompts
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.records import EpisodicMemory, Fulfilled, Query, Retrieve, Turn
from persona_cli.synthesis import targets
from persona_cli.synthesis.dialogue import DialogueQuestion, SpokenTurn
from persona_cli.synthesis.home_writing import GAP, WrittenHome
from persona_cli.synthesis.lifeplan import Act
from persona_cli.synthesis.phrasing import load_table
from persona_cli.synthesis.quality import leaks, refusal
from persona_cli.synthesis.scribe import Scribe

MOST_PIXELS = 230_400
"""Of a picture, as in the published training."""
MERGED = (2, 4)
"""Conversations of one topic that are summed up in one, at least and at most."""
MOST = 3
"""Searches of one response, as in the published training."""
ONE_CALL = 0.15
"""Share of the questions that are also answered in one call, with one search before it."""


class Stage(StrEnum):
    """What a lesson teaches; the values are the names of the program's tasks."""

    RESPONSE = "reason"
    ANSWER = "answer"
    PERSONALITY = "infer_personality"
    SEMANTIC = "extract_semantic"
    EPISODIC = "summarize_episodes"
    PROCEDURAL = "update_procedural"
    CORE = "update_core"
    LOCATE = "locate_object"
    MERGE = "merge_episodes"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One conversation of a stage; every message of the assistant is to be learnt."""

    stage: Stage
    person: str
    turn: str
    """Which turn it is of, "session:place"; of a session its last."""
    act: str
    said: str
    """The user's words it is about."""
    messages: tuple[Message, ...]

    @property
    def reply(self) -> str:
        """Return the last reply."""
        return self.messages[-1].text


@dataclass(slots=True)
class Pupil:
    """Goes through a life and writes the lessons down."""

    person: str
    household: WrittenHome
    prompts: Prompts
    context: int
    rng: Random
    unfound: Counter[str] = field(default_factory=Counter)
    """By act: questions that no search found what they rest on."""
    found: Counter[str] = field(default_factory=Counter)
    """By act: questions that were answered, by the number of searches."""
    refused: Counter[str] = field(default_factory=Counter)
    """By the gate's rule: labels that do not rest on their turn."""

    def session(self, spoken: Sequence[SpokenTurn]) -> Iterator[Lesson]:
        """Yield the lessons of one session, and let memory learn it."""
        household = self.household
        household.begin(spoken[0].at)
        turns: list[Turn] = []
        for said in spoken:
            turn = household.hear(said)
            yield from self._response(said, turn, turns)
            yield from self._labels(said, turn, turns)
            household.learn(said, turn)
            if said.label.box is not None:
                yield self._located(said, turn)
            turns.append(turn)
        yield from self._end(spoken, turns)

    def _labels(self, said: SpokenTurn, turn: Turn, recent: Sequence[Turn]) -> Iterator[Lesson]:
        label = said.label
        yield self._task(
            Stage.PERSONALITY, said, targets.traits_text(label.scores),
            lambda model: model.infer_personality(turn, recent, _never),
        )  # fmt: skip
        if rule := refusal(label, turn, recent, self.household.knows):
            self.refused[rule] += 1
            return
        yield self._task(
            Stage.SEMANTIC, said, targets.semantic_text(label),
            lambda model: model.extract_semantic(turn, recent, _never),
        )  # fmt: skip

    def first_prompt(self, query: str, at: datetime, traits: Traits) -> str:
        """Return the prompt a response to something said later begins with."""
        scribe = Scribe(self.context)
        scribe.reply = lambda _messages: targets.think_text("-", "-")
        situation = Situation(Query(query, at), self.household.store.core.current(), traits)
        list(self._model(scribe).reason(situation, _never))
        return scribe.calls[0][0].text

    def merged(self, spoken: Sequence[SpokenTurn]) -> Iterator[Lesson]:
        """Yield how old conversations of one topic are summed up, at the end of a life."""
        said = {turn.at: turn for turn in spoken}
        topics: dict[str, list[EpisodicMemory]] = {}
        for episode in reversed(self.household.store.episodes.list()):
            turn = said.get(episode.started_at)
            if turn is not None and turn.label.content:
                topics.setdefault(turn.beat.topic, []).append(episode)
        for episodes in topics.values():
            if len(episodes) >= MERGED[0]:
                chosen = episodes[: MERGED[1]]
                yield self._merge(said[chosen[-1].started_at], chosen)

    def _merge(self, said: SpokenTurn, episodes: Sequence[EpisodicMemory]) -> Lesson:
        target = targets.summary_text(episodes)
        return self._task(Stage.MERGE, said, target, lambda model: model.merge_episodes(episodes, _never))

    def _located(self, said: SpokenTurn, turn: Turn) -> Lesson:
        """Return where in a picture the named thing is, in pixels of the size that a model sees it at."""
        assert said.label.box is not None
        assert said.picture is not None
        image, thing = turn.images[0], said.picture.thing
        across, down = training_size(image.width, image.height, MOST_PIXELS)
        scale = (across / image.width, down / image.height) * 2
        corners = [round(edge * by) for edge, by in zip(said.label.box, scale, strict=True)]
        target = json.dumps([{"bbox_2d": corners, "label": thing}])
        return self._task(Stage.LOCATE, said, target, lambda model: model.locate(image, thing, _never))

    def _end(self, spoken: Sequence[SpokenTurn], turns: Sequence[Turn]) -> Iterator[Lesson]:
        store, last = self.household.store, spoken[-1]
        topics = targets.topics_label(spoken, self.rng)
        habits = targets.habits_label(spoken)
        known_habits, known = store.habits.current(), store.core.current()
        core = targets.core_label(spoken, known)
        yield self._task(
            Stage.EPISODIC, last, targets.topics_text(topics), lambda model: model.summarize_episodes(turns, _never)
        )
        yield self._task(
            Stage.PROCEDURAL, last, targets.habits_text(habits),
            lambda model: model.update_procedural(turns, known_habits, _never),
        )  # fmt: skip
        yield self._task(
            Stage.CORE, last, targets.core_text(core), lambda model: model.update_core(turns, known, _never)
        )
        self.household.close_session(turns, topics, habits, core)

    def _task(self, stage: Stage, said: SpokenTurn, target: str, ask: Callable[[PromptedModel], object]) -> Lesson:
        scribe = Scribe(self.context)
        scribe.reply = lambda _messages: target
        ask(self._model(scribe))
        return self._lesson(stage, said, scribe)

    def choices(self, asked: Sequence[SpokenTurn]) -> Iterator[Lesson]:
        """Yield how questions with options are answered at the end of a life."""
        for said in asked:
            yield from self._answered(said, Query(said.user, said.at), ())

    def _response(self, said: SpokenTurn, turn: Turn, recent: Sequence[Turn]) -> Iterator[Lesson]:
        near = tuple(before for before in recent if before.at >= said.at - GAP)
        yield from self._answered(said, Query(turn.user, said.at, turn.images), near)

    def _answered(self, said: SpokenTurn, query: Query, near: tuple[Turn, ...]) -> Iterator[Lesson]:
        situation = Situation(query, self.household.store.core.current(), said.traits, near)
        policy = Policy(said, situation, self.rng)
        scribe = Scribe(self.context)
        scribe.reply = policy
        recall = self.household.recaller(self.rng)
        model = self._model(scribe)
        options = RespondOptions(reasoning=True)
        list(respond(recall, Fulfilled, model, situation, options=options, most=MOST + 1, stop=_never))
        counted = self.unfound if policy.lost else self.found
        if said.asked is not None:
            counted[f"{said.beat.act} ({policy.searches} searches)"] += 1
        if leaks(said):
            self.refused["the question has its answer"] += 1
            return
        if not policy.lost:
            yield self._lesson(Stage.RESPONSE, said, scribe)
        if said.asked is not None and self.rng.random() < ONE_CALL:
            yield from self._one_call(said, situation)

    def _one_call(self, said: SpokenTurn, situation: Situation) -> Iterator[Lesson]:
        """Yield the answer of a response without reasoning: one search with the words of the query, one call."""
        wish = Retrieve(situation.query.text)
        found = self.household.recaller(self.rng)(situation.query, wish, ())
        asked = Situation(
            situation.query,
            situation.core,
            situation.traits,
            situation.recent,
            exchanges=(SearchRound("", wish, found),),
        )
        scribe = Scribe(self.context)
        scribe.reply = lambda _messages: f"<answer>{said.answer}</answer>"
        list(self._model(scribe).answer(asked, _never))
        assert said.asked is not None
        if all(content in scribe.calls[-1][0].text for content in said.asked.gold):
            yield self._lesson(Stage.ANSWER, said, scribe)

    def _model(self, scribe: Scribe) -> PromptedModel:
        return PromptedModel(scribe, self.prompts, self.household.media.source)

    def _lesson(self, stage: Stage, said: SpokenTurn, scribe: Scribe) -> Lesson:
        return Lesson(
            stage, self.person, f"{said.session}:{said.place}", said.beat.act.value, said.user, scribe.calls[-1]
        )


class Policy:
    """What the right reply of a response is, by what the prompt shows so far."""

    def __init__(self, said: SpokenTurn, situation: Situation, rng: Random) -> None:
        self._said = said
        self._situation = situation
        self._rng = rng
        self._think = load_table("replies")["think"]
        self.searches = 0
        self.lost = False
        """What the answer rests on was not found."""

    def __call__(self, messages: Sequence[Message]) -> str:
        """Return the reply."""
        asked = self._said.asked
        if asked is None:
            return targets.think_text(self._said.thought, self._said.answer)
        # a choice is searched for even so: that is how the published training has it
        if self.searches == 0 and not asked.letter and (thought := self._above(asked, messages[0].text)):
            return targets.think_text(thought, self._said.answer)
        shown = " ".join(message.text for message in messages[1:] if message.role == "user")
        if asked.gold and all(content in shown for content in asked.gold):
            return targets.think_text(self._found(asked), self._said.answer)
        enough = 1 if not asked.gold and self._rng.random() < 0.7 else 2
        if self.searches < enough:
            return self._search(asked)
        self.lost = bool(asked.gold)
        return targets.think_text(self._say("unknown", asked), self._said.answer)

    def _search(self, asked: DialogueQuestion) -> str:
        words = asked.searches[self.searches]
        kind = (
            "again" if self.searches else "search_window" if asked.window else "search_use" if asked.use else "search"
        )
        self.searches += 1
        start, end = asked.window or (None, None)
        wish = Retrieve(words.replace('"', "'"), start, end)
        return targets.search_text(self._say(kind, asked, words=wish.keywords), wish)

    def _above(self, asked: DialogueQuestion, prompt: str) -> str:
        """Return the thought of one who sees the answer in the profile or in the last hour's talk; "" where it is not.

        What is asked of another time, or of what was before, is not to be had from the profile.
        """
        if not asked.gold or asked.window:
            return ""
        if self._said.beat.act in (Act.ASK, Act.USE):
            value = self._said.beat.fact.value if self._said.beat.fact else asked.value
            for entry in self._situation.core.entries:
                if value.casefold() in entry.value.casefold() and f": {entry.value}" in prompt:
                    return self._say("above_profile", asked, value=f"{entry.key} is {entry.value}")
            for turn in self._situation.recent:
                if value.casefold() in turn.user.casefold() and turn.user in prompt:
                    return self._say("above_recent", asked, value=asked.value)
        return ""

    def _found(self, asked: DialogueQuestion) -> str:
        if asked.letter:
            content = " ".join(asked.gold)
            return self._say("choose", asked, content=content, option=asked.value.rstrip("."), letter=asked.letter)
        kind = "former" if asked.was else "found"
        return self._say(kind, asked, content=asked.gold[0], value=asked.value, was=asked.was)

    def _say(self, kind: str, asked: DialogueQuestion, **slots: str) -> str:
        fields = {"about_it": asked.about_it, "window": asked.span, "date": "", "words": asked.searches[0], **slots}
        forms = [form for form in self._think[kind] if "{date}" not in form]
        return str(self._rng.choice(forms)).format(**fields)


def _never() -> bool:
    return False
