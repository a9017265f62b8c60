"""Lessons from a person's own memory: what was said, with what was learnt of it and stands in memory now.

Nothing is made up and nothing leaves the machine: the files hold the person's own words, and are theirs alone to read.
What they corrected is what is taught: a memory that was forgotten or held back is in no lesson, one they edited is
there as they left it. Prompts are written as the program would have asked then, by what it knew at that time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from persona_cli.errors import FormatError
from persona_cli.memory import Memory
from persona_cli.model.engines import Message
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import Prompts
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft, SearchRound, Situation
from persona_cli.personality import Traits
from persona_cli.records import (
    Author,
    CoreEntry,
    CoreMemory,
    Personality,
    ProceduralMemory,
    Query,
    Recall,
    Retrieve,
    SemanticMemory,
    Session,
    Status,
    Think,
    Turn,
)
from persona_cli.synthesis import targets
from persona_cli.synthesis.dialogue import TurnLabel
from persona_cli.synthesis.lessons import Lesson, Stage
from persona_cli.synthesis.scribe import Scribe
from persona_cli.synthesis.sft_rows import SftRow, row_of, write_all

EMPTY = 1.0
"""Lessons in which nothing is remembered, for each in which something is."""
KEPT = (Status.ACTIVE, Status.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class OwnMemory:
    """A memory as it is read for lessons."""

    memory: Memory
    prompts: Prompts
    context: int
    gap: timedelta
    seed: str = "0"

    def lessons(self) -> list[Lesson]:
        """Return the lessons of every closed session, oldest first."""
        facts = self._facts()
        lessons = [
            lesson
            for session in self.memory.store.sessions.all()
            if session.closed_at is not None
            for lesson in self._session(session, facts)
        ]
        return self._thinned(lessons)

    def _session(self, session: Session, facts: dict[int, list[SemanticMemory]]) -> Iterator[Lesson]:
        store = self.memory.store
        turns = [store.turns.get(turn.id) for turn in store.turns.of_session(session.id)]
        for place, turn in enumerate(turns):
            recent = [before for before in turns[:place] if before.at >= turn.at - self.gap]
            yield from self._response(turn, recent)
            yield from self._labels(turn, recent, facts.get(turn.id, ()))
        if turns:
            yield from self._end(session, turns)

    def _labels(self, turn: Turn, recent: Sequence[Turn], facts: Sequence[SemanticMemory]) -> Iterator[Lesson]:
        for reading in self.memory.store.readings.of_turn(turn.id):
            if reading.author is Author.MODEL:
                yield from self._asked(
                    Stage.PERSONALITY, turn, targets.traits_text(_whole(reading.inferred)),
                    lambda model: model.infer_personality(turn, recent, _never),
                )  # fmt: skip
        yield from self._asked(
            Stage.SEMANTIC, turn, targets.semantic_text(_label(facts)),
            lambda model: model.extract_semantic(turn, recent, _never),
        )  # fmt: skip

    def _end(self, session: Session, turns: Sequence[Turn]) -> Iterator[Lesson]:
        store, last = self.memory.store, turns[-1]
        places = {turn.id: place for place, turn in enumerate(turns)}
        told = [
            EpisodeDraft(episode.summary, episode.keywords, tuple(places[turn] for turn in episode.turn_ids))
            for episode in store.episodes.of_session(session.id)
            if episode.status in KEPT and not episode.parts and set(episode.turn_ids) <= places.keys()
        ]
        if told:
            yield from self._asked(
                Stage.EPISODIC, last, targets.topics_text(told), lambda model: model.summarize_episodes(turns, _never)
            )
        habits = [habit for habit in store.habits.history() if habit.status in KEPT]
        new = [ProceduralDraft(habit.key, habit.text) for habit in habits if habit.session_id == session.id]
        known = tuple(habit for habit in habits if habit.session_id != session.id and _held(habit, session))
        if new:
            yield from self._asked(
                Stage.PROCEDURAL, last, targets.habits_text(new),
                lambda model: model.update_procedural(turns, known, _never),
            )  # fmt: skip
        entries = [entry for entry in store.core.history() if entry.status in KEPT]
        learnt = [CoreDraft(entry.key, entry.value, entry.aspect) for entry in entries if entry.turn_id in places]
        core = CoreMemory(tuple(entry for entry in entries if entry.turn_id not in places and _held(entry, session)))
        if learnt:
            yield from self._asked(
                Stage.CORE, last, targets.core_text(learnt), lambda model: model.update_core(turns, core, _never)
            )

    def _response(self, turn: Turn, recent: Sequence[Turn]) -> Iterator[Lesson]:
        """Yield how a response came about, where its thoughts were kept: searches, what they brought, the answer."""
        thoughts = [step.text for step in turn.steps if isinstance(step, Think)]
        searches = [step for step in turn.steps if isinstance(step, Retrieve)]
        recalls = [step for step in turn.steps if isinstance(step, Recall)]
        if not turn.answer or len(thoughts) != len(searches) + 1 or len(searches) != len(recalls):
            return
        exchanges = tuple(map(SearchRound, thoughts, searches, recalls))
        traits = next((step.traits for step in turn.steps if isinstance(step, Personality)), Traits())
        entries = (entry for entry in self.memory.store.core.history() if entry.status in KEPT)
        known = tuple(
            entry
            for entry in entries
            if entry.recorded_at < turn.at and (entry.valid_to is None or entry.valid_to > turn.at)
        )
        query = Query(turn.user, turn.at, turn.images)
        situation = Situation(query, CoreMemory(known), traits, tuple(recent), exchanges=exchanges)
        yield from self._asked(
            Stage.RESPONSE, turn, targets.think_text(thoughts[-1], turn.answer),
            lambda model: list(model.reason(situation, _never)),
        )  # fmt: skip

    def _asked(self, stage: Stage, turn: Turn, target: str, ask: Callable[[PromptedModel], object]) -> Iterator[Lesson]:
        """Yield the lesson of one call; none where what stands in memory cannot be said in the format."""
        scribe = Scribe(self.context)

        def reply(_messages: Sequence[Message]) -> str:
            return target

        scribe.reply = reply
        with suppress(FormatError):
            ask(PromptedModel(scribe, self.prompts, self.memory.media.source))
        # a second call was a repair
        if len(scribe.calls) == 1:
            yield Lesson(stage, "own", f"m{turn.id}", "", turn.user, scribe.calls[0])

    def _facts(self) -> dict[int, list[SemanticMemory]]:
        facts: dict[int, list[SemanticMemory]] = {}
        for memory in self.memory.store.semantic.list(None):
            if memory.turn_id is not None and memory.status in KEPT:
                facts.setdefault(memory.turn_id, []).insert(0, memory)
        return facts

    def _thinned(self, lessons: Sequence[Lesson]) -> list[Lesson]:
        """Return the lessons with no more that keep nothing than there are that keep something."""
        empty = [lesson for lesson in lessons if _keeps_nothing(lesson)]
        kept = sum(lesson.stage is Stage.SEMANTIC for lesson in lessons) - len(empty)
        rng = Random(f"{self.seed}:own")  # noqa: S311 - chance that can be repeated
        left = {id(lesson) for lesson in rng.sample(empty, min(len(empty), round(EMPTY * kept)))}
        return [lesson for lesson in lessons if not _keeps_nothing(lesson) or id(lesson) in left]


def write_own(lessons: Sequence[Lesson], folder: Path) -> list[SftRow]:
    """Write the lessons into a new folder that only its owner can read, pictures with them; return the rows."""
    folder.mkdir(parents=True, mode=0o700)

    def copied(source: Path) -> str:
        place = folder / "media" / source.name
        place.parent.mkdir(exist_ok=True, mode=0o700)
        if not place.exists():
            shutil.copyfile(source, place)
            place.chmod(0o600)
        return f"media/{source.name}"

    rows = [row_of(lesson, copied) for lesson in lessons]
    before = os.umask(0o077)
    try:
        write_all(rows, folder)
    finally:
        os.umask(before)
    return rows


def _label(memories: Sequence[SemanticMemory]) -> TurnLabel:
    if not memories:
        return TurnLabel(Traits(), reason="nothing that lasts")
    first = memories[0]
    return TurnLabel(Traits(), first.content, first.keywords, "it was kept, and holds")


def _whole(scores: Traits) -> Traits:
    return Traits(**{name: float(round(score)) for name, score in scores})


def _held(entry: CoreEntry | ProceduralMemory, session: Session) -> bool:
    before = entry.recorded_at < session.started_at
    return before and (entry.valid_to is None or entry.valid_to > session.started_at)


def _keeps_nothing(lesson: Lesson) -> bool:
    return lesson.stage is Stage.SEMANTIC and '"decision": false' in lesson.reply


def _never() -> bool:
    return False
