"""The curve of the five traits over the turns, drawn with plotext for the terminal at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from persona_cli.personality import TRAITS, Traits
from persona_cli.records import Reading

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = ("cyan", "green", "orange", "magenta", "red")
_MARKERS = ("O", "C", "E", "A", "N")


def draw_history(readings: Sequence[Reading], console: Console) -> str:
    """Return the chart as text, without colour where the console has none; each trait is drawn as its initial."""
    import plotext

    vectors = [Traits(), *(reading.after for reading in readings)]
    plotext.clear_figure()
    plotext.theme("clear")
    for name, colour, marker in zip(TRAITS, _COLOURS, _MARKERS, strict=True):
        heights = [vector[name] for vector in vectors]
        plotext.plot(range(len(vectors)), heights, label=name, color=colour, marker=marker)
    plotext.plot_size(min(console.width, 100), 18)
    plotext.ylim(1, 5)
    plotext.yticks([1, 2, 3, 4, 5])
    plotext.xlabel("readings")
    drawn: str = plotext.build()
    return drawn if console.color_system else plotext.uncolorize(drawn)
