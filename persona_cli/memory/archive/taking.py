"""Taking over an archive that was read and found whole: into an empty memory, all or nothing.

What reads like an instruction to a model goes into quarantine, as everything else does that is learnt. What says
that a person wrote it is believed only where the archive is that person's own: no model ever changes such a memory.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from persona_cli.errors import TransferError
from persona_cli.memory.archive import Progress, Transferred
from persona_cli.memory.archive.reading import Archive, content_of, lines_of, wrong
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store
from persona_cli.records import Author, Status

IsInstruction = Callable[[str], bool]
"""Tells whether a text reads like an instruction to a language model."""

_GATED: Mapping[str, tuple[str, ...]] = {
    "semantic": ("content", "quote", "subject", "keywords"),
    "core": ("key", "value"),
    "episode": ("summary", "keywords"),
    "habit": ("key", "text"),
}
"""The texts of each table that stand in prompts, where the row can be put into quarantine."""
_OWNED = ("semantic", "core", "episode", "habit", "reading")


def import_memory(
    store: Store,
    media: Media,
    archive: Archive,
    is_instruction: IsInstruction,
    progress: Progress = lambda _done, _all: None,
    *,
    signed: bool = False,
    mine: bool = False,
) -> Transferred:
    """Write an archive into an empty memory; raises `TransferError`, and leaves it empty then.

    With `signed` it was written here, and comes back to the letter; with `mine` a person says that it is their own.
    """
    if not store.empty():
        raise TransferError(
            "there are memories here already, and an export keeps its own ids",
            fix="Import it as another person, `persona --user NAME import FILE`, or into a new PERSONA_HOME; "
            "`persona restore FILE` puts it in the place of what is here.",
        )
    taking = _Taking(archive, media, store, is_instruction, signed=signed, mine=mine)
    try:
        with store.transaction():
            rows = store.import_rows(taking.rows(progress))
            taking.check_unchanged()
    except BaseException as exc:
        # the rows are rolled back with the transaction; the files are not rows
        for digest in taking.written:
            media.remove(digest)
        if isinstance(exc.__cause__, sqlite3.IntegrityError):
            raise wrong(taking.line, f"it does not go with the rows before it: {exc.__cause__}") from exc
        raise
    return Transferred(rows, archive.pictures, taking.quarantined, taking.disowned)


@dataclass
class _Taking:
    """One run through an archive."""

    archive: Archive
    media: Media
    store: Store
    is_instruction: IsInstruction
    signed: bool
    mine: bool
    written: list[str] = field(default_factory=list)
    quarantined: int = 0
    disowned: int = 0
    line: int = 0
    _read: Any = field(default_factory=hashlib.sha256)

    def rows(self, progress: Progress) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rows as they may be written; pictures, which come after all rows, are put in their place."""
        total = sum(self.archive.rows.values()) + self.archive.pictures
        images = None
        self.archive.file.seek(0)
        for number, text in lines_of(self.archive.file):
            self.line = number
            self._read.update(text)
            line = json.loads(text)
            if "row" in line:
                yield line["table"], self._admitted(line["table"], line["row"])
            elif "picture" in line:
                if images is None:
                    images = {image.hash: image for image in self.store.images.all()}
                image = images[line["picture"]]
                # one that lies there already is somebody's: it must not go where this comes to nothing
                if not self.media.path_of(image).exists():
                    self.written.append(image.hash)
                self.media.restore(image, content_of(self.line, line["picture"], line["content"]))
            progress(min(self.line, total), total)

    def check_unchanged(self) -> None:
        """Raise `TransferError` where the file is another one by now than the one that was checked."""
        if self._read.hexdigest() != self.archive.read:
            raise TransferError("the export was changed while it was read", fix="Import it again.")

    def _admitted(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        if self.signed:
            return row
        if not self.mine:
            row = self._disowned(table, row)
        if table == "image" and self.is_instruction(row["caption"]):
            self.quarantined += 1
            return {**row, "caption": ""}
        if row.get("author") != Author.PERSON and any(self.is_instruction(row[name]) for name in _GATED.get(table, ())):
            self.quarantined += 1
            return {**row, "status": Status.QUARANTINED.value}
        return row

    def _disowned(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        if table == "journal":
            # undo would bring back whom it names there
            return {**row, "before": _by_model(row["before"]), "after": _by_model(row["after"])}
        if table in _OWNED and row.get("author") == Author.PERSON:
            self.disowned += 1
            return {**row, "author": Author.MODEL.value}
        return row


def _by_model(columns: str | None) -> str | None:
    if columns is None or Author.PERSON not in columns:
        return columns
    kept = json.loads(columns)
    return json.dumps({**kept, "author": Author.MODEL.value}, ensure_ascii=False) if "author" in kept else columns
