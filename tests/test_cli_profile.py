"""`persona profile`, `persona update` and `persona doctor`: what is known, what is still to do, what is wrong."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from persona_cli.memory.store import open_store
from persona_cli.paths import find_places
from persona_cli.personality import TRAITS, Traits
from persona_cli.records import Kind, Ref, Task
from tests.conftest import StillClock
from tests.terminal import persona, persona_process

pytestmark = pytest.mark.usefixtures("weights")


def move_traits(clock: StillClock, *moves: dict[str, float]) -> None:
    """Write turns with their readings, one an hour."""
    store = open_store(find_places().database)
    before = Traits()
    for number, move in enumerate(moves):
        at = clock.advance(hours=2)
        session = store.sessions.start(at)
        turn = store.turns.add(session.id, at, f"I said sentence number {number}.", "Yes.", "lite")
        after = Traits(**{**dict(before), **move})
        store.readings.add(turn.id, at, after, 0.5, before, after)
        before = after
        store.sessions.close(session.id, at)
    store.close()


def test_nobody_is_known_yet() -> None:
    shown = persona("profile").out
    for name in TRAITS:
        assert re.search(rf"{name}\s.*3\.0", shown)
    assert persona("profile", "--json").json == {
        "traits": dict.fromkeys(TRAITS, 3.0),
        "turns": 0,
        "core": [],
        "habits": [],
        "pending": 0,
        "locked": [],
    }


def test_bars_grow_with_the_scores(clock: StillClock) -> None:
    move_traits(clock, {"openness": 5.0, "neuroticism": 1.0})
    shown = {line.split()[0]: line for line in persona("profile").out.splitlines() if line.split()[:1]}
    assert shown["openness"].count("█") > shown["extraversion"].count("█") > shown["neuroticism"].count("█")


def test_history_draws_a_curve_and_names_the_sentence_of_each_change(clock: StillClock) -> None:
    move_traits(clock, {"openness": 4.0}, {}, {"openness": 3.5, "neuroticism": 2.0})
    shown = persona("profile", "--history").out
    assert "openness 3.00 → 4.00" in shown
    assert "neuroticism 3.00 → 2.00" in shown
    assert "I said sentence number 0." in shown
    assert "I said sentence number 1." not in shown
    lines = shown.splitlines()
    curves = {name: next(line for line in lines if line.startswith(name)).split() for name in TRAITS}
    assert {name: curve[-1] for name, curve in curves.items()} == {
        "openness": "3.50",
        "conscientiousness": "3.00",
        "extraversion": "3.00",
        "agreeableness": "3.00",
        "neuroticism": "2.00",
    }
    # it rises above its first row, falls towards the foot, or stays
    above = lines[next(at for at, line in enumerate(lines) if line.startswith("openness")) - 1]
    assert above.strip()
    assert curves["neuroticism"][1][0] > curves["neuroticism"][1][-1]
    assert len(set(curves["extraversion"][1])) == 1
    assert "\x1b" not in shown
    changes = persona("profile", "--history", "--json").json["changes"]
    assert [change["evidence"] for change in changes] == ["I said sentence number 0.", "I said sentence number 2."]


def test_a_curve_and_the_tone_stand_beside_a_bar_where_there_is_room(
    clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    move_traits(clock, {"openness": 4.0}, {"openness": 4.5})
    wide = {line.split()[0]: line for line in persona("profile").out.splitlines() if line.split()[:1]}
    assert "▁" in wide["openness"] or "▂" in wide["openness"]
    assert "curious, with ideas" in wide["openness"]
    assert not set(wide["extraversion"]) & set("▁▂▃▄▅▆▇")
    narrow = persona_process("profile", env={"COLUMNS": "60"}).out
    assert "curious" not in narrow


def test_it_is_said_when_nothing_stands_out(clock: StillClock) -> None:
    move_traits(clock, {"openness": 3.2})
    assert "Nothing stands out yet" in persona("profile").out


def test_the_largest_changes_come_first_when_asked(clock: StillClock) -> None:
    move_traits(clock, {"openness": 3.2}, {"openness": 4.9}, {"openness": 4.8})
    shown = persona("profile", "--history", "--largest", "-n", "1").out
    assert "sentence number 1." in shown
    assert "sentence number 2." not in shown


@pytest.mark.parametrize("width", [50, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int, clock: StillClock) -> None:
    move_traits(clock, {"openness": 4.0}, {"agreeableness": 4.5})
    persona("memory", "add", "I am " + "very " * 40 + "fond of long sentences.")
    wide = {"COLUMNS": str(width)}
    for command in (["profile"], ["profile", "--history"], ["memory", "list"], ["config", "show"], ["doctor"]):
        ran = persona_process(*command, env=wide)
        assert max(map(len, ran.out.splitlines())) <= width, command


def test_update_does_what_was_left(clock: StillClock) -> None:
    store = open_store(find_places().database)
    at = clock()
    turn = store.turns.add(store.sessions.start(at).id, at, "My dog is called Biscuit.", "Hello.", "lite")
    for task in (Task.PERSONALITY, Task.SEMANTIC):
        store.jobs.add(task, turn_id=turn.id)
    store.close()
    assert "2 updates still queued" in persona("profile").out
    ran = persona("update", "--json")
    assert (ran.code, ran.json["done"] >= 2, ran.json["left"], ran.json["failed"]) == (0, True, 0, [])
    assert any("Biscuit" in row["text"] for row in persona("memory", "list", "-k", "semantic", "--json").json)


def test_update_close_ends_the_session() -> None:
    persona("chat", "My dog is called Biscuit.")
    assert persona("memory", "list", "-k", "episodic", "--json").json == []
    assert persona("update", "--close").code == 0
    assert persona("memory", "list", "-k", "episodic", "--json").json


def test_failed_updates_are_shown_and_tried_again(clock: StillClock) -> None:
    store = open_store(find_places().database)
    at = clock()
    turn = store.turns.add(store.sessions.start(at).id, at, "My dog is called Biscuit.", "Hello.", "lite")
    store.jobs.add(Task.SEMANTIC, turn_id=turn.id)
    for _ in range(3):
        job = store.jobs.claim()
        assert job is not None
        store.jobs.fail(job.id, "FormatError: no JSON")
    store.close()
    ran = persona("update")
    assert ran.code == 1
    assert "FormatError: no JSON" in ran.err
    assert persona("doctor").code == 1
    assert persona("update", "--retry").code == 0
    assert persona("doctor").code == 0


def test_doctor_looks_at_everything() -> None:
    persona("memory", "add", "I like rain.")
    checks = {check["name"]: check for check in persona("doctor", "--json").json}
    assert {"persona", "libraries", "settings", "llama.cpp", "data", "database", "pictures", "embedding"} <= set(checks)
    assert {"index", "vectors", "updates"} <= set(checks)
    assert {check["verdict"] for check in checks.values()} <= {"fine", "note"}


def test_doctor_before_anything_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "bare"
    monkeypatch.setenv("PERSONA_HOME", str(home))
    ran = persona("doctor")
    assert ran.code == 0
    assert "nothing is remembered yet" in ran.out
    assert not home.exists()


def test_doctor_sees_what_others_can_read(home: Path) -> None:
    persona("memory", "add", "I like rain.")
    (home / "persona.db").chmod(0o644)
    ran = persona("doctor")
    assert ran.code == 1
    assert "persona.db" in ran.out


def test_doctor_sees_a_lost_picture(tmp_path: Path) -> None:
    from tests.test_cli_chat import picture

    persona("chat", "my garden", "--image", str(picture(tmp_path / "x.png")))
    shutil.rmtree(find_places().media)
    ran = persona("doctor")
    assert ran.code == 1
    assert "pictures" in ran.out


def test_doctor_sees_a_damaged_database(home: Path) -> None:
    persona("memory", "add", "I like rain.")
    file = home / "persona.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\x00" * 4000 + whole[4100:])
    ran = persona("doctor")
    assert ran.code == 1
    assert "traceback" not in ran.err.lower()
    assert persona("memory", "list").code == 3


def test_doctor_fix_makes_what_is_derived_anew(home: Path) -> None:
    persona("memory", "add", "I like rain.")
    shutil.rmtree(home / "chroma", ignore_errors=True)
    ran = persona("doctor", "--fix")
    assert ran.code == 0
    assert persona("memory", "search", "rain", "--json").json["hits"]


def test_doctor_fix_deletes_the_vectors_of_a_model_that_was_replaced(home: Path) -> None:
    persona("memory", "add", "I like rain.")
    store = open_store(home / "persona.db")
    store.vectors.put(Ref(Kind.SEMANTIC, 1), "content", "an older model", np.ones(4, dtype=np.float32))
    store.close()
    assert "1 vector of other embedding models" in " ".join(persona("doctor").out.split())
    assert "of embedding models no longer in use: 1 vector" in " ".join(persona("doctor", "--fix").out.split())
    assert "other embedding models" not in " ".join(persona("doctor").out.split())


def test_doctor_with_a_typo_in_the_settings(home: Path) -> None:
    (home / "config.toml").write_text("[memory]\nsemntic = 3\n", encoding="utf-8")
    ran = persona("doctor", "--json")
    assert ran.code == 1
    wrong = [check["finding"] for check in json.loads(ran.out) if check["verdict"] == "wrong"]
    assert len(wrong) == 1
    assert "memory.semntic" in wrong[0]
