"""The key that signs exports, so that an archive made here is known again as this person's own.

It lies beside config.toml, not in the memory: an archive is read into an empty one, which could know nothing of it.
A signature tells who wrote an archive; the checksum, which needs no key, tells whether all of it has arrived.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

_BYTES = 32


def open_key(path: Path) -> bytes | None:
    """Return the key in `path`, made at the first call; None where none can be kept."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # of two processes one makes it
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
    with suppress(OSError):
        key = path.read_bytes()
        return key if len(key) == _BYTES else None
    return None


def sign(key: bytes, checksum: str) -> str:
    """Return the signature of an archive with this checksum: 64 hex digits."""
    return hmac.new(key, checksum.encode("ascii"), hashlib.sha256).hexdigest()


def is_signed(key: bytes | None, checksum: str, signature: str | None) -> bool:
    """Tell whether this key signed the archive."""
    return bool(key and signature) and hmac.compare_digest(sign(key or b"", checksum), signature or "")
