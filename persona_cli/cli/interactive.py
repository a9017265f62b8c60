"""The conversation in a terminal: prompt, slash commands, and the way out.

prompt_toolkit reads the line: what was said before (from memory, there is no file of it), editing, pasting several
lines at once. Ctrl-C stops an answer or empties the line, Ctrl-D leaves; on the way out the updates still queued are
worked off.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from persona_cli.cli.invocation import Invocation
from persona_cli.cli.memory_lines import shortened
from persona_cli.cli.writer import write
from persona_cli.errors import PersonaError, PictureError
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.agent.assistant import Assistant
    from persona_cli.cli.speaking import ChatOptions

HELP = """\
/image PATH    show a picture with your next message
/why           how the last answer came about
/memory WORDS  search your memory
/profile       what persona thinks of you
/help          this list; Tab completes
/quit          leave (Ctrl-D does too); Ctrl-C stops an answer"""

_HISTORY = 500
"""Messages that the arrow keys go back through."""


@dataclass
class ChatLoop:
    """One interactive chat: what waits to be shown with the next message."""

    run: Invocation
    assistant: Assistant
    options: ChatOptions
    images: list[Path] = field(default_factory=list)

    def take(self, line: str) -> bool:
        """Act on one line; False once the person wants to leave."""
        text = line.strip()
        if not text and not self.images:
            return True
        if text.startswith("/"):
            return self._command(text)
        self._speak(text)
        return True

    def _speak(self, text: str) -> None:
        from persona_cli.cli.speaking import speak

        images, self.images = tuple(self.images), []
        try:
            spoken = speak(self.run, self.assistant, text, images, self.options)
        except PersonaError as exc:
            # nothing that goes wrong with one message ends the conversation
            self.run.err.print(f"error: {exc.message}", style="red")
            if exc.fix:
                self.run.notice(exc.fix)
            return
        # turns stand apart
        write("")
        if spoken.interrupted:
            kept = self.assistant.memory.lasting
            self.run.notice("Stopped. What was said so far is kept." if kept else "Stopped.")

    def _command(self, text: str) -> bool:
        name, _, rest = text.partition(" ")
        if name in ("/quit", "/exit", "/bye"):
            return False
        commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _rest: self.run.err.print(HELP),
            "/image": self._image,
            "/why": self._why,
            "/memory": self._memory,
            "/profile": self._profile,
        }
        if name not in commands:
            self.run.notice(f"There is no {name}; /help lists what there is.")
            return True
        try:
            commands[name](rest.strip())
        except PersonaError as exc:
            self.run.err.print(f"error: {exc.message}", style="red")
            if exc.fix:
                self.run.notice(exc.fix)
        return True

    def _image(self, rest: str) -> None:
        from persona_cli.cli.preview import show_picture

        paths = parse_paths(rest)
        for path in paths:
            # now, and not when the message has been written that would fail with it
            self.assistant.memory.media.check(path)
            show_picture(self.run, path)
        self.images.extend(paths)
        count = len(self.images)
        self.run.notice(f"{counted(count, 'pictures')} to be shown with your next message.")

    def _why(self, rest: str) -> None:
        from persona_cli.agent.why import explain
        from persona_cli.cli.why import parse_turn, print_why

        print_why(self.run, explain(self.assistant.memory.store, parse_turn(rest or None)))

    def _memory(self, rest: str) -> None:
        from datetime import datetime

        from persona_cli.cli.invocation import embed_new
        from persona_cli.cli.memory_views import USUAL, doubts_of, list_records, print_found, print_records

        memory = self.assistant.memory
        doubts = doubts_of(memory.store)
        if not rest:
            print_records(self.run, list_records(memory.store, USUAL, None, 20, every=False), doubts)
            return
        embed_new(memory)
        found = memory.retriever.search(rest, limit=8, at=datetime.now().astimezone())
        print_found(self.run, found, doubts, explain=False)

    def _profile(self, _rest: str) -> None:
        from persona_cli.cli.profile import print_profile, read_profile

        store = self.assistant.memory.store
        print_profile(self.run, read_profile(store), store.readings.all())


def converse(
    run: Invocation, assistant: Assistant, options: ChatOptions, images: tuple[Path, ...], *,
    instead_of: str = "", first: str = "",
) -> None:  # fmt: skip
    """Talk until the person leaves, then work off what is queued.

    `instead_of` names the model that could not be opened, where the person has agreed to another. `first` was said
    before it was known who answers.
    """
    from persona_cli.cli.update import drain

    greet(run, assistant, instead_of)
    if assistant.memory.lasting:
        assistant.updates.start()
    conversation = ChatLoop(run, assistant, options, list(images))
    reader = _open_reader(run, assistant)
    told = False
    going = conversation.take(first)
    while going:
        try:
            line = reader.prompt("› ")
        except KeyboardInterrupt:
            if not told:
                run.notice("Ctrl-D or /quit leaves.")
            told = True
            continue
        except EOFError:
            break
        told = False
        going = conversation.take(line)
    if assistant.memory.lasting and assistant.updates.pending():
        drain(run, assistant)


def greet(run: Invocation, assistant: Assistant, instead_of: str = "") -> None:
    """Say who answers, what it can do, how to get help, and what was left unanswered."""
    from persona_cli.agent.record import is_unanswered

    if instead_of:
        run.notice(
            f"The built-in model answers in place of {instead_of}, from what it is told alone, and learns from what "
            f"you say until you leave. model.name stays {instead_of}."
        )
    elif assistant.model.name == "lite":
        run.notice(
            "No generative model is installed. The built-in one remembers what you tell it and show it, and answers "
            "from that alone; the README says how to install PersonaVLM."
        )
    if not assistant.memory.lasting:
        run.notice("This conversation is private: nothing of it is written anywhere, and nothing is learnt from it.")
        return
    last = assistant.memory.store.turns.latest()
    if last is not None and is_unanswered(last):
        run.notice(f"Your last message has no answer, for persona ended before it was there: “{shortened(last.user)}”")
    if run.settings.chat.upcoming:
        _tell_soon(run, assistant)
    if assistant.updates.held():
        run.notice("What you said waits for `persona memory review` before it is remembered.")
    turns = assistant.memory.store.turns.count()
    known = f"{turns} turns so far. " if turns else ""
    run.notice(f"{known}Everything stays on this machine. /help lists the commands, Ctrl-D leaves.")


def _tell_soon(run: Invocation, assistant: Assistant) -> None:
    from datetime import datetime

    from persona_cli.cli.upcoming import tell_soon
    from persona_cli.remembering.ahead import look_ahead

    now = datetime.now().astimezone()
    tell_soon(run, look_ahead(assistant.memory.store, now, within=2), now)


def parse_paths(text: str) -> tuple[Path, ...]:
    """Return the paths in a line as terminals paste them: quoted, with escaped spaces, or as file:// addresses."""
    whole = Path(text).expanduser()
    if not text:
        raise PictureError("no picture was named", fix="/image PATH")
    try:
        if whole.is_file():
            return (whole,)
    except (OSError, ValueError):  # a name that is too long, or has a zero in it, may still be several
        pass
    try:
        words = shlex.split(text)
    except ValueError:
        words = [text]
    return tuple(
        Path(unquote(urlparse(word).path) if word.startswith("file://") else word).expanduser() for word in words
    )


def _open_reader(run: Invocation, assistant: Assistant) -> Any:
    import os

    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import InMemoryHistory

    from persona_cli.cli.tab import SlashCompleter

    # it would warn, in words of its own, of terminals that cannot say where the cursor is
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
    # an older persona kept what was typed in a file, secrets included
    if assistant.memory.lasting:
        (run.places.home / "history").unlink(missing_ok=True)
    # no file: what was said is in memory already, redacted, and goes from the history when it is forgotten there
    before = _said_before(assistant) if run.settings.chat.history and assistant.memory.lasting else []
    commands = [line.split()[0] for line in HELP.splitlines() if line.startswith("/")]
    return PromptSession(
        history=InMemoryHistory(before), completer=SlashCompleter(commands), complete_while_typing=False
    )


def _said_before(assistant: Assistant) -> list[str]:
    """Return what the person said last, oldest first, for the keys that go back through it."""
    turns = assistant.memory.store.turns
    return [line.user for line in turns.last_lines(_HISTORY) if line.user]
