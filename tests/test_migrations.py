"""The schema: from nothing, again, from each step before, by two at once, and never backwards."""

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


def blank() -> Database:
    return Database(sqlite3.connect(":memory:", isolation_level=None))


def schema(database: Database) -> list[tuple[str, str]]:
    rows = database.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '_sqlite%' ORDER BY name")
    return [(name, sql) for name, sql in rows.fetchall()]


def test_a_blank_database_gets_every_step_once() -> None:
    database = blank()
    assert bring_up_to_date(database.conn, "here") == len(STEPS)
    first = schema(database)
    assert tuple(one.name for one in migrations.applied(database)) == STEPS
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
