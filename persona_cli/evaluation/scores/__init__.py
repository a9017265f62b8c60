"""From runs to a report: every reply is marked anew from its record, so that the tables follow from the files alone.

intervals   bootstrap
comparing   the published rows beside ours, wins of pairs
stages      extraction, update and answers of a memory apart
rendering   Markdown and JSON
page        one HTML file with its plots
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from persona_cli.evaluation.cases import Form
from persona_cli.evaluation.datasets.published_files import clipped
from persona_cli.evaluation.judging import Label, Mark, Parse, mark
from persona_cli.evaluation.run_files import AnsweredQuestion, Run, RunFolder
from persona_cli.evaluation.scores.comparing import Published, Wins, published_rows, wins_of
from persona_cli.evaluation.scores.intervals import Interval, resample
from persona_cli.evaluation.scores.stages import stages_of

SHOWN, RECALLED = 4_000, 30
"""Characters of a prompt, and pieces of what was recalled, that are shown with a miss."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One reply with its mark."""

    outcome: AnsweredQuestion
    mark: Mark


@dataclass(frozen=True, slots=True)
class RunScores:
    """One run, or the part of it with one size of history."""

    name: str
    """Subject and model."""
    context: str
    overall: Interval | None
    """Without the questions of alignment."""
    alignment: Interval | None
    total: Interval | None
    """With them."""
    f1: float | None
    """Of free answers, without alignment."""
    aspects: dict[str, Interval]
    tasks: dict[str, Interval]
    labels: dict[str, int]
    tokens: float
    """Prompt tokens a question."""
    generated: float
    seconds: float
    """A question, median."""
    learnt: float
    """Exchanges learnt a second; 0 where the subject learns nothing."""
    left_out: int
    """Questions whose history did not fit the context."""
    stages: dict[str, float]
    """Extraction, update and answers apart, where memory is looked into."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is written about some runs of one data set."""

    dataset: str
    variant: str
    parse: str
    rows: tuple[RunScores, ...]
    published: tuple[Published, ...]
    wins: tuple[Wins, ...]
    inputs: dict[str, str]
    notes: tuple[str, ...]
    machine: dict[str, str]
    misses: tuple[Marked, ...]
    by_words: bool
    """Free answers were marked by their words, as there was no judge."""

    @property
    def aspects(self) -> tuple[str, ...]:
        """Return the aspects in the order they first appear."""
        return tuple(dict.fromkeys(aspect for row in self.rows for aspect in row.aspects))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the tasks in the order they first appear."""
        return tuple(dict.fromkeys(task for row in self.rows for task in row.tasks))


def mark_all(run: Run, parse: Parse = Parse.PUBLISHED) -> tuple[Marked, ...]:
    """Return every reply of a run with its mark: the judge's where there is one, else by rule."""
    every = []
    for outcome in run.outcomes:
        verdict = run.verdicts.get(outcome.question.key)
        by_rule = mark(outcome.question, outcome.reply, parse)
        if verdict is None or outcome.reply.failed:
            every.append(Marked(outcome, by_rule))
        else:
            judged = verdict.as_mark()
            every.append(Marked(outcome, Mark(judged.score, judged.label, by_rule.f1, judged.why)))
    return tuple(every)


def make_report(folders: Sequence[RunFolder], parse: Parse = Parse.PUBLISHED) -> Report:
    """Return the report of runs of one data set."""
    runs = [folder.read() for folder in folders]
    first = runs[0].plan
    rows: list[RunScores] = []
    misses: list[Marked] = []
    for run in runs:
        every = mark_all(run, parse)
        contexts = dict.fromkeys(marked.outcome.context for marked in every) or {"": None}
        rows += (
            _row(run, [marked for marked in every if marked.outcome.context == context], context)
            for context in contexts
        )
        misses += (
            _shortened(marked) for marked in every if marked.mark.score < 1 and marked.mark.label is not Label.SKIPPED
        )
    free = any(outcome.question.form is Form.OPEN for run in runs for outcome in run.outcomes)
    return Report(
        first.dataset,
        first.variant,
        parse,
        tuple(rows),
        published_rows(first.dataset, [row.context for row in rows]),
        tuple(win for folder in folders for win in wins_of(folder.comparisons(), folder.read().plan.subject)),
        dict(first.inputs),
        first.notes,
        dict(runs[0].machine),
        tuple(misses),
        free and not any(run.verdicts for run in runs),
    )


def _shortened(miss: Marked) -> Marked:
    """Return a miss as it is shown: a prompt may hold a whole history, which stays in the run's folder."""
    reply = miss.outcome.reply
    short = replace(reply, prompt=clipped(reply.prompt, SHOWN), recalled=reply.recalled[:RECALLED])
    return replace(miss, outcome=replace(miss.outcome, reply=short))


def _row(run: Run, every: Sequence[Marked], context: str) -> RunScores:
    counted = [marked for marked in every if marked.mark.label not in (Label.SKIPPED, Label.UNJUDGED)]
    plain = [marked for marked in counted if marked.outcome.question.aspect != "Alignment"]
    aligned = [marked for marked in counted if marked.outcome.question.aspect == "Alignment"]
    shares = [marked.mark.f1 for marked in plain if marked.mark.f1 is not None]
    replies = [marked.outcome.reply for marked in counted]
    labels: dict[str, int] = {}
    for marked in every:
        labels[marked.mark.label] = labels.get(marked.mark.label, 0) + 1
    name = f"{run.plan.subject}, {run.plan.model}"
    return RunScores(
        name, context, _interval(plain), _interval(aligned), _interval(counted) if aligned else None,
        fmean(shares) if shares else None,
        _grouped(counted, lambda marked: marked.outcome.question.aspect),
        _grouped(counted, lambda marked: marked.outcome.question.task),
        labels,
        fmean(reply.tokens for reply in replies) if replies else 0.0,
        fmean(reply.generated for reply in replies) if replies else 0.0,
        median(reply.seconds for reply in replies) if replies else 0.0,
        run.learnt / run.seconds if run.seconds > 0.001 and run.plan.subject == "persona" else 0.0,
        sum(reply.left_out > 0 for reply in replies), stages_of(every),
    )  # fmt: skip


def _interval(every: Sequence[Marked]) -> Interval | None:
    return resample([marked.mark.score for marked in every], [marked.outcome.person for marked in every])


def _grouped(every: Sequence[Marked], group: Callable[[Marked], str]) -> dict[str, Interval]:
    groups: dict[str, list[Marked]] = {}
    for marked in every:
        if name := group(marked):
            groups.setdefault(name, []).append(marked)
    scores = {name: _interval(members) for name, members in groups.items()}
    return {name: score for name, score in scores.items() if score is not None}
