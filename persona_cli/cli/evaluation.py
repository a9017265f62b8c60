"""`persona eval`: the paper's benchmarks and baselines, against the built-in model, an installed one, or any server."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted, TransferError, UsageError

if TYPE_CHECKING:
    from persona_cli.config import Settings
    from persona_cli.evaluation.cases import Collection
    from persona_cli.evaluation.run_files import RunFolder
    from persona_cli.evaluation.scores import Report
    from persona_cli.evaluation.subjects import Bench

app = typer.Typer(
    help="Benchmarks: persona and what it is compared with, on published questions.", no_args_is_help=True
)

RUNS = Path("persona-eval")
"""Where runs are kept, in the current folder."""
_SERVER_WORKERS = 8
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Listed:
    """A data set as it is listed."""

    name: str
    about: str
    variants: tuple[str, ...]
    licence: str
    source: str


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """List the data sets, where each is had, and the subjects that can be tested."""
    from persona_cli.cli.render import print_json
    from persona_cli.evaluation.datasets import DATASETS, DEMO
    from persona_cli.evaluation.subjects import SUBJECTS

    run = invocation(context)
    listed = [
        Listed(one.name, one.about, tuple(filter(None, one.variants)), one.licence, one.source) for one in DATASETS
    ]
    if as_json:
        print_json({"kind": "eval-list", "version": 1, "datasets": listed, "subjects": SUBJECTS})
        return
    run.out.print(f"{DEMO}: made-up people, in a minute; nothing to get.")
    for one in listed:
        run.out.print(f"{one.name}: {one.about}")
        if one.variants:
            run.out.print(f"  variants: {', '.join(one.variants)}")
        run.out.print(f"  licence: {one.licence}; get it from {one.source}", soft_wrap=True)
    run.out.print(f"Subjects: {', '.join(SUBJECTS)}")


@app.command("run")
def run_(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A data set of `persona eval list`, or demo.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="The folder you have it in; without, its tiny made-up version."),
    ] = None,
    subjects: Annotated[
        list[str] | None, typer.Option("--subject", metavar="S", help="What is tested; may be given several times.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="M", help="lite, an installed model, or server; default as set.")
    ] = None,
    variant: Annotated[
        str, typer.Option("--variant", metavar="V", help="Which part or protocol of the data set.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="Questions at most, drawn evenly over people.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of what --limit draws.")] = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes; 0 takes the cores, 8 for a server, 1 for a GGUF.")
    ] = 0,
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="Exchanges that rag and recent show.")] = 5,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Show baselines the pictures.")] = True,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="URL", help="A judge for free answers; default judge.url.")
    ] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where runs are kept.")] = RUNS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Ask a data set's questions, and show the table. The same command goes on with a run that was stopped."""
    from persona_cli.evaluation.datasets import load
    from persona_cli.evaluation.run import choose
    from persona_cli.evaluation.subjects import SUBJECTS, Bench

    invoked = invocation(context)
    named = subjects or ["persona"]
    if unknown := [name for name in named if name not in SUBJECTS]:
        raise UsageError(f"there is no subject {unknown[0]}", fix=f"Known: {', '.join(SUBJECTS)}.")
    settings = invoked.settings
    settings = replace(settings, model=replace(settings.model, name=model or settings.model.name))
    chosen = choose(load(dataset, data, variant), limit, seed)
    bench = Bench(settings, invoked.places, top_k, pictures)
    if dry_run:
        judged = _judging(settings, judge) is not None
        _show_cost(invoked, chosen, named, top_k, judged=judged, as_json=as_json)
        return
    folders = [_answer(invoked, chosen, name, bench, to, limit=limit, seed=seed, workers=workers) for name in named]
    _judge(invoked, folders, chosen, _judging(settings, judge), workers)
    _show(invoked, folders, as_json=as_json)


@app.command("report")
def report(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs of one data set.")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page with plots and the misses.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write Markdown to a file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Read letters strictly, not as published.")] = False,
    as_json: Json = False,
) -> None:
    """Show the tables of runs: aspects with the published rows, tasks, cost, what was missed."""
    from persona_cli.evaluation.judging import Parse
    from persona_cli.evaluation.run_files import RunFolder
    from persona_cli.evaluation.scores import make_report
    from persona_cli.evaluation.scores.page import render_page
    from persona_cli.evaluation.scores.rendering import markdown

    invoked = invocation(context)
    folders = [RunFolder(root) for root in runs]
    plans = {folder.read().plan.dataset for folder in folders}
    if len(plans) > 1:
        raise UsageError(f"these are runs of {' and '.join(sorted(plans))}", fix="Report one data set at a time.")
    made = make_report(folders, Parse.STRICT if strict else Parse.PUBLISHED)
    for path, render in ((html, render_page), (file, markdown)):
        if path is not None:
            _write(path, render(made))
            invoked.notice(f"Written to {path}.")
    if as_json or not (html or file):
        _print(made, as_json=as_json)


