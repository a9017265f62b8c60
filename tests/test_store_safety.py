"""What must never happen: a lost write, half a write, a database that cannot be opened without a reason."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from persona_cli.errors import BusyError, PersonaError, StorageError
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.tables.connection import explain
from persona_cli.records import Aspect, Kind, Ref, SemanticMemory, Task

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


class StoppedError(Exception):
    """Raised by a test in the middle of a transaction."""


def say(store: Store, text: str) -> int:
    session = store.sessions.start(AT)
    return store.turns.add(session.id, AT, text, "", "test").id


def say_and_stop(store: Store, *texts: str) -> None:
    with store.transaction():
        for text in texts:
            with store.transaction():
                say(store, text)
        raise StoppedError


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(StoppedError):
        say_and_stop(store, "one", "two")
    assert store.empty()


def test_an_inner_transaction_that_fails_takes_only_its_own_writes(store: Store) -> None:
    with store.transaction():
        say(store, "kept")
        with pytest.raises(StoppedError):
            say_and_stop(store, "dropped")
    assert [turn.user for turn in store.turns.all()] == ["kept"]


class CutOff:
    """A connection of SQLite on which Ctrl-C comes right after one statement."""

    def __init__(self, raw: sqlite3.Connection, statement: str) -> None:
        self._raw = raw
        self._statement = statement

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = self._raw.execute(sql, *values)
        if sql == self._statement:
            raise KeyboardInterrupt
        return cursor


def test_a_read_that_is_cut_off_holds_back_no_later_write(home: Path) -> None:
    store = open_store(home / "persona.db")
    connection, raw = store._connection, store._connection.raw
    connection.raw = CutOff(raw, "BEGIN")  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        store.texts.each(["tea"], None, 9)
    connection.raw = raw
    with store.transaction():
        store.sessions.start(AT)
    other = open_store(home / "persona.db")
    assert len(other.sessions.all()) == 1
    other.close()
    store.close()


def test_two_threads_lose_nothing(home: Path) -> None:
    store = open_store(home / "persona.db")
    failures: list[PersonaError] = []

    def write(name: str) -> None:
        try:
            for number in range(60):
                with store.transaction():
                    turn = say(store, f"{name} {number}")
                    store.jobs.add(Task.SEMANTIC, turn_id=turn)
                list(store.turns.all())
        except PersonaError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("answer", "update")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (store.turns.count(), store.jobs.pending(), store.verify()) == (120, 120, ())
    store.close()


def test_two_processes_take_turns_and_a_third_is_told_to_wait(home: Path) -> None:
    first = open_store(home / "persona.db")
    second = open_store(home / "persona.db", busy_seconds=0.2)
    with first.transaction():
        say(first, "under way")
        assert second.turns.count() == 0
        with pytest.raises(BusyError) as busy:
            say(second, "too early")
        assert busy.value.fix
    say(second, "now")
    assert [turn.user for turn in first.turns.all()] == ["under way", "now"]
    first.close()
    second.close()


def test_a_process_killed_in_a_transaction_leaves_the_database_whole(home: Path) -> None:
    path = home / "persona.db"
    script = f"""
import time
from datetime import UTC, datetime
from pathlib import Path
from persona_cli.memory.store import open_store
from persona_cli.records import Task
at = datetime(2026, 5, 12, tzinfo=UTC)
store = open_store(Path({str(path)!r}))
session = store.sessions.start(at)
turn = store.turns.add(session.id, at, "kept", "", "test")
store.jobs.add(Task.SEMANTIC, turn_id=turn.id)
store.jobs.claim()
with store.transaction():
    for number in range(2000):
        store.turns.add(session.id, at, "lost " * 200, "", "test")
    print("now", flush=True)
    time.sleep(60)
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "now\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store = open_store(path)
    assert [turn.user for turn in store.turns.all()] == ["kept"]
    assert store.verify() == ()
    assert store.jobs.recover() == 1
    store.close()


def test_a_full_disk_is_named_and_what_was_saved_stays(home: Path) -> None:
    store = open_store(home / "persona.db")
    say(store, "kept")
    pages = store._connection.number("PRAGMA page_count")
    store._connection.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match="full"):
        say(store, "much " * 20_000)
    with pytest.raises(StorageError, match="full"):
        say_and_stop(store, "small", "much " * 20_000)
    assert [turn.user for turn in store.turns.all()] == ["kept"]
    assert store.verify() == ()
    store.close()


