"""persona itself: a history goes through the update stage in a home of its own, questions through the response stage.

Replies are replayed as recorded, sessions closed before the questions, and nothing of a question is kept. A home that
an interrupted run has left is gone on with: what was stored there is not stored twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.agent import open_assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.evaluation.cases import CaseQuestion, CaseReply, Form, Person, Recorded
from persona_cli.evaluation.subjects import Bench, OnLearnt
from persona_cli.evaluation.subjects.chooser import Chooser
from persona_cli.evaluation.subjects.engines import is_built_in
from persona_cli.model.opening import open_model
from persona_cli.paths import Places
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    Aspect,
    Author,
    Image,
    Job,
    Kind,
    PictureSource,
    Query,
    Recall,
    Retrieve,
    SemanticMemory,
    Spent,
    Status,
    Step,
    Think,
    Turn,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from persona_cli.reading.reader import Reader

FOUND = 10
"""Memories looked at for a point that changed, as HaluMem does."""
_PART = 4
"""Characters of a token, where a model counts none."""


class LoopSubject:
    """The assistant of one person of a data set."""

    def __init__(self, bench: Bench, person: Person, home: Path) -> None:
        places = Places(home, home / "config.toml", bench.places.prompts, bench.places.weights)
        self._now = person.history[0].at if person.history else person.questions[0].at
        self.new: tuple[str, ...] = ()
        """What the last part of the history left in memory."""
        self._told: list[str] = []
        # as a chat would open it, but for what an engine would keep of its prompts for the next time
        model = open_model(places, bench.settings, self._picture, self._embed, self._reader, keep=False)
        self._assistant = open_assistant(
            places, bench.settings, model=model, clock=self._clock, notice=self._told.append
        )
        self._give_profile(person.profile)
        self.chooser = self._make_chooser() if is_built_in(bench.settings) else None

    def learn(self, exchanges: Sequence[Recorded], on_learnt: OnLearnt) -> None:
        """Replay exchanges and close their sessions."""
        if not exchanges:
            return
        learnt = 0

        def advance(done: int, jobs: int, _job: Job) -> None:
            nonlocal learnt
            more = len(exchanges) * done // max(1, jobs) - learnt
            learnt += more
            if more:
                on_learnt(more)

        store = self._assistant.memory.store
        before = {memory.id for memory in store.semantic.list(Status.ACTIVE)}
        self._now = exchanges[-1].at + timedelta(minutes=1)
        told = [Exchange(said.at, said.user or "(nothing)", said.assistant, said.images) for said in exchanges]
        # a home of one person is searched exactly: Chroma would be opened and filled for nobody
        replay(self._assistant, told, advance, in_passing=True)
        self._assistant.close_sessions(force=True)
        self._assistant.updates.run(in_passing=True)
        # what was replayed before the run was stopped is no job any more
        on_learnt(len(exchanges) - learnt)
        after = store.semantic.list(Status.ACTIVE)
        self.new = tuple(memory.content for memory in after if memory.id not in before)

    def say(self, text: str, question: CaseQuestion) -> CaseReply:
        """Respond, at the question's time, without keeping anything."""
        self._now = max(self._now, question.at)
        steps = list(self._assistant.rehearse(Query(text, self._now)))
        answer = next((step.text for step in steps if isinstance(step, Answer)), "")
        recalled = tuple(line for step in steps if isinstance(step, Recall) for line in _lines(step))
        spent = sum(step.total for step in steps if isinstance(step, Spent))
        written = sum(len(step.text) for step in steps if isinstance(step, Think | Answer))
        read = spent or (len(text) + sum(map(len, recalled))) // _PART
        return CaseReply(answer, _shown(text, steps), recalled, read, written // _PART)

    def memories(self, question: CaseQuestion) -> tuple[str, ...] | None:
        """Return what the last part of the history left, or what a search for a changed point finds."""
        if question.form is not Form.UPDATED:
            return self.new
        found = self._assistant.memory.retriever.search(
            question.text, kinds={Kind.SEMANTIC}, limit=FOUND, at=max(self._now, question.at)
        )
        held = (hit.memory for hit in found.hits if isinstance(hit.memory, SemanticMemory))
        return tuple(memory.content for memory in held if memory.status is Status.ACTIVE and memory.valid_to is None)

    def likelihood(self, question: CaseQuestion, reply: str) -> float | None:
        """Tell nothing: the loop's answers come out of several calls."""
        return None

    def close(self) -> None:
        """Close memory and model."""
        self._assistant.close()

    def _clock(self) -> datetime:
        return self._now

    def _picture(self, image: Image) -> PictureSource:
        return self._assistant.memory.media.source(image)

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._assistant.memory.embedder.embed(texts)

    def _reader(self) -> Reader:
        return self._assistant.memory.reader

    def _give_profile(self, profile: str) -> None:
        """Put the starting profile into core memory, by its keys where it has such."""
        try:
            parts = json.loads(profile) if profile.startswith("{") else {"profile": profile}
        except ValueError:
            parts = {"profile": profile}
        core = self._assistant.memory.store.core
        for key, value in parts.items() if profile else ():
            words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            core.put(str(key), words, Aspect.HUMAN, self._now, author=Author.PERSON)

    def _make_chooser(self) -> Chooser:
        memory, model = self._assistant.memory, self._assistant.model

        def traits_of(text: str) -> Traits:
            return model.infer_personality(Turn(0, 0, self._now, text, "", ""), (), lambda: False)

        return Chooser(memory.embedder.embed, traits_of, memory.store.readings.latest)


def _lines(recall: Recall) -> list[str]:
    """Return what a recall holds, as one reads it: facts, messages, topics with their turns, habits."""
    lines = [hit.memory.content for hit in recall.semantic]
    lines += [_exchange(hit.memory) for hit in recall.messages]
    lines += [_exchange(turn) for topic in recall.episodic for turn in topic.turns]
    lines += [hit.memory.text for hit in recall.procedural]
    lines += [memory.content for image in recall.images for memory in image.memories]
    return list(dict.fromkeys(lines))


def _exchange(turn: Turn) -> str:
    return f"{turn.user}\n→ {turn.answer}" if turn.answer else turn.user


def _shown(text: str, steps: Sequence[Step]) -> str:
    """Return what the model was asked and did, for the record of the run."""
    lines = [text]
    for step in steps:
        if isinstance(step, Think):
            lines.append(f"<think>{step.text}</think>")
        elif isinstance(step, Retrieve):
            lines.append(f"<retrieve>{step.keywords}</retrieve>")
    return "\n".join(lines)
