"""What outlived a run that was killed: pictures that no message shows, files that no row speaks of, half-written files.

A picture's file is written before its row, a file half written lies beside the finished ones: a kill between the two
leaves what nobody would ever delete, and pictures are as personal as words. `persona doctor` names it and `--fix`
removes it; a conversation does so in passing with what is older than `GRACE`, which no run can still be at.
A picture that only a backup in the home has is no orphan: going back to that wants its file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.memory.private_file import find_unfinished
from persona_cli.records import Image, Kind, Ref

if TYPE_CHECKING:
    from persona_cli.memory import Memory

GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Orphans:
    """What is left over."""

    pictures: tuple[Image, ...]
    """Rows that no message shows and no memory names."""
    files: tuple[Path, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.pictures) + len(self.files)


def find_orphans(memory: Memory, grace: timedelta = timedelta(0)) -> Orphans:
    """Return what is left over and was not touched within `grace`; nothing is changed."""
    before = time.time() - grace.total_seconds()
    unused = memory.store.images.unused()
    pictures = tuple(image for image in unused if _is_older(memory.media.path_of(image), before))
    return Orphans(pictures, tuple(path for path in _files(memory) if _is_older(path, before)))


def remove_orphans(memory: Memory, grace: timedelta = timedelta(0)) -> int:
    """Delete what is left over and was not touched within `grace`, and return how much that was."""
    # whoever is storing a message at this moment is waited for
    with memory.store.transaction():
        found = find_orphans(memory, grace)
        for image in found.pictures:
            memory.store.images.drop_unused(image.id)
        for path in found.files:
            with suppress(OSError):
                path.unlink()
                path.parent.rmdir()
    spared = memory.in_backups() if found.pictures else ()
    for image in found.pictures:
        if image.hash not in spared:
            memory.media.remove(image.hash)
    return len(found)


def names_of(found: Orphans) -> tuple[str, ...]:
    """Return a sentence about each."""
    rows = tuple(f"{Ref(Kind.IMAGE, image.id)} is shown in no message" for image in found.pictures)
    return rows + tuple(f"{path} is a leftover" for path in found.files)


def _files(memory: Memory) -> Iterator[Path]:
    """Yield the files that belong to nothing that is stored."""
    places, known = memory.places, memory.store.images.hashes()
    yield from places.media.glob(".new-*")
    yield from find_unfinished(places.backups)
    for name in ("*.part", "*.json-part"):
        yield from places.cache.rglob(name)
    # embeddings of pictures, named as these are
    yield from (path for path in places.cache.glob("*/*/*.npy") if path.stem not in known)
    if strays := [path for path in places.media.glob("??/*") if path.stem not in known]:
        spared = memory.in_backups()
        yield from (path for path in strays if path.stem not in spared)


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime <= before
    except OSError:
        # a row whose file is gone is as old as anything
        return True
