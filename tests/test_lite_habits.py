"""Habits and goals: stated, repeated, reached and given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from persona_cli.model.lite.habits import MOST, update_procedural
from persona_cli.records import ProceduralMemory, Turn

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


def session(*said: str, days_ago: int = 0) -> list[Turn]:
    at = AT - timedelta(days=days_ago)
    return [Turn(number, 1, at, text, "All right.", "lite") for number, text in enumerate(said)]


def known(*texts: str) -> list[ProceduralMemory]:
    return [ProceduralMemory(n, f"key {n}", text, AT) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Every Thursday I play badminton", "Every Thursday the user plays badminton."),
        ("I usually go to the gym at 18:30", "The user usually goes to the gym at 18:30."),
        ("I'm training for a half marathon in October", "The user is training for a half marathon in October 2026."),
        ("I want to learn the cello", "The user wants to learn the cello."),
        ("My goal is to read 50 books", "The user's goal is to read 50 books."),
        ("on weekends we visit my grandparents", "On weekends the user and others visit the user's grandparents."),
    ],
)
def test_stated(said: str, text: str) -> None:
    (draft,) = update_procedural(session(said), [])
    assert draft.text == text


@pytest.mark.parametrize(
    "said", ["I want to ask you something", "Do you usually sleep well?", "I'd travel every year if I were rich", "Hi!"]
)
def test_not_stated(said: str) -> None:
    assert update_procedural(session(said), []) == ()


def test_known_habit_that_is_said_again_stays_as_it_is() -> None:
    current = known("Every Thursday the user plays badminton.")
    assert update_procedural(session("I play badminton every Thursday"), current) == ()


def test_known_habit_is_refined_under_its_key() -> None:
    current = known("The user plays badminton on Thursdays.")
    (draft,) = update_procedural(session("Every Thursday at 7 I play badminton with my colleagues"), current)
    assert draft.key == "key 0"
    assert draft.text == "Every Thursday at 7 the user plays badminton with the user's colleagues."


def test_reached_goal_says_so_under_its_key() -> None:
    current = known("The user is training for a half marathon in October 2026.")
    (draft,) = update_procedural(session("I ran the half marathon yesterday!"), current)
    assert (draft.key, draft.text) == ("key 0", "The user ran the half marathon yesterday.")


def test_given_up_habit_says_so_under_its_key() -> None:
    (draft,) = update_procedural(
        session("I stopped playing badminton"), known("The user plays badminton on Thursdays.")
    )
    assert (draft.key, draft.text) == ("key 0", "The user stopped playing badminton.")


def test_activity_on_three_days_is_a_habit() -> None:
    history = [*session("I went swimming this morning", days_ago=9), *session("went swimming with Jo", days_ago=5)]
    (draft,) = update_procedural(session("Today I went swimming at the lido"), [], history)
    assert draft.text == "On several days the user went swimming at the lido."


def test_activity_on_two_days_is_none() -> None:
    history = session("I went swimming this morning", days_ago=9)
    assert update_procedural(session("I went swimming again"), [], history) == ()


def test_at_most_five() -> None:
    said = [f"Every Monday I {verb}" for verb in ("swim", "paint", "knit", "jog", "bake", "dance", "garden")]
    drafts = update_procedural(session(*said), [])
    assert len(drafts) == MOST
    assert len({draft.key for draft in drafts}) == MOST
