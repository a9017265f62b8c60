"""The schema: from nothing, again, from each step before, by two at once, and never backwards."""

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from persona_cli.errors import StorageError
from persona_cli.memory.schema import STEPS, bring_up_to_date
from persona_cli.memory.schema.migrations import migrations
from persona_cli.memory.store import open_store
from persona_cli.records import Kind, Ref


def blank() -> Database:
    return Database(sqlite3.connect(":memory:", isolation_level=None))


def schema(database: Database) -> list[tuple[str, str]]:
    rows = database.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '_sqlite%' ORDER BY name")
    return [(name, sql) for name, sql in rows.fetchall()]


def test_a_blank_database_gets_every_step_once() -> None:
    database = blank()
    assert bring_up_to_date(database.conn, "here") == len(STEPS)
    first = schema(database)
    assert tuple(step.name for step in migrations.applied(database)) == STEPS
    assert bring_up_to_date(database.conn, "here") == 0
    assert schema(database) == first
    database.close()


@pytest.mark.parametrize("step", STEPS)
def test_every_earlier_schema_is_brought_up_to_date(step: str) -> None:
    expected, database = blank(), blank()
    bring_up_to_date(expected.conn, "here")
    migrations.apply(database, stop_before=step)
    bring_up_to_date(database.conn, "here")
    assert schema(database) == schema(expected)
    expected.close()
    database.close()


COMMITTED = {
    "search": "b5e9ed0894",
    "life": "c270c3789b",
    "summing": "fdc116bfcb",
    "looks": "30f41089c8",
    "windows": "baa4091940",
    "captions": "1cfdbc6c15",
    "changes": "0ae6bbf8a8",
    "embedded": "8702985b55",
    "rulings": "08e5e95135",
    "grams": "4153698c6d",
    "likenesses": "a949a6aa72",
    "imports": "274b15b3a6",
    "growth": "0654a7bcd7",
}
"""SHA-1 of every schema that was ever committed, by its last step: they are still what those commits made."""


def up_to(step: str) -> Database:
    database, place = blank(), STEPS.index(step) + 1
    if place == len(STEPS):
        migrations.apply(database)
    else:
        migrations.apply(database, stop_before=STEPS[place])
    return database


@pytest.mark.parametrize("step", STEPS)
def test_a_committed_schema_never_changes(step: str) -> None:
    database = up_to(step)
    made = hashlib.sha1(repr(schema(database)).encode()).hexdigest()[:10]
    if STEPS.index(step) >= STEPS.index("search"):
        assert made == COMMITTED.get(step), f"pin the schema after {step!r} here, and never change it"
    database.close()


@pytest.mark.parametrize("step", COMMITTED)
def test_a_life_in_any_committed_schema_is_carried_over(step: str, home: Path) -> None:
    database = up_to(step)
    at = "2026-05-01T08:00:00.000000Z[UTC]"
    written: dict[str, dict[str, object]] = {
        "session": {"id": 4, "started_at": at, "last_at": at},
        "turn": {"id": 5, "session_id": 4, "at": at, "user": "I have a zebra.", "answer": "Noted.", "model": "test"},
        "semantic": {
            "id": 6, "content": "Has a zebra.", "keywords": '["zebra"]', "subject": "user", "quote": "a zebra",
            "recorded_at": at, "valid_from": at, "turn_id": 5, "slot": "", "status": "active", "seen": 1,
            "author": "model", "folded": "has a zebra",
        },
        "core": {
            "id": 7, "key": "pet", "value": "a zebra", "aspect": "human", "recorded_at": at, "turn_id": 5,
            "author": "model", "status": "active",
        },
        "reading": {
            "id": 8, "turn_id": 5, "at": at, "inferred": "{}", "momentum": 0.5, "before": "{}", "after": "{}"
        },
        "job": {"id": 9, "task": "core", "session_id": 4, "state": "queued", "attempts": 0, "error": "", "place": 1},
    }  # fmt: skip
    for table, row in written.items():
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    home.mkdir(mode=0o700)
    target = sqlite3.connect(home / "persona.db")
    database.conn.backup(target)
    target.close()
    database.close()
    store = open_store(home / "persona.db")
    assert store.verify() == ()
    assert (store.turns.get(5).user, store.semantic.get(6).content) == ("I have a zebra.", "Has a zebra.")
    assert [ref.id for ref, _ in store.texts.search(["zebra"], None, 9)] != []
    kept = dict(store.export_rows())
    for table, row in written.items():
        assert row.items() <= kept[table].items()
    store.forget(Ref(Kind.MESSAGE, 5))
    assert store.tables()["semantic"] == 0
    store.close()
    assert b"zebra" not in (home / "persona.db").read_bytes()


def test_what_was_stored_before_summaries_stays_as_it_is() -> None:
    database = blank()
    migrations.apply(database, stop_before="summing")
    rows = {
        "session": (4, "2026-05-01T08:00:00.000000Z[UTC]", "2026-05-01T08:00:00.000000Z[UTC]", None),
        "episode": (7, 4, "A zebra.", "[]", "a", "b", "c", "active", "model"),
        "job": (9, "core", None, 4, "failed", 3, "why", 2),
    }
    for table, values in rows.items():
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    bring_up_to_date(database.conn, "here")
    kept = {table: database.execute(f"SELECT * FROM {table}").fetchone() for table in rows}
    assert kept == rows | {"episode": (*rows["episode"], None, None)}
    # an id is never used again, also by what comes after the table was made anew
    database.execute("DELETE FROM job")
    database.execute("INSERT INTO job VALUES (NULL, 'tidy', NULL, 4, 'queued', 0, '', 1)")
    assert database.execute("SELECT id FROM job").fetchone() == (10,)
    database.close()


def test_a_step_that_fails_leaves_the_schema_as_it_was() -> None:
    database = blank()
    database.execute("CREATE TABLE reading (mine)")
    before = schema(database)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        bring_up_to_date(database.conn, "here")
    assert schema(database) == before
    database.close()


def test_a_database_of_a_newer_persona_is_refused_and_left_alone(home: Path) -> None:
    path = home / "persona.db"
    open_store(path).close()
    raw = sqlite3.connect(path)
    raw.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('persona', 'tomorrow', '')")
    raw.commit()
    raw.close()
    with pytest.raises(StorageError, match="newer persona") as refused:
        open_store(path)
    assert "pip install --upgrade" in refused.value.fix


def test_several_processes_may_start_on_a_new_home_at_once(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from persona_cli.memory.store import open_store;"
        "open_store(Path(sys.argv[1])).close()"
    )
    starting = [subprocess.Popen([sys.executable, "-c", code, str(home / "persona.db")]) for _ in range(4)]
    assert [one.wait() for one in starting] == [0] * 4
    store = open_store(home / "persona.db")
    assert store.verify() == ()
    store.close()
