"""Reading an archive: every line of it is checked before anything is written, and the first that is wrong is named."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from persona_cli.errors import TransferError
from persona_cli.memory.archive import FORMAT, VERSION, Progress
from persona_cli.memory.archive.signing import is_signed
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store

_OLDEST = 1
_LONGEST = 64 * 1024 * 1024
"""Bytes of a line: a picture of 2,048 pixels square that cannot be compressed takes 17 MB as base64."""
_HEADER_LENGTH = 100_000
_AGAIN = "Export again, or copy the file again; nothing was changed."


@dataclass(frozen=True, slots=True)
class ArchivedPicture:
    """What its row says of a picture, so that its file can be checked."""

    row: Mapping[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was read to its end and can be taken over."""

    file: BinaryIO
    rows: Mapping[str, int]
    pictures: int
    read: str
    """SHA-256 of the whole file, to see that it is still the same when it is taken over."""
    checksum: str
    """SHA-256 of all lines but the last."""
    signature: str | None

    def signed_by(self, key: bytes | None) -> bool:
        """Tell whether the archive was made with this key."""
        return is_signed(key, self.checksum, self.signature)


def is_export(file: BinaryIO) -> bool:
    """Tell whether the first line is that of an export; the file is left at its beginning."""
    try:
        first = json.loads(file.readline(_HEADER_LENGTH))
    except (ValueError, RecursionError):
        return False
    finally:
        file.seek(0)
    return isinstance(first, dict) and first.get("format") == FORMAT


def read_archive(file: BinaryIO, store: Store, progress: Progress = lambda _done, _all: None) -> Archive:
    """Check a whole archive; raises `TransferError` that names the first line that is wrong."""
    from persona_cli.memory.archive.envelope import EndLine, PictureLine

    lines = lines_of(file)
    header = _header(next(lines, (1, b""))[1])
    total = sum(header.rows.values()) + header.pictures
    links, counts, pictures = _Links(store), Counter[str](), _Pictures()
    end: EndLine | None = None
    body, whole = hashlib.sha256(), hashlib.sha256()
    file.seek(0)
    for number, text in lines_of(file):
        whole.update(text)
        if end is not None:
            raise wrong(number, "something stands behind the end")
        if number > 1:
            line = _line(number, text)
            if isinstance(line, EndLine):
                end = line
                continue
            if isinstance(line, PictureLine):
                pictures.check(number, line.picture, line.content)
            else:
                counts[line.table] += 1
                links.note(number, line.table, line.row)
                pictures.note(number, line.table, line.row)
            progress(min(number, total), total)
        body.update(text)
    _check_end(header.version, end, body.hexdigest())
    if dict(counts) != {table: count for table, count in header.rows.items() if count}:
        raise TransferError("the export is not whole: it has other lines than it says", fix=_AGAIN)
    links.check()
    pictures.check_all(header.pictures)
    signature = None if end is None else end.end.signature
    return Archive(file, header.rows, header.pictures, whole.hexdigest(), body.hexdigest(), signature)


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield every line with its number, blank ones left out; raises `TransferError` for one that is too long."""
    number = 0
    while text := file.readline(_LONGEST):
        number += 1
        if len(text) == _LONGEST:
            raise wrong(number, f"it is longer than {_LONGEST // 1024**2} MB")
        if text.strip():
            yield number, text


def content_of(number: int, digest: str, encoded: str) -> bytes:
    """Return the bytes of a picture's line; raises `TransferError` where they are not what its name says."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise wrong(number, "a picture without its content") from exc
    if hashlib.sha256(content).hexdigest() != digest:
        raise wrong(number, "a picture that is not what its name says")
    return content


def wrong(number: int, reason: str) -> TransferError:
    """Return the error that names a line."""
    return TransferError(f"line {number}: {reason}", fix=_AGAIN)


def _header(text: bytes) -> Any:
    from persona_cli.memory.archive.envelope import parse_header

    try:
        header = parse_header(text)
    except ValueError as exc:
        raise wrong(1, str(exc)) from exc
    if not _OLDEST <= header.version <= VERSION:
        raise TransferError(
            f"the export has version {header.version}; this persona reads {_OLDEST} to {VERSION}", fix="Update persona."
        )
    return header


def _line(number: int, text: bytes) -> Any:
    from persona_cli.memory.archive.envelope import parse_line

    try:
        return parse_line(text)
    except ValueError as exc:
        raise wrong(number, str(exc)) from exc


def _check_end(version: int, end: Any, checksum: str) -> None:
    if version == _OLDEST and end is None:
        return
    if end is None:
        raise TransferError("the export is not whole: its last line is missing", fix=_AGAIN)
    if end.end.sha256 != checksum:
        raise TransferError("the export is not as it was written: its checksum differs", fix=_AGAIN)


class _Links:
    """The references between rows, as the schema declares them, checked once all rows are known."""

    def __init__(self, store: Store) -> None:
        self._links = store.links()
        self._there: dict[tuple[str, str], set[object]] = {
            (link.to_table, link.to_column): set() for links in self._links.values() for link in links
        }
        self._wanted: dict[tuple[str, str, object], tuple[int, str]] = {}

    def note(self, number: int, table: str, row: Mapping[str, Any]) -> None:
        """Keep what a row is known by and what it refers to."""
        for (of, column), known in self._there.items():
            if of == table and column in row:
                if row[column] in known:
                    raise wrong(number, f"a second {table} with the {column} {row[column]}")
                known.add(row[column])
        for link in self._links.get(table, ()):
            if (value := row.get(link.column)) is not None:
                self._wanted.setdefault((link.to_table, link.to_column, value), (number, link.column))

    def check(self) -> None:
        """Raise the `TransferError` of the first row that refers to one that is not there."""
        for (table, column, value), (number, name) in self._wanted.items():
            if value not in self._there[table, column]:
                raise wrong(number, f"{name} refers to a {table} that is not there")


class _Pictures:
    """The pictures' rows and files: one file for each row, and each what its row says."""

    def __init__(self) -> None:
        self._rows: dict[str, ArchivedPicture] = {}
        self._there: set[str] = set()

    def note(self, number: int, table: str, row: Mapping[str, Any]) -> None:
        """Keep a picture's row."""
        if table == "image":
            self._rows[row["hash"]] = ArchivedPicture(row, number)

    def check(self, number: int, digest: str, encoded: str) -> None:
        """Raise `TransferError` where a picture's file is not what its row says."""
        if (picture := self._rows.get(digest)) is None:
            raise wrong(number, "a picture that no row speaks of")
        if digest in self._there:
            raise wrong(number, "a picture for the second time")
        if fault := Media.fault(content_of(number, digest, encoded), picture.row):
            raise wrong(number, fault)
        self._there.add(digest)

    def check_all(self, count: int) -> None:
        """Raise `TransferError` where a row has no file."""
        if missing := [picture.line for digest, picture in self._rows.items() if digest not in self._there]:
            raise wrong(missing[0], "a picture whose file is not in the export")
        if count != len(self._there):
            raise TransferError("the export is not whole: it has fewer pictures than it says", fix=_AGAIN)


def path_file(path: Path) -> BinaryIO:
    """Open a file to import; raises `TransferError` where that fails."""
    try:
        return path.open("rb")
    except OSError as exc:
        raise TransferError(f"{path} cannot be read: {exc.strerror}", fix="Check its permissions.") from exc
