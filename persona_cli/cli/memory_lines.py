"""Lines of the terminal: a memory with its name and date, what stands under it, a span of time."""

from __future__ import annotations

from datetime import datetime

from persona_cli.cli.invocation import Invocation
from persona_cli.cli.render import day
from persona_cli.cli.writer import escaped
from persona_cli.records import Ref, Spent, Window

NAME_WIDTH, DATE_WIDTH = 6, 18
"""Columns of a name and of a date."""


def say(run: Invocation, text: str, style: str = "") -> None:
    """Print a line of what was said or remembered, without what a terminal would obey."""
    run.out.print(escaped(text), style=style)


def print_hit(run: Invocation, ref: Ref, at: datetime, words: str, state: str = "") -> None:
    """Print a memory in three columns: its name, its date, its words with its state."""
    from rich.table import Table
    from rich.text import Text

    # names as wide as the longest, so that the words of all lines begin in one column
    table = Table.grid(padding=(0, 2))
    table.add_column(width=NAME_WIDTH, no_wrap=True)
    table.add_column(width=DATE_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    shown = Text(escaped(words))
    if state:
        shown.append(f"  [{state}]", style="dim")
    table.add_row(Text(str(ref), style="bold"), Text(day(at), style="dim"), shown)
    run.out.print(table)


def say_under(run: Invocation, text: str) -> None:
    """Print what belongs to the line above, dim, below its words."""
    from rich.padding import Padding
    from rich.text import Text

    run.out.print(Padding(Text(escaped(text), style="dim"), (0, 0, 0, NAME_WIDTH + DATE_WIDTH + 4)))


def shortened(text: str, most: int = 60) -> str:
    """Return the beginning of a text, as one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def window_words(window: Window) -> str:
    """Return a span of time for people."""
    start = day(window.start) if window.start else "the beginning"
    end = day(window.end) if window.end else "now"
    return f"{start} to {end}"


def spent_words(spent: Spent) -> str:
    """Return what a prompt took of the context, section by section."""
    parts = [
        f"{section.name} {section.tokens:,}" + (f" of {section.budget:,}" if section.budget else "")
        for section in spent.sections
    ]
    return f"{spent.total:,} of {spent.context:,} tokens: {', '.join(parts)}"
