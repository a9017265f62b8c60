"""Archives on their way to and from files: exclusive, private, and sealed with a passphrase where that is asked for."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from persona_cli.errors import UsageError

PASSPHRASE = "PERSONA_PASSPHRASE"  # noqa: S105 - the name of a variable


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

    whole = io.BytesIO()
    yield whole
    out.write(seal(whole.getvalue(), passphrase))


def _passphrase(prompt: str, *, new: bool) -> str:
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask for the passphrase", fix=f"Set {PASSPHRASE}.")
    given = str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new, err=True))
    if not given.strip():
        raise UsageError("the passphrase is empty", fix="Choose one of several words.")
    return given
