"""Who somebody is called, and what is one's own: answered from where it was said, in the talk it was said in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import Answer
from tests.conftest import StillClock

pytestmark = [pytest.mark.gguf, pytest.mark.usefixtures("weights")]

TOLD = (
    "hey, I'm Tom. I'm allergic to peanuts, had a bad one in 2019",
    "My sister Lena moved to Lisbon in March, she works for a bank there",
    "my mum Jean is 70 on Sunday",
    "My cat Minka had four kittens on Tuesday!",
    "This is Bram, our dog. He is four and afraid of thunder.",
    "I have a rabbit called Stroop, and a hutch in the workshop",
)


def say(assistant: Assistant, text: str) -> str:
    (answer,) = [step.text for step in assistant.respond(text) if isinstance(step, Answer)]
    assistant.updates.run()
    return answer


@pytest.fixture
def told(clock: StillClock) -> Iterator[Assistant]:
    assistant = open_assistant(find_places(), Settings(), clock=clock, notice=pytest.fail)
    for text in TOLD:
        say(assistant, text)
    yield assistant
    assistant.close()


def test_who_says_who_they_are_is_met_by_name(clock: StillClock) -> None:
    assistant = open_assistant(find_places(), Settings(), clock=clock, notice=pytest.fail)
    assert "Ana" in say(assistant, "hi! I'm Ana, and this is my first time here")
    assistant.close()


def test_a_name_is_told_from_where_it_was_said(told: Assistant) -> None:
    for question, name, not_sure in (
        ("What's my name?", "Tom", "nearest"),
        ("What is my sister called?", "Lena", "nearest"),
        ("what's my mother's name", "Jean", "nearest"),
        ("what's my cat called", "Minka", "nearest"),
        ("What is our dog called?", "Bram", "nearest"),
        ("my rabbit's name?", "Stroop", "nearest"),
    ):
        said = say(told, question)
        assert name in said, question
        assert not_sure not in said, question


def test_what_is_ones_own_is_not_answered_from_others(told: Assistant) -> None:
    said = say(told, "Where do I work?")
    assert "The nearest I have" in said
    assert "Lisbon" not in say(told, "Where do I live?").split("nearest")[0]
