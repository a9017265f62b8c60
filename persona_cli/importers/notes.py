"""What another program had noted of the person, as memories of its own making: no words of theirs stand behind it.

It is read as what a model wrote, which later words of the person may end, unless they say that it is theirs (`--mine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from persona_cli.importers.correspondence import Note
from persona_cli.importers.exchanges import key_of
from persona_cli.importers.own_words import in_own_words
from persona_cli.memory import Memory
from persona_cli.records import Author, SemanticMemory, Status
from persona_cli.remembering.drafts import put_written
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.secrets import redact


@dataclass(frozen=True, slots=True)
class Noted:
    """How many notes were stored, and how many of them nobody will recall."""

    added: int
    quarantined: int


def store_notes(memory: Memory, service: str, notes: Sequence[Note], now: datetime, *, mine: bool) -> Noted:
    """Store the notes that are new, oldest first; each with its key in one transaction."""
    added = quarantined = 0
    for note in sorted(notes, key=lambda note: note.at or now):
        key = key_of(service, "notes", note.id)
        if memory.store.imports.find(key) is not None:
            continue
        hostile = is_instruction(note.text)
        with memory.store.transaction():
            memory.store.imports.add(key)
            new = _put(memory, note, note.at or now, hostile=hostile, mine=mine)
        added, quarantined = added + new, quarantined + (new and hostile)
    return Noted(added, quarantined)


def _put(memory: Memory, note: Note, at: datetime, *, hostile: bool, mine: bool) -> bool:
    text, _ = redact(in_own_words(note.text, note.name))
    if (known := memory.store.semantic.same(text)) is not None:
        memory.store.semantic.seen_again(known.id, at)
        return False
    written = SemanticMemory(
        id=0,
        content=text,
        keywords=(),
        subject="user",
        quote="",
        recorded_at=at,
        valid_from=at,
        status=Status.QUARANTINED if hostile else Status.ACTIVE,
        author=Author.PERSON if mine else Author.MODEL,
    )
    if hostile:
        # it ends nothing and contradicts nothing
        memory.store.semantic.add(written)
    else:
        put_written(memory.store, written, memory.reader.read)
    return True
