"""A picture in the terminal: by kitty's protocol, Sixel or half blocks, where textual-image is installed."""

from __future__ import annotations

import io
from importlib.util import find_spec

from persona_cli.cli.invocation import Invocation
from persona_cli.records import PictureSource

_ROWS = 12
"""Lines a picture may take."""


def show_picture(run: Invocation, source: PictureSource) -> None:
    """Show a picture small; in a pipe, on a terminal without colours or without the library, nothing."""
    if not run.out.is_terminal or run.out.is_dumb_terminal or run.out.color_system is None:
        return
    if find_spec("textual_image") is None:
        return
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError
    from rich.console import Console

    # it asks the terminal what it can when it is imported
    from textual_image.renderable import Image

    try:
        with Pillow.open(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
            opened.thumbnail((480, 480))
            # made of pixels: nobody's words pass here, and the sequences are what it is for
            Console().print(Image(opened.convert("RGB"), height=_ROWS, width="auto"))
    except (OSError, UnidentifiedImageError, ZeroDivisionError):
        # a terminal that does not say how large it is divides by nothing in there
        return
