"""A chart of lines as one SVG that stands by itself: how numbers went, step by step.

Its colours are in it, with those of a dark page beside them; the label of a line stands where the line ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 240.0, 52.0, 96.0, 28.0, 28.0
_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea")
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#374151}line{stroke:#d1d5db}"
    "@media(prefers-color-scheme:dark){text{fill:#d1d5db}line{stroke:#4b5563}}"
)


def chart(title: str, panels: Mapping[str, Mapping[str, Points]]) -> str:
    """Return panels of lines above each other, (x, y) each, by the name of the panel and of the line."""
    high = _TOP + len(panels) * (_HIGH + _BOTTOM)
    parts = [f'<text x="{_LEFT:g}" y="18" font-weight="600">{escape(title)}</text>']
    for place, (name, lines) in enumerate(panels.items()):
        parts.append(f'<g transform="translate(0 {_TOP + place * (_HIGH + _BOTTOM):g})">{_panel(name, lines)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + _RIGHT:g} {high:g}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def smoothed(points: Points, weight: float = 0.1) -> list[tuple[float, float]]:
    """Return the running mean of a line in which each new point weighs as much as said."""
    means: list[tuple[float, float]] = []
    for x, y in points:
        means.append((x, y if not means else means[-1][1] + weight * (y - means[-1][1])))
    return means


def _panel(name: str, lines: Mapping[str, Points]) -> str:
    every = [point for line in lines.values() for point in line]
    if not every:
        return ""
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)

    def place(x: float, y: float) -> tuple[float, float]:
        along = (x - left) / (right - left or 1.0)
        return _LEFT + along * _WIDE, _HIGH - (y - low) / (high - low or 1.0) * (_HIGH - 24)

    parts = [f'<text x="{_LEFT + 6:g}" y="20">{escape(name)}</text>']
    for score in (low, high):
        y = place(left, score)[1]
        parts.append(f'<line x1="{_LEFT:g}" x2="{_LEFT + _WIDE:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">{score:.3g}</text>')
    for x, mark in ((place(left, low)[0], left), (place(right, low)[0], right)):
        parts += [f'<text x="{x:.1f}" y="{_HIGH + 16:g}" text-anchor="middle">{mark:g}</text>']
    for colour, (label, line) in zip(_COLOURS, ((label, line) for label, line in lines.items() if line), strict=False):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        end = place(*line[-1])
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
        parts.append(f'<text x="{end[0] + 6:.1f}" y="{end[1] + 4:.1f}" style="fill:{colour}">{escape(label)}</text>')
    return "".join(parts)
