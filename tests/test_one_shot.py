"""One message by itself: it is answered, and what is learnt from it takes a bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from persona_cli.paths import find_places
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

DOG = "My dog is called Biscuit."


def test_what_the_time_does_not_suffice_for_is_queued_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_CHAT_UPDATE_SECONDS", "0")
    told = persona("chat", DOG)
    assert told.code == 0
    assert "2 updates still queued" in told.err
    monkeypatch.delenv("PERSONA_CHAT_UPDATE_SECONDS")
    assert "Biscuit" in persona("chat", "What is my dog called?").out
    assert "0 left" in persona("update").err


def test_somebody_elses_work_is_not_waited_for(home: Path) -> None:
    persona("memory", "list")
    with FileLock(find_places().update_lock):
        told = persona("chat", DOG)
    assert told.code == 0
    assert "Another persona is working on the updates; 2 stay queued" in told.err
