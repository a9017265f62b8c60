"""What a row of an archive may be: one schema for each table of the truth, and for what stands as JSON inside a row.

An archive is hostile until proven otherwise, so nothing is taken over that some reader could not read: unknown
columns, ids out of range, times, hashes, kinds and JSON of another shape are all refused. pydantic takes 0.1 s to
import, so this module is imported by an import only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import from_json

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

Checked = TypeVar("Checked", bound=Closed)


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


class Header(Closed):
    """The first line: what the file is and how much it holds."""

    format: Literal["persona-export"]
    version: int
    rows: dict[Short, Count]
    pictures: Count


class RowLine(Closed):
    """A row of a table."""

    table: Short
    row: dict[Short, str | int | float | None]


class PictureLine(Closed):
    """A picture's file, as base64."""

    picture: Hash
    content: str


class End(Closed):
    """What the last line says of all before it."""

    sha256: Hash
    signature: Hash | None


class EndLine(Closed):
    """The last line."""

    end: End


Line = RowLine | PictureLine | EndLine


def parse_header(text: bytes) -> Header:
    """Return the first line; raises `ValueError` that says what is wrong with it."""
    return _checked(Header, _parse(text))


def parse_line(text: bytes) -> Line:
    """Return any other line, a row checked against its table; raises `ValueError` that says what is wrong."""
    line = _parse(text)
    if "picture" in line:
        return _checked(PictureLine, line)
    if "end" in line:
        return _checked(EndLine, line)
    row = _checked(RowLine, line)
    if (schema := ROWS.get(row.table)) is None:
        raise ValueError(f"there is no table {row.table[:50]!r}")
    _checked(schema, row.row)
    return row


def _parse(text: bytes) -> dict[str, object]:
    # with a limit to its depth, and without infinity
    line = from_json(text, allow_inf_nan=False)
    if not isinstance(line, dict):
        raise ValueError("no JSON object")
    return line


def _checked(schema: type[Checked], found: object) -> Checked:
    try:
        return schema.model_validate(found)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from exc
