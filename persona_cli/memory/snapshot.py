"""The database as its file and its write-ahead log hold it at one moment, read without a lock and without a write.

SQLite itself cannot do that: opened for reading it makes a `-shm` and a `-wal` beside a database that has none, and
what it opens as immutable is read without the log. The bytes returned here are opened in memory. The format of the
log is part of what SQLite promises (https://www.sqlite.org/walformat.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from persona_cli.errors import BusyError, StorageError

_HEADER, _FRAME = 32, 24
"""Bytes before the frames of a log, and before the page of each."""
_MAGIC = 0x377F0682
"""The last bit says that checksums are made of big-endian words."""
_TRIES = 20


def read_snapshot(path: Path) -> bytes:
    """Return the database at `path`, with every transaction that was committed to it; b"" where there is none.

    Raises `StorageError` where it cannot be read, `BusyError` where it changes faster than it can be.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        for _ in range(_TRIES):
            before = _state(path, log)
            pages, frames = _bytes(path), _bytes(log)
            # a checkpoint or a new log in the meantime: what was read is of two moments
            if _state(path, log) == before:
                return _alone(_applied(pages, frames)) if pages else b""
    except OSError as exc:
        raise StorageError(f"{path} cannot be read: {exc.strerror}.", fix="Check its permissions.") from exc
    raise BusyError(f"Another persona is writing to {path}.", fix="Try again when it has finished, or close it.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _state(path: Path, log: Path) -> tuple[int, int, bytes]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, b""
    try:
        with log.open("rb") as file:
            return found.st_mtime_ns, found.st_size, file.read(_HEADER)
    except FileNotFoundError:
        return found.st_mtime_ns, found.st_size, b""


def _applied(pages: bytes, log: bytes) -> bytes:
    """Return the pages with those of the log in their places, up to its last commit."""
    if len(log) < _HEADER:
        return pages
    size, changed, waiting = struct.unpack_from(">I", log, 8)[0], bytearray(pages), {}
    for number, commit, page in _frames(log, size):
        waiting[number] = page
        if commit:
            # the size of the database after this transaction, in pages
            del changed[commit * size :]
            changed.extend(bytes(commit * size - len(changed)))
            for place, content in waiting.items():
                if place <= commit:
                    changed[(place - 1) * size : place * size] = content
            waiting.clear()
    return bytes(changed)


def _frames(log: bytes, size: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (page number, pages after the commit or 0, page) of each frame that belongs to the log and is whole."""
    magic, salts = struct.unpack_from(">I", log)[0], log[16:24]
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC:
        return
    sums = _summed(log[:24], order, (0, 0))
    if sums != struct.unpack_from(">II", log, 24):
        return
    for start in range(_HEADER, len(log) - _FRAME - size + 1, _FRAME + size):
        number, commit = struct.unpack_from(">II", log, start)
        page = log[start + _FRAME : start + _FRAME + size]
        # what is left of an older log has other salts, what was cut off another sum
        sums = _summed(log[start : start + 8], order, sums) if log[start + 8 : start + 16] == salts else (-1, -1)
        if sums[0] >= 0:
            sums = _summed(page, order, sums)
        if sums != struct.unpack_from(">II", log, start + 16):
            return
        yield number, commit, page


def _summed(content: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the running checksum after `content`: 0.1 ms for a page, 0.1 s for a log as long as it usually grows."""
    first, second = sums
    for even, odd in struct.iter_unpack(f"{order}II", content):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _alone(pages: bytes) -> bytes:
    """Return the database as one that has no log: in memory there is none."""
    return pages[:18] + b"\x01\x01" + pages[20:]
