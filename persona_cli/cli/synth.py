"""`persona synth`: made-up people with labelled histories, as what a model of one's own is trained and tested on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted

if TYPE_CHECKING:
    from persona_cli.synthesis.lifeplan import Picture
    from persona_cli.synthesis.making import Made, Order


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
    teacher: Annotated[
        str | None, typer.Option("--teacher", metavar="URL", help="An OpenAI-compatible server that words the talk.")
    ] = None,
    parallel: Annotated[int, typer.Option("--parallel", min=1, help="Requests to the teacher at a time.")] = 8,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the teacher would cost; do nothing.")] = False,
    from_memory: Annotated[
        bool, typer.Option("--from-memory", help="Make lessons of your own memory instead; shown before written.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --from-memory: write without asking.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 takes the cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make up people with months of talk, and write what trains and tests a model: lessons, memories, transcripts.

    Every label follows from a plan, so nothing is labelled by hand. The same command goes on where it was stopped.
    """
    from persona_cli.synthesis.making import Order

    run = invocation(context)
    if from_memory:
        from persona_cli.cli.synth_own import write_own_lessons

        write_own_lessons(run, folder, tokens, seed, yes=yes, as_json=as_json)
        return
    shown = _pictures(run, pictures) if pictures else ()
    order = Order(people, turns, seed, tokens, personas, shown, held=held, taught=teacher is not None)
    try:
        if teacher and not _teach(run, order, folder, teacher, parallel, dry_run=dry_run, as_json=as_json):
            return
        _make(run, order, folder, rows, workers or os.cpu_count() or 1, as_json=as_json)
    except (KeyboardInterrupt, Interrupted) as exc:
        raise Interrupted("the synthesis was stopped", fix="The same command goes on where it was.") from exc


def _pictures(run: Invocation, folder: Path) -> tuple[Picture, ...]:
    """Read the pictures; what no file says of them the model in use describes, where it sees."""
    from datetime import UTC, datetime

    from persona_cli.memory import Keeping
    from persona_cli.model.tasks import Describes
    from persona_cli.synthesis.picture_folder import all_described, read_pictures

    if all_described(folder):
        return read_pictures(folder)
    with run.assistant(keeping=Keeping.NOTHING) as assistant:
        model, media = assistant.model, assistant.memory.media
        if not (isinstance(model, Describes) and model.sees):
            return read_pictures(folder)
        now = datetime.now(UTC)
        return read_pictures(folder, lambda path: model.caption(media.add(path, now), lambda: False))


def _teach(
    run: Invocation, order: Order, folder: Path, url: str, parallel: int, *, dry_run: bool, as_json: bool
) -> bool:
    """Have the talk said anew, once it was said what that costs; False where that is all that was wanted."""
    from persona_cli.cli.render import print_json, progress
    from persona_cli.synthesis.making import claim, plan_all
    from persona_cli.synthesis.teacher import Teacher, connect, estimate, teach

    lives = plan_all(order)
    cost = estimate(lives, folder)
    run.notice(
        f"The teacher is asked {cost.sessions:,} times: about {cost.prompt_tokens:,} tokens of prompts and "
        f"{cost.reply_tokens:,} of replies, half as many again for what is refused."
    )
    if dry_run:
        if as_json:
            print_json({"kind": "synth-cost", "version": 1, "cost": cost})
        return False
    settings = run.settings.teacher
    ask = connect(Teacher(url, settings.model, settings.key))
    claim(order, folder)
    with progress(run.err, "teacher") as advance:
        taught = teach(lives, folder, ask, parallel=parallel, on_progress=advance)
    refused = ", ".join(f"{count} {why}" for why, count in taught.refused.most_common(3))
    run.notice(
        f"{taught.accepted:,} turns in the teacher's words, {taught.kept:,} in the grammar's; "
        f"{taught.refused.total():,} samples refused{f' ({refused})' if refused else ''}."
    )
    return True


def _make(run: Invocation, order: Order, folder: Path, rows: int, workers: int, *, as_json: bool) -> None:
    from persona_cli.cli.render import print_json, progress
    from persona_cli.synthesis.making import make

    with progress(run.err, "people") as advance:
        made = make(order, run.places, folder, rows=rows, workers=workers, on_progress=advance)
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
