"""Lessons from one's own memory: what stands there is taught, what was forgotten is not, nothing is written unasked."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft, SemanticDraft
from persona_cli.personality import Traits
from persona_cli.records import Answer, Kind, Ref, Retrieve, SemanticMemory, Think
from persona_cli.synthesis.lessons import Lesson, Stage
from persona_cli.synthesis.own_memory import OwnMemory, write_own
from tests.conftest import StillClock
from tests.fakes import ScriptedModel
from tests.terminal import persona


@pytest.fixture
def lived(assistant: Assistant, model: ScriptedModel, clock: StillClock) -> Assistant:
    """Return a memory after one session of three messages, one of them with a search."""
    model.enqueue("extract_semantic", [SemanticDraft("The user lives in Ghent.", ("home", "Ghent"))], (), ())
    model.enqueue("infer_personality", Traits(openness=5), Traits(), Traits())
    model.enqueue("summarize_episodes", [EpisodeDraft("The user lives in Ghent.", ("home",), (0, 1, 2))])
    model.enqueue("update_procedural", [ProceduralDraft("swimming", "The user swims on Mondays.")])
    model.enqueue("update_core", [CoreDraft("home", "Ghent")])
    model.enqueue("reason", Answer("A good town."), Answer("Have fun."), Retrieve("home"), Answer("In Ghent."))
    for said in ("I live in Ghent.", "I swim on Mondays.", "Where do I live?"):
        list(assistant.respond(said))
        clock.advance(minutes=2)
    clock.advance(hours=3)
    assistant.close_sessions()
    assistant.updates.run()
    return assistant


def lessons_of(assistant: Assistant) -> dict[Stage, list[Lesson]]:
    own = OwnMemory(assistant.memory, load_prompts(), 4_096, timedelta(minutes=60))
    found: dict[Stage, list[Lesson]] = {}
    for lesson in own.lessons():
        found.setdefault(lesson.stage, []).append(lesson)
    return found


def test_what_stands_in_memory_is_taught(lived: Assistant) -> None:
    lessons = lessons_of(lived)
    kept, empty = lessons[Stage.SEMANTIC]
    assert "The user lives in Ghent." in kept.reply
    assert '"decision": false' in empty.reply
    assert lessons[Stage.PERSONALITY][0].reply.startswith('"openness": 5')
    assert '"source_dialog_indices": [0, 1, 2]' in lessons[Stage.EPISODIC][0].reply
    assert lessons[Stage.PROCEDURAL][0].reply == '"swimming": The user swims on Mondays.\n'
    assert lessons[Stage.CORE][0].reply == '"home": Ghent\n'


def test_a_response_is_taught_with_its_search(lived: Assistant) -> None:
    *_, searched = lessons_of(lived)[Stage.RESPONSE]
    roles = [message.role for message in searched.messages]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert '"keywords": "home"' in searched.messages[1].text
    assert searched.reply.endswith("<answer>In Ghent.</answer>")
    turn = lived.memory.store.turns.latest()
    assert turn is not None
    assert [step for step in turn.steps if isinstance(step, Think)]


def test_what_cannot_be_said_in_the_format_is_no_lesson(lived: Assistant, clock: StillClock) -> None:
    turn = lived.memory.store.turns.latest()
    assert turn is not None
    null = SemanticMemory(0, "None.", (), "user", turn.user, clock.now, clock.now, turn.id)
    lived.memory.store.semantic.add(null)
    lessons = lessons_of(lived)
    assert lessons[Stage.SEMANTIC]
    assert not [lesson for lesson in lessons[Stage.SEMANTIC] if lesson.said == turn.user]


def test_what_was_forgotten_is_in_no_lesson(lived: Assistant) -> None:
    (fact,) = lived.memory.store.semantic.list()
    assert fact.turn_id is not None
    lived.memory.forget(Ref(Kind.MESSAGE, fact.turn_id))
    every = [lesson for mine in lessons_of(lived).values() for lesson in mine]
    assert every
    assert not any(lesson.said == "I live in Ghent." for lesson in every)
    assert not any("The user lives in Ghent." in lesson.reply for lesson in every)


def test_only_the_owner_can_read_what_is_written(lived: Assistant, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    rows = write_own([lesson for mine in lessons_of(lived).values() for lesson in mine], folder)
    read: list[dict[str, Any]] = [json.loads(line) for line in (folder / "sft.jsonl").read_text("utf-8").splitlines()]
    assert [row["task"] for row in read] == [row.task for row in rows]
    for path in (folder, *folder.iterdir()):
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_the_command_shows_and_asks_before_it_writes(lived: Assistant, tmp_path: Path) -> None:
    lived.memory.close()
    folder = tmp_path / "own"
    asked = persona("synth", str(folder), "--from-memory")
    assert asked.code == 2
    assert "extract_semantic: 2" in asked.err
    assert "I live in Ghent." in asked.err
    assert not folder.exists()
    ran = persona("synth", str(folder), "--from-memory", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["tasks"]["update_core"] == 1
    assert "nothing was sent" in ran.err
    again = persona("synth", str(folder), "--from-memory", "--yes")
    assert again.code == 5
