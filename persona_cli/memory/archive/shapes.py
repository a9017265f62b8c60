"""What single values of an archive may be: ids, times, hashes, words, and the steps of an answer as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, model_validator

from persona_cli.memory.tables.columns import from_column
from persona_cli.personality import TRAITS
from persona_cli.records import Author, Ref, Status

_END = "9900"
"""A zone and a window around a time must still fit the calendar."""


def _moment(text: str) -> str:
    if not "0002" <= text[:4] < _END:
        raise ValueError("beyond the calendar")
    from_column(text)
    return text


def one_of(kinds: type[StrEnum]) -> AfterValidator:
    """Return the check that a text is one of these."""
    return AfterValidator(lambda text: kinds(text).value)


def _trait(name: str) -> str:
    if name not in TRAITS:
        raise ValueError("no trait")
    return name


def _ref(text: str) -> str:
    return str(Ref.parse(text))


# AUTOINCREMENT counts on from the highest id: 2^63 - 1 would be the last row ever written
Id = Annotated[int, Field(ge=1, le=2**40)]
Count = Annotated[int, Field(ge=0, le=2**40)]
Place = Annotated[int, Field(ge=0, le=2**40)]
Text = Annotated[str, Field(max_length=2_000_000)]
Short = Annotated[str, Field(max_length=10_000)]
Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\[[\w/+:-]{1,60}\]$"), AfterValidator(_moment)
]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Mime = Literal["image/jpeg", "image/png"]
Score = Annotated[float, Field(allow_inf_nan=False)]
TraitName = Annotated[str, AfterValidator(_trait)]
TraitScores = dict[TraitName, Annotated[float, Field(ge=1, le=5)]]
Traits = Json[TraitScores]
Words = Json[Annotated[list[Short], Field(max_length=1_000)]]
StatusName = Annotated[str, one_of(Status)]
AuthorName = Annotated[str, one_of(Author)]
RefName = Annotated[str, Field(max_length=30), AfterValidator(_ref)]


class Closed(BaseModel):
    """What has these fields and no others, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ArchivedHit(Closed):
    """A memory that was found, as the steps of an answer keep it."""

    ref: RefName
    score: Score
    lanes: dict[Short, Score]


class TopicHit(ArchivedHit):
    """A topic that was found, with its turns."""

    turns: list[Id]


class PictureHit(ArchivedHit):
    """A picture that was found, with what speaks of it."""

    memories: list[Id]
    turn: Id | None


class RecallStep(Closed):
    """What one retrieval brought back."""

    step: Literal["recall"]
    semantic: list[ArchivedHit]
    episodic: list[TopicHit]
    procedural: list[ArchivedHit]
    images: list[PictureHit]
    messages: list[ArchivedHit]
    window: tuple[Moment | None, Moment | None] | None
    window_source: Text
    notes: list[Text]


class RetrieveStep(Closed):
    """A wish to search."""

    step: Literal["retrieve"]
    keywords: Text
    start: Moment | None
    end: Moment | None


class PersonalityStep(Closed):
    """The traits an answer was made with."""

    step: Literal["personality"]
    traits: TraitScores

    @model_validator(mode="after")
    def _whole(self) -> PersonalityStep:
        if set(self.traits) != set(TRAITS):
            raise ValueError("a trait is missing")
        return self


class SpentStep(Closed):
    """What a call took of the model's context."""

    step: Literal["spent"]
    total: Count
    context: Count
    sections: list[tuple[Short, Count, Count]]


class TextStep(Closed):
    """A thought, a notice or an answer."""

    step: Literal["think", "notice", "answer"]
    text: Text
    untoned: Text = ""


Step = Annotated[RecallStep | RetrieveStep | PersonalityStep | SpentStep | TextStep, Field(discriminator="step")]
Steps = Json[Annotated[list[Step], Field(max_length=10_000)]]
