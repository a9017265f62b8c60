"""What comes through a pipe, as a file: exports are recognised by their content and read more than once."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persona_cli.errors import TransferError

_HEAD = 65_536
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*[\[{"\]])')
"""No list of memories: that may begin with "[2025-03-01] - …"."""
_LINES = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[^\n]*\}\s*\n\s*\{")


@contextmanager
def piped() -> Iterator[Path]:
    """Yield a private copy of standard input that is gone afterwards; raises `TransferError` where nothing comes."""
    if sys.stdin.isatty():
        raise TransferError("nothing is piped in", fix="Write: persona import - < FILE, or name the file.")
    with tempfile.TemporaryDirectory(prefix="persona-") as folder:
        copy = Path(folder, "pipe")
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        with copy.open("rb") as file:
            head = file.read(_HEAD)
        if not head.strip():
            raise TransferError("nothing came through the pipe", fix="Write: persona import - < FILE")
        yield copy.rename(copy.with_suffix(_ending(head)))


def _ending(head: bytes) -> str:
    """Return what the name of such a file ends with."""
    if head.startswith(b"PK\x03\x04"):
        return ".zip"
    if _LINES.match(head):
        return ".jsonl"
    if _JSON.match(head):
        return ".json"
    return ".html" if head.lstrip().startswith(b"<") else ".txt"
