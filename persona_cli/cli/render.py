"""How results look: JSON, bars, dates, and progress; no command prints in its own way."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from persona_cli.cli.writer import escaped, write

if TYPE_CHECKING:
    from rich.console import Console


def plain(value: Any) -> Any:
    """Return `value` in the kinds JSON has: dataclasses as objects, times as ISO 8601 with their zone."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, frozenset, set)):
        return [plain(inner) for inner in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def json_text(value: Any) -> str:
    """Return `value` as JSON that is safe to look at: what the writer escapes is escaped as JSON does."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    return escaped(text, lambda char: json.dumps(char)[1:-1])


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    write(json_text(value))


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
