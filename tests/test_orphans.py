"""What a killed run leaves: found by doctor, removed by --fix at once and by a conversation after a while."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import PIL.Image
import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.memory import Memory
from persona_cli.memory.orphans import GRACE, find_orphans, remove_orphans
from tests.terminal import persona

AT = datetime(2026, 5, 12, tzinfo=UTC)


def picture(path: Path, shade: int) -> Path:
    PIL.Image.effect_noise((70 + shade, 60), 60 + shade).save(path)
    return path


def leave(memory: Memory, tmp_path: Path) -> tuple[Path, ...]:
    """Leave everything that a kill can; returns the files."""
    kept_by_nobody = memory.media.path_of(memory.media.add(picture(tmp_path / "a.png", 1), AT))
    stray = kept_by_nobody.with_name("ab" * 32 + ".jpg")
    half = memory.places.media / ".new-x1"
    cached = memory.places.cache / "pictures" / "mmproj-1" / ("cd" * 32 + ".npy")
    part = cached.with_name("tmp.part")
    cached.parent.mkdir(parents=True)
    for path in (stray, half, cached, part):
        path.write_bytes(b"left")
    return (kept_by_nobody, stray, half, cached, part)


def test_doctor_finds_and_fix_removes(memory: Memory, tmp_path: Path) -> None:
    left = leave(memory, tmp_path)
    found = next(check for check in persona("doctor", "--json").json if check["name"] == "leftovers")
    assert "i1 is shown in no message" in found["finding"]
    persona("doctor", "--fix")
    assert not any(path.exists() for path in left)
    assert memory.store.images.all() == ()
    assert not [check for check in persona("doctor", "--json").json if check["name"] == "leftovers"]


def test_a_conversation_removes_what_is_old_enough(assistant: Assistant, tmp_path: Path) -> None:
    left = leave(assistant.memory, tmp_path)
    list(assistant.respond("My cat is called Mina.", [picture(tmp_path / "b.png", 2)]))
    assert remove_orphans(assistant.memory, GRACE) == 0, "somebody may still be writing it"
    old = time.time() - GRACE.total_seconds() - 1
    for path in left:
        os.utime(path, (old, old))
    assistant.updates.run()
    assert not any(path.exists() for path in left)
    (image,) = assistant.memory.store.images.all()
    assert assistant.memory.media.path_of(image).exists()


@pytest.mark.usefixtures("weights")
def test_what_is_in_use_is_left_alone(assistant: Assistant, tmp_path: Path) -> None:
    list(assistant.respond("My cat is called Mina.", [picture(tmp_path / "b.png", 2)]))
    assert not find_orphans(assistant.memory)
    assert remove_orphans(assistant.memory) == 0
