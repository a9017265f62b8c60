"""Whether a model is up to persona: ten prompts over its tasks with known answers, and what follows from them.

The verdict is kept beside the weights and used: a model that is weak at a task leaves it to the built-in one, and one
that does not search when it should is asked in one call with the search already made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persona_cli.errors import ContextError, FormatError
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.sharing import TASKS
from persona_cli.model.tasks import SearchRound, Situation, Stop
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    AnswerDelta,
    CoreMemory,
    Hit,
    Kind,
    Query,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    ThinkDelta,
    Turn,
)

GOOD = "good for chat and memory"
CHAT_ONLY = "chat only: memory by the built-in reader"
UNUSABLE = "not usable"
_AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """One prompt: what of the model it tries, whether the answer was right, and what it was."""

    task: str
    asked: str
    right: bool
    got: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check came to; speeds in tokens a second, None where the engine does not tell."""

    model: str
    verdict: str
    tasks: tuple[str, ...]
    """What the model may learn by itself."""
    reasons: bool
    """It answers a greeting, and searches for what it cannot know."""
    first_token: float
    """Seconds to the first word of an answer, with nothing evaluated before."""
    prompt_speed: float | None
    reply_speed: float | None
    checked_at: str
    tried: tuple[Tried, ...] = ()


def check(
    model: PromptedModel, stop: Stop, on_progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Verdict:
    """Try a model; raises `ModelError` where it cannot be asked at all."""
    tried: list[Tried] = []
    for done, (task, asked, ask) in enumerate(prompts := list(_prompts(model, stop))):
        on_progress(done, len(prompts))
        began = time.perf_counter()
        try:
            right, got = ask()
        except (FormatError, ContextError) as exc:
            right, got = False, exc.message
        tried.append(Tried(task, asked, right, got[:200], time.perf_counter() - began))
    on_progress(len(prompts), len(prompts))
    right_at = {task: all(one.right for one in tried if one.task == task) for task in {one.task for one in tried}}
    tasks = tuple(task for task in TASKS if right_at.get(task, right_at["topics"]))
    # what it recalls is the least there is: with that it can be talked to
    usable = right_at["answer"]
    verdict = UNUSABLE if not usable else GOOD if {"facts", "topics", "profile"} <= set(tasks) else CHAT_ONLY
    speeds = model.prompt_speed, model.reply_speed
    return Verdict(
        model.name, verdict, tasks, right_at["reasoning"], _first_token(model, stop), *speeds,
        datetime.now(UTC).isoformat(timespec="seconds"), tuple(tried),
    )  # fmt: skip


def load_verdict(path: Path, identity: str) -> Verdict | None:
    """Return the last verdict on a model, None where it was never checked as it is now."""
    kept = _kept(path).get(identity)
    try:
        return Verdict(**{**kept, "tasks": tuple(kept["tasks"]), "tried": ()}) if kept else None
    except (KeyError, TypeError):
        return None


def save_verdict(path: Path, identity: str, verdict: Verdict) -> None:
    """Keep a verdict; the prompts are left out."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = asdict(verdict)
    del body["tried"]
    part = path.with_suffix(".part")
    part.write_text(json.dumps(_kept(path) | {identity: body}, indent=1), encoding="utf-8")
    part.replace(path)


def _kept(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return kept if isinstance(kept, dict) else {}
    except (OSError, ValueError):
        return {}


Ask = Callable[[], tuple[bool, str]]


def _prompts(model: PromptedModel, stop: Stop) -> Iterator[tuple[str, str, Ask]]:
    """Yield what is tried: the task, the words, and how they are asked."""
    yield from _responses(model, stop)
    shy, bus = "I hate parties. I would rather be at home, alone and away from everybody.", "The bus leaves at nine."
    yield "traits", shy, lambda: _traits(model, shy, stop, lambda read: read.extraversion < 3)
    yield "traits", bus, lambda: _traits(model, bus, stop, lambda read: sum(score != 3 for _, score in read) <= 1)
    told, question = "I am allergic to peanuts.", "What is the capital of France?"
    yield "facts", told, lambda: _facts(model, told, stop, "peanut")
    yield "facts", question, lambda: _facts(model, question, stop, "")
    garden = [
        _turn(1, "I planted tomatoes in the garden today.", "How nice!"),
        _turn(2, "They need water daily.", "Yes."),
    ]
    yield (
        "topics",
        garden[0].user,
        lambda: _has(("tomato", "garden"), [topic.summary for topic in model.summarize_episodes(garden, stop)]),
    )
    nurse = [_turn(1, "My name is Ines and I work as a nurse.", "Hello Ines!")]
    yield (
        "profile",
        nurse[0].user,
        lambda: _has(("ines", "nurse"), [draft.value for draft in model.update_core(nurse, CoreMemory(), stop)]),
    )
    runs = [_turn(1, "I go running every Monday at seven.", "Well done!")]
    yield (
        "habits",
        runs[0].user,
        lambda: _has(("run",), [draft.text for draft in model.update_procedural(runs, (), stop)]),
    )


def _responses(model: PromptedModel, stop: Stop) -> Iterator[tuple[str, str, Ask]]:
    hello, asks = Situation(Query("Hello, how are you?", _AT), CoreMemory(), Traits()), "What is my dog called?"
    lost = Situation(Query(asks, _AT), CoreMemory(), Traits())
    memory = SemanticMemory(1, "The user has a dog called Max.", (), "user", "", recorded_at=_AT, valid_from=_AT)
    recall = Recall(semantic=(Hit(Ref(Kind.SEMANTIC, 1), memory, 1.0),))
    found = Situation(lost.query, CoreMemory(), Traits(), exchanges=(SearchRound("", Retrieve(asks), recall),))
    yield "reasoning", hello.query.text, lambda: _ends(model, hello, stop, Answer)
    yield "reasoning", asks, lambda: _ends(model, lost, stop, Retrieve)
    yield "answer", f"{asks} (it is in memory)", lambda: _has(("max",), [_answer(model, found, stop)])


def _ends(model: PromptedModel, situation: Situation, stop: Stop, kind: type) -> tuple[bool, str]:
    last = list(model.reason(situation, stop))[-1]
    return isinstance(last, kind), last.text if isinstance(last, Answer) else str(getattr(last, "keywords", ""))


def _answer(model: PromptedModel, situation: Situation, stop: Stop) -> str:
    return next(piece.text for piece in model.answer(situation, stop) if isinstance(piece, Answer))


def _traits(model: PromptedModel, said: str, stop: Stop, right: Callable[[Traits], bool]) -> tuple[bool, str]:
    read = model.infer_personality(_turn(1, said), (), stop)
    return right(read), ", ".join(f"{name} {score:.0f}" for name, score in read)


def _facts(model: PromptedModel, said: str, stop: Stop, wanted: str) -> tuple[bool, str]:
    drafts = [draft.content for draft in model.extract_semantic(_turn(1, said), (), stop)]
    return _has((wanted,), drafts) if wanted else (not drafts, "; ".join(drafts))


def _has(words: tuple[str, ...], texts: list[str]) -> tuple[bool, str]:
    whole = "; ".join(texts)
    return any(word in whole.casefold() for word in words), whole


def _first_token(model: PromptedModel, stop: Stop) -> float:
    began = time.perf_counter()
    asked = Situation(Query("Good morning! What shall I do today?", _AT), CoreMemory(), Traits())
    with suppress(StopIteration, FormatError, ContextError):
        next(piece for piece in model.answer(asked, stop) if isinstance(piece, ThinkDelta | AnswerDelta))
    return time.perf_counter() - began


def _turn(number: int, user: str, answer: str = "") -> Turn:
    return Turn(number, 1, _AT, user, answer, "check")
