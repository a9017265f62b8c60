"""`persona why`: how an answer came about, and what became of its turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.render import clean
from persona_cli.errors import UsageError
from persona_cli.records import Hit, Kind, Recall, Ref

if TYPE_CHECKING:
    from persona_cli.agent.why import Search, Why


def why(
    context: typer.Context,
    turn: Annotated[str | None, typer.Argument(metavar="TURN", help="A turn, m12; the last one if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain an answer: what was searched, what was found and how it scored, what was remembered of the turn."""
    from persona_cli.agent.why import explain
    from persona_cli.cli.render import print_json

    run = invocation(context)
    with run.store() as store:
        found = explain(store, parse_turn(turn))
        if as_json:
            print_json(found)
        else:
            print_why(run, found)


def print_why(run: Invocation, found: Why) -> None:
    """Print an explanation in sentences."""
    from persona_cli.cli.render import day

    say = run.out.print
    say(f"Turn m{found.turn.id}, {day(found.turn.at)}, answered by {found.turn.model}", style="bold")
    say(f"You: {clean(found.turn.user)}", markup=False)
    for search in found.searches:
        _print_search(run, search)
    if found.thought:
        say(f"Thought: {found.thought}", style="dim", markup=False)
    for notice in found.notices:
        say(f"Note: {notice}", markup=False)
    say("What became of this turn", style="bold")
    for line in list(_outcome(found)) or ["nothing was kept of it"]:
        say(f"  {line}", markup=False)


def _outcome(found: Why) -> Iterator[str]:
    for memory in found.remembered:
        yield f"remembered s{memory.id}: {memory.content}"
    for reading in found.readings:
        for name, before in reading.before:
            if reading.after[name] != before:
                inferred, after = reading.inferred[name], reading.after[name]
                yield f"{name} {before:.2f} to {after:.2f}: read as {inferred:.1f}, weight {1 - reading.momentum:.2f}"
    for episode in found.episodes:
        yield f"part of e{episode.id}: {episode.summary}"
    for job in found.jobs:
        if job.state.value != "done":
            yield f"{job.task.value}: {job.state.value} {job.error}".rstrip()


def _print_search(run: Invocation, search: Search) -> None:
    say = run.out.print
    if search.thought:
        say(f"Thought: {search.thought}", style="dim", markup=False)
    say(f"Searched for: {search.retrieve.keywords}", markup=False)
    if search.recall is None:
        say("  the answer ended before anything came back")
        return
    recall = search.recall
    if recall.window is not None:
        say(f"  time: {recall.window.start} to {recall.window.end} (from {recall.window_source})", markup=False)
    for note in recall.notes:
        say(f"  note: {note}", markup=False)
    if recall.empty:
        say("  found nothing")
    for hit, words in _hits(recall):
        lanes = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(hit.lanes.items(), key=lambda one: -one[1]))
        say(f"  {hit.ref}  {hit.score:.2f}  {words}", markup=False)
        if lanes:
            say(f"      {lanes}", style="dim", markup=False)


def _hits(recall: Recall) -> list[tuple[Hit[object], str]]:  # type: ignore[type-var] # any kind of memory
    rows: list[tuple[Hit[object], str]] = []  # type: ignore[type-var] # any kind of memory
    rows += [(hit, hit.memory.content) for hit in recall.semantic]
    rows += [(topic.hit, topic.hit.memory.summary) for topic in recall.episodic]
    rows += [(hit, hit.memory.text) for hit in recall.procedural]
    rows += [(image.hit, image.hit.memory.caption or "a picture") for image in recall.images]
    rows += [(hit, hit.memory.user) for hit in recall.messages]
    return rows


def parse_turn(name: str | None) -> int | None:
    """Return the id of a turn a person named, m12 or 12; None stands for the last."""
    if name is None:
        return None
    try:
        ref = Ref.parse(name if not name.isdigit() else f"m{name}")
    except ValueError as exc:
        raise UsageError(f"{name!r} is no turn", fix="Turns look like m12.") from exc
    if ref.kind is not Kind.MESSAGE:
        raise UsageError(f"{name} is no turn", fix="Turns look like m12.")
    return ref.id
