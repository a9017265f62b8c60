"""The curves of the five traits over the readings, as letters on a grid: O C E A N, with a legend below.

Drawn here because it is so little: plotext 6 keeps one figure for the whole process and takes 200 ms to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from persona_cli.personality import HIGHEST, LOWEST, TRAITS, Traits
from persona_cli.records import Reading

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = ("cyan", "green", "yellow", "magenta", "red")
_STEPS = 4
"""Rows to one point of the scale."""
_SHARED = "+"
"""Where curves meet."""


def draw_history(readings: Sequence[Reading], width: int) -> Text:
    """Return the curves from the neutral start to the last reading, at most `width` columns wide."""
    from rich.text import Text

    vectors = [Traits(), *(reading.after for reading in readings)]
    columns = _sampled(vectors, max(10, min(width, 100) - 6))
    text = Text()
    rows = round((HIGHEST - LOWEST) * _STEPS)
    for row in range(rows, -1, -1):
        score = LOWEST + row / _STEPS
        text.append(f"{score:3.0f} ┤" if row % _STEPS == 0 else "    │", "dim")
        for vector in columns:
            text.append(*_cell(vector, row))
        text.append("\n")
    text.append(f"    └{'─' * len(columns)}\n", "dim")
    text.append(f"     {len(readings)} readings, oldest on the left\n     ", "dim")
    for name, colour in zip(TRAITS, _COLOURS, strict=True):
        text.append(name[0].upper(), f"bold {colour}")
        text.append(f"{name[1:]}  ", colour)
    text.append(f"{_SHARED} several")
    return text


def _sampled(vectors: Sequence[Traits], most: int) -> Sequence[Traits]:
    """Return the vectors stretched or thinned to the columns there are; the first and the last always show."""
    if len(vectors) <= most:
        wide = min(most // len(vectors), 6)
        return [vector for vector in vectors for _ in range(wide)]
    last = len(vectors) - 1
    return [vectors[round(column * last / (most - 1))] for column in range(most)]


def _cell(vector: Traits, row: int) -> tuple[str, str]:
    """Return the letter and the colour of one place of the grid."""
    here = [at for at, (_, score) in enumerate(vector) if round((score - LOWEST) * _STEPS) == row]
    if not here:
        return ("·", "dim") if row == round((HIGHEST - LOWEST) * _STEPS / 2) else (" ", "")
    if len(here) > 1:
        return _SHARED, ""
    return TRAITS[here[0]][0].upper(), _COLOURS[here[0]]