@pytest.mark.parametrize("content", [b"Dear diary, " * 400, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(home: Path, content: bytes) -> None:
    home.mkdir()
    (home / "persona.db").write_bytes(content)
    with pytest.raises(StorageError, match="damaged") as refused:
        open_store(home / "persona.db")
    assert refused.value.fix
    assert (home / "persona.db").read_bytes() == content


def test_damage_inside_is_found(home: Path) -> None:
    path = home / "persona.db"
    store = open_store(path)
    for number in range(400):
        say(store, f"turn {number} " * 20)
    store.close()
    content = bytearray(path.read_bytes())
    # among the messages: what is damaged in the schema, which stands before them, cannot even be opened
    content[len(content) * 3 // 4 : len(content) * 3 // 4 + 9000] = b"\xa5" * 9000
    path.write_bytes(content)
    damaged = open_store(path)
    assert damaged.verify()
    damaged.close()


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be opened") as refused:
        open_store(tmp_path / "file" / "home" / "persona.db")
    assert "PERSONA_HOME" in refused.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_is_named(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(StorageError, match="cannot be opened"):
        open_store(home / "persona.db")


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR],
)
def test_every_error_of_sqlite_becomes_one_line_with_a_fix(code: int) -> None:
    error = sqlite3.OperationalError("something")
    error.sqlite_errorcode = code
    told = explain(error, "persona.db")
    assert isinstance(told, PersonaError)
    assert "persona.db" in told.message
    assert told.fix
    assert "\n" not in told.message


def test_a_copy_of_the_file_is_a_whole_backup(home: Path, tmp_path: Path) -> None:
    store = open_store(home / "persona.db")
    say(store, "kept")
    store.close()
    shutil.copy(home / "persona.db", tmp_path / "copy.db")
    copy = open_store(tmp_path / "copy.db")
    assert copy.turns.count() == 1
    copy.close()


def test_a_slow_reader_does_not_hold_up_a_writer(home: Path) -> None:
    store = open_store(home / "persona.db")
    with store.transaction():
        for number in range(1000):
            say(store, str(number))
    reading = store.turns.all()
    next(reading)
    done = threading.Event()

    def write() -> None:
        say(store, "written")
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    # held up, it would wait for the reader, which goes on only below
    writer.join(60)
    assert done.is_set()
    assert sum(1 for _ in reading) == 1000
    store.close()


HOSTILE = [
    'AND OR NOT NEAR("x")',
    '"',
    "'; DROP TABLE turn; --",
    "answer: *",
    "🎉👩‍👩‍👧 fête",
    "a\0b nul",
    "\ud800 half",
    "{content} : x",
    "(" * 500,
    "^start - minus + plus",
    "",
    "%s {0} %(x)s",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_stored_and_searched(store: Store, text: str) -> None:
    turn = say(store, f"{text} walrus")
    kept = store.turns.get(turn).user
    assert kept == f"{text} walrus".encode("utf-8", "replace").decode()
    store.texts.search([text], None, 5)
    store.texts.search(text.split(), None, 5)
    assert store.texts.search([text, "walrus"], None, 5)[0][0] == Ref(Kind.MESSAGE, turn)
    assert store.core.put("name", text, Aspect.HUMAN, AT).value == text
    assert store.verify() == ()


def test_words_are_stemmed_phrases_kept_and_operators_plain_words(store: Store) -> None:
    turn = say(store, "I was running AND swimming near the old harbour")
    other = say(store, "nothing of that")
    for words in (["runs"], ["AND"], ["old harbour"], ["Häfen", "SWIM"]):
        assert [ref.id for ref, _ in store.texts.search(words, None, 5)] == [turn]
    assert store.texts.search(["harbour old"], None, 5) == ()
    assert [ref.id for ref, _ in store.texts.search(["nothing"], [Kind.MESSAGE], 5)] == [other]
    assert store.texts.search(["nothing"], [Kind.SEMANTIC], 5) == ()
    assert store.texts.search(["nothing"], [], 5) == ()


def test_every_kind_is_in_the_full_text_and_follows_its_changes(store: Store) -> None:
    session = store.sessions.start(AT)
    turn = store.turns.add(session.id, AT, "tell me", "of zebras", "test")
    fact = store.semantic.add(SemanticMemory(0, "zebra fact", ("stripes",), "user", "q", AT, AT))
    core = store.core.put("animal", "zebra", Aspect.HUMAN, AT)
    habit = store.habits.put("zoo", "Sees zebras on Sundays.", AT)
    image = store.images.add("a" * 64, "image/png", 1, 1, 1, "0" * 16, AT)
    store.images.set_caption(image.id, "a zebra")
    found = {str(ref) for ref, score in store.texts.search(["zebra"], None, 9) if score > 0}
    assert found == {f"m{turn.id}", f"s{fact.id}", f"c{core.id}", f"p{habit.id}", f"i{image.id}"}
    assert Ref(Kind.MESSAGE, turn.id) not in dict(store.texts.search(["zebra"], None, 9, answers=0))
    assert dict(store.texts.search(["stripes"], None, 9)).keys() == {Ref(Kind.SEMANTIC, fact.id)}
    store.semantic.update(fact.id, content="a horse", keywords=())
    assert Ref(Kind.SEMANTIC, fact.id) not in dict(store.texts.search(["zebra", "stripes"], None, 9))
    assert dict(store.texts.search(["horse"], None, 9)).keys() == {Ref(Kind.SEMANTIC, fact.id)}
    assert store.verify() == ()
