r"""The one writer: all that reaches a terminal, a pipe or a file to read goes through here.

Words come from messages, pictures' metadata, archives and models: what a terminal would obey, or a reader would not
see, is written as an escape (`\\u202e`), never passed on. Rich markup is never read in them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from persona_cli.escapes import UNSEEN, escaped

__all__ = ["escaped", "make_console", "typed", "write", "write_error"]

if TYPE_CHECKING:
    from rich.console import Console

_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")


def typed(text: str) -> str:
    """Return what a person typed or pasted without terminal sequences and what cannot be seen."""
    return UNSEEN.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def write(text: object, end: str = "\n") -> None:
    """Write on standard output, at once: answers and what a program reads."""
    sys.stdout.write(escaped(str(text)) + end)
    sys.stdout.flush()


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
