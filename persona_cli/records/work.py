"""Update jobs: what is still to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """What an update job does: the first two follow every turn, the others the end of a session, tidying once a day."""

    PERSONALITY = "personality"
    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"
    CORE = "core"
    TIDY = "tidy"


class JobState(StrEnum):
    """Where an update job stands; a running one found at start-up was killed and is queued again."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A draft that was not kept."""

    content: str
    rule: str
    """The name of the rule that refused it."""
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work of the update stage, about a turn or about a session."""

    id: int
    task: Task
    turn_id: int | None
    session_id: int | None
    state: JobState = JobState.QUEUED
    attempts: int = 0
    error: str = ""
