"""What the tests of the loop share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from persona_cli.agent.assistant import Assistant
from persona_cli.records import Turn

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
"""When the clock of the tests stands still, a Tuesday."""

T = TypeVar("T")


def exists(found: T | None) -> T:
    """Return what was found, which a test relies on."""
    assert found is not None
    return found


def say(assistant: Assistant, text: str) -> Turn:
    """Say something, and return the turn with its answer."""
    list(assistant.respond(text))
    return exists(assistant.last_turn)
