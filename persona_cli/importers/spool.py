"""What was read, on its way into memory in the order of its times, however large it is.

Exports have their conversations in any order, often the newest first, while a memory learns from the oldest on. So
sessions are written to a file without a name, which is gone with the process, and only where each begins is kept: 24
bytes for a session.
"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from persona_cli.errors import StorageError
from persona_cli.importers.exchanges import Told


class Spool:
    """Sessions in a file without a name."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this
        self._places, self._starts = array("q"), array("d")

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, session: Sequence[Told], *, learn: bool) -> None:
        """Keep a session; raises `StorageError` where the disk is full."""
        line = json.dumps([learn, [_plain(told) for told in session]], ensure_ascii=False)
        self._starts.append(session[0].at.timestamp())
        self._places.append(self._file.tell())
        try:
            self._file.write(line.encode() + b"\n")
        except OSError as exc:
            raise StorageError(
                f"There is no room for the import: {exc.strerror}", fix="Free some of the disk."
            ) from exc

    def in_order(self) -> Iterator[tuple[bool, list[Told]]]:
        """Yield whether to learn from each session, and the session, oldest first."""
        for place in sorted(range(len(self._places)), key=self._starts.__getitem__):
            self._file.seek(self._places[place])
            learn, session = json.loads(self._file.readline())
            yield learn, [_told(fields) for fields in session]


def _plain(told: Told) -> list[Any]:
    # an offset is all that is left of a zone; "Europe/Berlin" has no other way through a file
    return [told.at.isoformat(), told.key.hex(), told.user, told.answer, told.pictures]


def _told(fields: list[Any]) -> Told:
    at = datetime.fromisoformat(fields[0])
    return Told(at, at, bytes.fromhex(fields[1]), fields[2], [fields[3]] if fields[3] else [], tuple(fields[4]))
