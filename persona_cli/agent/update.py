"""The Update stage: what each job asks the model, and what it writes.

`Updates.prepare` does the slow part, the model's, and returns the write as a function. The queue calls it in
the transaction that marks the job done, so a job interrupted or killed anywhere has written nothing or all.
Nothing the model returns is trusted: drafts go through the gate, values must rest on the user's words, a key
it leaves out stays, and what a person wrote is never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from persona_cli.agent.objects import locate_objects, narrowed, parts_of
from persona_cli.agent.tidying import Tidied, Tidying
from persona_cli.config import Settings
from persona_cli.english.tokens import stems
from persona_cli.errors import FormatError
from persona_cli.memory import Memory
from persona_cli.memory.store import Store
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, Model, ProceduralDraft, SemanticDraft, Stop
from persona_cli.personality import NEUTRAL, STABLE_AFTER, Impression, Traits, blend, weight
from persona_cli.reading.statement import Statement
from persona_cli.records import Author, CoreEntry, EpisodicMemory, Job, ProceduralMemory, Status, Task, Turn
from persona_cli.remembering.drafts import Remembering
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.profile import core_evidence, keep_newest, may_put_habit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Write = Callable[[], None]
Draft = SemanticDraft | ProceduralDraft | CoreDraft

AFTER_TURN = (Task.PERSONALITY, Task.SEMANTIC)
AFTER_SESSION = (Task.EPISODIC, Task.PROCEDURAL, Task.CORE)
REVIEWED = (Task.SEMANTIC, Task.PROCEDURAL, Task.CORE)
"""What a person may want to see before it is remembered; a topic sums up what is kept as it was said anyway."""

TOPICS_AT_ONCE = 5
"""Topics that one job of tidying sums up: what an interruption can lose."""

HISTORY = timedelta(days=60)
"""How far back a habit may show itself by repetition."""
_HISTORY_TURNS = 300
_QUOTED = 160
"""Characters of a message that stand for a topic whose summary rests on nothing that was said."""
_FRAME = "user assistant said told asked talked conversation discussed topic"
"""What every summary may say."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a job would have remembered, and how those drafts are written that shall be."""

    turn: Turn
    """What was said, of the end of a session the last of it."""
    drafts: Sequence[Draft]
    write: Callable[[Sequence[Draft]], None]
    """To be called in the transaction that marks the job done; the gate judges every draft again."""


