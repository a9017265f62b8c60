"""The lossless export and its way back: one JSONL file with every row of the truth and every picture.

The first line says what the file is and how much it holds; then one line per row, in an order in which they can be
written again, then one line per picture. Vectors and full text are derived and left out. An import goes into an empty
memory only, keeps every id, and is one transaction: a file that breaks off in the middle leaves nothing behind.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from persona_cli.errors import StorageError, TransferError
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store

FORMAT = "persona-export"
VERSION = 1

Progress = Callable[[int, int], None]
"""Told how many of how many lines are done."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What an export wrote or an import read."""

    rows: Mapping[str, int]
    """Rows by table."""
    pictures: int


def export_memory(
    store: Store, media: Media, out: TextIO, progress: Progress = lambda _done, _all: None
) -> Transferred:
    """Write everything that is not derived to `out`."""
    rows, pictures = store.tables(), store.images.all()
    total, done = sum(rows.values()) + len(pictures), 0
    _write(out, {"format": FORMAT, "version": VERSION, "rows": rows, "pictures": len(pictures)})
    for table, row in store.export_rows():
        _write(out, {"table": table, "row": row})
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
        _write(out, {"picture": image.hash, "content": base64.b64encode(content).decode()})
        done += 1
        progress(done, total)
    return Transferred(rows, len(pictures))


def is_export(path: Path) -> bool:
    """Tell whether the first line of `path` is that of an export."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and first.get("format") == FORMAT


def import_memory(store: Store, media: Media, path: Path, progress: Progress = lambda _done, _all: None) -> Transferred:
    """Read an export into an empty memory; raises `TransferError` that names the line, and leaves it empty then."""
    if not store.empty():
        raise TransferError(
            "there are memories here already, and an export keeps its own ids",
            fix="Import it as another person, `persona --user NAME import FILE`, or into a new PERSONA_HOME.",
        )
    with path.open(encoding="utf-8") as file:
        lines = _lines(file, path)
        header = _header(next(lines, None), path)
        total = sum(header["rows"].values()) + header["pictures"]
        written: list[str] = []
        try:
            with store.transaction():
                rows = store.import_rows(_rows(lines, written, media, store, lambda done: progress(done, total)))
                _check(header, rows, len(written), path)
        except BaseException:
            # the rows are rolled back with the transaction; the files are not rows
            for digest in written:
                media.remove(digest)
            raise
    return Transferred(rows, len(written))


def _rows(
    lines: Iterator[tuple[int, dict[str, Any]]],
    written: list[str],
    media: Media,
    store: Store,
    tell: Callable[[int], None],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows; pictures, which come after all rows, are put in their place as they pass."""
    images = None
    for done, (number, line) in enumerate(lines, 1):
        tell(done)
        if "row" in line:
            yield line["table"], line["row"]
            continue
        if images is None:
            images = {image.hash: image for image in store.images.all()}
        digest = line.get("picture", "")
        if digest not in images:
            raise TransferError(f"line {number}: a picture that no row speaks of", fix="Export again.")
        media.restore(images[digest], _content(line, number))
        written.append(digest)


def _content(line: dict[str, Any], number: int) -> bytes:
    try:
        content = base64.b64decode(line["content"], validate=True)
    except (KeyError, binascii.Error) as exc:
        raise TransferError(f"line {number}: a picture without its content", fix="Export again.") from exc
    if hashlib.sha256(content).hexdigest() != line["picture"]:
        raise TransferError(f"line {number}: a picture that is not what its name says", fix="Export again.")
    return content


def _header(first: tuple[int, dict[str, Any]] | None, path: Path) -> dict[str, Any]:
    header = first[1] if first is not None else {}
    if header.get("format") != FORMAT:
        raise TransferError(f"{path} is no persona export", fix="Name a file that `persona export` wrote.")
    if header.get("version") != VERSION:
        raise TransferError(
            f"{path} has version {header.get('version')}; this persona reads {VERSION}", fix="Update persona."
        )
    return header


def _check(header: dict[str, Any], rows: Mapping[str, int], pictures: int, path: Path) -> None:
    found = {table: count for table, count in rows.items() if count}
    wanted = {table: count for table, count in header["rows"].items() if count}
    if found != wanted or pictures != header["pictures"]:
        raise TransferError(f"{path} is not whole: it has fewer lines than it says", fix="Export again.")


def _lines(file: TextIO, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            line = json.loads(text)
            if not isinstance(line, dict):
                raise TransferError(f"line {number} of {path} is no JSON object", fix="Export again.")
            yield number, line
    except (UnicodeDecodeError, json.JSONDecodeError) as exc:
        raise TransferError(f"{path} is damaged: {exc}", fix="Export again, or copy the file again.") from exc


def _write(out: TextIO, line: dict[str, Any]) -> None:
    out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
