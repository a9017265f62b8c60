"""What a row of an archive may be: one schema for each table of the truth, and for what stands as JSON inside a row.

An archive is hostile until proven otherwise, so nothing is taken over that some reader could not read: unknown
columns, ids out of range, times, hashes, kinds and JSON of another shape are all refused. building the
schemas takes 0.1 s, so this module is imported by an import only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from persona_cli.memory.archive.shapes import (
    AuthorName,
    Closed,
    Count,
    Hash,
    Id,
    Mime,
    Moment,
    Place,
    Short,
    StatusName,
    Steps,
    Text,
    TraitName,
    Traits,
    Words,
    one_of,
)
from persona_cli.records import Aspect, Author, JobState, Kind, Task


class SessionRow(Closed):
    """A session."""

    id: Id
    started_at: Moment
    last_at: Moment
    closed_at: Moment | None


class TurnRow(Closed):
    """An exchange."""

    id: Id
    session_id: Id
    at: Moment
    user: Text
    answer: Text
    model: Short
    steps: Steps


class ImageColumns(Closed):
    """A picture, as the journal keeps it."""

    hash: Hash
    mime: Mime
    width: Annotated[int, Field(ge=1, le=16_384)]
    height: Annotated[int, Field(ge=1, le=16_384)]
    size: Annotated[int, Field(ge=1, le=200_000_000)]
    phash: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    added_at: Moment
    caption: Text
    crop_of: Hash | None
    caption_by: Short | None = None


class ImageRow(ImageColumns):
    """A picture."""

    id: Id


class TurnImageRow(Closed):
    """Which turn showed which picture."""

    turn_id: Id
    place: Place
    image_id: Id


class SemanticColumns(Closed):
    """A fact, as the journal keeps it."""

    content: Text
    keywords: Words
    subject: Short
    quote: Text
    recorded_at: Moment
    valid_from: Moment
    turn_id: Id | None
    event_start: Moment | None
    event_end: Moment | None
    slot: Short
    valid_to: Moment | None
    superseded_by: Id | None
    status: StatusName
    seen: Count
    last_seen: Moment | None
    author: AuthorName


class SemanticRow(SemanticColumns):
    """A fact."""

    id: Id
    folded: Text


class SemanticImageRow(Closed):
    """Which fact rests on which picture."""

    semantic_id: Id
    place: Place
    hash: Hash


class CoreColumns(Closed):
    """An entry of the profile, as the journal keeps it."""

    key: Short
    value: Text
    aspect: Annotated[str, one_of(Aspect)]
    recorded_at: Moment
    turn_id: Id | None
    author: AuthorName
    valid_to: Moment | None
    status: StatusName


class CoreRow(CoreColumns):
    """An entry of the profile."""

    id: Id


class EpisodeColumns(Closed):
    """A topic of a session, as the journal keeps it."""

    session_id: Id
    summary: Text
    keywords: Words
    started_at: Moment
    ended_at: Moment
    recorded_at: Moment
    status: StatusName
    author: AuthorName
    merged_into: Id | None = None
    merged_at: Moment | None = None


class EpisodeRow(EpisodeColumns):
    """A topic of a session."""

    id: Id

    @model_validator(mode="after")
    def _of_another(self) -> EpisodeRow:
        if self.merged_into == self.id:
            raise ValueError("a topic that is part of itself")
        return self


class EpisodeTurnRow(Closed):
    """Which topic is made of which turns."""

    episode_id: Id
    place: Place
    turn_id: Id


class HabitColumns(Closed):
    """A habit, as the journal keeps it."""

    key: Short
    text: Text
    recorded_at: Moment
    session_id: Id | None
    valid_to: Moment | None
    status: StatusName
    author: AuthorName


class HabitRow(HabitColumns):
    """A habit."""

    id: Id


class ReadingColumns(Closed):
    """A reading of the traits, as the journal keeps it."""

    turn_id: Id | None
    at: Moment
    inferred: Traits
    momentum: Annotated[float, Field(ge=0, le=1)]
    before: Traits
    after: Traits
    author: AuthorName = Author.MODEL.value


class ReadingRow(ReadingColumns):
    """A reading of the traits."""

    id: Id


class JobRow(Closed):
    """An update that is to be done, or was."""

    id: Id
    task: Annotated[str, one_of(Task)]
    turn_id: Id | None
    session_id: Id | None
    state: Annotated[str, one_of(JobState)]
    attempts: Annotated[int, Field(ge=0, le=1_000)]
    error: Text
    place: Annotated[int, Field(ge=-(2**40), le=2**40)]


class TraitLockRow(Closed):
    """A trait no model moves."""

    trait: TraitName
    at: Moment


class ConflictRow(Closed):
    """Two facts that contradict each other."""

    id: Id
    one_id: Id
    other_id: Id
    at: Moment


class TidyRow(Closed):
    """A tidying."""

    id: Id
    at: Moment
    session_id: Id | None
    turn_id: Id | None


class ApartRow(Closed):
    """A topic that is to stand alone."""

    episode_id: Id
    reason: Text


class UsedRow(Closed):
    """How often a memory was of use."""

    kind: Annotated[str, one_of(Kind)]
    memory_id: Id
    count: Count
    last_at: Moment


JOURNALED: Mapping[str, type[Closed]] = {
    "semantic": SemanticColumns,
    "core": CoreColumns,
    "habit": HabitColumns,
    "reading": ReadingColumns,
    "episode": EpisodeColumns,
    "image": ImageColumns,
}


class JournalRow(Closed):
    """What a turn, a session or a tidying changed."""

    id: Id
    turn_id: Id | None
    session_id: Id | None
    place: Literal["semantic", "core", "habit", "reading", "episode", "image"]
    row_id: Id
    before: Annotated[str, Field(max_length=8_000_000)] | None
    after: Annotated[str, Field(max_length=8_000_000)]
    tidy_id: Id | None = None
    rule: Short = ""

    @model_validator(mode="after")
    def _of_its_place(self) -> JournalRow:
        for columns in (self.before, self.after):
            if columns is not None:
                JOURNALED[self.place].model_validate_json(columns)
        return self


class RefusalRow(Closed):
    """A draft that was not kept."""

    id: Id
    turn_id: Id
    content: Text
    rule: Short
    reason: Text


ROWS: Mapping[str, type[Closed]] = {
    "session": SessionRow,
    "turn": TurnRow,
    "image": ImageRow,
    "turn_image": TurnImageRow,
    "semantic": SemanticRow,
    "semantic_image": SemanticImageRow,
    "core": CoreRow,
    "episode": EpisodeRow,
    "episode_turn": EpisodeTurnRow,
    "habit": HabitRow,
    "reading": ReadingRow,
    "job": JobRow,
    "trait_lock": TraitLockRow,
    "conflict": ConflictRow,
    "tidy": TidyRow,
    "apart": ApartRow,
    "used": UsedRow,
    "journal": JournalRow,
    "refusal": RefusalRow,
}
"""By table; a column that came with a later migration has a default here, for exports that are older."""
