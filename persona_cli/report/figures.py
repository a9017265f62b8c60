"""Figures of the page as SVG: the radar of the traits, the curve of each, the conversations over time.

Colours are classes of the page's own style, so that one figure is right on paper, in light and in dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from persona_cli.personality import HIGHEST, LOWEST, NEUTRAL, TRAITS, Traits
from persona_cli.records.counting import counted
from persona_cli.report.gathering import TraitStory

_RADIUS = 96.0
_WIDE, _HIGH = 260.0, 76.0
_LEAST_SPAN = 1.0
"""Points of the scale a curve's window has at least: small steps stay small to the eye."""
_STEPS = 160
"""Points a curve is drawn with at most."""
_BARS, _WIDEST = 110, 22.0
"""Bars of the strip at most, and how wide one is at most: days while they fit, then weeks, then months."""


def radar(traits: Traits) -> Markup:
    """Return the five scores on their axes, with the ring of the neutral score marked."""
    parts = [_ring(score) for score in (1.0, 2.0, 4.0, 5.0)] + [_ring(NEUTRAL, "ring neutral")]
    for at, name in enumerate(TRAITS):
        x, y = _spoke(at, HIGHEST)
        parts.append(f'<line class="axis" x1="0" y1="0" x2="{x:.1f}" y2="{y:.1f}"/>')
        parts.append(_axis_label(at, name, traits[name]))
    shape = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_spoke(at, traits[name]) for at, name in enumerate(TRAITS)))
    parts.append(f'<polygon class="shape" points="{shape}"/>')
    for at, name in enumerate(TRAITS):
        x, y = _spoke(at, traits[name])
        parts.append(f'<circle class="dot t-{name}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
    scores = ", ".join(f"{name} {score:.1f}" for name, score in traits)
    return _figure("radar", "-212 -126 424 250", f"The five traits: {scores}", parts)


def curve(story: TraitStory, since: datetime, until: datetime, span: tuple[float, float]) -> Markup:
    """Return how one trait moved between two moments, on a scale that all five share."""
    low, high = span
    seconds = max((until - since).total_seconds(), 1.0)

    def place(at: datetime, score: float) -> tuple[float, float]:
        along = min(max((at - since).total_seconds() / seconds, 0.0), 1.0)
        return along * _WIDE, _HIGH - (score - low) / (high - low) * _HIGH

    neutral = place(since, NEUTRAL)[1]
    steps = [(since, NEUTRAL), *thinned(story.curve, _STEPS), (until, story.score)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _stairs([place(*step) for step in steps]))
    parts = [
        f'<line class="neutral" x1="0" x2="{_WIDE:g}" y1="{neutral:.1f}" y2="{neutral:.1f}"/>',
        f'<polygon class="area t-{story.name}" points="0,{neutral:.1f} {points} {_WIDE:g},{neutral:.1f}"/>',
        f'<polyline class="line t-{story.name}" points="{points}"/>',
    ]
    for move in story.moves:
        x, y = place(move.at, move.after)
        told = escape(f"{move.before:.2f} to {move.after:.2f}: {move.words[:160]}")
        dot = f'<circle class="dot t-{story.name}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">'
        parts.append(f"{dot}<title>{told}</title></circle>")
    return _figure("curve", f"-6 -8 {_WIDE + 12:g} {_HIGH + 16:g}", f"{story.name} over time", parts)


def common_span(stories: Sequence[TraitStory]) -> tuple[float, float]:
    """Return the part of the scale that all curves are drawn on."""
    scores = [NEUTRAL, *(story.score for story in stories), *(score for story in stories for _, score in story.curve)]
    low, high = min(scores) - 0.1, max(scores) + 0.1
    missing = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return max(LOWEST, low - missing), min(HIGHEST, high + missing)


def strip(days: Sequence[tuple[date, int]]) -> Markup:
    """Return how many messages there were over time, as bars."""
    if not days:
        return Markup("")
    bars = _binned(days)
    most = max(count for _, count in bars)
    width = min(1000.0 / len(bars), _WIDEST)
    parts = []
    for at, (first, count) in enumerate(bars):
        high = 0.0 if not count else max(2.0, math.sqrt(count / most) * 56)
        said = f"{counted(count, 'messages')} from {first.day} {first:%b %Y}"
        parts.append(
            f'<rect class="bar" x="{at * width:.1f}" y="{60 - high:.1f}" width="{max(width - 2, 1):.1f}"'
            f' height="{high:.1f}" rx="1.5"><title>{said}</title></rect>'
        )
    parts.append('<line class="axis" x1="0" x2="1000" y1="60.5" y2="60.5"/>')
    parts += _month_labels(bars, width)
    return _figure("strip", "0 0 1000 80", "Messages over time", parts)


def thinned(curve_: Sequence[tuple[datetime, float]], most: int) -> Sequence[tuple[datetime, float]]:
    """Return at most so many of the points, the last among them."""
    if len(curve_) <= most:
        return curve_
    last = len(curve_) - 1
    return [curve_[round(at * last / (most - 1))] for at in range(most)]


def _figure(kind: str, box: str, label: str, parts: Sequence[str]) -> Markup:
    # every part is made here, of numbers and escaped words
    inner = Markup("".join(parts))  # noqa: S704
    return Markup('<svg class="{}" viewBox="{}" role="img" aria-label="{}">{}</svg>').format(kind, box, label, inner)


def _spoke(at: int, score: float) -> tuple[float, float]:
    angle = 2 * math.pi * at / len(TRAITS) - math.pi / 2
    length = _RADIUS * (score - LOWEST + 0.35) / (HIGHEST - LOWEST + 0.35)
    return length * math.cos(angle), length * math.sin(angle)


def _ring(score: float, kind: str = "ring") -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_spoke(at, score) for at in range(len(TRAITS))))
    return f'<polygon class="{kind}" points="{points}"/>'


