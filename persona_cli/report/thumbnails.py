"""Pictures made small for the page, as data URLs; one that is gone from the disk is left out."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageOps

from persona_cli.memory.media import Media
from persona_cli.records import Image

SIDE = 240
"""Pixels: twice the 120 that it is shown with, for fine screens."""


def thumbnail(media: Media, image: Image) -> str:
    """Return a square of the picture as a data URL; "" where the picture cannot be read."""
    source = media.source(image)
    try:
        with Pillow.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
            # a large photo is decoded at an eighth of its size: 48 of them in a second
            opened.draft("RGB", (SIDE, SIDE))
            square = ImageOps.fit(opened.convert("RGB"), (SIDE, SIDE))
    except (OSError, ValueError):
        return ""
    encoded = BytesIO()
    square.save(encoded, "JPEG", quality=68, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.getvalue()).decode('ascii')}"
