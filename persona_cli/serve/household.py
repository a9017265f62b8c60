"""Whose memory: one for each person of this home, opened at its first use and kept open until the server ends.

A client is answered long before anything is opened: some give up after five seconds, and cancel for good.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant, Clock, system_clock
from persona_cli.config import Settings
from persona_cli.errors import NotFoundError
from persona_cli.memory import Keeping, Memory, open_memory
from persona_cli.model.tasks import Model
from persona_cli.paths import find_places, list_users

Notice = Callable[[str], None]


class Household:
    """The people of one home; any thread may ask for them."""

    def __init__(
        self,
        settings: Settings,
        notice: Notice,
        user: str | None = None,
        *,
        model: Model | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.settings = settings
        self.user = user
        """Whose memory is meant where no name is given."""
        self._notice = notice
        self._model = model
        self._clock = clock
        self._lock = threading.RLock()
        self._memories: dict[str, Memory] = {}
        self._assistants: dict[str, Assistant] = {}

    def now(self) -> datetime:
        """Return the time."""
        return self._clock()

    def names(self) -> tuple[str, ...]:
        """Return who else has a memory here, by name."""
        return tuple(name for name in list_users() if name != self.user)

    def memory(self, name: str = "") -> Memory:
        """Return somebody's memory; raises `NotFoundError` for a name nobody here has, and makes no home for it."""
        with self._lock:
            if name not in self._memories:
                if name and name not in self.names():
                    raise NotFoundError(
                        f"nobody here is called {name}", fix="`persona --user NAME chat` begins a memory."
                    )
                places = find_places(name or self.user)
                self._memories[name] = open_memory(places, self.settings, self._notice)
            return self._memories[name]

    def assistant(self, name: str = "") -> Assistant:
        """Return who answers somebody, learning behind the conversation.

        Weights are large: of installed ones only those of the person who spoke last are open.
        """
        with self._lock:
            if name not in self._assistants:
                memory = self.memory(name)
                if self._assistants and self.settings.model.name not in ("lite", "server"):
                    self._close_assistants()
                opened = self._open(memory)
                opened.updates.start()
                self._assistants[name] = opened
            return self._assistants[name]

    def stranger(self, name: str = "") -> Assistant:
        """Return one who answers by the same model and knows nobody: its memory is empty and is never written.

        To be closed by `dismiss`.
        """
        known = self.assistant(name)
        memory = open_memory(known.memory.places, self.settings, self._notice, Keeping.NOTHING)
        return open_assistant(
            memory.places, self.settings, model=known.model, clock=self._clock, notice=self._notice, memory=memory
        )

    def dismiss(self, stranger: Assistant) -> None:
        """Close what `stranger` has opened; the model stays."""
        stranger.updates.close()
        stranger.memory.close()

    def close(self) -> None:
        """Close all that is open; what was not learnt yet stays queued."""
        with self._lock:
            self._close_assistants()
            for memory in self._memories.values():
                memory.close()
            self._memories.clear()

    def _open(self, memory: Memory) -> Assistant:
        return open_assistant(
            memory.places, self.settings, model=self._model, clock=self._clock, notice=self._notice, memory=memory
        )

    def _close_assistants(self) -> None:
        for name, assistant in self._assistants.items():
            assistant.close()
            self._memories.pop(name, None)
        self._assistants.clear()
