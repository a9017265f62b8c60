"""Sealing what leaves the home with a passphrase, in the age format: `age --decrypt FILE` opens it without persona.

pyrage is age's Rust implementation. In version 1.4, the newest, streams are for keys alone; with a passphrase it takes
and gives whole texts: sealing 200 MB takes 730 MB of memory and 4 s, opening them as much. No other library that is
kept up does it in Python. A second passphrase-made key beside the file, or a stream format of our own, would open with
no other program; so whoever has less memory is told, before it is used up, how age does it in a stream. scrypt
stretches the passphrase until a try takes about a second.
"""

from __future__ import annotations

from typing import BinaryIO

from persona_cli.errors import TransferError

_MARK = b"age-encryption.org/v1"

TAKES = 3.7
"""Bytes of memory for each byte of what is sealed or opened."""


def is_sealed(file: BinaryIO) -> bool:
    """Tell whether a file is one that age has written; it is left at its beginning."""
    found = file.read(len(_MARK)) == _MARK
    file.seek(0)
    return found


def seal(content: bytes, passphrase: str) -> bytes:
    """Return the content as only the passphrase opens it."""
    from pyrage import passphrase as age

    return bytes(age.encrypt(content, passphrase))


def unseal(content: bytes, passphrase: str) -> bytes:
    """Return what was sealed; raises `TransferError` for another passphrase or a file that was changed."""
    from pyrage import DecryptError
    from pyrage import passphrase as age

    try:
        return bytes(age.decrypt(content, passphrase))
    except DecryptError as exc:
        raise TransferError(
            f"it cannot be opened: {str(exc).lower()}", fix="Check the passphrase; or the file was sealed for a key."
        ) from exc
