"""How a family of models sees a picture, and where in it a thing is: Qwen's format, as a box in what is stored.

Qwen2.5-VL counts pixels of the picture it was given, which is the stored one resized as in training, Qwen3-VL
thousandths. What is written is taken strictly: an inverted box, or one outside the picture, is a break of the format.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Literal

from persona_cli.errors import FormatError
from persona_cli.records import Box

SIDE = 28
"""Pixels of one image token along each side: 14-pixel patches, merged two by two."""
MARGIN = 0.15
"""What is added to a box on each side, of its own width or height: boxes are drawn tight."""
NEARLY_ALL = 0.9
"""Share of the picture from which a crop would show nothing that the picture does not."""
_MARKED = re.compile(r"<\|box_start\|>\(\s*(\d+),\s*(\d+)\),\s*\(\s*(\d+),\s*(\d+)\)<\|box_end\|>")
_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)

Corners = tuple[int, int, int, int]
PIXELS, THOUSANDTHS = "pixels of the picture", "thousandths of its width and of its height"


@dataclass(frozen=True, slots=True)
class PictureForm:
    """How a family sees a picture: in tokens of `side` pixels; the defaults are Qwen2.5-VL's."""

    side: int = SIDE
    square: int = 0
    """Pixels a side of the square that every picture is stretched to; 0 where pictures keep their form."""
    counted: str = PIXELS
    """What the numbers of a box are, in the words of a prompt; "" for a family that was trained on no boxes."""
    resampling: Literal["BICUBIC", "BILINEAR"] = "BICUBIC"

    def size(self, width: int, height: int, most_pixels: int) -> tuple[int, int]:
        """Return the pixels a stored picture is shown in."""
        if self.square:
            return self.square, self.square
        return training_size(width, height, most_pixels, self.side)

    def tokens(self, width: int, height: int) -> int:
        """Return the tokens of a picture that has its size, with the two that stand around it."""
        return width * height // self.side**2 + 2

    def whole(self, pixels: int) -> int:
        """Return as many pixels as make whole tokens."""
        return pixels // self.side**2 * self.side**2

    def counts_to(self, shown: tuple[int, int]) -> tuple[int, int]:
        """Return what the numbers of a box go up to, across and down, in a picture shown in so many pixels."""
        return (1000, 1000) if self.counted == THOUSANDTHS else shown


def training_size(width: int, height: int, most_pixels: int, side: int = SIDE) -> tuple[int, int]:
    """Return the size the training's processor gives a picture: multiples of `side`, at most `most_pixels`.

    What is narrower than 1 to 200 it refuses; here it is stretched to one token across, as a picture that was kept
    must stay one that can be shown.
    """
    least = (2 * side) ** 2
    across, down = max(side, round(width / side) * side), max(side, round(height / side) * side)
    if across * down > most_pixels:
        scale = math.sqrt(width * height / most_pixels)
        across = max(side, math.floor(width / scale / side) * side)
        down = max(side, math.floor(height / scale / side) * side)
    elif across * down < least:
        scale = math.sqrt(least / (width * height))
        across, down = math.ceil(width * scale / side) * side, math.ceil(height * scale / side) * side
    return across, down


def parse_box(text: str, seen: tuple[int, int], stored: tuple[int, int]) -> Box | None:
    """Return the box a reply gives, in a picture seen at one size and stored at another; None for an empty list.

    A box of nearly all of the picture is the whole of it. Raises `FormatError` for what is no box in the picture.
    """
    corners = _corners(text.strip())
    if corners is None:
        return None
    left, top, right, bottom = corners
    if not (0 <= left < right <= seen[0] and 0 <= top < bottom <= seen[1]):
        raise FormatError(f"{list(corners)} is no box [x1, y1, x2, y2] in a picture of {seen[0]} x {seen[1]} pixels")
    across, down = stored[0] / seen[0], stored[1] / seen[1]
    aside, above = MARGIN * (right - left), MARGIN * (bottom - top)
    box = Box(
        left=max(0, math.floor((left - aside) * across)),
        top=max(0, math.floor((top - above) * down)),
        right=min(stored[0], math.ceil((right + aside) * across)),
        bottom=min(stored[1], math.ceil((bottom + above) * down)),
    )
    return Box(0, 0, *stored) if box.width * box.height >= NEARLY_ALL * stored[0] * stored[1] else box


def _corners(text: str) -> Corners | None:
    """Return the numbers of a reply, None for an empty list; raises `FormatError`."""
    if marked := _MARKED.search(text):
        left, top, right, bottom = map(int, marked.groups())
        return left, top, right, bottom
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise FormatError("it is no JSON list") from exc
    if loaded == []:
        return None
    first = loaded[0] if isinstance(loaded, list) else None
    corners = _whole_numbers(first.get("bbox_2d")) if isinstance(first, dict) else None
    if corners is None:
        raise FormatError("it is no list of one entry with bbox_2d: four whole numbers")
    return corners


def _whole_numbers(found: object) -> Corners | None:
    if not isinstance(found, list) or len(found) != 4 or any(type(one) is not int for one in found):
        return None
    left, top, right, bottom = found
    return left, top, right, bottom
