"""`persona memory forget`: memories by name, a whole session, a person, a span of time, or everything, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.arguments import find, parse_window
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import UsageError
from persona_cli.records import Kind, Ref

if TYPE_CHECKING:
    from persona_cli.memory import Erasure, Memory
    from persona_cli.memory.store import Record, Store

_SHOWN = 40
"""Memories that are shown before they are deleted; of more the number is said."""


def forget(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Memories as search and list print them.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="The whole conversation a message is part of: m12.")
    ] = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="NAME", help="All that is of somebody, or names them.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="All that was said or noted from then on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="All that was said or noted until then.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All there is; weights and settings stay.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete memories for good, with everything made from them: vectors, pictures, summaries, what backups have.

    What they had taken the place of holds again. First it is shown what will be done, afterwards where the same words
    still stand, also in copies outside the home.
    """
    from persona_cli.memory.room import make_room

    run = invocation(context)
    ways = (names, session, about, since or until, everything)
    if sum(map(bool, ways)) != 1:
        raise UsageError(
            "say what to forget, in one way" if any(ways) else "there is nothing named to forget",
            fix="Name memories (s12), or give one of --session, --about, --since/--until and --everything.",
        )
    if freed := make_room(run.places):
        run.notice(f"The disk is full: {freed / 1e6:.0f} MB of what can be made again were deleted first.")
    with run.memory() as memory:
        if everything:
            _forget_everything(run, memory, yes=yes)
            return
        if names:
            refs = [find(memory.store, name)[0] for name in dict.fromkeys(names)]
        elif session:
            refs = _of_session(memory.store, session)
        elif about:
            refs = _about(memory.store, about)
        else:
            refs = _within(memory.store, since, until)
        forget_refs(run, memory, refs, yes=yes)


def forget_refs(run: Invocation, memory: Memory, refs: list[Ref], *, yes: bool) -> None:
    """Show what is to be deleted, ask, delete it for good, and say what was."""
    from persona_cli.cli import memory_views

    if not refs:
        raise UsageError("there is nothing of that kind", fix="`persona memory list --all` shows what there is.")
    if not yes:
        chosen = memory.store.find(refs[:_SHOWN])
        memory_views.print_records(run, [(ref, chosen[ref]) for ref in refs[:_SHOWN]])
        if len(refs) > _SHOWN:
            run.notice(f"and {len(refs) - _SHOWN} more.")
        memory_views.print_foreseen(run, memory.store, memory.store.foresee(refs), _SHOWN)
        _confirm(run, "Delete this for good?")
    forgotten = memory.forget(*refs)
    memory_views.print_receipt(run, memory.store, forgotten.receipt)
    memory_views.print_elsewhere(run, forgotten)
    memory_views.print_repeated(run, memory.store, forgotten.receipt)


def _forget_everything(run: Invocation, memory: Memory, *, yes: bool) -> None:
    from persona_cli.cli import memory_views

    if not yes:
        counts = {table: count for table, count in memory.store.tables().items() if count}
        run.notice(f"In {memory.places.home}: {', '.join(f'{n} {table}' for table, n in counts.items()) or 'nothing'}.")
        _confirm(run, "Delete all of this for good, with every picture and every backup here?")
    forgotten: Erasure = memory.forget_everything()
    memory_views.print_receipt(run, memory.store, forgotten.receipt)
    memory_views.print_elsewhere(run, forgotten)


def _confirm(run: Invocation, question: str) -> None:
    if not typer.confirm(question, err=True):
        run.notice("Nothing was deleted.")
        raise typer.Exit(1)


def _of_session(store: Store, name: str) -> list[Ref]:
    """Return everything of the conversation that a message is part of."""
    from persona_cli.cli.memory_life import find_turn

    session_id = find_turn(store, name).session_id
    refs = [Ref(Kind.MESSAGE, turn.id) for turn in store.turns.of_session(session_id)]
    refs += [Ref(Kind.EPISODIC, topic.id) for topic in store.episodes.of_session(session_id)]
    return refs + [Ref(Kind.PROCEDURAL, habit.id) for habit in store.habits.history() if habit.session_id == session_id]


def _about(store: Store, name: str) -> list[Ref]:
    from persona_cli.remembering.about import mentions

    return list(mentions(store, name))


def _within(store: Store, since: str | None, until: str | None) -> list[Ref]:
    """Return everything that was said or noted in a span of time."""
    from persona_cli.cli.memory_views import list_records

    window = parse_window(since, until)
    every: list[tuple[Ref, Record]] = list_records(store, list(Kind), window, None, every=True)
    return [ref for ref, _ in every]
