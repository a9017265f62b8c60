"""`persona memory diff`, `undo`, `conflicts`, `about`: what a turn changed, what contradicts, who is who."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_cli.cli.arguments import find
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.memory_lines import say
from persona_cli.cli.memory_tidy import chosen_tidy, print_tidy
from persona_cli.cli.why import parse_turn
from persona_cli.cli.writer import escaped, write
from persona_cli.errors import NotFoundError
from persona_cli.records import (
    Author,
    CoreEntry,
    EpisodicMemory,
    Image,
    Kind,
    ProceduralMemory,
    Reading,
    Ref,
    SemanticMemory,
    Turn,
)
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory import Memory
    from persona_cli.memory.store import Store
    from persona_cli.memory.tables.journal import Changed, TakenBack, Written
    from persona_cli.memory.tables.tidies import Tidy

TurnName = Annotated[
    str | None,
    typer.Argument(metavar="TURN", help="A turn, m12, or tidy for the last tidying; what came last if left out."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def diff(context: typer.Context, turn: TurnName = None, as_json: AsJson = False) -> None:
    """Show what a turn or a tidying changed in memory: what it added (+), ended (-) and altered (~)."""
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store(reading=True) as store:
        if (tidied := chosen_tidy(store, turn)) is not None:
            changes = store.journal.of_tidy(tidied.id)
            if as_json:
                print_json({"tidied": tidied.at, "changes": [as_change(change) for change in changes]})
                return
            print_tidy(run, tidied, store.turns.latest())
            print_changes(run, changes)
            return
        chosen = find_turn(store, turn)
        changes = store.journal.of_turn(chosen.id)
        pending = sum(job.state.value != "done" for job in store.jobs.of_turn(chosen.id))
        if as_json:
            print_json(
                {"turn": f"m{chosen.id}", "changes": [as_change(change) for change in changes], "pending": pending}
            )
            return
        print_turn(run, chosen)
        print_changes(run, changes)
        if pending:
            run.notice(f"{counted(pending, 'updates')} of it still queued: `persona update` goes on.")


def undo(
    context: typer.Context,
    turn: TurnName = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take back a tidying, or what a turn wrote: memories, profile, habits, topics, personality; its words stay."""
    run = invocation(context)
    with run.memory() as memory:
        store = memory.store
        if (tidied := chosen_tidy(store, turn)) is not None:
            _undo_tidy(run, memory, tidied, yes=yes)
            return
        chosen = find_turn(store, turn)
        changes = store.journal.of_turn(chosen.id)
        pending = sum(job.state.value != "done" for job in store.jobs.of_turn(chosen.id))
        print_turn(run, chosen)
        shown = print_changes(run, changes)
        if not shown and not pending:
            _point_to_last(run, store, chosen)
            return
        if pending:
            run.notice(f"{counted(pending, 'updates')} of it still queued, which will not run.")
        _confirm(run, yes=yes)
        done = memory.take_back(chosen.id)
    _print_kept(run, done)
    run.notice(
        f"Taken back: {len(done.changes)} changes. The message stays; `persona memory forget m{chosen.id}` deletes it."
    )


def _undo_tidy(run: Invocation, memory: Memory, tidied: Tidy, *, yes: bool) -> None:
    from persona_cli.agent.tidying import take_back

    print_tidy(run, tidied, memory.store.turns.latest())
    print_changes(run, memory.store.journal.of_tidy(tidied.id))
    _confirm(run, yes=yes)
    done = take_back(memory, tidied.id)
    _print_kept(run, done)
    run.notice(
        f"Taken back: {len(done.changes)} changes. These topics stay apart unless you `persona memory tidy --again`."
    )


def _confirm(run: Invocation, *, yes: bool) -> None:
    if not yes and not typer.confirm("Take this back?", err=True):
        run.notice("Nothing was changed.")
        raise typer.Exit(1)


def _print_kept(run: Invocation, done: TakenBack) -> None:
    for change in done.kept:
        run.notice(f"Left as it is, for it has changed since: {escaped(words_of(change.after))}")


