"""Traits a person sets, locks, resets or answers a quiz for."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.cli.profile_edits import QUIZ, score_quiz
from persona_cli.memory.store import open_store
from persona_cli.personality import TRAITS, Traits
from persona_cli.records import Author, Kind, Ref
from tests.fakes import ScriptedModel
from tests.terminal import persona


def traits(home: Path) -> Traits:
    store = open_store(home / "persona.db")
    found = store.readings.latest()
    store.close()
    return found


def test_a_trait_is_set_and_the_history_says_by_whom(home: Path) -> None:
    assert persona("profile", "set", "open", "4.5").code == 0
    assert traits(home) == Traits(openness=4.5)
    shown = persona("profile", "--history").out
    assert "set by you" in shown
    assert "openness 3.00 → 4.50" in shown
    change = persona("profile", "--history", "--json").json["changes"][0]["reading"]
    assert (change["author"], change["turn_id"]) == ("person", None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["set", "openness", "7"], "7 is not between 1 and 5"),
        (["set", "charm", "3"], "'charm' is no trait"),
        (["lock", ""], "'' is no trait"),
        (["set", "openness", "much"], "should be a valid number"),
    ],
)
def test_what_cannot_be_set_is_one_line(arguments: list[str], says: str) -> None:
    assert says in persona("profile", *arguments).error


def test_a_locked_trait_does_not_move(assistant: Assistant, model: ScriptedModel) -> None:
    readings = assistant.memory.store.readings
    readings.lock("openness", assistant.memory.store.sessions.start(assistant._clock()).started_at)
    model.enqueue("infer_personality", Traits(5, 5), Traits(5, 5))
    for step in range(2):
        for _ in assistant.respond("I love modern art and tidy desks"):
            pass
        assistant.updates.run()
        assert (readings.latest().openness == 3.0) is (step == 0)
        readings.unlock("openness")
    assert readings.latest().conscientiousness > 4


def test_lock_is_shown_and_reset_frees(home: Path) -> None:
    persona("profile", "set", "neuroticism", "2")
    persona("profile", "lock", "neuroticism")
    assert "locked" in persona("profile").out
    assert persona("profile", "--json").json["locked"] == ["neuroticism"]
    assert persona("profile", "reset", stdin="n\n").code == 1
    assert traits(home) == Traits(neuroticism=2)
    assert persona("profile", "reset", "--yes").code == 0
    assert traits(home) == Traits()
    assert persona("profile", "--json").json["locked"] == []


def test_the_quiz_is_balanced_and_scored() -> None:
    for name in TRAITS:
        assert sorted(against for trait, against, _ in QUIZ if trait == name) == [False, True]
    assert set(score_quiz([5] * 10).values()) == {3.0}
    best = [1 if against else 5 for _, against, _ in QUIZ]
    assert score_quiz(best) == dict.fromkeys(TRAITS, 5.0)
    with pytest.raises(ValueError, match="10 answers"):
        score_quiz([3])


def test_the_quiz_asks_and_keeps(home: Path) -> None:
    answers = "\n".join(str(1 if against else 5) for _, against, _ in QUIZ)
    assert persona("profile", "quiz", stdin=f"{answers}\nn\n").code == 1
    assert traits(home) == Traits()
    done = persona("profile", "quiz", "--yes", stdin=f"9\n{answers}\n")
    assert done.code == 0
    assert traits(home) == Traits(5, 5, 5, 5, 5)


def test_the_quiz_leaves_a_locked_trait(home: Path) -> None:
    persona("profile", "lock", "openness")
    answers = "\n".join(str(1 if against else 5) for _, against, _ in QUIZ)
    assert "locked" in persona("profile", "quiz", "--yes", stdin=f"{answers}\n").out
    assert traits(home) == Traits(3, 5, 5, 5, 5)


def test_forgetting_a_message_leaves_what_a_person_set(assistant: Assistant, model: ScriptedModel) -> None:
    store = assistant.memory.store
    model.enqueue("infer_personality", Traits(1, 1))
    for _ in assistant.respond("I love rules"):
        pass
    assistant.updates.run()
    store.readings.put({"openness": 3.0}, store.turns.get(1).at)
    store.forget(Ref(Kind.MESSAGE, 1))
    assert store.readings.latest() == Traits()
    (left,) = store.readings.all()
    assert left.author is Author.PERSON
