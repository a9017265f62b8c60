"""Wishes about memory in the words of talk, through the whole program: what is said to be done is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.paths import find_places
from persona_cli.records import Answer, Status

pytestmark = pytest.mark.usefixtures("weights")


@pytest.fixture
def assistant(home: Path) -> Iterator[Assistant]:
    """Return an assistant with the built-in model whose clock goes on by two minutes with each look."""
    now = [datetime(2026, 3, 1, 9, tzinfo=UTC)]

    def clock() -> datetime:
        now[0] += timedelta(minutes=2)
        return now[0]

    opened = open_assistant(find_places(env={"PERSONA_HOME": str(home)}), Settings(), clock=clock, notice=print)
    yield opened
    opened.close()


def say(assistant: Assistant, text: str) -> str:
    (answer,) = [step.text for step in assistant.respond(text) if isinstance(step, Answer)]
    assistant.updates.run(in_passing=True)
    return answer


def held(assistant: Assistant) -> list[str]:
    return [memory.content for memory in assistant.memory.store.semantic.list(Status.ACTIVE)]


@pytest.mark.parametrize(
    "wish",
    [
        "forget what I just said",
        "Actually, please erase that.",
        "scratch that last one, delete it",
        "can you forget that please?",
    ],
)
def test_what_was_just_said_is_forgotten_with_a_receipt(assistant: Assistant, wish: str) -> None:
    say(assistant, "I had a row with Tom.")
    assert "deleted" in say(assistant, wish)
    assert held(assistant) == []
    assert assistant.memory.store.turns.latest() is None


@pytest.mark.parametrize(
    ("told", "wish", "now"),
    [
        ("The party is on the 12th of June.", "No, that's wrong, it's the 14th of June.", "14"),
        ("My cat's name is Milo.", "That isn't right, her name is Nilo.", "My cat's name is Nilo."),
        ("My dentist is Dr Hall.", "wrong, my dentist is Dr Hale", "Dr Hale"),
        ("I live in London.", "not quite: it's Leeds, not London", "I live in Leeds."),
    ],
)
def test_what_was_wrong_is_put_right(assistant: Assistant, told: str, wish: str, now: str) -> None:
    say(assistant, told)
    say(assistant, wish)
    (memory,) = held(assistant)
    assert now in memory


@pytest.mark.parametrize("wish", ["Call me Bea.", "I go by Bea.", "you can call me bea btw", "everyone calls me Bea"])
def test_what_somebody_is_called_fills_its_slot(assistant: Assistant, wish: str) -> None:
    say(assistant, wish)
    (memory,) = assistant.memory.store.semantic.list(Status.ACTIVE)
    assert memory.slot == "user/nickname"


@pytest.mark.parametrize(
    "wish",
    [
        "Between you and me, I applied for another job, don't write that down.",
        "this stays off the record: I failed the exam",
        "Please don't keep this one, I had a row with Tom.",
        "not for your memory, but I'm thinking of leaving Ben",
    ],
)
def test_what_is_off_the_record_leaves_nothing_and_asks_nothing(assistant: Assistant, wish: str) -> None:
    answer = say(assistant, wish)
    assert answer.startswith("All right. Nothing of this message is stored")
    assert "don't know" not in answer
    assert assistant.memory.store.turns.latest() is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("90 days.", []),
        ("Three months.", []),
        ("My mum is on ramipril. 5 mg.", ["My mum is on ramipril. 5 mg."]),
        ("No more tuna.", ["No more tuna."]),
        ("allergic to nuts", ["allergic to nuts"]),
    ],
)
def test_what_cannot_stand_alone_is_kept_with_what_it_leans_on_or_not_at_all(
    assistant: Assistant, said: str, kept: list[str]
) -> None:
    say(assistant, said)
    assert held(assistant) == kept
