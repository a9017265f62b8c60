"""Models for tests: one that says what it is told to say, one engine that writes canned texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from persona_cli.errors import Interrupted
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Fact,
    ProceduralDraft,
    SemanticDraft,
    Situation,
    Stop,
    SummaryDraft,
)
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    AnswerDelta,
    Box,
    CoreMemory,
    EpisodicMemory,
    Image,
    Piece,
    ProceduralMemory,
    Retrieve,
    Think,
    ThinkDelta,
    Turn,
)

T = TypeVar("T")


class ScriptedModel:
    """A `Model` that gives out what was enqueued for a task, else a neutral result; an error is raised."""

    name = "scripted"

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._queued: dict[str, deque[Any]] = {}
        self.closed = False

    def enqueue(self, task: str, *results: Any) -> None:
        """Say what the next calls of a task give."""
        self._queued.setdefault(task, deque()).extend(results)

    def called(self, task: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each call of a task."""
        return [arguments for name, arguments in self.calls if name == task]

    def about(self) -> tuple[Fact, ...]:
        return (Fact("model", "says what is enqueued"),)

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        yield from self._pieces(self._next("reason", Answer(f"You said: {situation.query.text}"), situation), stop)

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        result = self._next("answer", Answer(f"To sum up: {situation.query.text}"), situation)
        yield from self._pieces(result, stop, thinks=False)

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        return self._result("infer_personality", Traits(), stop, turn, recent)

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        nothing: Sequence[SemanticDraft] = ()
        return self._result("extract_semantic", nothing, stop, turn, recent)

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        whole: Sequence[EpisodeDraft] = (EpisodeDraft("A conversation.", (), tuple(range(len(turns)))),)
        return self._result("summarize_episodes", whole, stop, turns)

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        nothing: Sequence[ProceduralDraft] = ()
        return self._result("update_procedural", nothing, stop, turns, current, history)

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        nothing: Sequence[CoreDraft] = ()
        return self._result("update_core", nothing, stop, turns, current)

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        joined = SummaryDraft(" ".join(episode.summary for episode in episodes), episodes[0].keywords)
        return self._result("merge_episodes", joined, stop, episodes)

    def close(self) -> None:
        self.closed = True

    def _next(self, task: str, default: Any, *arguments: Any) -> Any:
        self.calls.append((task, arguments))
        queued = self._queued.get(task)
        return queued.popleft() if queued else default

    def _result(self, task: str, default: T, stop: Stop, *arguments: Any) -> T:
        result = self._next(task, default, *arguments)
        if callable(result):
            result = result(stop)
        if stop():
            raise Interrupted("stopped")
        if isinstance(result, BaseException):
            raise result
        return cast("T", result)

    def _pieces(self, result: Any, stop: Stop, *, thinks: bool = True) -> Iterator[Piece]:
        """Stream a result: a list is streamed as it is, an error in it is raised where it stands."""
        for piece in result if isinstance(result, list) else self._streamed(result, thinks):
            if stop():
                raise Interrupted("stopped")
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def _streamed(self, result: Any, thinks: bool) -> Iterator[Any]:
        if thinks and isinstance(result, Answer | Retrieve):
            yield ThinkDelta("Let me see.")
            yield Think("Let me see.")
        if isinstance(result, Answer):
            for word in result.text.split(" "):
                yield AnswerDelta(word if word == result.text.split(" ")[0] else f" {word}")
        yield result


class SeeingModel(ScriptedModel):
    """A `ScriptedModel` that also says where in a picture a thing is."""

    def locate(self, image: Image, what: str, stop: Stop) -> Box | None:
        nowhere: Box | None = None
        return self._result("locate", nowhere, stop, image, what)


class DescribingModel(ScriptedModel):
    """A `ScriptedModel` that also says what pictures show."""

    sees = True

    def caption(self, image: Image, stop: Stop) -> str:
        return self._result("caption", "", stop, image)


@dataclass
class CannedEngine:
    """An `Engine` that writes canned texts, some characters at a time; words count as tokens."""

    texts: deque[str] = field(default_factory=deque)
    name: str = "canned"
    context: int = 16_384
    chunk: int = 3
    prompts: list[list[Message]] = field(default_factory=list)
    grammars: list[str | None] = field(default_factory=list)
    lanes: list[str] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    closed: bool = False
    sees: bool = False

    def about(self) -> tuple[Fact, ...]:
        return (Fact("engine", "canned"),)

    def count(self, content: Sequence[Message] | str) -> int:
        if isinstance(content, str):
            return len(content.split())
        parts = [part for message in content for part in message.parts]
        return sum(294 if isinstance(part, ImagePart) else len(part.split()) for part in parts)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        grammar: str | None,
        stop: Stop,
        limit: int,
        lane: str,
        penalty: float = 1.0,
    ) -> Iterator[str]:
        self.prompts.append(list(messages))
        self.grammars.append(grammar)
        self.lanes.append(lane)
        self.limits.append(limit)
        text = self.texts.popleft()
        for at in range(0, len(text), self.chunk):
            if stop():
                raise Interrupted("stopped")
            yield text[at : at + self.chunk]

    def close(self) -> None:
        self.closed = True
