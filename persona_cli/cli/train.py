"""`persona train`: fine-tuning and GRPO of a model of one's own, what it would take, and the recipes there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from persona_cli.training.following import StepMark, Watch
    from persona_cli.training.recipes import Recipe, Training
    from persona_cli.training.reinforcing import World
    from persona_cli.training.running import Course

app = typer.Typer(help="Train a model of your own on what `persona synth` makes.", no_args_is_help=True)

Data = Annotated[Path, typer.Argument(metavar="DATA", help="The rows, as `persona synth` writes them (JSONL).")]
Base = Annotated[
    str, typer.Option("--base", metavar="MODEL", help="A Hugging Face folder, a GGUF file or an installed model.")
]
RecipeName = Annotated[str, typer.Option("--recipe", metavar="R", help="How; see `persona train recipes`.")]
From = Annotated[Path | None, typer.Option("--from", metavar="DIR", help="Go on from the adapter of an earlier run.")]
To = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="Where the run is kept; default persona-train/RECIPE.")
]
MethodName = Annotated[
    str | None, typer.Option("--method", metavar="M", help="full, lora or qlora; else the recipe's.")
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, metavar="N", help="Steps; else one pass over the rows.")]
Minutes = Annotated[
    float | None, typer.Option("--minutes", metavar="N", help="End after so many, with what is learnt.")
]
Rate = Annotated[float | None, typer.Option("--rate", metavar="X", help="Learning rate; else the recipe's.")]
Batch = Annotated[int | None, typer.Option("--batch", min=1, metavar="N", help="What a step sees; else the recipe's.")]
PerDevice = Annotated[
    int | None, typer.Option("--per-device", min=1, metavar="N", help="Of these at once on a device.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of the order of the rows.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("sft", short_help="Fine-tune on conversations.")
def sft(
    context: typer.Context,
    data: Data,
    base: Base,
    recipe: RecipeName = "gpu-sft",
    adapter: From = None,
    to: To = None,
    method: MethodName = None,
    steps: Steps = None,
    minutes: Minutes = None,
    rate: Rate = None,
    batch: Batch = None,
    per_device: PerDevice = None,
    seed: Seed = 0,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on conversations; the same command goes on with a run that was stopped."""
    from persona_cli.training.recipes import Training

    run = invocation(context)
    wanted = _recipe(recipe, Training.SFT, method=method, rate=rate, batch=batch, per_device=per_device)
    where = _base(run, base)
    if dry_run:
        _show_estimate(run, where, data, wanted, steps, as_json=as_json)
        return
    with _course(run, wanted, to, steps=steps, minutes=minutes, seed=seed) as course:
        from persona_cli.training.running import run_fine_tuning

        made = run_fine_tuning(where, data, course, adapter=adapter)
    _tell(run, made, course.folder, as_json=as_json)


@app.command("grpo", short_help="Train by reward on questions about memories.")
def grpo(
    context: typer.Context,
    data: Data,
    base: Base,
    recipe: RecipeName = "gpu-grpo",
    adapter: From = None,
    to: To = None,
    method: MethodName = None,
    steps: Steps = None,
    minutes: Minutes = None,
    rate: Rate = None,
    batch: Batch = None,
    per_device: PerDevice = None,
    new_tokens: Annotated[
        int | None, typer.Option("--new-tokens", min=8, metavar="N", help="Of one reply at most; else the recipe's.")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="URL", help="A judge for answers; else rules, for closed questions alone."),
    ] = None,
    seed: Seed = 0,
    dry_run: Dry = False,
    as_json: Json = False,
) -> None:
    """Train a model by reward: it thinks, searches real memories and answers, several times for each question."""
    from persona_cli.training.recipes import Training

    run = invocation(context)
    wanted = _recipe(
        recipe, Training.GRPO, method=method, rate=rate, batch=batch, per_device=per_device, new_tokens=new_tokens
    )
    where = _base(run, base)
    if dry_run:
        _show_estimate(run, where, data, wanted, steps, as_json=as_json)
        return
    with (
        _course(run, wanted, to, steps=steps, minutes=minutes, seed=seed) as course,
        _world(run, judge) as (world, named),
    ):
        from persona_cli.training.running import run_reinforcement

        made = run_reinforcement(where, data, course, world, adapter=adapter, judge=named)
    _tell(run, made, course.folder, as_json=as_json)


