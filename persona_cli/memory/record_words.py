"""A record of any kind as one line of words and one moment: what lists, tools and pages show of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from persona_cli.english.small_talk import says_nothing
from persona_cli.records import CoreEntry, EpisodicMemory, Image, ProceduralMemory, Turn

if TYPE_CHECKING:
    from persona_cli.memory.store import Record


def moment(record: Record) -> datetime:
    """Return the time a record is sorted and shown by."""
    if isinstance(record, EpisodicMemory):
        return record.started_at
    if isinstance(record, Turn):
        return record.at
    if isinstance(record, Image):
        return record.added_at
    return record.recorded_at


def words_of(record: Record) -> str:
    """Return what a record says; of a turn both sides, where the answer says anything."""
    if isinstance(record, Turn):
        told = record.answer and not says_nothing(record.answer, record.user)
        return f"{record.user}  →  {record.answer}" if told else record.user
    if isinstance(record, CoreEntry):
        return f"{record.key}: {record.value}"
    if isinstance(record, EpisodicMemory):
        return record.summary
    if isinstance(record, Image):
        return record.caption or f"picture, {record.width} x {record.height}"
    return record.text if isinstance(record, ProceduralMemory) else record.content
