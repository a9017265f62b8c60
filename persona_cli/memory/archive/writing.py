"""Writing an archive: every row and every picture, one line each, and the checksum of it all."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, BinaryIO

from persona_cli.errors import StorageError
from persona_cli.memory.archive import FORMAT, VERSION, Progress, Transferred
from persona_cli.memory.archive.signing import sign
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store


def export_memory(
    store: Store, media: Media, out: BinaryIO, progress: Progress = lambda _done, _all: None, key: bytes | None = None
) -> Transferred:
    """Write everything that is not derived to `out`, signed with `key` where there is one."""
    written = _Lines(out)
    rows, pictures = store.tables(), store.images.all()
    total, done = sum(rows.values()) + len(pictures), 0
    written.add({"format": FORMAT, "version": VERSION, "rows": rows, "pictures": len(pictures)})
    for table, row in store.export_rows():
        written.add({"table": table, "row": row})
        done += 1
        progress(done, total)
    for image in pictures:
        try:
            content = media.path_of(image).read_bytes()
        except OSError as exc:
            raise StorageError(
                f"picture {image.hash} cannot be read: {exc.strerror}",
                fix=f"Run `persona doctor`; `persona memory forget i{image.id}` lets go of a lost picture.",
            ) from exc
        written.add({"picture": image.hash, "content": base64.b64encode(content).decode()})
        done += 1
        progress(done, total)
    checksum = written.checksum
    written.add({"end": {"sha256": checksum, "signature": None if key is None else sign(key, checksum)}})
    return Transferred(rows, len(pictures))


class _Lines:
    """The lines of an archive, with the checksum of those written so far."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._digest = hashlib.sha256()

    @property
    def checksum(self) -> str:
        return self._digest.hexdigest()

    def add(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._digest.update(text)
        self._out.write(text)
