"""A few words that may tell or ask: what was told before decides, and a question is no memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.answers.intent import read_fragments
from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.model.lite.read import ASKED, draft_memories
from persona_cli.paths import find_places
from persona_cli.reading.intent import MEANT
from persona_cli.records import Answer, Think, Turn
from tests.conftest import StillClock
from tests.readings import listening, read_as

TEXT = "date the old dog was put down"


@pytest.mark.usefixtures("weights")
def test_a_fragment_is_answered_where_memory_answers_it_and_else_kept(home: Path, clock: StillClock) -> None:
    assistant = open_assistant(
        find_places(env={"PERSONA_HOME": str(home)}), Settings(), clock=clock, notice=lambda _: None
    )

    def say(text: str) -> str:
        answer = next(step.text for step in assistant.respond(text) if isinstance(step, Answer))
        assistant.updates.run()
        clock.advance(minutes=1)
        return answer

    assert "June" not in say("allergic to penicillin")
    say("we had to have the old dog put down on the 4th of June, the vet came to the house")
    assert "4th of June" in say(TEXT)
    kept = [memory.content for memory in assistant.memory.store.semantic.list(None)]
    assistant.close()
    assert any("penicillin" in content for content in kept)
    assert TEXT not in kept


def test_what_was_answered_as_a_question_is_no_memory(clock: StillClock) -> None:
    listener = listening(read_as(TEXT))
    told = Turn(1, 1, clock(), TEXT, "", "")
    assert [draft.content for draft in draft_memories(listener, told, ())] == [TEXT]
    asked = Turn(1, 1, clock(), TEXT, "", "", steps=(Think(ASKED),))
    assert draft_memories(listener, asked, ()) == ()


def test_a_line_of_the_examples_says_what_it_means(tmp_path: Path) -> None:
    assert {name for name, _ in read_fragments()} == set(MEANT)
    (tmp_path / "fragments.txt").write_text("asks | what we paid\n", encoding="utf-8")
    with pytest.raises(ValueError, match="none of tell, ask, request: asks"):
        read_fragments(tmp_path / "fragments.txt")
