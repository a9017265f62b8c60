"""Pictures as they are stored, and parts of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PictureSource = Path | bytes
"""What a picture is read from: its file, or its bytes where they are kept in no file."""


@dataclass(frozen=True, slots=True)
class Image:
    """A stored picture: upright RGB bytes in media/, named by the SHA-256 of those bytes."""

    id: int
    hash: str
    mime: str
    width: int
    height: int
    size: int
    """Bytes on disk."""
    phash: str
    """Perceptual hash, 16 hexadecimal digits: near-equal for resized and recompressed copies."""
    added_at: datetime
    caption: str = ""
    """What it shows, as a model or a person describes it: never the words of a message."""
    crop_of: str | None = None
    """SHA-256 of the picture this one was cut from."""
    caption_by: str | None = None
    """The model that was asked for the caption, whatever became of it; "" for a person, None while nobody was."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return how many pixels it is across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return how many pixels it is high."""
        return self.bottom - self.top
