"""Pictures as the training saw them, for every engine: stretched to whole tokens, never letterboxed.

llama.cpp, also behind a server, would put a picture on black instead (image-token cosine against training falls to
0.29-0.79). A picture that has the right size already is left alone by all of them, and its tokens are known beforehand.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from persona_cli.errors import PictureError
from persona_cli.model.grounding import PictureForm
from persona_cli.records import PictureSource

if TYPE_CHECKING:
    from PIL.Image import Image


def sized(source: PictureSource, most_pixels: int, form: PictureForm | None = None) -> Image:
    """Return a stored picture in RGB as a family sees it, Qwen2.5-VL where none is given; raises `PictureError`."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
            upright = opened.convert("RGB")
    except OSError as exc:
        raise PictureError(
            f"{'The picture' if isinstance(source, bytes) else source} cannot be read as a picture",
            fix="It may have been deleted; add it again.",
        ) from exc
    form = form or PictureForm()
    return upright.resize(form.size(*upright.size, most_pixels), Pillow.Resampling[form.resampling])
