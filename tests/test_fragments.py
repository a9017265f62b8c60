"""A few words that may tell or ask: what was told before decides, and a question is no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.answers.intent import read_fragments
from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.model.lite.read import ASKED, draft_memories
from persona_cli.paths import find_places
from persona_cli.reading.intent import MEANT
from persona_cli.records import Answer, Think, Turn
from tests.conftest import StillClock
from tests.readings import listening, read_as

TEXT = "date the old dog was put down"


@pytest.fixture
def assistant(weights: Path, home: Path, clock: StillClock) -> Iterator[Assistant]:
    places = find_places(env={"PERSONA_HOME": str(home)})
    opened = open_assistant(places, Settings(), clock=clock, notice=lambda _: None)
    yield opened
    opened.close()


def say(assistant: Assistant, text: str) -> str:
    answer = next(step.text for step in assistant.respond(text) if isinstance(step, Answer))
    assistant.updates.run()
    return answer


def test_a_fragment_is_answered_where_memory_answers_it_and_else_kept(assistant: Assistant) -> None:
    assert "June" not in say(assistant, "allergic to penicillin")
    say(assistant, "we had to have the old dog put down on the 4th of June, the vet came to the house")
    assert "4th of June" in say(assistant, TEXT)
    kept = [memory.content for memory in assistant.memory.store.semantic.list(None)]
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


def test_a_question_that_says_nothing_by_itself_asks_for_what_stands_before_it(assistant: Assistant) -> None:
    say(assistant, "My wife Nesta died on 4 March 2022.")
    assert "4 March 2022" in say(assistant, "The form asks for the date on which my wife died. What was it?")
