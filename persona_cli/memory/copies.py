"""Where exports and backups were written outside the home, so that forgetting can name what it cannot reach."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_NAME = "copies.jsonl"


@dataclass(frozen=True, slots=True)
class Copy:
    """One file that holds what was known when it was written."""

    path: str
    at: str
    """When, in ISO 8601."""
    sealed: bool


def note_copy(home: Path, copy: Copy) -> None:
    """Keep where a copy was written."""
    others = [known for known in _noted(home) if known.path != copy.path]
    unfinished = home / f".{_NAME}.new"
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(known)) + "\n" for known in (*others, copy))
    unfinished.replace(home / _NAME)


def copies_of(home: Path) -> tuple[Copy, ...]:
    """Return the copies that may still be there: not those whose folder is there and no longer holds them."""
    return tuple(copy for copy in _noted(home) if Path(copy.path).exists() or not Path(copy.path).parent.exists())


def _noted(home: Path) -> Iterator[Copy]:
    with suppress(OSError):
        for line in (home / _NAME).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError):
                yield Copy(**json.loads(line))