@dataclass(frozen=True, slots=True)
class Updates:
    """The six jobs of the update stage."""

    memory: Memory
    model: Model
    settings: Settings
    _unfinished: list[Tidied] = field(default_factory=list, repr=False)
    """The tidying that has left topics for the next job: finding them compares every old episode with every other."""

    @property
    def store(self) -> Store:
        """Return where the jobs read and write."""
        return self.memory.store

    @property
    def held(self) -> tuple[Task, ...]:
        """Return the tasks that wait in the queue until a person has looked at what they propose."""
        return REVIEWED if self.settings.memory.review else ()

    def prepare(self, job: Job, stop: Stop) -> Write:
        """Do a job's work with the model; returns what has to be written, to be called in one transaction."""
        if job.task in REVIEWED:
            proposed = self.propose(job, stop)
            return _nothing if proposed is None else lambda: proposed.write(proposed.drafts)
        if job.task is Task.PERSONALITY:
            assert job.turn_id is not None
            return self._personality(self.store.turns.get(job.turn_id), stop)
        assert job.session_id is not None
        turns = self.store.turns.of_session(job.session_id)
        if not turns:
            return _nothing
        return self._tidy(turns[-1], stop) if job.task is Task.TIDY else self._episodic(job.session_id, turns, stop)

    def propose(self, job: Job, stop: Stop) -> Proposed | None:
        """Do the model's work of a job of `REVIEWED`; None where nothing of what was said is left."""
        if job.task is Task.SEMANTIC:
            assert job.turn_id is not None
            return self._semantic(self.store.turns.get(job.turn_id), stop)
        assert job.session_id is not None
        turns = self.store.turns.of_session(job.session_id)
        if not turns:
            return None
        return self._procedural(turns, stop) if job.task is Task.PROCEDURAL else self._core(turns, stop)

    def _personality(self, turn: Turn, stop: Stop) -> Write:
        inferred = Impression.of(self.model.infer_personality(turn, self._recent(turn), stop))

        def write() -> None:
            readings = self.store.readings
            before = readings.latest()
            telling = self.settings.personality.count_telling_turns
            # more of them make no difference
            most = STABLE_AFTER
            earlier = readings.telling(most) if telling else self.store.turns.count_before(turn.id, most)
            # what a person has locked is not read at all
            read = replace(inferred, **dict.fromkeys(readings.locked(), NEUTRAL))
            kept = weight(earlier, read.confidence)
            readings.add(turn.id, turn.at, Traits(**dict(read)), kept, before, blend(before, read, kept))

        return write

    def _semantic(self, turn: Turn, stop: Stop) -> Proposed:
        recent = self._recent(turn)
        drafts = self.model.extract_semantic(turn, recent, stop)
        found = locate_objects(self.model, drafts, turn, stop)
        pictured = [narrowed(draft, found) for draft in drafts]

        def crop(draft: SemanticDraft) -> tuple[str, ...]:
            return tuple(self.memory.media.crop(image, box).hash for image, box in parts_of(draft, found))

        remembering = Remembering(
            self.store, self.memory.embedder, self.settings.memory.writes, crop, endings=self._endings, read=self._read
        )

        def write(kept: Sequence[Draft]) -> None:
            remembering.remember([draft for draft in kept if isinstance(draft, SemanticDraft)], turn, recent)

        return Proposed(turn, pictured, write)

    def _read(self, message: str) -> Sequence[Statement]:
        # the reader opens at its first use: drafts that name their slot have no need of it
        return self.memory.reader.read(message)

    def _endings(self, said: str, older: Sequence[str]) -> NDArray[np.float32]:
        return self.memory.reader.endings(said, older)

    def _episodic(self, session: int, turns: Sequence[Turn], stop: Stop) -> Write:
        told = self.store.episodes.of_session(session)
        if any(episode.author is Author.MODEL and not episode.parts for episode in told):
            return _nothing
        topics = claim_all(self.model.summarize_episodes(turns, stop), len(turns))

        def write() -> None:
            for topic in topics:
                self.store.episodes.add(_episode(topic, session, turns))

        return write

    def _procedural(self, turns: Sequence[Turn], stop: Stop) -> Proposed:
        current = self.store.habits.current()
        history = self._history(turns[0])
        drafts = self.model.update_procedural(turns, current, stop, history=history)
        said = " ".join(turn.user for turn in (*history, *turns))

        def write(kept: Sequence[Draft]) -> None:
            for draft in kept:
                if not isinstance(draft, ProceduralDraft) or not may_put_habit(draft, current, said, turns[-1]):
                    continue
                habit = ProceduralMemory(0, draft.key, draft.text, turns[-1].at, turns[-1].session_id)
                if is_instruction(f"{habit.key}: {habit.text}"):
                    self.store.quarantine.hold(habit)
                else:
                    self.store.habits.put(habit.key, habit.text, habit.recorded_at, session_id=habit.session_id)

        return Proposed(turns[-1], drafts, write)

    def _core(self, turns: Sequence[Turn], stop: Stop) -> Proposed:
        current = self.store.core.current()
        drafts = self.model.update_core(turns, current, stop)

        def write(kept: Sequence[Draft]) -> None:
            for draft in kept:
                if isinstance(draft, CoreDraft) and (evidence := core_evidence(draft, current, turns)):
                    value = keep_newest(draft.value)
                    entry = CoreEntry(0, draft.key, value, draft.aspect, evidence.at, evidence.id)
                    if is_instruction(f"{entry.key}: {entry.value}"):
                        self.store.quarantine.hold(entry)
                    else:
                        self.store.core.put(entry.key, value, entry.aspect, evidence.at, turn_id=evidence.id)

        return Proposed(turns[-1], drafts, write)

    def _tidy(self, last: Turn, stop: Stop) -> Write:
        days = self.settings.memory.tidy_after_days
        if not days:
            return _nothing
        tidying = Tidying(self.memory, self.model, timedelta(days=days))
        if self._unfinished:
            found = tidying.go_on(self._unfinished[0], last.at, stop, most=TOPICS_AT_ONCE)
        else:
            found = tidying.propose(last.at, stop, most=TOPICS_AT_ONCE, since=self.store.tidies.looked())

        def write() -> None:
            tidying.write(found, last.at, last.session_id)
            self._unfinished[:] = [found] if found.rest else []
            if found.rest:
                self.store.jobs.add(Task.TIDY, session_id=last.session_id)

        return write

    def _recent(self, turn: Turn) -> tuple[Turn, ...]:
        gap = timedelta(minutes=self.settings.session.gap_minutes)
        return tuple(said for said in self.store.turns.recent(turn.at - gap, turn.at) if said.id < turn.id)

    def _history(self, first: Turn) -> tuple[Turn, ...]:
        earlier = self.store.turns.recent(first.at - HISTORY, first.at)
        return tuple(turn for turn in earlier if turn.session_id != first.session_id)[-_HISTORY_TURNS:]


