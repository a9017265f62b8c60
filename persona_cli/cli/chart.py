"""The five traits over the readings, as small curves of block letters: two rows each in a history, one in the profile.

All five share one part of the scale, so that a large step looks large beside a small one. Drawn here because it is so
little: plotext 6 keeps one figure for the whole process and takes 200 ms to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from persona_cli.personality import HIGHEST, LOWEST, NEUTRAL, TRAITS, Traits
from persona_cli.records import Reading
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = dict(zip(TRAITS, ("cyan", "green", "yellow", "magenta", "red"), strict=True))
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_WIDEST_NAME = max(map(len, TRAITS))
_LEAST_SPAN = 1.0
"""Points of the scale that the window has at least: small steps stay small to the eye."""


def draw_history(readings: Sequence[Reading], width: int) -> Text:
    """Return a curve of two rows for each trait, from the neutral start to the last reading, at most `width` wide."""
    from rich.text import Text

    vectors = [Traits(), *(reading.after for reading in readings)]
    low, high = _window(vectors)
    room = max(10, min(width, 100) - _WIDEST_NAME - 10)
    text = Text()
    for name in TRAITS:
        scores = _sampled([vector[name] for vector in vectors], room)
        upper, lower = _rows(scores, low, high)
        text.append(f"{'':{_WIDEST_NAME}}  ")
        text.append(upper, _COLOURS[name])
        text.append(f"\n{name:{_WIDEST_NAME}}  ", "bold")
        text.append(lower, _COLOURS[name])
        text.append(f"  {scores[-1]:.2f}\n")
    text.append(f"{counted(len(readings), 'readings')}, oldest on the left; ", "dim")
    text.append(f"from {low:.1f} at the foot to {high:.1f}, 3 is neutral", "dim")
    return text


def sparkline(scores: Sequence[float], low: float, high: float, width: int) -> str:
    """Return scores as one row of block letters; "" where nothing has moved."""
    if len(set(scores)) < 2:
        return ""
    return "".join(_EIGHTHS[1 + _level(score, low, high, 7)] for score in _sampled(scores, width, stretch=1))


def scale_of(readings: Sequence[Reading]) -> tuple[float, float]:
    """Return the part of the scale that the curves of these readings are drawn on."""
    return _window([Traits(), *(reading.after for reading in readings)])


def _window(vectors: Sequence[Traits]) -> tuple[float, float]:
    scores = [NEUTRAL, *(score for vector in vectors for _, score in vector)]
    low, high = min(scores) - 0.1, max(scores) + 0.1
    missing = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return max(LOWEST, low - missing), min(HIGHEST, high + missing)


def _rows(scores: Sequence[float], low: float, high: float) -> tuple[str, str]:
    levels = [1 + _level(score, low, high, 15) for score in scores]
    upper = "".join(_EIGHTHS[max(0, level - 8)] for level in levels)
    return upper, "".join(_EIGHTHS[min(8, level)] for level in levels)


def _level(score: float, low: float, high: float, most: int) -> int:
    return round((score - low) / (high - low) * most)


def _sampled(scores: Sequence[float], most: int, *, stretch: int = 6) -> Sequence[float]:
    """Return the scores stretched or thinned to the columns there are; the first and the last always show."""
    if len(scores) <= most:
        wide = min(most // len(scores), stretch)
        return list(_repeated(scores, wide))
    last = len(scores) - 1
    return [scores[round(column * last / (most - 1))] for column in range(most)]


def _repeated(scores: Sequence[float], times: int) -> Iterator[float]:
    for score in scores:
        yield from (score for _ in range(times))
