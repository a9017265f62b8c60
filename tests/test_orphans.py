"""What a killed run leaves: found by doctor, removed after a while by --fix and by a conversation."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import PIL.Image
import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.memory import Memory
from persona_cli.memory.backup import Backup, Reason
from persona_cli.memory.orphans import GRACE, find_orphans, remove_orphans
from persona_cli.memory.private_file import UNFINISHED
from tests.terminal import persona

AT = datetime(2026, 5, 12, tzinfo=UTC)


def picture(path: Path, shade: int) -> Path:
    PIL.Image.effect_noise((70 + shade, 60), 60 + shade).save(path)
    return path


def age(*files: Path) -> None:
    """Let files be as old as what no run can still be at."""
    old = time.time() - GRACE.total_seconds() - 1
    for path in filter(Path.exists, files):
        os.utime(path, (old, old))


def leave(memory: Memory, tmp_path: Path) -> tuple[Path, ...]:
    """Leave everything that a kill can; returns the files."""
    kept_by_nobody = memory.media.path_of(memory.media.add(picture(tmp_path / "a.png", 1), AT))
    stray = kept_by_nobody.with_name("ab" * 32 + ".jpg")
    half = memory.places.media / ".new-x1"
    cached = memory.places.cache / "pictures" / "mmproj-1" / ("cd" * 32 + ".npy")
    part = cached.with_name("tmp.part")
    cached.parent.mkdir(parents=True)
    copy = memory.places.backups / f"{UNFINISHED}x2"
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    for path in (stray, half, cached, part, copy):
        path.write_bytes(b"left")
    return (kept_by_nobody, stray, half, cached, part, copy)


def test_doctor_finds_and_fix_removes(memory: Memory, tmp_path: Path) -> None:
    left = leave(memory, tmp_path)
    found = next(check for check in persona("doctor", "--json").json if check["name"] == "leftovers")
    assert "i1 is shown in no message" in found["finding"]
    persona("doctor", "--fix")
    # the half copy may go at once: who writes one holds a lock on it
    assert all(path.exists() for path in left[:-1]), "somebody may still be writing them"
    age(*left)
    persona("doctor", "--fix")
    assert not any(path.exists() for path in left)
    assert memory.store.images.all() == ()
    assert not [check for check in persona("doctor", "--json").json if check["name"] == "leftovers"]


def test_doctor_takes_what_is_young_where_it_is_asked_to(memory: Memory, tmp_path: Path) -> None:
    left = leave(memory, tmp_path)
    persona("doctor", "--fix")
    found = next(check for check in persona("doctor", "--json").json if check["name"] == "leftovers")
    assert "--now" in found["finding"]
    persona("doctor", "--fix", "--now")
    assert not any(path.exists() for path in left)
    assert persona("doctor", "--now").code == 2


def test_a_picture_that_only_a_backup_has_is_kept_until_that_is_gone(assistant: Assistant, tmp_path: Path) -> None:
    memory = assistant.memory
    backups = memory.backups
    early = backups.add(Reason.ASKED, AT)
    list(assistant.respond("My cat is called Mina.", [picture(tmp_path / "b.png", 2)]))
    (image,) = memory.store.images.all()
    file = memory.media.path_of(image)
    # gone back to before it was shown: only the copy made on the way has it
    kept = backups.put_back(early.path, AT)
    assert isinstance(kept, Backup)
    assert memory.store.images.all() == ()
    age(file)
    assert remove_orphans(memory) == 0
    assert memory.media.verify(memory.in_backups()) == ()
    backups.put_back(kept.path, AT)
    assert memory.store.images.all() == (image,)
    assert file.exists()
    backups.put_back(early.path, AT)
    for backup in backups.all():
        backup.path.unlink()
    assert remove_orphans(memory) == 1
    assert not file.exists()


def test_a_conversation_removes_what_is_old_enough(assistant: Assistant, tmp_path: Path) -> None:
    left = leave(assistant.memory, tmp_path)
    list(assistant.respond("My cat is called Mina.", [picture(tmp_path / "b.png", 2)]))
    assert remove_orphans(assistant.memory, GRACE) == 0, "somebody may still be writing it"
    age(*left)
    assistant.updates.run()
    assert not any(path.exists() for path in left)
    (image,) = assistant.memory.store.images.all()
    assert assistant.memory.media.path_of(image).exists()


@pytest.mark.usefixtures("weights")
def test_what_is_in_use_is_left_alone(assistant: Assistant, tmp_path: Path) -> None:
    list(assistant.respond("My cat is called Mina.", [picture(tmp_path / "b.png", 2)]))
    assert not find_orphans(assistant.memory)
    assert remove_orphans(assistant.memory) == 0
