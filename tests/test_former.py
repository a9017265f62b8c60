"""What was once so: in the past tense, with its end and what took its place, and gone from the profile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import Answer

LATER = datetime(2026, 11, 21, 10, tzinfo=UTC)
LIFE = (
    ("2026-01-10", "I work at Halifax."),
    ("2026-02-03", "I love Fanta."),
    ("2026-02-20", "I live in Derby."),
    ("2026-03-14", "I used to love Fanta, now it's Tango."),
    ("2026-05-02", "I'm allergic to kiwi. Also I started learning the oboe."),
    ("2026-05-20", "I've just started my new job at Starling."),
    ("2026-06-06", "I'm not allergic to kiwi."),
    ("2026-08-10", "We moved to Exeter."),
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    places = find_places(env={"PERSONA_HOME": str(tmp_path_factory.mktemp("home"))})
    opened = open_assistant(places, Settings(), clock=lambda: LATER, notice=print)
    replay(opened, [Exchange(datetime.fromisoformat(f"{day}T09:00:00+00:00"), text, "") for day, text in LIFE])
    yield opened
    opened.close()


def answer(told: Assistant, question: str) -> str:
    return [step.text for step in told.respond(question) if isinstance(step, Answer)][-1]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Do I still like Fanta?", "used to love Fanta, now it's Tango"),
        ("Where did I work before Starling?", "Halifax"),
        ("Where did I live before Exeter?", "Derby"),
        ("Am I allergic to kiwi?", "not allergic to kiwi"),
    ],
)
def test_the_past_is_told_with_its_end(told: Assistant, question: str, wanted: str) -> None:
    assert wanted in answer(told, question)


def test_the_present_is_answered_first(told: Assistant) -> None:
    assert "Exeter" in answer(told, "Where do I live?")


def test_a_new_employer_is_told(told: Assistant) -> None:
    assert "Starling" in answer(told, "What is my new job?")


def test_what_was_said_beside_what_is_over_still_holds(told: Assistant) -> None:
    said = answer(told, "What instrument do I play?")
    assert "oboe" in said
    assert "until" not in said


def test_the_profile_follows_a_change_of_mind(told: Assistant) -> None:
    core = told.memory.store.core.current()
    assert "kiwi" not in (core.get("allergies") or "")
    assert "Fanta" not in (core.get("likes") or "")