def _axis_label(at: int, name: str, score: float) -> str:
    x, y = _spoke(at, HIGHEST)
    said = f'<tspan class="score">{score:.1f}</tspan>'
    if abs(x) < 1:
        return f'<text class="label" x="0" y="{y - 10:.1f}" text-anchor="middle">{name} {said}</text>'
    x, y = x * 1.1, y * 1.12 + (6 if y > 0 else 0)
    below = said.replace("<tspan", f'<tspan x="{x:.1f}" dy="15"')
    return (
        f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{"start" if x > 0 else "end"}">{name}{below}</text>'
    )


def _stairs(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield the corners of steps: a score holds until the next reading."""
    yield points[0]
    for (_, before), (x, y) in pairwise(points):
        yield x, before
        yield x, y


def _binned(days: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """Return the messages of each day, week or month, whichever gives enough bars and not too many."""
    first, last = days[0][0], days[-1][0]
    span = (last - first).days
    begin, after = _DAYS if span < _BARS else _WEEKS if span // 7 < _BARS else _MONTHS
    counts: dict[date, int] = {}
    at = begin(first)
    while at <= last:
        counts[at] = 0
        at = after(at)
    for day, count in days:
        counts[begin(day)] += count
    return list(counts.items())


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


_Step = Callable[[date], date]
_DAYS: tuple[_Step, _Step] = (lambda day: day, lambda day: day + timedelta(days=1))
_WEEKS: tuple[_Step, _Step] = (lambda day: day - timedelta(days=day.weekday()), lambda day: day + timedelta(days=7))
_MONTHS: tuple[_Step, _Step] = (lambda day: day.replace(day=1), _next_month)
"""Where a bar begins that has a day, and where the next one does."""


def _month_labels(bars: Sequence[tuple[date, int]], width: float) -> list[str]:
    """Return the labels of the time axis, far enough apart to be read."""
    parts, free = [], 0.0
    shown: tuple[int, int] | None = None
    for at, (first, _) in enumerate(bars):
        x = at * width
        if (first.year, first.month) == shown or x < free or x > 940:
            continue
        shown, free = (first.year, first.month), x + 84
        parts.append(f'<text class="tick" x="{x:.1f}" y="76">{first:%b %Y}</text>')
    return parts
