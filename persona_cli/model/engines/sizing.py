"""Pictures as the training saw them, for every engine: stretched to multiples of 28 pixels, never letterboxed.

llama.cpp, also behind a server, would put a picture on black instead (image-token cosine against training falls to
0.29-0.79). A picture that has the right size already is left alone by all of them, and its tokens are known beforehand.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from persona_cli.errors import PictureError
from persona_cli.model.grounding import SIDE, training_size
from persona_cli.records import PictureSource

if TYPE_CHECKING:
    from PIL.Image import Image


def sized(source: PictureSource, most_pixels: int) -> Image:
    """Return a stored picture in RGB at its training size; raises `PictureError` for what is no picture."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
            upright = opened.convert("RGB")
    except OSError as exc:
        raise PictureError(
            f"{'The picture' if isinstance(source, bytes) else source} cannot be read as a picture",
            fix="It may have been deleted; add it again.",
        ) from exc
    return upright.resize(training_size(*upright.size, most_pixels), Pillow.Resampling.BICUBIC)


def tokens_of_size(width: int, height: int) -> int:
    """Return the tokens of a picture that has its training size, with the two that stand around it."""
    return width * height // SIDE**2 + 2
