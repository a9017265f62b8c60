"""Every tiny set whole, through all of `persona eval`: history, questions, marks, report (`python -m benchmarks sets`).

    --model NAME   lite: persona itself and nothing but the question; tiny: a Qwen2.5-VL of random weights, built here,
                   that is shown what a search finds, pictures too; server: one that answers by rule, with persona and
                   with the whole history. May be given several times; all three without.
    --quick        each set in its default form alone, without the other protocols
    --to DIR       keep the runs there, for `persona eval report`

A row is a run. The sets are made up and small: what is looked at is that every question comes to a mark, and which of
a memory's operations is weak, no more.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from persona_cli.config import ServerSettings, Settings
from persona_cli.evaluation.datasets import DATASETS, load
from persona_cli.evaluation.run import answer_all, make_plan
from persona_cli.evaluation.run_files import RunFolder
from persona_cli.evaluation.scores import Report, make_report
from persona_cli.evaluation.scores.rendering import interval, stage_table
from persona_cli.evaluation.subjects import Bench, histories
from persona_cli.evaluation.subjects.engines import shared_engine
from persona_cli.model.weights import Weights
from persona_cli.paths import Places, find_places
from tests.openai_server import as_a_model_would, serving
from tests.tiny import build_tiny

SUBJECTS = {"lite": ("persona", "none"), "tiny": ("rag",), "server": ("persona", "full")}
VARIANTS = {
    "persona-mme": ("", "32k", "128k"),
    "personamem": ("32k", "32k-uncut"),
    "personamem-v2": ("32k", "32k-open"),
    "p-soups": ("choice", "fit", "logprob"),
    "prefeval": ("explicit", "choice", "persona", "choice-open", "choice-3"),
}
"""What is asked of a set beside its default: every protocol that differs."""
_WRITTEN = 16
"""Tokens of a reply of random weights, which never end one by themselves."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run, and the seconds of the processor it took."""

    report: Report
    seconds: float

    def __str__(self) -> str:
        """Return it as a row of the table."""
        (first, *_) = rows = self.report.rows
        labels = {label: sum(row.labels.get(label, 0) for row in rows) for label in ("unreadable", "failed", "skipped")}
        asked = sum(sum(row.labels.values()) for row in rows)
        scores = "; ".join(f"{row.context} {interval(row.overall)}".strip() for row in rows)
        name = f"{self.report.dataset.removesuffix(' (tiny)')} {self.report.variant}".strip()
        counts = " | ".join(str(count) for count in labels.values())
        return f"| {first.name} | {name} | {asked} | {scores} | {counts} | {self.seconds:.1f} |"


def trials(model: str, bench: Bench, to: Path, *, quick: bool) -> Iterator[Trial]:
    """Run each set with each subject of a model, and yield what came of it."""
    for dataset in DATASETS:
        variants = VARIANTS.get(dataset.name, ("",))
        for variant in variants[:1] if quick else variants:
            collection = load(dataset.name, None, variant)
            for subject in SUBJECTS[model]:
                folder = RunFolder(to / "-".join(filter(None, (dataset.name, variant, subject, model))))
                plan = make_plan(collection, subject, bench, limit=0, seed=0)
                began = time.process_time()
                answer_all(collection, plan, bench, folder, workers=1, on_progress=lambda *_: None)
                yield Trial(make_report([folder]), time.process_time() - began)


@contextmanager
def opened(model: str, folder: Path) -> Iterator[Bench]:
    """Yield what subjects are opened with: for the tiny model it is built and installed, for the server it is there."""
    settings, places = Settings(model=replace(Settings().model, name=model)), find_places()
    if model == "server":
        with serving(as_a_model_would) as (url, _):
            yield Bench(replace(settings, server=ServerSettings(url=url, dialect="plain")), places)
    elif model == "tiny":
        pair = build_tiny(folder).pair
        weights = folder / "weights"
        shutil.copytree(places.weights, weights)
        Weights(weights).add(pair.text, pair.projection, name="tiny")
        written, histories.LIMIT = histories.LIMIT, _WRITTEN
        try:
            yield Bench(settings, Places(folder, folder / "config.toml", folder / "prompts", weights))
        finally:
            histories.LIMIT = written
    else:
        yield Bench(settings, places)
    shared_engine.cache_clear()


def main(arguments: Sequence[str]) -> int:
    """Print the table, and below it the operations of a memory apart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sets")
    parser.add_argument("--model", action="append", choices=sorted(SUBJECTS))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--to", type=Path)
    options = parser.parse_args(arguments)
    print("| subject, model | set | questions | right, per cent | unreadable | failed | skipped | processor s |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    failed, apart = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        for model in options.model or SUBJECTS:
            with opened(model, Path(scratch)) as bench:
                for trial in trials(model, bench, options.to or Path(scratch) / "runs", quick=options.quick):
                    print(trial, flush=True)
                    failed += sum(row.labels.get("failed", 0) for row in trial.report.rows)
                    apart.append(stage_table(trial.report))
    head, _ = apart[0]
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in (row for _, rows in apart for row in rows):
        print(f"| {' | '.join(row)} |")
    if failed:
        sys.stderr.write(f"{failed} questions failed\n")
    return 1 if failed else 0
