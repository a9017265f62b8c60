"""`persona profile`: the traits as bars, the profile and habits, and how the traits came to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli import profile_edits
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.memory_lines import shortened
from persona_cli.cli.writer import escaped
from persona_cli.personality import HEARD, NEUTRAL, TRAITS, Traits, manner
from persona_cli.records import CoreEntry, ProceduralMemory, Reading
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory.store import Store

_CURVE = 20
"""Columns of a trait's curve beside its bar."""
_WITH_CURVES, _WITH_TONES = 76, 98
"""Columns a terminal has at least to show the curves, and the tone each trait asks for."""

app = typer.Typer(help="Show what persona thinks of you, and why.", invoke_without_command=True)


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What is known of a person."""

    traits: Traits
    turns: int
    core: tuple[CoreEntry, ...]
    habits: tuple[ProceduralMemory, ...]
    pending: int
    locked: tuple[str, ...] = ()
    """Traits that nothing said moves any more."""


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One reading that moved at least one trait, with the words that caused it."""

    reading: Reading
    evidence: str


@app.callback()
def profile(
    context: typer.Context,
    history: Annotated[
        bool, typer.Option("--history", help="Show how the traits changed, and what changed them.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="Changes to list, newest first.")
    ] = 30,
    largest: Annotated[bool, typer.Option("--largest", help="List the largest changes first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the five traits as bars, the profile and the habits; with --history, the curve and its evidence."""
    from persona_cli.cli.render import print_json

    if context.invoked_subcommand is not None:
        return
    run = invocation(context)
    with run.store(reading=True) as store:
        if history:
            readings = store.readings.all()
            changes = list_changes(store, readings)
            if as_json:
                print_json({"vector": store.readings.latest(), "changes": changes})
            else:
                _print_history(run, readings, changes, limit, largest=largest)
            return
        known, readings = read_profile(store), store.readings.all()
    if as_json:
        print_json(known)
    else:
        print_profile(run, known, readings)


app.command("set")(profile_edits.set_)
app.command()(profile_edits.lock)
app.command()(profile_edits.unlock)
app.command()(profile_edits.reset)
app.command()(profile_edits.quiz)


def read_profile(store: Store) -> ProfileView:
    """Return what is known of a person."""
    return ProfileView(
        traits=store.readings.latest(),
        turns=store.turns.count(),
        core=store.core.current().entries,
        habits=store.habits.current(),
        pending=store.jobs.pending(),
        locked=tuple(sorted(store.readings.locked())),
    )


def list_changes(store: Store, readings: Sequence[Reading]) -> tuple[ProfileChange, ...]:
    """Return the readings that moved a trait, oldest first, each with its turn's words."""
    moved = [reading for reading in readings if reading.after != reading.before]
    turns = {turn.id: turn for turn in store.turns.many([reading.turn_id for reading in moved if reading.turn_id])}
    return tuple(
        ProfileChange(reading, turns[reading.turn_id].user if reading.turn_id in turns else "") for reading in moved
    )


def print_profile(run: Invocation, known: ProfileView, readings: Sequence[Reading]) -> None:
    """Print traits, core memory and habits."""
    from rich.table import Table
    from rich.text import Text

    from persona_cli.cli.chart import scale_of, sparkline
    from persona_cli.cli.render import bar

    say = run.out.print
    say(f"Personality, after {known.turns} turns (1 to 5, 3 is neutral)", style="bold")
    grid = Table.grid(padding=(0, 2))
    wide, wider = run.out.width >= _WITH_CURVES, run.out.width >= _WITH_TONES
    low, high = scale_of(readings)
    manners = manner(known.traits)
    for name, score in known.traits:
        row: list[Text | str] = [name, bar(score), f"{score:.1f}", "locked" if name in known.locked else ""]
        if wide:
            row.append(Text(sparkline([NEUTRAL, *(one.after[name] for one in readings)], low, high, _CURVE), "cyan"))
        if wider:
            row.append(Text(manners.get(name) or ("" if score == NEUTRAL else "close to neutral"), "dim"))
        grid.add_row(*row)
    say(grid)
    if all(abs(score - NEUTRAL) < HEARD for _, score in known.traits) and known.turns:
        say(Text("Nothing stands out yet: traits move slowly, and most messages show none.", style="dim"))
    _print_block(run, "About you", [(entry.key, entry.value) for entry in known.core])
    _print_block(run, "Habits and goals", [("", habit.text) for habit in known.habits])
    if known.pending:
        say(Text(f"{counted(known.pending, 'updates')} still queued: `persona update` goes on.", style="dim"))
    elif known.turns and not known.core:
        say(Text("The profile is written when a session ends: after an hour, or with `persona update --close`.", "dim"))


def _print_block(run: Invocation, title: str, rows: Sequence[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    run.out.print(f"\n{title}", style="bold")
    grid = Table.grid(padding=(0, 2))
    named = any(key for key, _ in rows)
    if named:
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for key, value in rows:
        grid.add_row(*([Text(key, style="dim")] if named else []), Text(value))
    run.out.print(grid)


def _print_history(
    run: Invocation, readings: Sequence[Reading], changes: Sequence[ProfileChange], limit: int, *, largest: bool
) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from persona_cli.cli.chart import draw_history
    from persona_cli.cli.render import day

    if not changes:
        run.notice("No trait has moved yet.")
        return
    run.out.print(draw_history(readings, run.out.width))
    chosen = sorted(changes, key=_size, reverse=True) if largest else list(reversed(changes))
    for change in chosen[:limit]:
        moves = ", ".join(
            f"{name} {change.reading.before[name]:.2f} → {change.reading.after[name]:.2f}"
            for name in TRAITS
            if change.reading.after[name] != change.reading.before[name]
        )
        by = "set by you" if change.reading.turn_id is None else f"m{change.reading.turn_id}"
        run.out.print(f"{day(change.reading.at)}  {by}  {moves}", style="bold")
        if change.evidence:
            run.out.print(Padding(Text(f"“{shortened(escaped(change.evidence), 160)}”", "dim"), (0, 0, 0, 4)))
    if len(changes) > limit:
        run.notice(f"{len(changes) - limit} more; --limit shows them.")


def _size(change: ProfileChange) -> float:
    return max(abs(change.reading.after[name] - change.reading.before[name]) for name in TRAITS)
