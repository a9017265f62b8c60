"""Whether two pictures are one and the same: shown again smaller, saved again, or with a little cut off at the sides.

A hash of 64 bits finds what may be: it tells large shapes, so two slides of one template, two skies and two white pages
share it. What decides is a print of each picture, 128 x 128 greys and 8 x 8 colours, compared field by field:

1. a picture without detail (a sky, an empty page) is never said to be another one;
2. one is laid over the other as if up to 6% had been cut off at each side, wherever its lines fit best;
3. in every one of 64 fields with detail, what differs must be less than what is there: of two slides with
   other words some field differs by all that is in it.

imagehash offers no such thing: a hash of 1,024 bits knows copies (at most 30 bits apart, slides 196), but not one with
3% cut off (472), and its crop-resistant hash takes 0.7 s and nine of ten such pairs for the same (benchmarks/LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Greys = NDArray[np.float32]

METHOD = 1
"""Of the prints that are stored: those of another are made anew."""
SIDE = 128
_COLOURS = 8
_FIELDS = 8
_SIZE = SIDE * SIDE + _COLOURS * _COLOURS * 3

_Cut = tuple[float, float]
"""From where to where of a side, 0 to 1."""
_CUT, _STEP, _STEPS = 0.06, 0.01, (0.004, 0.00125)
"""How much may be missing at a side, how finely that is tried at first, and how finely then: 0.2 of a grey's width."""
_LEAST = 0.9
"""Of a side must be left."""
_STARTS: tuple[_Cut, ...] = ((0.0, 1.0), (0.0, 0.97), (0.03, 1.0), (0.015, 0.985))
"""Where columns may be while rows are laid for the first time; from one start alone a frame drags all to itself."""
_SHARES = 8
"""Bands of a picture whose lines are laid over each other, each by itself: one band alone fits too easily."""
_SMOOTH = SIDE // 16
_DETAIL = 9.0
"""Mean square of what a field has beyond its own shade, in greys, from which it has detail: paper grain has 2."""
_EMPTY = 0.2
"""Part of the fields with detail under which a picture is nearly empty: skies have 0, the emptiest slide 0.6."""
_DIFFERENT = 0.75
"""Part of a field's detail that may differ: of most copies 0.25, of the worst 0.64; of other slides 1.0 at least."""
_TINT = 25.0
"""Greys by which the colours may differ, on average."""


@dataclass(frozen=True, slots=True)
class Print:
    """A picture in small: greys (SIDE, SIDE) and colours (8, 8, 3), 0 to 255."""

    greys: Greys
    colours: Greys

    @property
    def detail(self) -> float:
        """Return the part of the fields that hold more than a shade, 0 to 1."""
        return float((_fields(_lines(self.greys) ** 2).mean(axis=1) > _DETAIL).mean())


def take_print(picture: Picture) -> bytes:
    """Return the print of an RGB picture as it is stored."""
    from PIL import Image as Pillow

    greys = picture.convert("L").resize((SIDE, SIDE), Pillow.Resampling.LANCZOS)
    colours = picture.resize((_COLOURS, _COLOURS), Pillow.Resampling.BOX)
    return greys.tobytes() + colours.tobytes()


def read_print(stored: bytes) -> Print:
    """Return a print from its bytes; raises `ValueError` for what is none."""
    if len(stored) != _SIZE:
        raise ValueError(f"a print has {_SIZE} bytes, not {len(stored)}")
    values = np.frombuffer(stored, dtype=np.uint8).astype(np.float32)
    return Print(values[: SIDE * SIDE].reshape(SIDE, SIDE), values[SIDE * SIDE :].reshape(_COLOURS, _COLOURS, 3))


def is_copy(one: Print, other: Print) -> bool:
    """Tell whether two prints are of one picture, whichever of them had its sides cut off."""
    if min(one.detail, other.detail) < _EMPTY or float(np.abs(one.colours - other.colours).mean()) > _TINT:
        return False
    return _holds(one.greys, other.greys) or _holds(other.greys, one.greys)


def _holds(whole: Greys, part: Greys) -> bool:
    """Tell whether `part` is `whole` without its rim."""
    laid = _lay(whole, part)
    lines, others = _blur(_lines(laid), 1), _blur(_lines(part), 1)
    detail = np.maximum(_fields(lines**2).mean(axis=1), _fields(others**2).mean(axis=1))
    apart = _fields((lines - others) ** 2).mean(axis=1)
    detailed = detail > _DETAIL
    return bool(detailed.any()) and float((apart[detailed] / detail[detailed]).max()) < _DIFFERENT