@app.command("recipes", short_help="Show the recipes.")
def recipes(
    context: typer.Context,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write the files for `accelerate launch` there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the recipes there are, and write the configurations for several GPUs."""
    from persona_cli.cli.render import print_json
    from persona_cli.training.recipes import LAUNCHES, launch_file, load_recipes

    run = invocation(context)
    known = load_recipes()
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        for name in LAUNCHES:
            (to / f"{name}.yaml").write_bytes(launch_file(name).read_bytes())
            run.notice(f"Written: accelerate launch --config_file {to / name}.yaml -m persona_cli train …")
    if as_json:
        print_json({"kind": "train-recipes", "version": 1, "recipes": list(known.values())})
        return
    for recipe in known.values():
        run.out.print(f"{recipe.name}: {recipe.about}", soft_wrap=True)
        run.out.print(
            f"  {recipe.stage}, {recipe.method}, {recipe.batch} a step, rate {recipe.learning_rate:g}, "
            f"{recipe.most_tokens:,} tokens, {recipe.most_pixels:,} pixels"
        )


def _recipe(name: str, stage: Training, *, method: str | None, **numbers: Any) -> Recipe:
    from persona_cli.training.recipes import Method, get_recipe

    recipe = get_recipe(name)
    if recipe.stage is not stage:
        raise UsageError(f"{name} is a recipe for {recipe.stage}", fix=f"Use it with `persona train {recipe.stage}`.")
    if method is not None and method not in set(Method):
        raise UsageError(f"there is no method {method}", fix=f"Known: {', '.join(Method)}.")
    named = {"rate": "learning_rate"}
    given: dict[str, Any] = {named.get(key, key): value for key, value in numbers.items() if value is not None}
    return replace(recipe, method=Method(method) if method else recipe.method, **given)


def _base(run: Invocation, name: str) -> Path:
    """Return the folder or file of what is to be trained."""
    if Path(name).exists():
        return Path(name)
    from persona_cli.model.weights import Weights

    model = Weights(run.places.weights).get(name)
    found = model.path("text")
    return found if found is not None else model.folder


@contextmanager
def _course(
    run: Invocation, recipe: Recipe, to: Path | None, *, steps: int | None, minutes: float | None, seed: int
) -> Iterator[Course]:
    """Yield how and where a run goes, shown as it goes; raises `UsageError` where the libraries are missing."""
    from persona_cli.training import require_libraries

    require_libraries()
    from persona_cli.training.running import Course

    folder = to or Path("persona-train") / recipe.name
    try:
        with _table(run, recipe.stage) as watch:
            yield Course(recipe, folder, watch, steps, minutes, seed)
    except KeyboardInterrupt as exc:
        raise Interrupted("the run was stopped", fix="The same command goes on from the last checkpoint.") from exc


@contextmanager
def _world(run: Invocation, url: str | None) -> Iterator[tuple[World, str]]:
    """Yield what roll-outs need, and the name of the model that judges; "" for the rules."""
    from persona_cli.model.prompts import load_prompts
    from persona_cli.training.reinforcing import World
    from persona_cli.training.reward import ModelJudge, RuleJudge

    prompts, settings = load_prompts(run.places.prompts), run.settings
    if not (url or settings.judge.url):
        yield World(run.places, settings, prompts, RuleJudge()), ""
        return
    from persona_cli.evaluation.judging.judge import open_judge

    server = replace(settings.server, url=url or settings.judge.url, model=settings.judge.model, key=settings.judge.key)
    engine = open_judge(replace(settings, server=server))
    try:
        yield World(run.places, settings, prompts, ModelJudge(engine)), engine.name
    finally:
        engine.close()


@contextmanager
def _table(run: Invocation, stage: Training) -> Iterator[Watch]:
    """Show how it goes as a table that grows, in a pipe as lines."""
    from persona_cli.training.recipes import Training

    heads = ["step", "of", "loss", "tokens", "min"]
    heads += ["right"] if stage is Training.SFT else ["reward", "spread", "format", "searches", "length"]

    def cells(mark: StepMark) -> list[str]:
        own = (
            [mark.accuracy]
            if stage is Training.SFT
            else [mark.reward, mark.spread, mark.format, mark.searches, mark.length]
        )
        shared = [f"{mark.step}", f"{mark.steps}", f"{mark.loss:.3f}", f"{mark.tokens:,}", f"{mark.seconds / 60:.1f}"]
        return shared + ["" if value is None else f"{value:.2f}" for value in own]

    if not run.err.is_terminal:
        yield lambda mark: run.err.print(
            "  ".join(f"{head} {cell}" for head, cell in zip(heads, cells(mark), strict=True))
        )
        return
    from rich.live import Live
    from rich.table import Table

    rows: list[list[str]] = []
    with Live(console=run.err, refresh_per_second=2) as live:

        def show(mark: StepMark) -> None:
            rows.append(cells(mark))
            table = Table(*heads)
            for row in rows[-20:]:
                table.add_row(*row)
            live.update(table)

        yield show


def _tell(run: Invocation, made: Path, folder: Path, *, as_json: bool) -> None:
    from persona_cli.cli.render import print_json
    from persona_cli.training.following import read_marks

    if as_json:
        marks = read_marks(folder)
        print_json({"kind": "train-run", "version": 1, "model": made, "last": marks[-1] if marks else None})
        return
    run.notice(f"Learnt: {made}; curve and card are beside it. Let it answer: persona model export {folder}")


def _show_estimate(
    run: Invocation, base: Path, data: Path, recipe: Recipe, steps: int | None, *, as_json: bool
) -> None:
    from persona_cli.cli.render import print_json
    from persona_cli.training.estimating import estimate

    made = estimate(base, data, recipe, steps)
    if as_json:
        print_json({"kind": "train-estimate", "version": 1, "estimate": made})
        return
    for line in made.lines():
        run.out.print(line, soft_wrap=True)