def _answer(
    invoked: Invocation, chosen: Collection, name: str, bench: Bench, to: Path, *, limit: int, seed: int, workers: int
) -> RunFolder:
    """Have one subject answer, with a progress bar."""
    from persona_cli.cli.render import progress
    from persona_cli.evaluation.run import answer_all, make_plan
    from persona_cli.evaluation.run_files import RunFolder, file_name

    plan = make_plan(chosen, name, bench, limit=limit, seed=seed)
    kind = "-".join(
        filter(None, (chosen.name.replace(" (tiny)", "-tiny"), chosen.variant, f"{limit}-{seed}" if limit else ""))
    )
    folder = RunFolder(to / file_name(kind) / file_name(f"{name}-{plan.model}"))
    at_once = workers or _workers(bench.settings)
    with progress(invoked.err, name) as advance:
        try:
            answer_all(chosen, plan, bench, folder, workers=at_once, on_progress=advance)
        except (KeyboardInterrupt, Interrupted) as exc:
            raise Interrupted("the run was stopped", fix="The same command goes on where it was.") from exc
    return folder


def _workers(settings: Settings) -> int:
    kind = settings.model.name.casefold()
    return {"lite": os.cpu_count() or 1, "server": _SERVER_WORKERS}.get(kind, 1)


def _judging(settings: Settings, url: str | None) -> Settings | None:
    """Return the settings that open the judge; None where there is none."""
    judge = settings.judge
    if not (url or judge.url):
        return None
    return replace(settings, server=replace(settings.server, url=url or judge.url, model=judge.model, key=judge.key))


def _judge(
    invoked: Invocation, folders: list[RunFolder], chosen: Collection, judging: Settings | None, workers: int
) -> None:
    """Have free answers judged, and those of the open-ended comparison held against the first subject's."""
    from persona_cli.evaluation.cases import Form

    free = any(asked.form is Form.OPEN for person in chosen.people for asked in person.questions)
    if judging is None or not free:
        return
    from persona_cli.cli.render import progress
    from persona_cli.evaluation.datasets.open_ended import NAME as PAIRED
    from persona_cli.evaluation.judging.judge import open_judge
    from persona_cli.evaluation.verdicts import compare_all, judge_all

    engine = open_judge(judging)
    at_once = workers or _SERVER_WORKERS
    try:
        with progress(invoked.err, "judging") as advance:
            for folder in folders:
                judge_all(folder, engine, workers=at_once, on_progress=advance)
            for other in folders[1:] if chosen.name.startswith(PAIRED) else ():
                compare_all(folders[0], other, engine, workers=at_once, on_progress=advance)
    finally:
        engine.close()


def _show_cost(
    invoked: Invocation, chosen: Collection, named: list[str], top_k: int, *, judged: bool, as_json: bool
) -> None:
    from persona_cli.cli.render import print_json
    from persona_cli.evaluation.cost import cost_of, judge_calls

    costs = [cost_of(chosen, name, top_k) for name in named]
    verdicts = judge_calls(chosen, len(named)) if judged else 0
    if as_json:
        print_json({"kind": "eval-cost", "version": 1, "costs": costs, "judge_calls": verdicts, "notes": chosen.notes})
        return
    for note in chosen.notes:
        invoked.notice(note)
    for cost in costs:
        invoked.out.print(
            f"{cost.subject}: {cost.questions:,} questions, {cost.exchanges:,} exchanges, about {cost.calls:,} calls "
            f"with {cost.tokens:,} prompt tokens"
        )
    if judged:
        invoked.out.print(f"the judge: {verdicts:,} calls")


def _show(invoked: Invocation, folders: list[RunFolder], *, as_json: bool) -> None:
    from persona_cli.evaluation.scores import make_report

    made = make_report(folders)
    _print(made, as_json=as_json)
    for folder in folders:
        invoked.notice(f"Kept in {folder.root}; `persona eval report {folder.root} --html page.html` shows the misses.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise TransferError(f"{path} cannot be written: {exc.strerror}", fix="Name another file.") from exc


def _print(made: Report, *, as_json: bool) -> None:
    from persona_cli.cli.render import print_json
    from persona_cli.cli.writer import write
    from persona_cli.evaluation.scores.rendering import markdown

    if as_json:
        print_json({"kind": "eval-report", "version": 1, **asdict(made)})
    else:
        write(markdown(made), end="")
