"""`persona memory tidy`: old topics summed up, facts that are there twice counted once; shown first, or taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.memory_lines import say
from persona_cli.errors import Interrupted, NotFoundError
from persona_cli.records import Turn

if TYPE_CHECKING:
    from persona_cli.agent.tidying import Merging, Tidied
    from persona_cli.memory.store import Store
    from persona_cli.memory.tables.tidies import Tidy

LAST = "tidy"
"""What a person calls the last tidying where a turn is named otherwise."""


def tidy(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be merged and change nothing.")] = False,
    days: Annotated[
        int | None,
        typer.Option("--older-than", metavar="DAYS", min=0, help="From which age on; else memory.tidy_after_days."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also merge what was taken back before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Merge old topics that belong together into summaries, and facts that are there twice. Nothing is deleted."""
    from persona_cli.cli.render import print_json, progress

    run = invocation(context)
    with run.assistant() as assistant:
        days = assistant.settings.memory.tidy_after_days if days is None else days
        if assistant.updates.pending():
            run.notice("Some updates are still queued; topics they find come later. `persona update` runs them.")
        try:
            with progress(run.err, "summing up") as advance:
                found = assistant.tidy(dry_run=dry_run, again=again, days=days, on_progress=advance)
        except (KeyboardInterrupt, Interrupted) as exc:
            run.notice("Stopped; nothing was changed.")
            raise typer.Exit(Interrupted.exit_code) from exc
    if as_json:
        print_json(_as_json(found, dry_run=dry_run))
        return
    _print_tidied(run, found)
    _conclude(run, found, days, dry_run=dry_run)


def chosen_tidy(store: Store, name: str | None) -> Tidy | None:
    """Return the tidying a person means: by its name, or by none where it was the last thing to change anything."""
    last = store.tidies.latest()
    if name == LAST:
        if last is None:
            raise NotFoundError("Nothing was tidied that could be taken back.", fix="`persona memory tidy` tidies.")
        return last
    turn = store.turns.latest() if name is None else None
    return last if last is not None and turn is not None and (last.turn_id or 0) >= turn.id else None


def print_tidy(run: Invocation, chosen: Tidy, last: Turn | None) -> None:
    """Print which tidying it is about, and how to name the last turn instead."""
    from persona_cli.cli.render import day

    why = "as you asked" if chosen.session_id is None else "when idle"
    say(run, f"Tidied {day(chosen.at)}, {why}", "bold")
    if last is not None:
        run.notice(f"This came after the last turn; that one is m{last.id}.")


def _print_tidied(run: Invocation, found: Tidied) -> None:
    from persona_cli.cli.memory_lines import print_hit, say_under
    from persona_cli.records import Kind, Ref

    for merging in found.merged:
        say(run, _heading(merging), "bold")
        for part in merging.parts:
            state = "" if part in merging.added else "in it already"
            print_hit(run, Ref(Kind.EPISODIC, part.id), part.started_at, part.summary, state)
        say_under(run, f"→ {merging.summary.summary}")
    if found.doubles:
        say(run, "Facts that say the same", "bold")
    for double in found.doubles:
        print_hit(run, Ref(Kind.SEMANTIC, double.kept.id), double.kept.valid_from, double.kept.content)
        say_under(run, f"counts s{double.again.id}: {double.again.content}")
    for apart in found.apart:
        names = ", ".join(f"e{part.id}" for part in apart.parts)
        run.notice(f"{names} stay apart: {apart.reason}.")


def _heading(merging: Merging) -> str:
    topic = ", ".join(merging.summary.keywords[:4]) or "one topic"
    name = f"e{merging.summary.id}" if merging.summary.id else "new summary"
    return f"{topic}: {len(merging.parts)} topics, {name}"


def _conclude(run: Invocation, found: Tidied, days: int, *, dry_run: bool) -> None:
    if not (found.merged or found.doubles):
        run.notice(f"There is nothing to merge among topics older than {days} days, and no fact is there twice.")
        return
    topics = sum(len(merging.added) for merging in found.merged)
    summaries = "1 summary" if len(found.merged) == 1 else f"{len(found.merged)} summaries"
    facts = "1 fact" if len(found.doubles) == 1 else f"{len(found.doubles)} facts"
    done = f"{topics} topics in {summaries}, {facts} counted with another"
    if dry_run:
        run.notice(f"Would be merged: {done}. Nothing was changed.")
    else:
        run.notice(f"Merged: {done}. `persona memory undo {LAST}` takes it back.")


def _as_json(found: Tidied, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "merged": [
            {"summary": merging.summary, "parts": merging.parts, "added": [f"e{part.id}" for part in merging.added]}
            for merging in found.merged
        ],
        "doubles": [{"kept": double.kept, "again": double.again} for double in found.doubles],
        "apart": [{"parts": [f"e{part.id}" for part in apart.parts], "reason": apart.reason} for apart in found.apart],
    }
