"""Which messages are a client's own jobs: a title, tags, follow-up questions; answered, and never remembered."""

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


@cache
def client_jobs() -> tuple[ClientJob, ...]:
    """Return the jobs that are known."""
    table = tomllib.loads(Path(__file__).with_name("jobs.toml").read_text(encoding="utf-8"))
    return tuple(ClientJob(**job) for job in table["job"])


def is_job(headers: Mapping[str, str], message: str) -> bool:
    """Tell whether a message is a client's own job; a header whose placeholder the client left in it says nothing."""
    if any((named := headers.get(name, "").strip()) and "{{" not in named for name in _HEADERS):
        return True
    return message.lstrip().casefold().startswith(tuple(job.begins for job in client_jobs()))
