"""What is said is kept before anything is answered, whatever becomes of the answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.record import AWAITED, CUT_OFF
from persona_cli.config import Settings
from persona_cli.memory.store import open_store
from persona_cli.paths import find_places
from persona_cli.records import Answer, AnswerDelta, JobState, Kind, Notice, Retrieve
from tests.agents import exists
from tests.fakes import ScriptedModel
from tests.terminal import persona, persona_typed

KILLED = """
import os, sys
from pathlib import Path
from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import AnswerDelta
assistant = open_assistant(find_places(env={"PERSONA_HOME": sys.argv[1]}), Settings(), notice=print)
for step in assistant.respond("My daughter is called Wren.", [Path(sys.argv[2])]):
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "wren.png"
    PIL.Image.effect_noise((64, 64), 80).save(path)
    return path


def test_words_are_stored_before_the_first_step(assistant: Assistant, model: ScriptedModel, home: Path) -> None:
    model.enqueue("reason", Answer("Noted."))
    steps = assistant.respond("I moved to Leeds.")
    next(steps)
    elsewhere = open_store(find_places(env={"PERSONA_HOME": str(home)}).database)
    try:
        turn = exists(elsewhere.turns.latest())
        assert (turn.user, turn.answer, turn.steps) == ("I moved to Leeds.", "", AWAITED)
    finally:
        elsewhere.close()
    list(steps)
    kept = exists(assistant.last_turn)
    assert (kept.id, kept.answer) == (turn.id, "Noted.")
    assert AWAITED[0] not in kept.steps
    assert len(assistant.memory.store.jobs.of_turn(kept.id)) == 2
    assert [ref.id for ref, _ in assistant.memory.store.texts.search(["noted"], (Kind.MESSAGE,), 5)] == [kept.id]


def test_a_turn_that_is_being_answered_is_not_among_the_recent_ones(assistant: Assistant, model: ScriptedModel) -> None:
    list(assistant.respond("One."))
    list(assistant.respond("Two."))
    (situation, *_) = model.called("reason")[-1]
    assert [turn.user for turn in situation.recent] == ["One."]


@pytest.mark.usefixtures("weights")
def test_a_kill_at_the_first_step_loses_neither_words_nor_picture(home: Path, picture: Path) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(home), str(picture)], check=False)
    assert died.returncode == -9
    places = find_places(env={"PERSONA_HOME": str(home)})
    opened = open_assistant(places, Settings(), notice=lambda _: None)
    store = opened.memory.store
    try:
        turn = exists(store.turns.latest())
        assert (turn.user, turn.answer, turn.steps) == ("My daughter is called Wren.", "", CUT_OFF)
        (image,) = turn.images
        assert opened.memory.media.path_of(image).exists()
        assert [job.state for job in store.jobs.of_turn(turn.id)] == [JobState.QUEUED, JobState.QUEUED]
    finally:
        opened.close()
    again = open_assistant(places, Settings(), notice=lambda _: None)
    assert len(again.memory.store.jobs.of_turn(turn.id)) == 2, "marked once, queued once"
    again.close()
    assert "ended before the answer" in persona("why").out


@pytest.mark.usefixtures("weights")
def test_the_chat_says_what_was_left_unanswered(home: Path, picture: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(home), str(picture)], check=False)
    _, screen = persona_typed("chat", typed="/quit\n")
    assert "Your last message has no answer" in " ".join(screen.split())
    assert "My daughter is called Wren." in " ".join(screen.split())
    persona("chat", "Hello.")
    _, screen = persona_typed("chat", typed="/quit\n")
    assert "has no answer" not in " ".join(screen.split())


def test_a_search_finds_nothing_of_the_message_itself(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Retrieve("zither"), Answer("No."))
    recalls = [step for step in assistant.respond("Do I play the zither?") if type(step).__name__ == "Recall"]
    assert recalls
    assert all(hit.memory.user != "Do I play the zither?" for recall in recalls for hit in recall.messages)  # type: ignore[union-attr]


def test_an_answer_that_is_left_early_is_kept_as_far_as_it_came(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Answer("Well, no."))
    steps = assistant.respond("Shall I?")
    for step in steps:
        if isinstance(step, AnswerDelta):
            break
    steps.close()
    turn = exists(assistant.memory.store.turns.latest())
    assert "Well, no.".startswith(turn.answer)
    assert turn.answer
    assert not any(isinstance(step, Notice) for step in turn.steps)
