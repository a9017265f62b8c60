"""Streaming one response to the terminal: the answer to standard output as it comes, the rest to standard error.

Ctrl-C does not end the program here: it tells the model to stop, and what was said so far is kept.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from persona_cli.cli.invocation import Invocation
from persona_cli.cli.memory_lines import spent_words
from persona_cli.cli.waiting import Waiting
from persona_cli.cli.writer import Wrapped, escaped, typed, write
from persona_cli.errors import Interrupted
from persona_cli.records import (
    Answer,
    AnswerDelta,
    Notice,
    Recall,
    Retrieve,
    Spent,
    Step,
    Think,
    ThinkDelta,
    Turn,
    Wish,
)

if TYPE_CHECKING:
    from persona_cli.agent.assistant import Assistant


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What the options of `chat` asked for."""

    show_thinking: bool = False
    force_retrieve: bool = False
    as_json: bool = False
    quick: bool = False


@dataclass(slots=True)
class Spoken:
    """What came of one message."""

    model: str
    answer: str = ""
    steps: list[Step] = field(default_factory=list)
    turn: Turn | None = None
    interrupted: bool = False
    shown: Wrapped = field(default_factory=Wrapped, repr=False)
    """Where the answer is written."""


def speak(
    run: Invocation, assistant: Assistant, message: str, images: tuple[Path, ...], options: ChatOptions
) -> Spoken:
    """Send a message and print its response; the pieces of the answer appear as the model writes them."""
    from persona_cli.agent.respond import RespondOptions

    spoken, waiting = Spoken(assistant.model.name), Waiting(run.err)
    told = threading.Event()
    wish = RespondOptions(options.force_retrieve, reasoning=False if options.quick else None)
    with (
        _ctrl_c(told),
        closing(assistant.respond(typed(message), images, options=wish, stop=told.is_set)) as steps,
    ):
        try:
            waiting.begin("thinking")
            for step in steps:
                _show_waiting(waiting, step, options)
                _show(run, step, options, spoken)
        except Interrupted:
            spoken.interrupted = True
        finally:
            waiting.end()
            if not options.as_json and spoken.answer:
                spoken.shown.end()
                write("")
    spoken.turn = assistant.last_turn
    return spoken


def _show_waiting(waiting: Waiting, step: Step, options: ChatOptions) -> None:
    """Say what is going on behind what the person does not see; words of any kind end it."""
    if isinstance(step, ThinkDelta | Think | Spent) and not options.show_thinking:
        return
    waiting.end()
    if isinstance(step, Retrieve):
        waiting.begin("searching memory")
    elif isinstance(step, Recall | Notice):
        waiting.begin("thinking")


def recalled(recall: Recall) -> list[str]:
    """Return the names of what one retrieval brought back."""
    refs = [hit.ref for hit in recall.semantic] + [topic.hit.ref for topic in recall.episodic]
    refs += [hit.ref for hit in recall.procedural] + [image.hit.ref for image in recall.images]
    return [str(ref) for ref in (*refs, *(hit.ref for hit in recall.messages))]


@contextmanager
def _ctrl_c(told: threading.Event) -> Iterator[None]:
    """Turn Ctrl-C into a wish to stop; a second one ends the program as usual."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if told.is_set():
            raise KeyboardInterrupt
        told.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(run: Invocation, step: Step, options: ChatOptions, spoken: Spoken) -> None:
    if isinstance(step, AnswerDelta):
        spoken.answer += step.text
        if not options.as_json:
            spoken.shown.write(step.text)
        return
    if isinstance(step, ThinkDelta):
        if options.show_thinking:
            run.err.print(escaped(step.text), end="", style="dim italic")
        return
    spoken.steps.append(step)
    if isinstance(step, Answer):
        spoken.answer = step.text
    elif isinstance(step, Notice):
        run.notice(step.text)
    elif isinstance(step, Spent):
        if run.verbose:
            run.err.print(f"prompt: {spent_words(step)}", style="dim", highlight=False)
    elif options.show_thinking:
        run.err.print(_thinking(step), style="dim")


def _thinking(step: Think | Retrieve | Wish | Recall) -> str:
    if isinstance(step, Retrieve):
        window = f" from {step.start or '…'} to {step.end or '…'}" if step.start or step.end else ""
        return f"searches for: {step.keywords}{window}"
    if isinstance(step, Recall):
        return f"found: {', '.join(recalled(step)) or 'nothing'}"
    if isinstance(step, Wish):
        return f"wish about memory: {step.want}"
    # the words of a thought have been printed as they came
    return ""
