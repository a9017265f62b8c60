"""Exports in memory and back, for tests of what is carried over."""

from __future__ import annotations

import io

from persona_cli.memory.archive import Transferred
from persona_cli.memory.archive.reading import read_archive
from persona_cli.memory.archive.taking import import_memory
from persona_cli.memory.archive.writing import export_memory
from persona_cli.memory.media import Media
from persona_cli.memory.store import Store
from persona_cli.remembering.instructions import is_instruction

KEY = b"k" * 32


def exported(store: Store, media: Media) -> bytes:
    """Return the export of a memory, signed with `KEY`."""
    out = io.BytesIO()
    export_memory(store, media, out, key=KEY)
    return out.getvalue()


def imported(content: bytes, store: Store, media: Media, *, mine: bool = False) -> Transferred:
    """Read an export into an empty memory."""
    archive = read_archive(io.BytesIO(content), store)
    return import_memory(store, media, archive, is_instruction, signed=archive.signed_by(KEY), mine=mine)
