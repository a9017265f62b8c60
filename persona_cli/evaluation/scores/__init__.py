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
from persona_cli.evaluation.run_files import Outcome, Run, RunFolder
from persona_cli.evaluation.scores.comparing import Published, Wins, published_rows, wins_of
from persona_cli.evaluation.scores.intervals import Estimate, estimate
from persona_cli.evaluation.scores.stages import stages_of

SHOWN, RECALLED = 4_000, 30
"""Characters of a prompt, and pieces of what was recalled, that are shown with a miss."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One reply with its mark."""

    outcome: Outcome
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or the part of it with one size of history."""

    name: str
    """Subject and model."""
    context: str
    overall: Estimate | None
    """Without the questions of alignment."""
    alignment: Estimate | None
    total: Estimate | None
    """With them."""
    f1: float | None
    """Of free answers, without alignment."""
    aspects: dict[str, Estimate]
    tasks: dict[str, Estimate]
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
    rows: tuple[Row, ...]
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


def marked(run: Run, parse: Parse = Parse.PUBLISHED) -> tuple[Marked, ...]:
    """Return every reply of a run with its mark: the judge's where there is one, else by rule."""
    found = []
    for outcome in run.outcomes:
        verdict = run.verdicts.get(outcome.question.key)
        by_rule = mark(outcome.question, outcome.reply, parse)
        if verdict is None or outcome.reply.failed:
            found.append(Marked(outcome, by_rule))
        else:
            judged = verdict.as_mark()
            found.append(Marked(outcome, Mark(judged.score, judged.label, by_rule.f1, judged.why)))
    return tuple(found)


def make_report(folders: Sequence[RunFolder], parse: Parse = Parse.PUBLISHED) -> Report:
    """Return the report of runs of one data set."""
    runs = [folder.read() for folder in folders]
    first = runs[0].plan
    rows: list[Row] = []
    misses: list[Marked] = []
    for run in runs:
        every = marked(run, parse)
        contexts = dict.fromkeys(one.outcome.context for one in every) or {"": None}
        rows += (_row(run, [one for one in every if one.outcome.context == context], context) for context in contexts)
        misses += (_shortened(one) for one in every if one.mark.score < 1 and one.mark.label is not Label.SKIPPED)
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


def _row(run: Run, every: Sequence[Marked], context: str) -> Row:
    counted = [one for one in every if one.mark.label not in (Label.SKIPPED, Label.UNJUDGED)]
    plain = [one for one in counted if one.outcome.question.aspect != "Alignment"]
    aligned = [one for one in counted if one.outcome.question.aspect == "Alignment"]
    shares = [one.mark.f1 for one in plain if one.mark.f1 is not None]
    replies = [one.outcome.reply for one in counted]
    labels: dict[str, int] = {}
    for one in every:
        labels[one.mark.label] = labels.get(one.mark.label, 0) + 1
    name = f"{run.plan.subject}, {run.plan.model}"
    return Row(
        name, context, _estimate(plain), _estimate(aligned), _estimate(counted) if aligned else None,
        fmean(shares) if shares else None,
        _grouped(counted, lambda one: one.outcome.question.aspect),
        _grouped(counted, lambda one: one.outcome.question.task),
        labels,
        fmean(reply.tokens for reply in replies) if replies else 0.0,
        fmean(reply.generated for reply in replies) if replies else 0.0,
        median(reply.seconds for reply in replies) if replies else 0.0,
        run.learnt / run.seconds if run.seconds > 0.001 and run.plan.subject == "persona" else 0.0,
        sum(reply.left_out > 0 for reply in replies), stages_of(every),
    )  # fmt: skip


def _estimate(every: Sequence[Marked]) -> Estimate | None:
    return estimate([one.mark.score for one in every], [one.outcome.person for one in every])


def _grouped(every: Sequence[Marked], group: Callable[[Marked], str]) -> dict[str, Estimate]:
    groups: dict[str, list[Marked]] = {}
    for one in every:
        if name := group(one):
            groups.setdefault(name, []).append(one)
    found = {name: _estimate(members) for name, members in groups.items()}
    return {name: score for name, score in found.items() if score is not None}
