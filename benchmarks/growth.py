"""Draw measurements that grow as a PNG: both axes logarithmic, so that what doubles with the memory is a slope of one.

With Pillow, which is installed anyway, so that a plot needs no plotting library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_SIZE = (960, 600)
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 50, 740, 550
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement by size."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a value lies between two powers of ten."""

    low: int
    high: int
    start: int
    end: int

    def place(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def draw(path: Path, title: str, lines: Sequence[Line]) -> None:
    """Write the chart; values must be above zero."""
    across = _scale([x for line in lines for x, _ in line.points], _LEFT, _RIGHT)
    up = _scale([y for line in lines for _, y in line.points], _BOTTOM, _TOP)
    picture = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(16)
    pen.text((_LEFT, 14), title, "black", font)
    _grid(pen, font, across, up)
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [(across.place(x), up.place(y)) for x, y in line.points]
        pen.line(places, colour, 3)
        for x, y in places:
            pen.ellipse((x - 5, y - 5, x + 5, y + 5), colour)
        pen.rectangle((_RIGHT + 25, _TOP + 30 * number, _RIGHT + 41, _TOP + 16 + 30 * number), colour)
        pen.text((_RIGHT + 50, _TOP - 2 + 30 * number), line.name, "black", font)
    picture.save(path)


def _grid(
    pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, across: _Scale, up: _Scale
) -> None:
    for power in range(across.low, across.high + 1):
        x = across.place(10.0**power)
        pen.line((x, _TOP, x, _BOTTOM), "#dddddd")
        pen.text((x, _BOTTOM + 8), f"{10**power:,}", "black", font, anchor="ma")
    for power in range(up.low, up.high + 1):
        y = up.place(10.0**power)
        pen.line((_LEFT, y, _RIGHT, y), "#dddddd")
        pen.text((_LEFT - 8, y), f"{10.0**power:,g}", "black", font, anchor="rm")


def _scale(values: Sequence[float], start: int, end: int) -> _Scale:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return _Scale(low, max(high, low + 1), start, end)
