"""Ages and "in two weeks" count on from the day they were said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import Answer
from persona_cli.timewords.ageing import counted_on
from tests.conftest import StillClock

SAID = datetime(2019, 5, 12, 9, tzinfo=UTC)
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "age", "by_now"),
    [
        ("The user's son Leo is 8.", True, "The user's son Leo is about 15 (8 in May 2019)."),
        (
            "The user's son Leo is 8 years old.",
            False,
            "The user's son Leo is about 15 years old (8 years old in May 2019).",
        ),
        ("I am 34 years old.", False, "I am about 41 years old (34 years old in May 2019)."),
        ("Ada is five months old.", False, "Ada is about 8 years old (five months old in May 2019)."),
        ("The user's daughter just turned four.", True, "The user's daughter is about 11 (four in May 2019)."),
        ("The user's shoe size is 42.", False, "The user's shoe size is 42."),
        ("The house is 115 years old.", False, "The house is 115 years old."),
        ("Leo starts school at 6.", True, "Leo starts school at 6."),
    ],
)
def test_an_age_counts_on(content: str, age: bool, by_now: str) -> None:
    assert counted_on(content, SAID, NOW, age=age) == by_now


def test_what_was_said_just_now_stays_as_it_is() -> None:
    for content in ("The user is 34 years old.", "The exam is in two weeks."):
        assert counted_on(content, NOW, NOW) == content
    assert counted_on("The user is 34 years old.", datetime(2026, 3, 2, tzinfo=UTC), NOW) == "The user is 34 years old."
    assert "about 35" in counted_on("The user is 34 years old.", datetime(2026, 3, 1, tzinfo=UTC), NOW)


def test_in_two_weeks_is_of_the_day_it_was_said() -> None:
    later = counted_on("The exam is in two weeks.", datetime(2027, 1, 4, tzinfo=UTC), NOW)
    assert "18 January" in later
    assert "two weeks" not in later


def test_the_built_in_model_tells_how_old_somebody_is_by_now(home: Path, weights: object) -> None:
    clock = StillClock(SAID)
    assistant = open_assistant(find_places(), Settings(), clock=clock, notice=lambda _: None)
    list(assistant.respond("My son Leo is 8."))
    assistant.updates.run()
    clock.now = NOW
    steps = list(assistant.respond("How old is Leo?"))
    assistant.close()
    (answer,) = [step.text for step in steps if isinstance(step, Answer)]
    assert "about 15" in answer
