"""Where in a picture a thing is: Qwen2.5-VL's grounding format, and the box in the picture that is stored.

The model counts pixels of the picture it was given, which is the stored one resized as in training. What it
writes is taken strictly: an inverted box, or one outside the picture, is a break of the format.
"""

from __future__ import annotations

import json
import math
import re

from persona_cli.errors import FormatError
from persona_cli.records import Box

SIDE = 28
"""Pixels of one image token along each side: 14-pixel patches, merged two by two."""
MARGIN = 0.15
"""What is added to a box on each side, of its own width or height: boxes are drawn tight."""
NEARLY_ALL = 0.9
"""Share of the picture from which a crop would show nothing that the picture does not."""
_SMALLEST = 56 * 56
_MARKED = re.compile(r"<\|box_start\|>\(\s*(\d+),\s*(\d+)\),\s*\(\s*(\d+),\s*(\d+)\)<\|box_end\|>")
_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)

Corners = tuple[int, int, int, int]


def training_size(width: int, height: int, most_pixels: int) -> tuple[int, int]:
    """Return the size the training's processor gives a picture: multiples of 28, at most `most_pixels`.

    What is narrower than 1 to 200 it refuses; here it is stretched to one token across, as a picture that was kept
    must stay one that can be shown.
    """
    across, down = max(SIDE, round(width / SIDE) * SIDE), max(SIDE, round(height / SIDE) * SIDE)
    if across * down > most_pixels:
        scale = math.sqrt(width * height / most_pixels)
        across = max(SIDE, math.floor(width / scale / SIDE) * SIDE)
        down = max(SIDE, math.floor(height / scale / SIDE) * SIDE)
    elif across * down < _SMALLEST:
        scale = math.sqrt(_SMALLEST / (width * height))
        across, down = math.ceil(width * scale / SIDE) * SIDE, math.ceil(height * scale / SIDE) * SIDE
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