def conflicts(
    context: typer.Context,
    resolve: Annotated[
        str | None, typer.Option("--resolve", metavar="ID", help="Keep this one, s12; what contradicts it ends.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what contradicts each other, and what may have ended since, both sides with their dates."""
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store(reading=resolve is None) as store:
        if resolve is not None:
            _settle(run, store, resolve)
            return
        found = store.conflicts.open()
        if as_json:
            print_json(
                [
                    {"at": conflict.at, "doubt": conflict.doubt, "sides": [conflict.earlier, conflict.later]}
                    for conflict in found
                ]
            )
            return
        if not found:
            run.notice("Nothing contradicts each other.")
        for number, conflict in enumerate(found, 1):
            asks = "Does the first of these still hold?" if conflict.doubt else "Only one of these can hold"
            run.out.print(f"{number}. {asks}", style="bold")
            for side in (conflict.earlier, conflict.later):
                _print_side(run, side)
        if found:
            run.notice("`persona memory conflicts --resolve ID` keeps one; the other stays with its dates.")
        if any(conflict.doubt for conflict in found):
            run.notice("Where the question is whether the first still holds, keeping that one keeps both.")


def _settle(run: Invocation, store: Store, name: str) -> None:
    from datetime import datetime

    ref, _ = find(store, name)
    settled = store.conflicts.settle(ref.id, datetime.now().astimezone()) if ref.kind is Kind.SEMANTIC else None
    if settled is None or not (settled.beaten or settled.beside):
        raise NotFoundError(f"nothing contradicts {ref}", fix="`persona memory conflicts` shows what does.")
    for memory in settled.beaten:
        run.notice(f"s{memory.id} holds no longer: {escaped(memory.content)}")
    for memory in settled.beside:
        run.notice(f"s{memory.id} holds as well: {escaped(memory.content)}")
    write(ref)


def _print_side(run: Invocation, side: SemanticMemory) -> None:
    from persona_cli.cli.render import day

    say(run, f"   s{side.id}  {side.content}")
    source = "written by you" if side.author is Author.PERSON else f"you said “{side.quote}”"
    again = f", {side.seen} times" if side.seen > 1 else ""
    say(run, f"       {day(side.valid_from)}, {source}{again}", "dim")


def about(
    context: typer.Context,
    name: Annotated[list[str], typer.Argument(metavar="NAME", help="Somebody you spoke of: Julia, my sister.")],
    as_json: AsJson = False,
) -> None:
    """Show what is known of a person or a pet, under each of their names."""
    from persona_cli.cli.render import day, print_json
    from persona_cli.remembering.about import about

    run = invocation(context)
    with run.store(reading=True) as store:
        known = about(store, " ".join(name))
    if as_json:
        print_json(known)
        return
    roles = [f", your {role}" for role in known.roles] + [f", once your {role}" for role in known.former_roles]
    say(run, known.name + "".join(roles), "bold")
    for memory in known.facts:
        say(run, f"  s{memory.id}  {memory.content}")
    for memory in known.former:
        until = f"until {day(memory.valid_to)}" if memory.valid_to else "no longer"
        say(run, f"  s{memory.id}  {memory.content}  [{until}]", "dim")


def find_turn(store: Store, name: str | None) -> Turn:
    """Return the turn a person named, else the last one; raises `NotFoundError`."""
    number = parse_turn(name)
    found = store.turns.get(number) if number is not None else store.turns.latest()
    if found is None:
        raise NotFoundError("There is no turn yet.", fix="Say something with `persona chat` first.")
    return found


def print_turn(run: Invocation, turn: Turn) -> None:
    """Print which turn it is about."""
    from persona_cli.cli.render import day

    say(run, f"Turn m{turn.id}, {day(turn.at)}", "bold")
    say(run, f"You: {turn.user}")


def print_changes(run: Invocation, changes: Sequence[Changed]) -> bool:
    """Print changes as a list of additions, ends and alterations; returns whether there was any."""
    # a reading that moved no trait is a change to the database alone
    lines = [line for change in changes for line in change_lines(change)]
    for mark, line in lines:
        say(run, f"{mark} {line}", {"+": "green", "-": "red"}.get(mark, "yellow"))
    if not lines:
        run.notice("It changed nothing in memory.")
    return bool(lines)


def _point_to_last(run: Invocation, store: Store, chosen: Turn) -> None:
    last = store.journal.latest()
    if last is not None and last != chosen.id:
        run.notice(f"The last turn that did is m{last}; `persona memory undo m{last}` takes that back.")


def change_lines(change: Changed) -> Iterator[tuple[str, str]]:
    """Yield a change as marks and words."""
    before, after = change.before, change.after
    if isinstance(after, Reading):
        for name, score in after.before:
            if after.after[name] != score:
                yield "~", f"{name} {score:.2f} → {after.after[name]:.2f}"
    elif before is None or (isinstance(before, Image) and not before.caption):
        yield "+", f"{name_of(after)}  {words_of(after)}"
    elif ended(before, after):
        rule = f"  (ended by: {change.rule})" if change.rule else ""
        yield "-", f"{name_of(after)}  {words_of(after)}{rule}"
    elif isinstance(after, EpisodicMemory) and after.merged_into is not None:
        yield "~", f"{name_of(after)}  {words_of(after)}  (summed up in e{after.merged_into})"
    elif isinstance(before, SemanticMemory) and isinstance(after, SemanticMemory) and after.seen != before.seen:
        yield "~", f"{name_of(after)}  {words_of(after)}  (said {after.seen} times, was {before.seen})"
    else:
        yield "~", f"{name_of(after)}  {words_of(before)} → {words_of(after)}"


def as_change(change: Changed) -> dict[str, Any]:
    """Return a change as the JSON object of `diff`."""
    before, after = change.before, change.after
    kind = "added" if before is None else "ended" if ended(before, after) else "altered"
    return {"id": name_of(after), "change": kind, "before": before, "after": after, "rule": change.rule}


def ended(before: Written, after: Written) -> bool:
    """Tell whether a change is the end of a memory."""
    return getattr(before, "valid_to", None) is None and getattr(after, "valid_to", None) is not None


def name_of(record: Written) -> str:
    """Return the short name of what was written; readings have none."""
    if isinstance(record, Reading):
        return "personality"
    kinds = {
        SemanticMemory: Kind.SEMANTIC,
        CoreEntry: Kind.CORE,
        EpisodicMemory: Kind.EPISODIC,
        ProceduralMemory: Kind.PROCEDURAL,
        Image: Kind.IMAGE,
    }
    return str(Ref(kinds[type(record)], record.id))


def words_of(record: Written) -> str:
    """Return what was written as one line."""
    if isinstance(record, CoreEntry):
        return f"{record.key}: {record.value}"
    if isinstance(record, ProceduralMemory):
        return record.text
    if isinstance(record, EpisodicMemory):
        return record.summary
    if isinstance(record, Image):
        return f"the picture shows: {record.caption}"
    return record.content if isinstance(record, SemanticMemory) else "the reading of the traits"
