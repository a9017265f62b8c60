"""Files that leave the home: whole or not there, private, never through a link, and nothing left by a kill."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from persona_cli.errors import StorageError, UsageError
from persona_cli.memory.private_file import private_file, remove_unfinished

WRITING = """
import sys, time
from pathlib import Path
from persona_cli.memory.private_file import private_file
with private_file(Path(sys.argv[1])) as out:
    out.write(b"half")
    out.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


def write(path: Path, *, overwrite: bool = False) -> None:
    with private_file(path, overwrite=overwrite) as out:
        out.write(b"all I know")


def begin(path: Path) -> subprocess.Popen[bytes]:
    started = subprocess.Popen([sys.executable, "-c", WRITING, str(path)], stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"writing\n"
    return started


def test_it_is_whole_private_and_alone(tmp_path: Path) -> None:
    os.umask(0)
    write(tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_bytes() == b"all I know"
    assert stat.S_IMODE((tmp_path / "all.jsonl").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


@pytest.mark.parametrize("aim", ["there", "not there"])
def test_a_planted_link_is_not_followed(aim: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    if aim == "there":
        victim.write_bytes(b"theirs")
    planted = tmp_path / "all.jsonl"
    planted.symlink_to(victim)
    with pytest.raises(UsageError, match="exists already"):
        write(planted)
    assert planted.is_symlink()
    write(planted, overwrite=True)
    assert not planted.is_symlink()
    assert planted.read_bytes() == b"all I know"
    assert victim.exists() is (aim == "there")
    assert aim != "there" or victim.read_bytes() == b"theirs"


def test_what_comes_to_stand_there_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "all.jsonl"
    with pytest.raises(UsageError, match="exists already"), private_file(target):
        target.symlink_to(tmp_path / "victim")
    assert target.is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def test_where_there_are_no_second_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: object, _target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_bytes() == b"all I know"
    with pytest.raises(UsageError, match="exists already"), private_file(tmp_path / "other"):
        (tmp_path / "other").write_bytes(b"theirs")
    assert (tmp_path / "other").read_bytes() == b"theirs"


def test_no_device_is_replaced() -> None:
    with pytest.raises(UsageError, match="no ordinary file"):
        write(Path("/dev/null"), overwrite=True)


def test_a_fault_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "all.jsonl")
    with pytest.raises(StorageError, match="No space"), private_file(tmp_path / "all.jsonl", overwrite=True):
        raise OSError(28, "No space left on device")
    assert (tmp_path / "all.jsonl").read_bytes() == b"all I know"
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def test_a_kill_leaves_at_most_what_the_next_run_removes(tmp_path: Path) -> None:
    killed, running = begin(tmp_path / "killed"), begin(tmp_path / "running")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(list(tmp_path.iterdir())) == 2
    planted = tmp_path / ".persona-unfinished-link"
    planted.symlink_to("/etc/passwd")
    write(tmp_path / "next")
    left = {path.name for path in tmp_path.iterdir()}
    # that of the run that still goes on is left to it, and what is no file of ours is left alone
    assert {"next", planted.name} < left
    assert len(left) == 3
    running.terminate()
    running.wait()
    assert remove_unfinished(tmp_path) <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"next", planted.name}
    for process in (killed, running):
        assert process.stdout is not None
        process.stdout.close()