def claim_all(drafts: Sequence[EpisodeDraft], turns: int) -> tuple[EpisodeDraft, ...]:
    """Return the topics of a session of `turns` turns with every turn in one of them.

    Indices outside the session are dropped, then topics without a turn. A turn that no topic claims goes to
    the topic with the closest turn, the earlier one of two.
    """
    inside = [[index for index in sorted(set(draft.turns)) if 0 <= index < turns] for draft in drafts]
    if drafts and not any(inside):
        inside[0] = list(range(turns))
    topics = [(draft, claimed) for draft, claimed in zip(drafts, inside, strict=True) if claimed]
    if not topics:
        raise FormatError("The model found no topic in the session.")
    homes = {index: claimed for _, claimed in reversed(topics) for index in claimed}
    for index in sorted(set(range(turns)) - homes.keys()):
        homes[min(homes, key=lambda other: (abs(other - index), other))].append(index)
    return tuple(EpisodeDraft(draft.summary, draft.keywords, tuple(sorted(claimed))) for draft, claimed in topics)


def _resting(summary: str, turns: Sequence[Turn]) -> str:
    """Return a summary where it rests on what was said, else the user's own words of those turns."""
    said = stems(" ".join(f"{turn.user} {turn.answer}" for turn in turns))
    claimed = {stem for stem in stems(summary) if len(stem) > 3} - stems(_FRAME)
    if len(claimed & said) * 2 >= len(claimed):
        return summary
    longest = max((turn.user for turn in turns), key=len)
    return f"The user said: “{longest[:_QUOTED]}”" if longest else summary


def _episode(topic: EpisodeDraft, session: int, turns: Sequence[Turn]) -> EpisodicMemory:
    mine = [turns[index] for index in topic.turns]
    hostile = any(map(is_instruction, (topic.summary, *topic.keywords)))
    summary = topic.summary if hostile else _resting(topic.summary, mine)
    return EpisodicMemory(
        id=0,
        session_id=session,
        summary=summary,
        keywords=topic.keywords,
        turn_ids=tuple(turn.id for turn in mine),
        started_at=mine[0].at,
        ended_at=mine[-1].at,
        recorded_at=turns[-1].at,
        status=Status.QUARANTINED if hostile else Status.ACTIVE,
    )


def _nothing() -> None:
    """Write nothing: the job has nothing to do."""