def _lay(whole: Greys, part: Greys) -> Greys:
    """Return `whole` cut where its lines fit those of `part` best: rows and columns by turns, ever more finely."""
    lines, rows, columns = _lines(whole), _bands(_lines(part)), _bands(_lines(part).T)

    def fit_rows(across: _Cut, cuts: NDArray[np.float64]) -> tuple[float, _Cut]:
        return _best(_bands(_cut_rows(lines.T, across).T), rows, cuts)

    def fit_columns(down: _Cut, cuts: NDArray[np.float64]) -> tuple[float, _Cut]:
        return _best(_bands(_cut_rows(lines, down).T), columns, cuts)

    tried = []
    for start in _STARTS:
        down = fit_rows(start, _cuts())[1]
        fit, across = fit_columns(down, _cuts())
        tried.append((fit, down, across))
    _, down, across = max(tried)
    down = fit_rows(across, _cuts())[1]
    for step in _STEPS:
        across = fit_columns(down, _around(across, step))[1]
        down = fit_rows(across, _around(down, step))[1]
    return _cut_rows(_cut_rows(whole, down).T, across).T


def _bands(lines: Greys) -> Greys:
    """Return (SIDE, bands): how dark each row is in each band; the rim, of which a part may be gone, tells nothing."""
    inner = lines[:, _SMOOTH : SIDE - _SMOOTH]
    bands: Greys = inner.reshape(SIDE, _SHARES, inner.shape[1] // _SHARES).mean(axis=2)
    return bands


def _best(bands: Greys, wanted: Greys, cuts: NDArray[np.float64]) -> tuple[float, _Cut]:
    """Return how well the best of the cuts (n, 2) makes rows fit, 0 to 1, and that cut."""
    inner = np.arange(_SMOOTH, SIDE - _SMOOTH)
    places = (cuts[:, :1] * SIDE + (inner + 0.5) * (cuts[:, 1:] - cuts[:, :1]) - 0.5).clip(0, SIDE - 1)
    low = places.astype(np.int64).clip(0, SIDE - 2)
    share = (places - low).astype(np.float32)[:, :, None]
    tried = bands[low] * (1 - share) + bands[low + 1] * share
    tried -= tried.mean(axis=1, keepdims=True)
    goal = wanted[inner] - wanted[inner].mean(axis=0)
    size = np.sqrt((tried**2).sum(axis=(1, 2)) * (goal**2).sum()) + 1e-6
    fit = (tried * goal).sum(axis=(1, 2)) / size
    best = int(fit.argmax())
    return float(fit[best]), (float(cuts[best, 0]), float(cuts[best, 1]))


@cache
def _cuts() -> NDArray[np.float64]:
    rim = np.arange(0, _CUT + _STEP / 2, _STEP)
    pairs = np.array([(start, 1 - end) for start in rim for end in rim])
    kept: NDArray[np.float64] = pairs[pairs[:, 1] - pairs[:, 0] >= _LEAST]
    return kept


def _around(cut: _Cut, step: float) -> NDArray[np.float64]:
    shifts = np.arange(-3, 4) * step
    return np.array([(max(0.0, cut[0] + first), min(1.0, cut[1] + last)) for first in shifts for last in shifts])


def _cut_rows(greys: Greys, cut: _Cut) -> Greys:
    """Return the rows from one place to another, as many as there were. No matrix: its threads wait for each other."""
    places = (cut[0] * SIDE + (np.arange(SIDE) + 0.5) * (cut[1] - cut[0]) - 0.5).clip(0, SIDE - 1)
    low = places.astype(np.int64).clip(0, SIDE - 2)
    share = (places - low).astype(np.float32)[:, None]
    cut_out: Greys = greys[low] * (1 - share) + greys[low + 1] * share
    return cut_out


def _lines(greys: Greys) -> Greys:
    """Return what stands out against its surroundings."""
    return np.subtract(greys, _blur(greys, _SMOOTH))


def _blur(greys: Greys, reach: int) -> Greys:
    """Return the mean of the square around each place."""
    width = 2 * reach + 1
    sums = np.pad(greys, reach, mode="edge").astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    sums = np.pad(sums, ((1, 0), (1, 0)))
    squares = sums[width:, width:] - sums[:-width, width:] - sums[width:, :-width] + sums[:-width, :-width]
    means: Greys = (squares / width**2).astype(np.float32)
    return means


def _fields(greys: Greys) -> Greys:
    """Return (fields, places of each)."""
    width = SIDE // _FIELDS
    return greys.reshape(_FIELDS, width, _FIELDS, width).transpose(0, 2, 1, 3).reshape(_FIELDS * _FIELDS, width * width)
