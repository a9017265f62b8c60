"""Room on a full disk, for forgetting: SQLite needs some to delete in, and what can be made again has more."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from persona_cli.memory.vectors.minilm_files import NAME, parts
from persona_cli.paths import Places

ENOUGH = 16_000_000
"""Bytes that forgetting a message in a home of 10,000 turns takes for the moment, four times over."""


def make_room(places: Places) -> int:
    """Delete what is derived where less than `ENOUGH` is free, and return how many bytes that was.

    Caches, the copy of the vectors, the embedding model as converted: all of it comes back when it is needed.
    """
    if not places.home.exists() or shutil.disk_usage(places.home).free >= ENOUGH:
        return 0
    freed = 0
    for folder in (places.cache, places.chroma):
        freed += sum(_size(path) for path in folder.rglob("*"))
        shutil.rmtree(folder, ignore_errors=True)
    for graph in places.weights.glob(f"{NAME}.*.onnx"):
        for path in parts(graph):
            size = _size(path)
            with suppress(OSError):
                path.unlink()
                freed += size
    return freed


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
