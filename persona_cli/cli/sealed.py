"""Archives on their way to and from files: exclusive, private, and sealed with a passphrase where that is asked for."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from persona_cli.errors import TransferError, UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PASSPHRASE = "PERSONA_PASSPHRASE"  # noqa: S105 - the name of a variable
_LOOKED_EVERY = 16_000_000
"""Bytes of an archive after which it is looked again whether there is memory to seal it in."""


@contextmanager
def written(file: Path | None, *, force: bool, encrypt: bool) -> Iterator[BinaryIO]:
    """Yield what to write an archive to: a private file that gets its name when it is complete, or standard output."""
    from persona_cli.memory.private_file import check_free, private_file

    if file is not None:
        # before somebody thinks up a passphrase
        check_free(file, overwrite=force)
    passphrase = new_passphrase() if encrypt else None
    if file is None:
        with _sealing(sys.stdout.buffer, passphrase) as out:
            yield out
        sys.stdout.flush()
        return
    with private_file(file, overwrite=force) as private, _sealing(private, passphrase) as out:
        yield out


def opened(file: Path) -> BinaryIO:
    """Open an archive, and ask for the passphrase where it is sealed; what was sealed is nowhere on the disk."""
    from persona_cli.memory.archive.reading import path_file
    from persona_cli.memory.sealing import is_sealed, unseal

    raw = path_file(file)
    if not is_sealed(raw):
        return raw
    with raw:
        _check_memory(os.fstat(raw.fileno()).st_size)
        return io.BytesIO(unseal(raw.read(), _passphrase(f"Passphrase of {file.name}", new=False)))


def new_passphrase() -> str:
    """Return a new passphrase, asked for twice; raises `UsageError` where nobody can be asked."""
    return _passphrase("Passphrase", new=True)


@contextmanager
def _sealing(out: BinaryIO, passphrase: str | None) -> Iterator[BinaryIO]:
    if passphrase is None:
        yield out
        return
    from persona_cli.memory.sealing import seal

    whole = _Whole()
    yield whole
    out.write(seal(whole.getvalue(), passphrase))


class _Whole(io.BytesIO):
    """An archive that is gathered to be sealed; raises `TransferError` once there is no memory to seal it in."""

    _looked = 0

    def write(self, content: ReadableBuffer, /) -> int:
        """Add to it."""
        written = super().write(content)
        if self.tell() - self._looked >= _LOOKED_EVERY:
            self._looked = self.tell()
            _check_memory(self._looked, held=self._looked)
        return written


def _check_memory(size: int, held: int = 0) -> None:
    """Raise `TransferError` where sealing or opening so many bytes, `held` of them in memory, takes more than is free.

    Else the system would end the program, or another one, in the middle of it.
    """
    from persona_cli.memory.sealing import TAKES
    from persona_cli.model.weights import free_memory

    free, needed = free_memory(), int(size * TAKES) - held
    if free and needed > free:
        raise TransferError(
            f"an archive of {size / 1e6:,.0f} MB and more is sealed and opened in memory: that takes"
            f" {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} are free",
            fix="Let age itself do it, in a stream: `persona export | age -p > FILE`, `age -d FILE > ARCHIVE`.",
        )


def _passphrase(prompt: str, *, new: bool) -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask for the passphrase", fix=f"Set {PASSPHRASE}.")
    given = str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))
    if not given.strip():
        raise UsageError("the passphrase is empty", fix="Choose one of several words.")
    return given
