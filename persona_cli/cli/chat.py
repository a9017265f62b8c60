"""`persona chat`: one message as an argument or from a pipe, or a conversation."""

from __future__ import annotations

import codecs
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.speaking import ChatOptions, Spoken, recalled, speak
from persona_cli.errors import Interrupted, MessageError, ModelError, UsageError
from persona_cli.records import Recall, Retrieve, Think

if TYPE_CHECKING:
    from persona_cli.agent.assistant import Assistant
    from persona_cli.memory import Keeping

_BUILT_IN = "lite"
_MOST_BYTES = 1 << 24
"""Read from a pipe at most: more than any message may have."""


def chat(
    context: typer.Context,
    message: Annotated[
        str | None,
        typer.Argument(metavar="MESSAGE", help="One message; without it a conversation, or what comes from a pipe."),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option("--image", "-i", metavar="FILE", help="A picture to show; may be given several times."),
    ] = None,
    no_memory: Annotated[
        bool, typer.Option("--no-memory", help="Read no memory and leave none: nothing is written anywhere.")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="Read memory and write nothing anywhere.")] = False,
    show_thinking: Annotated[bool, typer.Option("--show-thinking", help="Show thinking and searches.")] = False,
    force_retrieve: Annotated[bool, typer.Option("--force-retrieve", help="Always search memory once.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Search once, then answer in one call.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the turn as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say what the model runs on.")] = False,
) -> None:
    """Talk to persona. Answers go to standard output, thinking and notices to standard error."""
    run = invocation(context)
    run.verbose = run.verbose or verbose
    options = ChatOptions(show_thinking or run.settings.chat.show_thinking, force_retrieve, as_json, quick)
    keeping = _keeping(no_memory=no_memory, private=private)
    if message is None and not sys.stdin.isatty():
        message = read_pipe()
    first = ""
    if message is None:
        from persona_cli.cli.first import ask_model, is_first

        if not (private or no_memory) and is_first(run):
            try:
                first = ask_model(run)
            except EOFError:
                return
        _converse(run, options, tuple(image or ()), keeping, first)
        return
    with run.assistant(keep_words=True, keeping=keeping) as assistant:
        spoken = _say_once(run, assistant, message, tuple(image or ()), options)
        # what was said is remembered before the process ends; without this the next start would do it
        if assistant.memory.lasting:
            from persona_cli.cli.update import drain

            drained = drain(run, assistant, seconds=run.settings.chat.update_seconds)
            if drained is not None and drained.busy and drained.left:
                run.notice(f"Another persona is working on the updates; {drained.left} stay queued for it.")
    if as_json:
        from persona_cli.cli.render import print_json

        print_json(as_turn(run, spoken))


def read_pipe() -> str:
    """Return what comes through the pipe; raises `MessageError` for what is no text or nothing."""
    # bytes, because the interpreter's own decoding lets anything pass in the C locale
    words = sys.stdin.buffer.read(_MOST_BYTES)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(words, final=len(words) < _MOST_BYTES)
    except UnicodeDecodeError as exc:
        raise MessageError("what came through the pipe is no text", fix=_fix_for(words)) from exc
    if "\0" in text:
        raise MessageError("what came through the pipe is no text", fix=_fix_for(words))
    if not text.strip():
        raise MessageError("the message is empty", fix="Write something, or start `persona chat` in a terminal.")
    return text.strip()


def _fix_for(words: bytes) -> str:
    """Return what to do about bytes that are no text: UTF-16, as PowerShell writes it, has zeros or its mark."""
    if words.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or words.count(0) * 3 > len(words):
        return "It looks like UTF-16: save it as UTF-8, or pass it through `iconv -f UTF-16 -t UTF-8`."
    return "A message is UTF-8; a picture is shown with --image."


def as_turn(run: Invocation, spoken: Spoken) -> dict[str, object]:
    """Return a turn as the JSON of `chat --json`."""
    turn = spoken.turn
    steps = spoken.steps
    return {
        "turn": f"m{turn.id}" if turn is not None else None,
        "model": spoken.model,
        "answer": spoken.answer,
        "thoughts": [step.text for step in steps if isinstance(step, Think)],
        "retrievals": [step for step in steps if isinstance(step, Retrieve)],
        "recalled": [recalled(step) for step in steps if isinstance(step, Recall)],
        "notices": run.told,
    }


def _keeping(*, no_memory: bool, private: bool) -> Keeping:
    from persona_cli.memory import Keeping

    if no_memory and private:
        raise UsageError("--no-memory and --private cannot be had together", fix="--private is the one that reads.")
    return Keeping.NOTHING if no_memory else Keeping.PRIVATE if private else Keeping.ALL


def _converse(run: Invocation, options: ChatOptions, images: tuple[Path, ...], keeping: Keeping, first: str) -> None:
    """Talk; where the model cannot be opened, with the built-in one once the person has said so."""
    from persona_cli.cli.interactive import converse

    wanted = run.settings.model.name
    with ExitStack() as opened:
        try:
            assistant, instead_of = opened.enter_context(run.assistant(keeping=keeping)), ""
        except ModelError as exc:
            if wanted == _BUILT_IN:
                raise
            run.err.print(f"error: {exc.message}", style="red")
            run.notice(exc.fix)
            if not typer.confirm("Talk to the built-in model this once? It sees no pictures.", err=True):
                raise typer.Exit(exc.exit_code) from exc
            run.settings = replace(run.settings, model=replace(run.settings.model, name=_BUILT_IN))
            assistant, instead_of = opened.enter_context(run.assistant(keeping=keeping)), wanted
        converse(run, assistant, options, images, instead_of=instead_of, first=first)


def _say_once(
    run: Invocation, assistant: Assistant, message: str, images: tuple[Path, ...], options: ChatOptions
) -> Spoken:
    spoken = speak(run, assistant, message, images, options)
    if spoken.interrupted:
        raise Interrupted(
            "the answer was stopped", fix="What you said is kept." if assistant.memory.lasting else "Nothing is kept."
        )
    return spoken
