"""A private conversation, with memory or without, changes not one byte of the home; also with pictures and killed."""

from __future__ import annotations

import hashlib
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import PIL.Image
import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.errors import UsageError
from persona_cli.memory import Keeping, open_memory
from persona_cli.memory.snapshot import read_snapshot
from persona_cli.memory.store import open_snapshot, open_store
from persona_cli.paths import find_places
from persona_cli.records import Answer, Aspect, Kind, Ref, Retrieve, Want, Wish
from tests.fakes import ScriptedModel
from tests.terminal import persona, persona_typed

DOG = "My dog is called Biscuit."
ASKS = "What is my dog called?"
AT = datetime(2026, 5, 12, tzinfo=UTC)
MODES = ("--private", "--no-memory")


def state(home: Path) -> Mapping[str, tuple[str, int, int]]:
    """Return content, mode and time of every file and directory below `home`."""
    return {
        str(path.relative_to(home)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in (home, *home.rglob("*"))
        if path.exists()
    }


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "biscuit.png"
    PIL.Image.effect_noise((80, 60), 70).save(path)
    return path


@pytest.fixture
def private(home: Path, model: ScriptedModel) -> Iterator[Assistant]:
    """Return an assistant in private over what was remembered before."""
    list_of = open_assistant(find_places(), Settings(), model=ScriptedModel(), notice=pytest.fail)
    list(list_of.respond(DOG))
    list_of.close()
    opened = open_assistant(find_places(), Settings(), model=model, notice=pytest.fail, keeping=Keeping.PRIVATE)
    yield opened
    opened.close()


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("mode", MODES)
def test_not_one_byte_of_the_home_changes(mode: str, home: Path, picture: Path) -> None:
    persona("chat", DOG, "--image", str(picture))
    before = state(home)
    asked = persona("chat", mode, ASKS, "--image", str(picture), "--json")
    assert ("Biscuit" in asked.json["answer"]) == (mode == "--private")
    assert asked.json["turn"] is None
    PIL.Image.effect_noise((90, 60), 70).save(picture)
    assert persona("chat", mode, "I moved to Leeds.", "--image", str(picture)).code == 0
    _, screen = persona_typed(
        "chat", mode, typed="I moved to Leeds.\nWhere do I live?\n/memory\n/why\n/profile\n/quit\n"
    )
    assert "private" in screen
    assert state(home) == before


@pytest.mark.parametrize("mode", MODES)
def test_where_there_is_no_home_none_is_made(mode: str, home: Path, picture: Path) -> None:
    assert persona("chat", mode, DOG, "--image", str(picture)).code == 0
    assert not home.exists()


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("mode", MODES)
def test_killed_it_leaves_nothing_either(mode: str, home: Path, picture: Path) -> None:
    persona("chat", DOG)
    before = state(home)
    for seconds in (0.4, 0.8, 1.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "persona_cli", "chat", mode, ASKS, "--image", str(picture)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert state(home) == before


def test_both_at_once_are_refused() -> None:
    assert persona("chat", "--private", "--no-memory", "Hello!").code == UsageError.exit_code


def test_a_private_turn_is_recent_in_its_own_conversation_alone(private: Assistant, model: ScriptedModel) -> None:
    list(private.respond("I moved to Leeds."))
    list(private.respond("Where do I live?"))
    (situation,) = model.called("reason")[-1]
    assert situation.recent[-1].user == "I moved to Leeds."
    assert not situation.kept
    assert private.last_turn is None
    store = open_store(private.memory.places.database)
    assert [turn.user for turn in store.turns.all()] == [DOG]
    store.close()


def test_a_private_wish_deletes_nothing(private: Assistant, model: ScriptedModel, home: Path) -> None:
    before = state(home)
    model.enqueue("reason", Wish(Want.FORGET, (Ref(Kind.MESSAGE, 1),)), Answer("No."))
    list(private.respond("Forget what I said."))
    assert model.called("reason")[-1][0].fulfilled[0].receipt == ()
    model.enqueue("reason", Wish(Want.KEEP_OUT), Answer("Fine."))
    list(private.respond("Keep that out."))
    assert state(home) == before


def test_without_memory_nothing_is_read_nor_searched(home: Path, model: ScriptedModel) -> None:
    told = open_assistant(find_places(), Settings(), model=ScriptedModel(), notice=pytest.fail)
    list(told.respond("My name is Ines."))
    told.close()
    opened = open_assistant(find_places(), Settings(), model=model, notice=pytest.fail, keeping=Keeping.NOTHING)
    assert not [step for step in opened.respond("Who am I?") if isinstance(step, Retrieve)]
    (situation,) = model.called("answer")[0]
    assert situation.recent == ()
    assert situation.core.entries == ()
    opened.close()


PROMISES = re.compile(r"\b(?:noted|i'll|i will|i keep|kept as|forgotten|nothing left)\b", re.I)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("keeping", [Keeping.PRIVATE, Keeping.NOTHING])
def test_the_built_in_model_promises_nothing_in_private(keeping: Keeping, picture: Path) -> None:
    said = (
        "My sister Ada lives in Bergen.", "Where does Tomas live?", "What do you know about Tomas?",
        "Forget my address.", "What do you know about me?", "Who is this?",
        "Ich wohne seit drei Jahren in Leipzig und arbeite dort als Lehrerin.",
        "Meine Schwester arbeitet in Hamburg als Ärztin und kommt am Freitag.",
    )  # fmt: skip
    assistant = open_assistant(find_places(), Settings(), notice=pytest.fail, keeping=keeping)
    for text in said:
        *_, answer = assistant.respond(text, [picture] if text == "Who is this?" else [])
        assert isinstance(answer, Answer)
        assert answer.text
        assert not PROMISES.search(answer.text), answer.text
    assistant.close()


# the history of the line editor


@pytest.mark.usefixtures("weights")
def test_the_arrow_keys_bring_back_what_memory_has_and_there_is_no_file(home: Path) -> None:
    persona("chat", DOG)
    (home / "history").write_text("+my password is hunter2")
    code, _ = persona_typed("chat", typed="\x1b[A\r/quit\r")
    assert code == 0
    said = [row["record"]["user"] for row in persona("memory", "list", "-k", "message", "--json").json]
    assert said == [DOG, DOG]
    assert not (home / "history").exists()
    persona("memory", "forget", "m1", "m2", "--yes")
    persona_typed("chat", typed="\x1b[A\r/quit\r")
    assert persona("memory", "list", "-k", "message", "--json").json == []


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("way", ["setting", "--private"])
def test_no_history(way: str, home: Path) -> None:
    persona("chat", DOG)
    env = {"PERSONA_CHAT_HISTORY": "false"} if way == "setting" else {}
    options = () if way == "setting" else (way,)
    _, screen = persona_typed("chat", *options, typed="\x1b[A\r/quit\r", env=env)
    assert "Biscuit" not in screen


# the snapshot that a private conversation reads


def test_a_snapshot_has_what_only_the_log_has(home: Path) -> None:
    place = find_places().database
    writing = open_store(place)
    writing.core.put("name", "Ines", Aspect.HUMAN, AT)
    log = place.with_name(f"{place.name}-wal")
    assert log.stat().st_size
    before = state(home)
    copy = open_snapshot(place)
    assert copy.core.current().get("name") == "Ines"
    copy.core.put("name", "Rosa", Aspect.HUMAN, AT)
    copy.close()
    assert state(home) == before
    assert writing.core.current().get("name") == "Ines"
    writing.close()


def test_a_log_that_was_cut_off_ends_at_its_last_whole_commit(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    raw = sqlite3.connect(place, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("CREATE TABLE word (text TEXT)")
    log, sizes = place.with_name("a.db-wal"), []
    for number in range(6):
        # several pages each
        raw.execute("INSERT INTO word VALUES (?)", (f"{number}" * 9_000,))
        sizes.append(log.stat().st_size)
    pages, frames = place.read_bytes(), log.read_bytes()
    raw.close()
    for cut in range(0, len(frames) + 1, 1_999):
        torn = tmp_path / "torn.db"
        torn.write_bytes(pages)
        torn.with_name("torn.db-wal").write_bytes(frames[:cut])
        copy = sqlite3.connect(":memory:")
        copy.deserialize(read_snapshot(torn))
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if copy.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            assert copy.execute("SELECT count(*) FROM word").fetchone()[0] == sum(size <= cut for size in sizes)
        copy.close()


def test_a_log_with_a_wrong_byte_ends_before_it(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    raw = sqlite3.connect(place, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("CREATE TABLE word (text TEXT)")
    log = place.with_name("a.db-wal")
    before = log.stat().st_size
    raw.execute("INSERT INTO word VALUES ('one')")
    frames = bytearray(log.read_bytes())
    pages = place.read_bytes()
    raw.close()
    frames[before + 100] ^= 1
    place.write_bytes(pages)
    log.write_bytes(frames)
    copy = sqlite3.connect(":memory:")
    copy.deserialize(read_snapshot(place))
    assert copy.execute("SELECT count(*) FROM word").fetchone() == (0,)
    copy.close()


def test_nothing_is_an_empty_memory(home: Path) -> None:
    memory = open_memory(find_places(), Settings(), pytest.fail, Keeping.PRIVATE)
    assert memory.store.empty()
    memory.close()
    assert not home.exists()


def test_a_picture_is_sized_from_its_bytes_as_from_its_file(picture: Path) -> None:
    from persona_cli.model.engines.sizing import sized

    assert sized(picture.read_bytes(), 230_400).tobytes() == sized(picture, 230_400).tobytes()


def test_a_cache_that_may_keep_nothing_writes_nothing(tmp_path: Path) -> None:
    import numpy as np

    from persona_cli.model.engines.llama.vision import EmbeddingCache

    kept = np.ones((2, 3), dtype=np.float32)
    EmbeddingCache(tmp_path / "kept", 10_000).put("a", kept)
    before = state(tmp_path)
    reading = EmbeddingCache(tmp_path / "kept", 0)
    reading.put("b", kept)
    found = reading.get("a", (2, 3))
    assert found is not None
    assert (found == kept).all()
    assert state(tmp_path) == before
