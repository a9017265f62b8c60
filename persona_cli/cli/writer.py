r"""The one writer: all that reaches a terminal, a pipe or a file to read goes through here.

Words come from messages, pictures' metadata, archives and models: what a terminal would obey, or a reader would not
see, is written as an escape (`\\u202e`), never passed on. Rich markup is never read in them.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from persona_cli.escapes import UNSEEN, escaped

__all__ = ["Wrapped", "escaped", "make_console", "typed", "write", "write_error"]

if TYPE_CHECKING:
    from rich.console import Console

_EDGE = re.compile(r"(\n|[^\S\n]+)")
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")


def typed(text: str) -> str:
    """Return what a person typed or pasted without terminal sequences and what cannot be seen."""
    return UNSEEN.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def write(text: object, end: str = "\n") -> None:
    """Write on standard output, at once: answers and what a program reads."""
    sys.stdout.write(escaped(str(text)) + end)
    sys.stdout.flush()


class Wrapped:
    """Words that come in pieces, wrapped at the edge of a terminal; a pipe gets them as they are.

    A word is held back until what ends it has come, for a terminal would break it where its edge is.
    """

    def __init__(self, width: int | None = None) -> None:
        """Wrap at so many cells: those of the terminal, or at none where standard output is no terminal."""
        from rich.cells import cell_len

        there = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        self._width, self._cells = there if width is None else width, cell_len
        self._column = 0
        self._gap = self._word = ""

    def write(self, piece: str) -> None:
        """Write what is whole of the words so far."""
        if not self._width:
            write(piece, end="")
            return
        *whole, last = _EDGE.split(escaped(self._word + piece))
        for part in whole:
            self._place(part)
        self._word = last

    def end(self) -> None:
        """Write what was held back."""
        if self._word:
            self._place(self._word)
        self._word = ""

    def _place(self, part: str) -> None:
        if part == "\n":
            write("")
            self._column, self._gap = 0, ""
        elif part.isspace():
            self._gap += part
        elif part:
            needed = self._cells(self._gap + part)
            over = self._column > 0 and self._column + needed > self._width
            write(("\n" if over else self._gap) + part, end="")
            self._column = self._cells(part) if over else self._column + needed
            self._gap = ""


def write_error(text: object, end: str = "\n") -> None:
    """Write on standard error: faults, where no console is there yet."""
    sys.stderr.write(escaped(str(text)) + end)


def make_console(*, stderr: bool) -> Console:
    """Return a console; colour and width follow the terminal, NO_COLOR and a pipe."""
    from rich.console import Console
    from rich.segment import Segment

    class SafeConsole(Console):
        """Escapes what is printed, whatever brought it: a table's cell, a title, a line."""

        def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(escaped(segment.text), segment.style)

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 100
    return SafeConsole(stderr=stderr, soft_wrap=False, highlight=False, emoji=False, markup=False, width=width)
