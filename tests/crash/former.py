"""A life written in a schema of before, whose first run of today brings it up to date: that is killed as well."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from persona_cli.memory.backup import Backups, Reason
from persona_cli.memory.store import open_store
from persona_cli.memory.tables.copying import is_current
from tests.test_migrations import up_to

MESSAGES = 200
"""So many that filling the full text takes a good part of the run."""
_AT = "2026-05-01T08:00:00.000000Z[UTC]"


@dataclass(frozen=True)
class FormerLife:
    """A home as a persona of before has left it."""

    home: Path

    @property
    def database(self) -> Path:
        """Where it was written."""
        return self.home / "persona.db"

    def write(self, step: str) -> None:
        """Write it in the schema after `step`."""
        self.home.mkdir(mode=0o700)
        written = up_to(step)
        written.execute("INSERT INTO session (id, started_at, last_at) VALUES (1, ?, ?)", (_AT, _AT))
        written.conn.executemany(
            "INSERT INTO turn (id, session_id, at, user, answer, model) VALUES (?, 1, ?, ?, 'Noted.', 'test')",
            [(row_id, _AT, text) for row_id, text in enumerate(_messages(), 1)],
        )
        written.conn.executemany(
            "INSERT INTO semantic (id, content, keywords, subject, quote, recorded_at, valid_from, turn_id, slot,"
            " status, seen, author, folded) VALUES (?, ?, '[]', 'user', ?, ?, ?, ?, '', 'active', 1, 'model', ?)",
            [(row_id, text, text, _AT, _AT, row_id, text.casefold()) for row_id, text in enumerate(_messages(), 1)],
        )
        with closing(sqlite3.connect(self.database)) as target:
            written.conn.backup(target)
        written.conn.close()

    def check(self, *, finished: bool) -> bool:
        """Look whether all of it is there, in the old form or in today's; returns whether it is in today's."""
        if not is_current(self.database):
            assert not finished, "a run has ended well in front of an old schema"
            with closing(sqlite3.connect(self.database)) as raw:
                assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert tuple(text for (text,) in raw.execute("SELECT user FROM turn ORDER BY id")) == _messages()
            return False
        with closing(open_store(self.database)) as store:
            assert store.verify() == ()
            assert tuple(turn.user for turn in store.turns.all()) == _messages()
            assert {fact.content for fact in store.semantic.list(None)} == set(_messages())
            assert store.texts.search(["17th"], None, 9)
        kept = [backup for backup in Backups(self.database).all() if backup.reason is Reason.MIGRATION]
        assert kept
        assert all(backup.messages == MESSAGES for backup in kept)
        return True


def _messages() -> tuple[str, ...]:
    return tuple(f"My {number}th zebra likes grass." for number in range(MESSAGES))
