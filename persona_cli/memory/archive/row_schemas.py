"""What a row of an archive may be: one schema for each table of the truth, and for what stands as JSON inside a row.

An archive is hostile until proven otherwise, so nothing is taken over that some reader could not read: unknown
columns, ids out of range, times, hashes, kinds and JSON of another shape are all refused. Building the
schemas takes 0.1 s, so this module is imported by an import only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

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

_Side = Annotated[int, Field(ge=1, le=16_384)]
_Bytes = Annotated[int, Field(ge=1, le=200_000_000)]
_Phash = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
_Columns = Annotated[str, Field(max_length=8_000_000)]


def _schema(name: str, base: type[Closed] | tuple[type[Closed], ...] = Closed, **columns: Any) -> type[Closed]:
    """Return the schema of a table: each column with its type, or with (type, default) where older exports lack it."""
    types: dict[str, Any] = {
        column: kind if isinstance(kind, tuple) else (kind, ...) for column, kind in columns.items()
    }
    return create_model(name, __base__=base, **types)


JOURNALED: Mapping[str, type[Closed]] = {
    "semantic": _schema(
        "semantic", content=Text, keywords=Words, subject=Short, quote=Text, recorded_at=Moment, valid_from=Moment,
        turn_id=Id | None, event_start=Moment | None, event_end=Moment | None, slot=Short, valid_to=Moment | None,
        superseded_by=Id | None, status=StatusName, seen=Count, last_seen=Moment | None, author=AuthorName,
    ),
    "core": _schema(
        "core", key=Short, value=Text, aspect=Annotated[str, one_of(Aspect)], recorded_at=Moment, turn_id=Id | None,
        author=AuthorName, valid_to=Moment | None, status=StatusName,
    ),
    "habit": _schema(
        "habit", key=Short, text=Text, recorded_at=Moment, session_id=Id | None, valid_to=Moment | None,
        status=StatusName, author=AuthorName,
    ),
    "reading": _schema(
        "reading", turn_id=Id | None, at=Moment, inferred=Traits, momentum=Annotated[float, Field(ge=0, le=1)],
        before=Traits, after=Traits, author=(AuthorName, Author.MODEL.value),
    ),
    "episode": _schema(
        "episode", session_id=Id, summary=Text, keywords=Words, started_at=Moment, ended_at=Moment, recorded_at=Moment,
        status=StatusName, author=AuthorName, merged_into=(Id | None, None), merged_at=(Moment | None, None),
    ),
    "image": _schema(
        "image", hash=Hash, mime=Mime, width=_Side, height=_Side, size=_Bytes, phash=_Phash, added_at=Moment,
        caption=Text, crop_of=Hash | None, caption_by=(Short | None, None),
    ),
}  # fmt: skip
"""By table, a row as the journal keeps it."""


class _Topic(Closed):
    id: Id
    merged_into: Id | None = None

    @model_validator(mode="after")
    def _of_another(self) -> _Topic:
        if self.merged_into == self.id:
            raise ValueError("a topic that is part of itself")
        return self


class _Entry(Closed):
    place: Literal["semantic", "core", "habit", "reading", "episode", "image"]
    before: _Columns | None
    after: _Columns

    @model_validator(mode="after")
    def _of_its_place(self) -> _Entry:
        for columns in (self.before, self.after):
            if columns is not None:
                JOURNALED[self.place].model_validate_json(columns)
        return self


ROWS: Mapping[str, type[Closed]] = {
    "session": _schema("session", id=Id, started_at=Moment, last_at=Moment, closed_at=Moment | None),
    "turn": _schema("turn", id=Id, session_id=Id, at=Moment, user=Text, answer=Text, model=Short, steps=Steps),
    "image": _schema("image", JOURNALED["image"], id=Id),
    "turn_image": _schema("turn_image", turn_id=Id, place=Place, image_id=Id),
    "semantic": _schema("semantic", JOURNALED["semantic"], id=Id, folded=Text),
    "semantic_image": _schema("semantic_image", semantic_id=Id, place=Place, hash=Hash),
    "core": _schema("core", JOURNALED["core"], id=Id),
    "episode": _schema("episode", (JOURNALED["episode"], _Topic)),
    "episode_turn": _schema("episode_turn", episode_id=Id, place=Place, turn_id=Id),
    "habit": _schema("habit", JOURNALED["habit"], id=Id),
    "reading": _schema("reading", JOURNALED["reading"], id=Id),
    "job": _schema(
        "job", id=Id, task=Annotated[str, one_of(Task)], turn_id=Id | None, session_id=Id | None,
        state=Annotated[str, one_of(JobState)], attempts=Annotated[int, Field(ge=0, le=1_000)], error=Text,
        place=Annotated[int, Field(ge=-(2**40), le=2**40)],
    ),
    "trait_lock": _schema("trait_lock", trait=TraitName, at=Moment),
    "conflict": _schema("conflict", id=Id, one_id=Id, other_id=Id, at=Moment),
    "tidy": _schema("tidy", id=Id, at=Moment, session_id=Id | None, turn_id=Id | None),
    "apart": _schema("apart", episode_id=Id, reason=Text),
    "used": _schema("used", kind=Annotated[str, one_of(Kind)], memory_id=Id, count=Count, last_at=Moment),
    "journal": _schema(
        "journal", _Entry, id=Id, turn_id=Id | None, session_id=Id | None, row_id=Id, tidy_id=(Id | None, None),
        rule=(Short, ""),
    ),
    "refusal": _schema("refusal", id=Id, turn_id=Id, content=Text, rule=Short, reason=Text),
}  # fmt: skip
"""By table; a column that came with a later migration has a default here, for exports that are older."""
