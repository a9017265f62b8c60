"""The paper's nouns as frozen values: queries, turns, the four memories, and the steps of a response.

Nothing here does I/O. Every datetime is aware. Ids are the store's row ids; `Ref` names a memory of any kind.
"""

from __future__ import annotations

from persona_cli.records.conversation import (
    Answer,
    AnswerDelta,
    Hit,
    ImageMemory,
    Notice,
    Personality,
    Piece,
    Query,
    Recall,
    Retrieve,
    Section,
    Session,
    Spent,
    Step,
    Think,
    ThinkDelta,
    Topic,
    Turn,
)
from persona_cli.records.memories import (
    Aspect,
    CoreEntry,
    CoreMemory,
    EpisodicMemory,
    ProceduralMemory,
    Reading,
    SemanticMemory,
)
from persona_cli.records.picture import Box, Image, PictureSource
from persona_cli.records.state import Author, Change, Status, Window
from persona_cli.records.wish import Fulfilled, Want, Wish
from persona_cli.records.work import Job, JobState, Refusal, Task
from persona_cli.refs import Kind, Ref

__all__ = [
    "Answer",
    "AnswerDelta",
    "Aspect",
    "Author",
    "Box",
    "Change",
    "CoreEntry",
    "CoreMemory",
    "EpisodicMemory",
    "Fulfilled",
    "Hit",
    "Image",
    "ImageMemory",
    "Job",
    "JobState",
    "Kind",
    "Notice",
    "Personality",
    "PictureSource",
    "Piece",
    "ProceduralMemory",
    "Query",
    "Reading",
    "Recall",
    "Ref",
    "Refusal",
    "Retrieve",
    "Section",
    "SemanticMemory",
    "Session",
    "Spent",
    "Status",
    "Step",
    "Task",
    "Think",
    "ThinkDelta",
    "Topic",
    "Turn",
    "Want",
    "Window",
    "Wish",
]
