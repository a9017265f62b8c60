"""What one run of the command line knows: whose memory, which settings, and where its words go.

Answers go to standard output, everything else to standard error. Consoles are made when asked for, because rich costs
44 ms and most of `--help` does not need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from persona_cli.config import Settings, load_settings
from persona_cli.errors import BusyError, StorageError
from persona_cli.paths import Places, find_places

if TYPE_CHECKING:
    from rich.console import Console

    from persona_cli.agent.assistant import Assistant
    from persona_cli.memory import Keeping, Memory
    from persona_cli.memory.store import Store


@dataclass
class Invocation:
    """One run: the options before the command, and what is opened from them."""

    user: str | None = None
    verbose: bool = False
    """Say on standard error what the model runs on, once it is open."""
    told: list[str] = field(default_factory=list)
    """Notices printed so far, for `--json`."""

    @cached_property
    def places(self) -> Places:
        """Return where this user's things live."""
        return find_places(self.user)

    @cached_property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return load_settings(self.places.config_file)

    @cached_property
    def out(self) -> Console:
        """Return the console answers go to."""
        from persona_cli.cli.writer import make_console

        return make_console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Return the console everything else goes to."""
        from persona_cli.cli.writer import make_console

        return make_console(stderr=True)

    def notice(self, text: str) -> None:
        """Tell the person something that is no answer."""
        self.told.append(text)
        self.err.print(text, style="dim", highlight=False)

    @contextmanager
    def store(self, *, reading: bool = False) -> Iterator[Store]:
        """Open the store alone: enough to list and show; one that cannot be written only for `reading`."""
        from persona_cli.memory.store import open_snapshot, open_store

        # a misspelt setting is said by every command, not only by those that need it
        _ = self.settings
        try:
            opened = open_store(self.places.database)
        except StorageError as exc:
            self._check_readable(exc, reading=reading)
            opened = open_snapshot(self.places.database)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def memory(self, *, reading: bool = False) -> Iterator[Memory]:
        """Open the memory: store, pictures, embedding and index; one that cannot be written only for `reading`."""
        from persona_cli.memory import Keeping, open_memory

        try:
            opened = open_memory(self.places, self.settings, self.notice)
        except StorageError as exc:
            self._check_readable(exc, reading=reading)
            opened = open_memory(self.places, self.settings, self.notice, Keeping.PRIVATE)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def assistant(self, *, keep_words: bool = False, keeping: Keeping | None = None) -> Iterator[Assistant]:
        """Open everything; with `keep_words` also without the model, which fails when a message is sent."""
        from persona_cli.agent import open_assistant

        opened = open_assistant(self.places, self.settings, notice=self.notice, keep_words=keep_words, keeping=keeping)
        try:
            if self.verbose:
                self._describe(opened)
            yield opened
        finally:
            opened.close()

    def _check_readable(self, exc: StorageError, *, reading: bool) -> None:
        """Raise the error that kept memory from being opened, unless it is to be read as it is."""
        if not reading or isinstance(exc, BusyError) or not self.places.database.exists():
            raise exc
        # a full disk, a read-only one, a snapshot; of a damaged database the copy raises the same error again
        self.notice("Memory cannot be written here; it is read as it is.")

    def _describe(self, assistant: Assistant) -> None:
        """Say what the model runs on; no notice, because it belongs to no turn."""
        for fact in assistant.model.about():
            self.err.print(f"{fact.name}: {fact.finding}", style="dim", highlight=False)


def invocation(context: typer.Context) -> Invocation:
    """Return what the options before the command said."""
    found = context.find_object(Invocation)
    assert found is not None
    return found


def embed_new(memory: Memory) -> None:
    """Embed what has no vector yet, so that a search by meaning finds it; left to the queue's run when it is much."""
    from persona_cli.memory.vectors.embedding import embed_few

    embed_few(memory.store, memory.embedder)
