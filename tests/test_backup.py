"""Backups in the home and archives outside it, the way back, and no silent new start beside what is left of a life."""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from persona_cli.agent.assistant import Assistant
from persona_cli.errors import NotFoundError, StorageError
from persona_cli.memory.backup import Backup, Backups, Reason
from persona_cli.memory.backups_forget import forget_in_backups
from persona_cli.memory.schema import STEPS
from persona_cli.memory.schema.migrations import migrations
from persona_cli.memory.store import open_store
from persona_cli.paths import find_places
from persona_cli.records import Kind, Ref
from tests.agents import say
from tests.terminal import persona
from tests.test_cli_chat import picture

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def tell(home: Path, *messages: str) -> None:
    store = open_store(home / "persona.db")
    session = store.sessions.start(NOW)
    for message in messages:
        store.turns.add(session.id, NOW, message, "Noted.", "test")
    store.close()


def forgotten(home: Path, ref: Ref) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Forget in the backups alone, as far as a run gets that is killed then; returns those rewritten and deleted."""
    with closing(open_store(home / "persona.db")) as store:
        backups, words = Backups(home / "persona.db"), store.rehearse(ref)
        assert store.find([ref]), "a rehearsal deletes nothing"
        return forget_in_backups(backups, store.find([ref]), words)


def told(home: Path) -> list[str]:
    store = open_store(home / "persona.db")
    messages = [turn.user for turn in store.turns.all()]
    store.close()
    return messages


def test_a_copy_is_whole_private_and_of_one_moment(home: Path) -> None:
    tell(home, "I have a zebra.")
    backups = Backups(home / "persona.db")
    made = backups.add(Reason.ASKED, NOW)
    assert (made.name, made.messages) == ("20260512T093000Z-asked", 1)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]
    assert backups.find("newest") == backups.find(made.name) == made
    with pytest.raises(NotFoundError):
        backups.find("../persona")


def test_a_few_of_each_are_kept(home: Path) -> None:
    tell(home, "hello")
    backups = Backups(home / "persona.db")
    backups.add(Reason.ASKED, NOW)
    for day in range(6):
        at = NOW + timedelta(days=day + 1)
        assert backups.is_due(at + timedelta(hours=1))
        backups.add(Reason.DAILY, at)
        assert not backups.is_due(at + timedelta(hours=23))
    kept = [(backup.reason, backup.at.day) for backup in backups.all()]
    assert kept == [(Reason.DAILY, 18), (Reason.DAILY, 17), (Reason.DAILY, 16), (Reason.ASKED, 12)]


def test_going_back_and_forth(home: Path) -> None:
    tell(home, "first")
    backups = Backups(home / "persona.db")
    early = backups.add(Reason.ASKED, NOW)
    tell(home, "second")
    kept = backups.put_back(early.path, NOW + timedelta(hours=1))
    assert told(home) == ["first"]
    assert kept is not None
    assert kept.name == "20260512T103000Z-restore"
    backups.put_back(backups.find(kept.name).path, NOW + timedelta(hours=2))
    assert told(home) == ["first", "second"]


def test_another_process_that_is_open_sees_what_was_put_back(home: Path) -> None:
    tell(home, "first")
    backups = Backups(home / "persona.db")
    early = backups.add(Reason.ASKED, NOW)
    tell(home, "second")
    other = open_store(home / "persona.db")
    assert other.turns.count() == 2
    backups.put_back(early.path, NOW)
    assert [turn.user for turn in other.turns.all()] == ["first"]
    other.close()
    assert told(home) == ["first"]


def test_a_damaged_database_is_set_aside_as_it_is(home: Path) -> None:
    tell(home, "first")
    backups = Backups(home / "persona.db")
    early = backups.add(Reason.ASKED, NOW)
    (home / "persona.db").write_bytes(b"no database" * 1_000)
    aside = backups.put_back(early.path, NOW)
    assert isinstance(aside, Path)
    assert (aside / "persona.db").read_bytes() == b"no database" * 1_000
    assert told(home) == ["first"]


def test_a_damaged_backup_is_not_put_back(home: Path) -> None:
    tell(home, "first")
    backups = Backups(home / "persona.db")
    made = backups.add(Reason.ASKED, NOW)
    content = bytearray(made.path.read_bytes())
    content[4096:8192] = os.urandom(4096)
    made.path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        backups.put_back(made.path, NOW)
    assert told(home) == ["first"]


def test_a_backup_that_could_not_be_written_again_is_not_put_back(home: Path) -> None:
    tell(home, "first")
    backups = Backups(home / "persona.db")
    made = backups.add(Reason.ASKED, NOW)
    content = bytearray(made.path.read_bytes())
    content[18] = 3  # a way of writing that no SQLite knows
    made.path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        backups.put_back(made.path, NOW)
    assert told(home) == ["first"]


def test_one_is_made_before_each_migration(home: Path) -> None:
    home.mkdir(mode=0o700)
    with closing(sqlite3.connect(home / "persona.db", isolation_level=None)) as raw:
        migrations.apply(Database(raw, execute_plugins=False), stop_before=STEPS[-1])
        raw.execute("INSERT INTO session VALUES (1, 'a', 'a', NULL)")
    open_store(home / "persona.db").close()
    (made,) = Backups(home / "persona.db").all()
    assert made.reason is Reason.MIGRATION
    with closing(sqlite3.connect(made.path)) as raw:
        assert raw.execute("SELECT count(*) FROM session").fetchone() == (1,)
        assert raw.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (len(STEPS) - 1,)
    open_store(home / "persona.db").close()
    assert len(Backups(home / "persona.db").all()) == 1


def test_a_new_home_makes_none(home: Path) -> None:
    open_store(home / "persona.db").close()
    assert not (home / "backups").exists()


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("left", ["media", "backups"])
def test_no_new_life_is_begun_beside_what_is_left(state: str, left: str, home: Path) -> None:
    tell(home, "first")
    if left == "backups":
        Backups(home / "persona.db").add(Reason.DAILY, NOW)
    else:
        (home / "media" / "ab").mkdir(parents=True)
        (home / "media" / "ab" / f"{'ab' * 32}.png").write_bytes(b"a picture")
    (home / "persona.db").unlink()
    if state == "empty":
        (home / "persona.db").touch()
    with pytest.raises(StorageError, match=state) as refused:
        open_store(home / "persona.db")
    assert "persona restore" in refused.value.fix
    assert (home / "persona.db").exists() is (state == "empty")
    if left == "backups":
        assert persona("restore", "newest", "--yes").code == 0
        assert told(home) == ["first"]


def test_what_is_forgotten_is_forgotten_in_backups(home: Path) -> None:
    tell(home, "I have a zebra.", "I like tea.")
    backups = Backups(home / "persona.db")
    backups.add(Reason.ASKED, NOW)
    with closing(sqlite3.connect(backups.add(Reason.DAILY, NOW).path)) as old:
        # of an older form: it cannot be rewritten
        old.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (STEPS[-1],))
        old.commit()
    (home / "damaged-20260101T000000Z").mkdir()
    rewritten, dropped = forgotten(home, Ref(Kind.MESSAGE, 1))
    assert rewritten == ("20260512T093000Z-asked",)
    assert dropped == ("20260512T093001Z-daily", "damaged-20260101T000000Z")
    assert b"zebra" not in backups.find("newest").path.read_bytes()
    assert backups.find("newest").messages == 1


def test_the_copy_of_the_vectors_is_begun_anew_also_where_going_back_is_killed(assistant: Assistant) -> None:
    memory = assistant.memory
    say(assistant, "I like tea.")
    assistant.updates.run()
    early = memory.backups.add(Reason.ASKED, NOW)
    say(assistant, "I have a zebra.")
    assistant.updates.run()
    memory.index.close()
    memory.backups.put_back(early.path, NOW)
    # as many again, under the same numbers
    say(assistant, "I hate jam.")
    assistant.updates.run()
    assert memory.index.verify() == ()


def test_going_back_and_forth_in_one_second_loses_nothing(home: Path) -> None:
    tell(home, "I have a zebra.")
    backups = Backups(home / "persona.db")
    zebra = backups.add(Reason.RESTORE, NOW)
    tell(home, "I like tea.", "I like jam.")
    backups.add(Reason.RESTORE, NOW)
    # the oldest of its kind, where making another drops the oldest
    backups.put_back(zebra.path, NOW)
    assert told(home) == ["I have a zebra."]
    # all were made in one second
    for messages in (3, 1, 3):
        backups.put_back(backups.find("newest").path, NOW)
        assert len(told(home)) == messages


def test_a_backup_that_says_it_otherwise_is_dropped(home: Path) -> None:
    tell(home, "I have a zebra.", "I like tea.")
    store, backups = open_store(home / "persona.db"), Backups(home / "persona.db")
    store.habits.put("pet", "As I said: I have a zebra.", NOW)
    backups.add(Reason.ASKED, NOW)
    store.forget(Ref(Kind.PROCEDURAL, 1))
    store.close()
    assert forgotten(home, Ref(Kind.MESSAGE, 1)) == ((), ("20260512T093000Z-asked",))


def test_what_has_the_same_number_in_a_backup_and_is_another_stays(home: Path) -> None:
    tell(home, "I like tea.")
    backups = Backups(home / "persona.db")
    early = backups.add(Reason.ASKED, NOW)
    tell(home, "I have a zebra.")
    late = backups.put_back(early.path, NOW)
    assert isinstance(late, Backup)
    with closing(open_store(home / "persona.db")) as store:
        other = store.turns.add(store.sessions.start(NOW).id, NOW + timedelta(days=1), "I hate jam.", "Noted.", "test")
    assert forgotten(home, Ref(Kind.MESSAGE, other.id)) == ((), ())
    backups.put_back(late.path, NOW)
    assert told(home) == ["I like tea.", "I have a zebra."]


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_an_archive_takes_the_place_of_a_memory(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = picture(tmp_path / "a dog.png")
    assert persona("chat", "This is Max, my dog.", "--image", str(shown)).code == 0
    archive = tmp_path / "archive.age"
    monkeypatch.setenv("PERSONA_PASSPHRASE", "several words")
    assert persona("backup", str(archive), "--encrypt").code == 0
    assert b"Max" not in archive.read_bytes()
    assert persona("memory", "forget", "--everything", "--yes").code == 0
    assert persona("chat", "I have a cat.").code == 0
    ran = persona("restore", str(archive), "--yes")
    assert ran.code == 0, ran.err
    assert "kept as" in ran.err
    shown_again = persona("memory", "list", "-k", "message", "-k", "image", "--json").json
    assert [one["text"].split("  →")[0] for one in shown_again if one["kind"] == "message"] == ["This is Max, my dog."]
    assert len(shown_again) == 2
    assert persona("doctor").code == 0
    # and back to the cat
    assert persona("restore", "newest", "--yes").code == 0
    assert "cat" in persona("memory", "list", "-k", "message").out


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_a_hostile_archive_does_not_take_its_place(home: Path, tmp_path: Path) -> None:
    assert persona("chat", "I have a cat.").code == 0
    archive = tmp_path / "archive.jsonl"
    assert persona("backup", str(archive)).code == 0
    archive.write_bytes(archive.read_bytes().replace(b"I have a cat.", b"I have a rat."))
    before = {path.name for path in home.rglob("*")}
    assert persona("restore", str(archive), "--yes").code == 5
    assert {path.name for path in home.rglob("*")} == before
    assert "cat" in persona("memory", "list", "-k", "message").out


@pytest.mark.gguf
@pytest.mark.usefixtures("weights")
def test_the_command_and_the_daily_one(home: Path) -> None:
    assert persona("chat", "I have a cat.").code == 0
    listed = persona("backup", "--list").out
    assert "-daily  " in listed
    assert "1 message" in listed
    assert persona("chat", "I have a dog.").code == 0
    assert len(persona("backup", "--list").out.splitlines()) == 1
    name = persona("backup").out.strip()
    assert name.endswith("-asked")
    assert persona("restore", name, stdin="n\n").code == 1
    assert persona("restore", "nothing", "--yes").code == 2
    assert persona("backup", "--encrypt").code == 2
    assert find_places().database.exists()
