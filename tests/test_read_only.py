"""A full or a read-only disk: what is remembered can be read all the same, and forgetting makes room."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

from tests.terminal import persona

_MAY_MOUNT = (
    shutil.which("unshare") is not None
    and not subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode
)

pytestmark = [
    pytest.mark.usefixtures("weights"),
    pytest.mark.skipif(not _MAY_MOUNT, reason="no disk of its own can be had here"),
]

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
FULL = (
    'cp -a "$1" "$1.copy" && mount -t tmpfs -o size=$(($(du -sk "$1.copy" | cut -f1) + 300))k tmpfs "$1" '
    '&& cp -a "$1.copy/." "$1" && { cat /dev/zero > "$1/fill" 2>/dev/null || true; }'
)
READING = (
    ("memory", "search", "dog"),
    ("memory", "list"),
    ("memory", "show", "m1"),
    ("profile",),
    ("why",),
    ("memory", "about", "Biscuit"),
    ("memory", "diff"),
    ("memory", "conflicts"),
    ("memory", "quarantine"),
    ("export", "--format", "markdown"),
)


def run_on(disk: str, home: Path, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
    """Run commands one after another, in one process, on a disk like this; returns code and output of each."""
    script = "from tests.terminal import persona\n" + "".join(
        f"done = persona(*{command!r})\nprint(done.code, repr(done.out + done.err))\n" for command in commands
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'{disk} && exec "$2" -c "$3"', "sh", str(home), sys.executable, script],
        check=True,
        capture_output=True,
        text=True,
    )
    return [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("disk", [READ_ONLY, FULL], ids=["read-only", "full"])
def test_everything_that_reads_works(disk: str, home: Path, tmp_path: Path) -> None:
    photo = tmp_path / "dog.png"
    PIL.Image.effect_noise((90, 60), 70).save(photo)
    persona("chat", "My dog is called Biscuit.", "--image", str(photo))
    away = ("export", str(tmp_path / "away.jsonl"))
    for command, (code, said) in zip((*READING, away), run_on(disk, home, *READING, away), strict=True):
        assert code == 0, (command, said)
        assert "Biscuit" in said or command in (("profile",), ("memory", "conflicts"), ("memory", "quarantine"), away)
    assert (tmp_path / "away.jsonl").stat().st_size > photo.stat().st_size


def test_doctor_says_what_is_wrong_and_looks_all_the_same(home: Path) -> None:
    persona("chat", "My dog is called Biscuit.")
    ((code, said),) = run_on(READ_ONLY, home, ("doctor",))
    assert code == 0 or "not yours to write" in said
    assert "1 turn" in said
    assert "this should not happen" not in said


def test_what_writes_is_one_clear_error(home: Path) -> None:
    persona("chat", "My dog is called Biscuit.")
    ((code, said),) = run_on(READ_ONLY, home, ("memory", "add", "I like tea."))
    assert code == 3
    assert "cannot be" in said


def test_forgetting_makes_room_on_a_full_disk(home: Path, tmp_path: Path) -> None:
    photo = tmp_path / "dog.png"
    PIL.Image.effect_noise((1600, 1200), 90).save(photo)
    persona("chat", "My dog is called Biscuit.", "--image", str(photo))
    persona("chat", "I live in Leeds.")
    forgets, asks = run_on(FULL, home, ("memory", "forget", "m1", "--yes"), ("chat", "I moved to York."))
    assert forgets[0] == 0, forgets
    assert asks[0] == 0, asks
