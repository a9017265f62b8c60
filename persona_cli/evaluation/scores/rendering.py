"""A report as Markdown tables, and as the values that JSON has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from persona_cli.evaluation.datasets.published_files import clipped
from persona_cli.evaluation.scores import Report, RunScores
from persona_cli.evaluation.scores.comparing import Published
from persona_cli.evaluation.scores.intervals import Interval
from persona_cli.evaluation.scores.stages import COLUMNS

Table = tuple[list[str], list[list[str]]]
"""Head and rows."""
SHOWN_MISSES = 20
TROUBLES = ("unreadable", "failed", "unjudged", "skipped")


def markdown(report: Report) -> str:
    """Return the whole report as Markdown."""
    return "\n".join(_parts(report)).rstrip() + "\n"


def title(report: Report) -> str:
    """Return what the report is about."""
    return f"{report.dataset} {report.variant}".strip()


def main_table(report: Report) -> Table:
    """Return the paper's table: a row for each run and context, the published ones below."""
    aligned = any(row.alignment for row in report.rows) or any(row.alignment for row in report.published)
    aspects = [aspect for aspect in report.aspects if aspect != "Alignment"]
    head = ["", *(["context"] if any(row.context for row in report.rows) else []), *aspects, "overall"]
    head += ["alignment", "with alignment"] if aligned else []
    if any(row.f1 is not None for row in report.rows):
        head.append("F1")
    rows = [_cells(head, row, aspects) for row in report.rows]
    return head, rows + [_published_cells(head, row, aspects) for row in report.published]


def task_table(report: Report) -> Table:
    """Return a row for each task, a column for each run."""
    head = ["task", "questions", *(f"{row.name} {row.context}".strip() for row in report.rows)]
    rows = []
    for task in report.tasks:
        counts = [row.tasks[task].count for row in report.rows if task in row.tasks]
        rows.append([task, str(max(counts)), *(interval(row.tasks.get(task)) for row in report.rows)])
    return head, rows


def cost_table(report: Report) -> Table:
    """Return what each run took, and what went wrong in it."""
    head = ["", "questions", "tokens a question", "written", "seconds a question", "learnt a second", *TROUBLES]
    head.append("history cut")
    rows = [
        [
            f"{row.name} {row.context}".strip(), str(sum(row.labels.values())), f"{row.tokens:,.0f}",
            f"{row.generated:,.0f}", f"{row.seconds:.2f}", f"{row.learnt:.1f}" if row.learnt else "–",
            *(str(row.labels.get(label, 0)) for label in TROUBLES), str(row.left_out),
        ]
        for row in report.rows
    ]  # fmt: skip
    return head, rows


def stage_table(report: Report) -> Table:
    """Return the operations of a memory apart, a row for each run."""
    rows = [
        [row.name, *(f"{100 * row.stages[column]:.1f}" if column in row.stages else "–" for column in COLUMNS)]
        for row in report.rows
        if row.stages
    ]
    return ["", *COLUMNS], rows


def wins_table(report: Report) -> Table:
    """Return the pairwise comparisons."""
    head = ["", "criterion", "wins", "ties", "losses", "unjudged"]
    rows = [
        [f"{win.name} against {win.against}", win.criterion, interval(win.won),
         f"{100 * (1 - win.won.mean - win.lost.mean):.1f}", interval(win.lost), str(win.unjudged)]
        for win in report.wins
    ]  # fmt: skip
    return head, rows


def interval(score: Interval | None) -> str:
    """Return "61.0 (52.5–69.5)", in per cent."""
    if score is None:
        return "–"
    return f"{100 * score.mean:.1f} ({100 * score.low:.1f}–{100 * score.high:.1f})"


def percent(score: Interval | None) -> str:
    """Return "61.0"."""
    return "–" if score is None else f"{100 * score.mean:.1f}"


def remarks(report: Report) -> Iterator[str]:
    """Yield what a reader has to know to read the tables rightly."""
    yield "Intervals hold 95 of 100 resampled means; people are drawn, of fewer than eight their questions."
    yield f"Letters are read {'as published' if report.parse == 'published' else 'strictly'}."
    if report.by_words:
        yield "Free answers are marked by their words: no judge was asked."
    if any("lite" in row.name for row in report.rows):
        yield "The built-in model writes no letters: the option closest to what it says and recalls is taken."
    if report.published:
        yield "Rows marked (published) are the paper's own numbers, not run here."
    yield from report.notes


def _cells(head: Sequence[str], row: RunScores, aspects: Sequence[str]) -> list[str]:
    cells = [row.name, *([row.context] if "context" in head else [])]
    cells += [percent(row.aspects.get(aspect)) for aspect in aspects]
    cells.append(interval(row.overall))
    if "alignment" in head:
        cells += [interval(row.alignment), percent(row.total)]
    return cells + ([f"{100 * row.f1:.1f}" if row.f1 is not None else "–"] if "F1" in head else [])


def _published_cells(head: Sequence[str], row: Published, aspects: Sequence[str]) -> list[str]:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    cells = [f"{row.name} (published)", *([row.context] if "context" in head else [])]
    cells += [number(row.aspects.get(aspect)) for aspect in aspects]
    cells.append(number(row.overall))
    if "alignment" in head:
        cells += [number(row.alignment), "–"]
    return cells + (["–"] if "F1" in head else [])


def _parts(report: Report) -> Iterator[str]:
    yield f"# {title(report)}\n"
    yield from _table(main_table(report))
    sections = (
        ("Operations of the memory", stage_table),
        ("By task", task_table),
        ("Pairs", wins_table),
        ("Cost", cost_table),
    )
    for heading, make in sections:
        yield from _section(heading, make(report))
    yield "\n## How to read this\n"
    yield from (f"- {remark}" for remark in remarks(report))
    yield f"\n## Misses ({len(report.misses)})\n"
    for miss in report.misses[:SHOWN_MISSES]:
        asked, reply = miss.outcome.question, miss.outcome.reply
        gold = asked.answer or "; ".join(asked.criteria)
        said = reply.failed or reply.text
        yield f"- **{_inline(asked.text or asked.answer, 120)}** ({asked.task}; {miss.mark.label})"
        yield f"  gold: {_inline(gold, 120)}; said: {_inline(said, 160)}"
    yield "\n## Inputs\n"
    yield from (f"- `{name}` {digest}" for name, digest in sorted(report.inputs.items()))


def _section(heading: str, table: Table) -> Iterator[str]:
    if table[1]:
        yield f"\n## {heading}\n"
        yield from _table(table)


def _table(table: Table) -> Iterable[str]:
    head, rows = table
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join(["---", *["--:"] * (len(head) - 1)]) + "|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _inline(text: str, most: int) -> str:
    return clipped(" ".join(text.split()), most).replace("<", "&lt;")
