"""A sign of life while nothing can be read yet: what is being done, turning, gone as soon as there are words."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

_PATIENCE = 0.4
"""Seconds in which an answer may come without one: the built-in model is quicker."""


class Waiting:
    """Shows that something is going on, on a terminal that can; elsewhere nothing."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._shown: Status | None = None
        self._timer: threading.Timer | None = None
        self._what = ""

    def begin(self, what: str) -> None:
        """Say what is going on, once it takes a moment."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            return
        with self._lock:
            self._what = what
            if self._shown is not None:
                self._shown.update(what)
            elif self._timer is None:
                self._timer = threading.Timer(_PATIENCE, self._show)
                self._timer.daemon = True
                self._timer.start()

    def end(self) -> None:
        """Take it away: the next words are on their way."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._shown is not None:
                self._shown.stop()
                self._shown = None

    def _show(self) -> None:
        with self._lock:
            if self._timer is None:
                return
            self._shown = self._console.status(self._what, spinner="dots", spinner_style="dim")
            self._shown.start()
