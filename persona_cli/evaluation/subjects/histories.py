"""The baselines: the same question with some part of the raw history before it, and no memory in between.

With an engine the history is a chat: "[time] words" and replies, in the order of time, the question last. The built-in
model is given the same exchanges as what a search would have found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.evaluation.cases import CaseQuestion, CaseReply, Person, Recorded
from persona_cli.evaluation.subjects import Bench, OnLearnt
from persona_cli.evaluation.subjects.chooser import Chooser
from persona_cli.evaluation.subjects.engines import is_built_in, shared_engine
from persona_cli.memory import Keeping, open_memory
from persona_cli.model.engines import Engine, ImagePart, Message
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.paths import Places
from persona_cli.personality import Traits, evolve
from persona_cli.records import Answer, CoreMemory, Hit, Kind, Query, Recall, Ref, Retrieve, Turn
from persona_cli.timewords import stamp

if TYPE_CHECKING:
    from persona_cli.model.lite import LiteModel

LIMIT = 1_024
"""Tokens a reply may have, as published."""
_READ = 300
"""Exchanges that the built-in model reads at most, the latest: it reads each sentence, and the answer is among few."""
_PART = 4


class Selection(StrEnum):
    """Which exchanges are shown."""

    FULL = "full"
    RAG = "rag"
    NONE = "none"
    PROFILE = "profile"
    RECENT = "recent"
    ORACLE = "oracle"


class HistorySubject:
    """A model that is shown a part of the history with each question."""

    def __init__(
        self, bench: Bench, person: Person, home: Path, selection: Selection, *, examples: bool = False
    ) -> None:
        self._bench, self._selection, self._examples = bench, selection, examples
        self._profile = "" if selection is Selection.NONE else person.profile
        self._known: list[Recorded] = []
        self._vectors: list[object] = []
        self._traits = Traits()
        places = Places(home, home / "config.toml", bench.places.prompts, bench.places.weights)
        # nothing is kept: this opens the embedding and the reader
        self._memory = open_memory(places, bench.settings, lambda _note: None, Keeping.NOTHING)
        built_in = is_built_in(bench.settings)
        self._engine: Engine | None = None if built_in else shared_engine(bench.settings, bench.places.weights)
        self._lite = self._open_lite() if built_in else None
        self.chooser = self._make_chooser() if built_in else None

    def learn(self, exchanges: Sequence[Recorded], on_learnt: OnLearnt) -> None:
        """Take the exchanges in as they are."""
        self._known += exchanges
        if self._selection is Selection.RAG:
            self._vectors += list(self._memory.embedder.embed([_pair(said) for said in exchanges])) if exchanges else []
        if self._lite is not None and self._selection in (Selection.FULL, Selection.RECENT):
            for count, said in enumerate(exchanges[-_READ:]):
                inferred = self._lite.infer_personality(_turn(count, said), (), _never)
                self._traits = evolve(self._traits, inferred, count)
        on_learnt(len(exchanges))

    def say(self, text: str, question: CaseQuestion) -> CaseReply:
        """Answer with the selected exchanges in view."""
        shown = self._select(text, question)
        return self._quote(text, question, shown) if self._engine is None else self._chat(text, question, shown)

    def memories(self, question: CaseQuestion) -> tuple[str, ...] | None:
        """Return None: there is no memory to look into."""
        return None

    def likelihood(self, question: CaseQuestion, reply: str) -> float | None:
        """Return what the engine thinks of a reply, if it tells."""
        from persona_cli.model.engines.likelihood import Weighs

        engine: object = self._engine
        if not isinstance(engine, Weighs):
            return None
        messages, _ = self._fitted(question.text, question, self._select(question.text, question))
        return engine.likelihood(messages, reply)

    def close(self) -> None:
        """Close the embedding."""
        self._memory.close()

    def _select(self, text: str, question: CaseQuestion) -> list[Recorded]:
        match self._selection:
            case Selection.FULL:
                return list(self._known)
            case Selection.RECENT:
                return self._known[-self._bench.top_k :]
            case Selection.ORACLE:
                return [said for said in self._known if said.key in question.evidence]
            case Selection.RAG:
                return self._closest(question.text)
            case _:
                return []

    def _closest(self, text: str) -> list[Recorded]:
        import numpy as np

        if not self._known:
            return []
        near = np.stack(self._vectors) @ self._memory.embedder.embed_query([text])[0]  # type: ignore[arg-type]
        best = np.argsort(-near, kind="stable")[: self._bench.top_k]
        return [self._known[place] for place in sorted(int(place) for place in best)]

    def _chat(self, text: str, question: CaseQuestion, shown: Sequence[Recorded]) -> CaseReply:
        engine = self._engine
        assert engine is not None
        messages, left_out = self._fitted(text, question, shown)
        reply = "".join(engine.generate(messages, grammar=None, stop=_never, limit=self._limit, lane="evaluation"))
        prompt = "\n".join(f"{message.role}: {message.text}" for message in messages)
        recalled = () if self._selection is Selection.FULL else tuple(_pair(said) for said in shown)
        return CaseReply(reply, prompt, recalled, engine.count(messages), engine.count(reply), left_out)

    @property
    def _limit(self) -> int:
        assert self._engine is not None
        return min(LIMIT, self._engine.context // 4)

    def _fitted(self, text: str, question: CaseQuestion, shown: Sequence[Recorded]) -> tuple[list[Message], int]:
        """Return the messages with as many of the latest exchanges as fit, and how many were left out."""
        engine = self._engine
        assert engine is not None
        room = engine.context - self._limit
        messages = self._messages(text, question, shown)
        if not shown or engine.count(messages) <= room:
            return messages, 0
        fits, most = 0, len(shown)
        while fits < most:
            middle = (fits + most + 1) // 2
            if engine.count(self._messages(text, question, shown[-middle:])) <= room:
                fits = middle
            else:
                most = middle - 1
        return self._messages(text, question, shown[len(shown) - fits :]), len(shown) - fits

    def _messages(self, text: str, question: CaseQuestion, shown: Sequence[Recorded]) -> list[Message]:
        told = f"What is known of the user: {self._profile}" if self._profile else ""
        messages = [Message("system", (told,))] if told else []
        for said in shown:
            messages.append(Message("user", (f"[{stamp(said.at)}] {said.user}", *self._pictures(said))))
            if said.assistant:
                messages.append(Message("assistant", (said.assistant,)))
        if self._examples:
            for prompt, chosen, rejected in question.examples:
                shot = f"To “{prompt}” the user preferred the reply “{chosen}” to the reply “{rejected}”."
                messages.append(Message("user", (shot,)))
        return [*messages, Message("user", (f"[{stamp(question.at)}] {text}",))]

    def _pictures(self, said: Recorded) -> list[ImagePart]:
        if not (self._bench.pictures and self._engine is not None and self._engine.sees):
            return []
        return [ImagePart(path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in said.images]

    def _quote(self, text: str, question: CaseQuestion, shown: Sequence[Recorded]) -> CaseReply:
        """Let the built-in model answer as if a search had found what is shown."""
        assert self._lite is not None
        turns = [_turn(place + 1, said) for place, said in enumerate(shown[-_READ:])]
        hits = tuple(Hit(Ref(Kind.MESSAGE, turn.id), turn, 1.0) for turn in turns)
        at = max(question.at, turns[-1].at + timedelta(hours=2)) if turns else question.at
        found = (SearchRound("", Retrieve(text), Recall(messages=hits)),)
        pieces = self._lite.answer(Situation(Query(text, at), CoreMemory(), self._traits, exchanges=found), _never)
        answer = next((piece.text for piece in pieces if isinstance(piece, Answer)), "")
        lines = tuple(_pair(said) for said in shown)
        read = (len(text) + sum(map(len, lines))) // _PART
        kept = () if self._selection is Selection.FULL else lines
        return CaseReply(answer, text, kept, read, len(answer) // _PART, len(shown) - len(turns))

    def _open_lite(self) -> LiteModel:
        from persona_cli.model.lite import open_lite

        return open_lite(self._memory.embedder.embed, lambda: self._memory.reader)

    def _make_chooser(self) -> Chooser:
        lite = self._lite
        assert lite is not None

        def traits_of(text: str) -> Traits:
            return lite.infer_personality(_turn(0, self._known[0], text), (), _never) if self._known else Traits()

        return Chooser(self._memory.embedder.embed, traits_of, lambda: self._traits)


def _turn(number: int, said: Recorded, words: str = "") -> Turn:
    return Turn(number, said.session + 1, said.at, words or said.user, said.assistant, "recorded")


def _pair(said: Recorded) -> str:
    """Return an exchange as one text, as retrieval over raw exchanges has it."""
    return f"User: {said.user}\nAssistant: {said.assistant}" if said.assistant else said.user


def _never() -> bool:
    return False
