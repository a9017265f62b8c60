"""One HTML file: the tables, two plots as SVG, and the misses to read; nothing in it is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from persona_cli.evaluation.datasets.published_files import clipped
from persona_cli.evaluation.scores import Report
from persona_cli.evaluation.scores.intervals import Interval
from persona_cli.evaluation.scores.rendering import (
    cost_table,
    main_table,
    remarks,
    stage_table,
    task_table,
    title,
    wins_table,
)

MOST = 500
"""Misses on a page: a browser opens no page of all of a large run's."""
_LEFT, _WIDTH, _LINE = 330, 480, 24
_COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#4a5568", "#975a16", "#2c7a7b", "#9b2c2c")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a plot: its share, and its interval where it has one."""

    name: str
    share: float
    colour: str
    low: float | None = None
    high: float | None = None


def render_page(report: Report) -> str:
    """Return the report as an HTML document."""
    from jinja2 import Environment

    # everything that is filled in is escaped: replies and questions are other people's words
    environment = Environment(autoescape=True, trim_blocks=True)
    template = environment.from_string((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))
    return template.render(
        title=title(report),
        main=main_table(report),
        tasks=task_table(report),
        stages=stage_table(report),
        wins=wins_table(report),
        cost=cost_table(report),
        remarks=list(remarks(report)),
        misses=report.misses[:MOST],
        more=max(0, len(report.misses) - MOST),
        inputs=sorted(report.inputs.items()),
        machine=sorted(report.machine.items()),
        overall_plot=plot(_overall_bars(report), "Overall, per cent, with 95% intervals"),
        task_plot=plot(_task_bars(report), "By task, per cent"),
    )


def plot(bars: Sequence[Bar], heading: str) -> str:
    """Return horizontal bars as SVG."""
    if not bars:
        return ""
    height = _LINE * (len(bars) + 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 60} {height}" role="img" '
        f'width="{_LEFT + _WIDTH + 60}" font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(heading)}</title>",
        f'<text x="{_LEFT}" y="16" font-weight="bold">{escape(heading)}</text>',
    ]
    for place, bar in enumerate(bars):
        top = _LINE * (place + 1)
        parts.append(f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{escape(clipped(bar.name, 50))}</text>')
        parts.append(f'<rect x="{_LEFT}" y="{top + 4}" width="{_at(bar.share)}" height="16" fill="{bar.colour}"/>')
        if bar.low is not None and bar.high is not None:
            span = f'x1="{_LEFT + _at(bar.low)}" x2="{_LEFT + _at(bar.high)}"'
            parts.append(f'<line {span} y1="{top + 12}" y2="{top + 12}" stroke="#888" stroke-width="2"/>')
        parts.append(f'<text x="{_LEFT + _at(bar.share) + 6}" y="{top + 16}">{100 * bar.share:.1f}</text>')
    return "".join([*parts, "</svg>"])


def _at(share: float) -> float:
    return round(_WIDTH * min(1.0, max(0.0, share)), 1)


def _overall_bars(report: Report) -> list[Bar]:
    bars = [
        _bar(f"{row.name} {row.context}".strip(), row.overall, _COLOURS[place % len(_COLOURS)])
        for place, row in enumerate(report.rows)
        if row.overall is not None
    ]
    shown = [row for row in report.published if row.overall is not None]
    return bars + [
        Bar(f"{row.name} {row.context} (published)", row.overall / 100, "#bbb") for row in shown if row.overall
    ]


def _task_bars(report: Report) -> list[Bar]:
    return [
        _bar(f"{task} · {row.name}" if len(report.rows) > 1 else task, score, _COLOURS[place % len(_COLOURS)])
        for task in report.tasks
        for place, row in enumerate(report.rows)
        if (score := row.tasks.get(task)) is not None
    ]


def _bar(name: str, score: Interval, colour: str) -> Bar:
    return Bar(name, score.mean, colour, score.low, score.high)
