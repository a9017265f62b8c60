"""What a memory is in, whoever wrote it, and when: status, author, change, windows of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where a memory is in its life; only active ones are recalled, only a person makes one forgotten."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    QUARANTINED = "quarantined"
    FORGOTTEN = "forgotten"


class Author(StrEnum):
    """Who wrote a memory: what a person wrote is never overwritten by a model."""

    MODEL = "model"
    PERSON = "person"


class Change(StrEnum):
    """How a new semantic memory stands to what was known: beside it, instead of it, or ending it."""

    ADDS = "adds"
    REPLACES = "replaces"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, start inclusive, end exclusive; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Tell whether anything from `start` to `end`, both included, lies in the window."""
        return (self.end is None or start < self.end) and (self.start is None or end >= self.start)
