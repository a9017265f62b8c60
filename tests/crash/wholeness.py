"""What must hold of a home after any kill: rows, messages, jobs, pictures, and once it was repaired no leftovers."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

from persona_cli.agent.update import AFTER_SESSION, AFTER_TURN
from persona_cli.config import Settings
from persona_cli.memory import open_memory
from persona_cli.memory.backup import Backups
from persona_cli.memory.backups_forget import pictures_in_backups
from persona_cli.memory.orphans import find_orphans, remove_orphans
from persona_cli.memory.store import open_store
from persona_cli.paths import find_places


class Wholeness:
    """Looks at one home that nobody is writing to."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._store = open_store(home / "persona.db")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the store."""
        self._store.close()

    def check_rows(self) -> None:
        """Look at the database, its links, its full text, and the file of each picture's row."""
        assert self._store.verify() == ()
        for image in self._store.images.all():
            (file,) = (self._home / "media").glob(f"*/{image.hash}.*")
            assert hashlib.sha256(file.read_bytes()).hexdigest() == image.hash

    def check_said(self, said: Mapping[str, str], gone: Collection[str], perhaps: Collection[str]) -> None:
        """Look whether each message is there with its picture, none twice, and none that was forgotten."""
        turns = {turn.user: turn for turn in self._store.turns.all()}
        assert len(turns) == self._store.turns.count(), "a message stands twice"
        assert not turns.keys() & set(gone), "forgotten and still there"
        for text, shown in said.items():
            if text not in gone and text not in perhaps:
                assert text in turns, f"said and gone: {text}"
                assert len(turns[text].images) == bool(shown)

    def check_jobs(self) -> None:
        """Look whether each message and each ended conversation has its jobs, none of them twice."""
        for turn in self._store.turns.all():
            tasks = Counter(job.task for job in self._store.jobs.of_turn(turn.id))
            assert not tasks or tasks == Counter(AFTER_TURN), f"jobs of m{turn.id}: {tasks}"
        for session in self._store.sessions.all():
            tasks = Counter(job.task for job in self._store.jobs.of_session(session.id))
            if session.closed_at is not None:
                assert all(tasks[task] >= 1 for task in AFTER_SESSION)

    def check_all_done(self) -> None:
        """Look whether nothing is queued, and each message was learnt from."""
        assert self._store.jobs.pending() == 0
        for turn in self._store.turns.all():
            assert Counter(job.task for job in self._store.jobs.of_turn(turn.id)) == Counter(AFTER_TURN)

    def check_no_orphan(self) -> None:
        """Look whether each file of a picture is one of a message or of a backup, and none is half written."""
        pictures = {image.hash for image in self._store.images.all()}
        pictures |= pictures_in_backups(Backups(self._home / "persona.db"))
        assert {path.stem for path in (self._home / "media").glob("*/*")} == pictures
        unfinished = [path for path in self._home.rglob("*") if path.name.startswith((".new-", ".persona-unfinished-"))]
        assert not unfinished


def check_derived(home: Path) -> None:
    """Look whether vectors and pictures are in step with the rows, and nothing is left once leftovers are removed."""
    memory = open_memory(find_places(env={"PERSONA_HOME": str(home)}), Settings(), notice=lambda _: None)
    try:
        assert memory.index.verify() == ()
        remove_orphans(memory)
        assert memory.media.verify(memory.in_backups()) == ()
        assert not find_orphans(memory)
    finally:
        memory.close()


def messages_in(database: Path) -> frozenset[str]:
    """Return the messages in a database that nobody is writing to."""
    with closing(sqlite3.connect(database)) as raw:
        return frozenset(text for (text,) in raw.execute("SELECT user FROM turn"))


def digest(home: Path) -> str:
    """Return what every byte of a home comes to, weights aside."""
    whole = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_relative_to(home / "models"):
            whole.update(str(path).encode() + path.read_bytes())
    return whole.hexdigest()
