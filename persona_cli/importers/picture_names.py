"""Which files are pictures, by their names."""

from __future__ import annotations

from pathlib import PurePosixPath

_SUFFIXES = frozenset({
    *(".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".gif", ".webp", ".avif", ".heic", ".heif", ".hif"),
    *(".tif", ".tiff", ".bmp", ".jp2", ".jpx", ".ppm"),
})  # fmt: skip


def is_picture(name: str) -> bool:
    """Tell whether a file's name is that of a picture; what camera makers call raw is none that can be shown."""
    return PurePosixPath(name).suffix.lower() in _SUFFIXES
