"""What can be read of a damaged database is saved, nothing is overwritten, and what is derived is made anew."""

import os
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.errors import StorageError
from persona_cli.memory.backup import Backups, Reason
from persona_cli.memory.salvage import salvage
from persona_cli.memory.store import open_store
from persona_cli.memory.tables.copying import damage
from persona_cli.records import Kind, SemanticMemory
from tests.terminal import persona

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
COUNT = 200
FEW = 12
PAGE = 4096


@pytest.fixture
def database(home: Path) -> Path:
    """Return a database of some hundred pages."""
    path = live(home / "persona.db", COUNT)
    assert path.stat().st_size > 100 * PAGE
    return path


@pytest.fixture
def small(home: Path) -> Path:
    """Return a database whose texts are soon embedded."""
    return live(home / "persona.db", FEW)


def live(path: Path, count: int) -> Path:
    store = open_store(path)
    with store.transaction():
        session = store.sessions.start(NOW)
        for number in range(count):
            said = f"Message {number} of a zebra. " + "It is long. " * 60
            turn = store.turns.add(session.id, NOW + timedelta(minutes=number), said, "Noted.", "test")
            store.semantic.add(SemanticMemory(0, f"Fact {number}.", (), "user", "quote", NOW, NOW, turn.id))
    store.close()
    return path


def pages_of(database: Path, table: str) -> list[int]:
    """Return the numbers of the pages that hold the rows of a table, from 0."""
    with closing(sqlite3.connect(database)) as raw:
        try:
            rows = raw.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite was built without dbstat")
    return [number - 1 for (number,) in rows]


def spoil(database: Path, *pages: int) -> bytes:
    content = bytearray(database.read_bytes())
    for page in pages:
        content[page * PAGE : (page + 1) * PAGE] = random.Random(page).randbytes(PAGE)
    database.write_bytes(content)
    return bytes(content)


@pytest.fixture(params=["shell", "no shell"])
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "no shell":
        monkeypatch.setenv("PATH", "/nowhere")
    return str(request.param)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("table", ["turn", "semantic", "text_data", "session"])
def test_one_bad_page(table: str, database: Path) -> None:
    spoiled = spoil(database, pages_of(database, table)[0])
    if table != "text_data":
        assert damage(database)
    done = salvage(database, NOW)
    assert (done.aside / "persona.db").read_bytes() == spoiled
    assert done.messages > COUNT * 0.9
    store = open_store(database)
    assert store.verify() == ()
    assert store.turns.count() == done.messages
    assert len(store.texts.search(["zebra"], (Kind.MESSAGE,), 1_000)) == done.messages
    assert len(store.semantic.list(None, limit=None)) > COUNT * 0.7
    store.close()
    assert [path.name for path in database.parent.glob(".persona-*")] == []


@pytest.mark.usefixtures("shell")
def test_half_of_the_file_is_gone(database: Path) -> None:
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    assert damage(database)
    salvage(database, NOW)
    store = open_store(database)
    assert store.verify() == ()
    store.close()


@pytest.mark.usefixtures("shell")
def test_where_nothing_can_be_read_the_newest_backup_takes_its_place(database: Path) -> None:
    made = Backups(database).add(Reason.DAILY, NOW)
    database.write_bytes(os.urandom(50 * PAGE))
    done = salvage(database, NOW)
    assert done.backup is not None
    assert (done.backup.name, done.messages) == (made.name, COUNT)
    store = open_store(database)
    assert store.turns.count() == COUNT
    store.close()


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    "flip",
    ["UPDATE turn SET at = 'x' || substr(at, 2) WHERE id = 2", "UPDATE turn SET steps = '[{\"ste\": 1}]' WHERE id = 2"],
)
def test_a_value_that_cannot_be_read_is_damage_though_every_page_is_whole(small: Path, flip: str) -> None:
    good = Backups(small).add(Reason.ASKED, NOW)
    with closing(sqlite3.connect(small)) as raw:
        raw.execute(flip)
        raw.commit()
    assert damage(small) == ""
    spoiled = Backups(small).add(Reason.ASKED, NOW)
    ran = persona("memory", "show", "m2")
    assert (ran.code, "damaged" in ran.error) == (StorageError.exit_code, True), ran.err
    assert persona("doctor").code == 1
    # what cannot be read is nothing to go back to
    assert persona("restore", spoiled.name, "--yes").code == StorageError.exit_code
    assert persona("doctor", "--fix").code == 0
    assert persona("doctor").code == 0
    assert persona("restore", good.name, "--yes").code == 0
    assert persona("memory", "show", "m2").code == 0


def test_a_whole_database_is_not_called_damaged(database: Path) -> None:
    assert damage(database) == ""


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_doctor_says_what_there_is_and_mends_it(small: Path) -> None:
    Backups(small).add(Reason.DAILY, NOW)
    spoiled = spoil(small, pages_of(small, "turn")[0])
    ran = persona("doctor")
    assert ran.code == 1
    shown = " ".join(ran.out.split())
    assert "damaged" in shown
    assert "persona restore 20260512T093000Z-daily" in shown
    assert f"{FEW} messages" in shown
    assert small.read_bytes() == spoiled
    ran = persona("doctor", "--fix")
    assert ran.code == 0, ran.out
    assert "saved: " in " ".join(ran.out.split())
    assert persona("doctor").code == 0


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_full_text_is_written_anew(small: Path) -> None:
    with closing(sqlite3.connect(small)) as raw:
        raw.execute("DELETE FROM text WHERE rowid = 12")
        raw.commit()
    assert "full text" in persona("doctor").out
    ran = persona("doctor", "--fix")
    assert ran.code == 0, ran.out
    assert "full text written anew" in " ".join(ran.out.split())


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_doctor_begins_no_new_life(small: Path) -> None:
    Backups(small).add(Reason.DAILY, NOW)
    small.unlink()
    for options in ((), ("--fix",)):
        ran = persona("doctor", *options)
        assert ran.code == 1
        assert "persona restore newest" in " ".join(ran.out.split())
        assert not small.exists()
