"""`persona upcoming`: what lies ahead, what was to be lately, this day in other years; also as a calendar file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.records import EpisodicMemory, SemanticMemory
    from persona_cli.remembering.ahead import Ahead, Occasion

GREETED = 3
"""Most occasions named at the start of a chat."""
_WHEN_WIDTH = 24


def upcoming(
    context: typer.Context,
    within: Annotated[int, typer.Option("--days", min=1, max=3_660, help="How many days to look ahead.")] = 30,
    ics: Annotated[
        Path | None,
        typer.Option("--ics", metavar="FILE", help="Write what lies ahead as a calendar file too (iCalendar)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what lies ahead: plans and appointments you told, birthdays, what is overdue, and this day in other years.

    Only what was said with a date is here. persona rings for none of it; a calendar that reads the file of --ics does.
    """
    from persona_cli.cli.render import print_json
    from persona_cli.memory.private_file import check_free
    from persona_cli.remembering.ahead import look_ahead

    run, now = invocation(context), datetime.now().astimezone()
    if ics is not None:
        check_free(ics, overwrite=force)
    with run.store(reading=True) as store:
        ahead = look_ahead(store, now, within)
    if as_json:
        print_json({"coming": ahead.coming, "overdue": ahead.overdue, "on_this_day": ahead.on_this_day})
    else:
        print_ahead(run, ahead, now, within)
    if ics is not None:
        _write_calendar(run, ics, ahead, now, overwrite=force)


def print_ahead(run: Invocation, ahead: Ahead, now: datetime, within: int) -> None:
    """Print the parts that hold anything."""
    from persona_cli.cli.memory_lines import say

    if not (ahead.coming or ahead.overdue or ahead.on_this_day):
        say(run, f"Nothing that you told has a date in the next {counted(within, 'days')}.")
        return
    for title, occasions in (("Ahead", ahead.coming), ("Was to be", ahead.overdue)):
        if occasions:
            say(run, title, style="bold")
            _print_lines(
                run, [(when(occasion, now), _name(occasion.memory), words(occasion)) for occasion in occasions]
            )
    if ahead.on_this_day:
        say(run, "On this day", style="bold")
        _print_lines(run, [_former(memory) for memory in ahead.on_this_day])


def tell_soon(run: Invocation, ahead: Ahead, now: datetime) -> None:
    """Say at the start of a chat what is near, in a line each."""
    from persona_cli.cli.memory_lines import shortened
    from persona_cli.remembering.ahead import soon

    for occasion in soon(ahead, now, GREETED):
        past = "was to be " if occasion in ahead.overdue else ""
        run.notice(f"{past}{when(occasion, now)}: {shortened(words(occasion), 90)}".capitalize())


def when(occasion: Occasion, now: datetime) -> str:
    """Return when it is: "tomorrow 14:30", "by 3 June", "on 12 May"."""
    from persona_cli.timewords import describe

    start, end = occasion.window.start, occasion.window.end
    if start is None:
        return describe(occasion.window, now).replace("until", "by", 1)
    if end is not None and start < now < end and (end - start).days > 1:
        return f"now, {describe(occasion.window, now)}"
    is_hour = end is None or (end - start).total_seconds() <= 2 * 3_600
    from persona_cli.timewords.calendar import days

    return f"{describe(days(start), now)} {start:%H:%M}" if is_hour else describe(occasion.window, now)


def words(occasion: Occasion) -> str:
    """Return what it is, with how many years it is then."""
    years = f" ({counted(occasion.years, 'years')})" if occasion.years else ""
    return f"{occasion.memory.content}{years}"


def _former(memory: SemanticMemory | EpisodicMemory) -> tuple[str, str, str]:
    from persona_cli.records import EpisodicMemory

    if isinstance(memory, EpisodicMemory):
        return str(memory.started_at.astimezone().year), _name(memory), memory.summary
    moment = memory.event and (memory.event.start or memory.event.end)
    return str((moment or memory.recorded_at).astimezone().year), _name(memory), memory.content


def _name(memory: SemanticMemory | EpisodicMemory) -> str:
    from persona_cli.records import EpisodicMemory, Kind, Ref

    return str(Ref(Kind.EPISODIC if isinstance(memory, EpisodicMemory) else Kind.SEMANTIC, memory.id))


def _print_lines(run: Invocation, lines: list[tuple[str, str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from persona_cli.cli.memory_lines import NAME_WIDTH
    from persona_cli.cli.writer import escaped

    table = Table.grid(padding=(0, 2))
    table.add_column(width=NAME_WIDTH, no_wrap=True)
    table.add_column(width=_WHEN_WIDTH, overflow="fold")
    table.add_column(overflow="fold")
    for time, name, said in lines:
        table.add_row(Text(name, style="bold"), Text(time, style="dim"), Text(escaped(said)))
    run.out.print(table)


def _write_calendar(run: Invocation, path: Path, ahead: Ahead, now: datetime, *, overwrite: bool) -> None:
    from persona_cli.exporters.holdings import owner_id
    from persona_cli.exporters.ics import calendar_of
    from persona_cli.memory.archive.signing import open_key
    from persona_cli.memory.private_file import private_file

    content = calendar_of(ahead.coming, owner_id(open_key(run.places.archive_key)), now)
    with private_file(path, overwrite=overwrite) as out:
        out.write(content)
    run.notice(f"{counted(len(ahead.coming), 'events')} written to {path}, readable by you alone.")
