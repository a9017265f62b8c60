"""How results look: the consoles, JSON, bars, dates, and progress; no command prints in its own way."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import typer

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)

if TYPE_CHECKING:
    from rich.console import Console


def make_console(*, stderr: bool) -> Console:
    """Return a console; colour and width follow the terminal, NO_COLOR and a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 100
    return Console(stderr=stderr, soft_wrap=False, highlight=False, emoji=False, width=width)


def clean(text: str) -> str:
    """Return `text` without what a terminal would obey instead of show: escape sequences, bells, direction marks."""
    return _CONTROL.sub("", text)


def plain(value: Any) -> Any:
    """Return `value` in the kinds JSON has: dataclasses as objects, times as ISO 8601 with their zone."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        return [plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def day(moment: datetime) -> str:
    """Return a date for people, in the zone of this machine: 12 May 2023, 18:30."""
    local = moment.astimezone()
    return f"{local.day} {local:%b %Y, %H:%M}"


def bar(score: float, width: int = 20) -> str:
    """Return a score from 1 to 5 as a bar with its middle marked."""
    filled = round((score - 1.0) / 4.0 * width)
    cells = ["█"] * filled + ["·"] * (width - filled)
    if filled <= width // 2:
        cells[width // 2] = "┊"
    return "".join(cells)


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Show `done` of `total`, and what is being done."""
        ...


@contextmanager
def progress(console: Console, title: str, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a progress bar on a terminal while the block runs; in a pipe, nothing."""
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    counted = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        task = shown.add_task(title, total=None)

        def advance(done: int, total: int, what: str = "") -> None:
            shown.update(task, completed=done, total=total, description=what or title)

        yield advance
