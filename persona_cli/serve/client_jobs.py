"""What of a message is the client's: jobs (a title, tags), answered and never remembered, and frames, cut off."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HEADERS = ("x-task", "x-openwebui-task")
"""Headers a client can be told to send with its jobs, and with nothing else."""


@dataclass(frozen=True, slots=True)
class ClientJob:
    """How a client begins one of its jobs."""

    client: str
    begins: str
    example: str


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """What a client writes in front of the person's words."""

    client: str
    begins: str
    ends: str
    example: str


@cache
def client_jobs() -> tuple[ClientJob, ...]:
    """Return the jobs that are known."""
    return tuple(ClientJob(**job) for job in _table()["job"])


@cache
def client_frames() -> tuple[ClientFrame, ...]:
    """Return the frames that are known."""
    return tuple(ClientFrame(**frame) for frame in _table()["frame"])


def own_words(message: str) -> str:
    """Return what the person wrote of a message: without the frame its client put in front, if there is one."""
    for frame in client_frames():
        if message.startswith(frame.begins) and frame.ends in message:
            return message.partition(frame.ends)[2].strip()
    return message


def is_job(headers: Mapping[str, str], message: str) -> bool:
    """Tell whether a message is a client's own job; a header whose placeholder the client left in it says nothing."""
    if any((named := headers.get(name, "").strip()) and "{{" not in named for name in _HEADERS):
        return True
    return message.lstrip().casefold().startswith(tuple(job.begins for job in client_jobs()))


def _table() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("jobs.toml").read_text(encoding="utf-8"))
