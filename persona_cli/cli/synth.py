"""`persona synth`: made-up people with labelled histories, as what a model of one's own is trained and tested on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted

if TYPE_CHECKING:
    from persona_cli.synthesis.making import Made


def synth(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where everything is written: a new folder.")],
    people: Annotated[int, typer.Option("--people", min=1, help="How many people.")] = 50,
    turns: Annotated[int, typer.Option("--turns", min=4, help="Turns of each, over months.")] = 100,
    held: Annotated[
        int, typer.Option("--held", min=0, help="People beside those, for a benchmark and never for lessons.")
    ] = 0,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Pictures to show, with NAME.txt saying what is seen."),
    ] = None,
    seed: Annotated[str, typer.Option("--seed", help="The same seed makes the same data.")] = "0",
    rows: Annotated[
        int, typer.Option("--rows", min=0, help="Rows for training at most; 0 for as many as there are.")
    ] = 0,
    tokens: Annotated[
        int, typer.Option("--context", min=1_024, help="Tokens that prompts are written for; as trained later.")
    ] = 16_384,
    personas: Annotated[
        Path | None, typer.Option("--personas", metavar="FILE", help='Who they are: {"persona": "..."} a line.')
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 takes the cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make up people with months of talk, and write what trains and tests a model: lessons, memories, transcripts.

    Every label follows from a plan, so nothing is labelled by hand. The same command goes on where it was stopped.
    """
    from persona_cli.cli.render import print_json, progress
    from persona_cli.synthesis.making import Order, make
    from persona_cli.synthesis.picture_folder import read_pictures

    run = invocation(context)
    shown = read_pictures(pictures) if pictures else ()
    order = Order(people, turns, seed, tokens, personas, shown, held=held)
    with progress(run.err, "people") as advance:
        try:
            made = make(
                order, run.places, folder, rows=rows, workers=workers or os.cpu_count() or 1, on_progress=advance
            )
        except (KeyboardInterrupt, Interrupted) as exc:
            raise Interrupted("the synthesis was stopped", fix="The same command goes on where it was.") from exc
    if as_json:
        print_json({"kind": "synth", "version": 1, "made": made, "folder": str(folder)})
    else:
        _tell(run, made, folder)


def _tell(run: Invocation, made: Made, folder: Path) -> None:
    run.out.print(f"{made.people:,} people, {made.turns:,} turns, {made.rows:,} rows for training in {folder}")
    run.out.print(f"  {made.prompts:,} prompts for reinforcement")
    run.out.print(f"  benchmark: {made.questions:,} questions about {made.held:,} people")
    for kind, share in made.shares.items():
        run.out.print(f"  {kind}: {share:.1%} (paper {made.paper[kind]:.1%})")
    run.out.print(f"  turns with a picture: {made.pictured:.1%} (paper over {made.paper_pictured:.0%})")
    refused = sum(made.counts.get("refused", {}).values())
    lost = sum(made.counts.get("answers not found", {}).values())
    run.out.print(f"  left out: {made.twins:,} twins, {refused:,} refused by checks, {lost:,} answers not found")
