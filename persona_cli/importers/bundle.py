"""What an import was given: a file, a folder or a zip, seen alike as names that can be read.

Zips that lie in a bundle are part of it, as Claude splits its exports. Nothing is unpacked to the disk, and nothing
outside the bundle can be named from within.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from persona_cli.errors import TransferError

HEAD = 65_536
"""Bytes by which a file is recognised."""
_RATIO, _BOMB = 200, 1_000_000_000
"""How many times its size a zip's member may unpack to from that many bytes on; text takes five to ten."""
_NESTED = 2_000_000_000
"""Bytes of all zips within a zip: each is kept in a file without a name while it is read."""
_FILES = 1_000_000
"""Files of a bundle: a gigabyte of names."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What is raised by a zip that is damaged, or newer than the reader."""
_FOLDERS = 100_000
_PIECE = 65_536

OnRead = Callable[[int], None]
"""Told how many bytes were read now."""


@dataclass(frozen=True, slots=True)
class _Member:
    size: int
    open: Callable[[], BinaryIO]


class Bundle:
    """The files of an export by their names, which have forward slashes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.on_read: OnRead = lambda _count: None
        self._zips: list[zipfile.ZipFile] = []
        self._apart: list[BinaryIO] = []
        self._bytes_apart = 0

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._zips:
            archive.close()
        for apart in self._apart:
            apart.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Every file, in the order of their names."""
        return tuple(self._members)

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""
        return self._members[name].size

    def named(self, *patterns: str) -> tuple[str, ...]:
        """Return the files whose name without its folder matches one of the patterns ("conversations-*.json")."""
        return tuple(name for name in self._members if any(PurePosixPath(name).match(one) for one in patterns))

    def only(self, *endings: str) -> tuple[str, ...]:
        """Return the one file there is, where its name has one of the endings."""
        return self.names if len(self.names) == 1 and self.names[0].lower().endswith(endings) else ()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open one file; raises `TransferError` where it cannot be read, also later and in the middle of it."""
        try:
            with self._members[name].open() as file:
                yield io.BufferedReader(_Counted(file, self.on_read), _PIECE)
        except KeyError as exc:
            raise TransferError(f"{self.path} has no file {name}", fix="Export again.") from exc
        except _BROKEN as exc:
            raise TransferError(f"{name} in {self.path} is damaged: {exc}", fix="Download the export again.") from exc
        except OSError as exc:
            raise TransferError(f"{name} cannot be read: {exc.strerror or exc}", fix="Check its permissions.") from exc

    def read(self, name: str, most: int) -> bytes:
        """Return the content of a file that has at most so many bytes; raises `TransferError`."""
        if self.size(name) > most:
            raise TransferError(f"{name} has more than {most:,} bytes", fix="Leave it out of the folder.")
        with self.open(name) as file:
            return file.read(most)

    def head(self, name: str) -> bytes:
        """Return the first bytes of a file, for a look at what it is; nothing of one that cannot be read."""
        try:
            with self.open(name) as file:
                return file.read(HEAD)
        except TransferError:
            return b""

    @cached_property
    def _members(self) -> dict[str, _Member]:
        found = dict(sorted(islice(self._found(), _FILES + 1)))
        if len(found) > _FILES:
            raise TransferError(f"{self.path} has over {_FILES:,} files", fix="Name the folder of the export itself.")
        if not found:
            raise TransferError(
                f"{self.path} is a directory without files", fix="Name the export as it was downloaded."
            )
        return found

    def _found(self) -> Iterator[tuple[str, _Member]]:
        if not self.path.is_dir():
            yield from self._unfolded(self.path.name, self.path)
            return
        for count, (folder, _, files) in enumerate(os.walk(self.path)):
            if count > _FOLDERS:
                raise TransferError(f"{self.path} has too many folders", fix="Name the folder of the export itself.")
            for file in files:
                path = Path(folder, file)
                if path.is_file() and not path.is_symlink():
                    yield from self._unfolded(path.relative_to(self.path).as_posix(), path)

    def _unfolded(self, name: str, path: Path) -> Iterator[tuple[str, _Member]]:
        if name.lower().endswith(".zip") or (path == self.path and zipfile.is_zipfile(path)):
            prefix = "" if path == self.path else f"{name}/"
            yield from self._zipped(prefix, path)
        else:
            yield name, _Member(path.stat().st_size, lambda: path.open("rb"))

    def _zipped(self, prefix: str, source: Path | BinaryIO, depth: int = 0) -> Iterator[tuple[str, _Member]]:
        try:
            archive = zipfile.ZipFile(source)
        except (*_BROKEN, OSError, ValueError) as exc:
            raise TransferError(f"{prefix or self.path} is no whole zip: {exc}", fix="Download it again.") from exc
        self._zips.append(archive)
        for member in archive.infolist():
            if member.is_dir():
                continue
            self._check(member)
            if member.filename.lower().endswith(".zip") and not depth:
                yield from self._zipped(f"{prefix}{member.filename}/", self._unpacked(archive, member), depth + 1)
            else:
                yield f"{prefix}{member.filename}", _Member(member.file_size, _opening(archive, member))

    def _unpacked(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
        """Return a zip within a zip as a file without a name: seeking in a packed one reads it again from its start."""
        import shutil
        import tempfile

        self._bytes_apart += member.file_size
        if self._bytes_apart > _NESTED:
            raise TransferError(f"{member.filename} is too large", fix="Unpack the zip and name its folder.")
        apart = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the bundle
        self._apart.append(apart)
        try:
            with archive.open(member) as packed:
                shutil.copyfileobj(packed, apart)
        except (*_BROKEN, OSError) as exc:
            raise TransferError(f"{member.filename} cannot be unpacked: {exc}", fix="Download it again.") from exc
        return apart

    def _check(self, member: zipfile.ZipInfo) -> None:
        if member.flag_bits & 1:
            raise TransferError(f"{member.filename} is encrypted", fix="Unpack the zip and name its folder.")
        if member.file_size > _BOMB and member.file_size > _RATIO * max(1, member.compress_size):
            raise TransferError(
                f"{member.filename} would unpack to {member.file_size:,} bytes", fix="Export again: this is no export."
            )


def _opening(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    # zipfile says IO[bytes] for what is one
    return lambda: archive.open(member)  # type: ignore[return-value]


class _Counted(io.RawIOBase):
    """A file that says how much of it is read."""

    def __init__(self, file: BinaryIO, on_read: OnRead) -> None:
        self._file = file
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any buffer, says the base
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self._on_read(len(content))
        return len(content)
