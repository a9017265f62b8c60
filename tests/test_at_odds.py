"""Two values of one thing said at once are an open question; what leaves room for both is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from persona_cli.records import SemanticMemory
from persona_cli.remembering.conflict import at_odds
from tests.terminal import persona

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def fact(number: int, content: str, hours: float = 0) -> SemanticMemory:
    at = AT + timedelta(hours=hours)
    return SemanticMemory(number, content, (), "user", content, at, at)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The user's car is red.", "The user's car is blue."),
        ("The user's bedroom walls are green.", "The user's bedroom walls are white."),
        ("The user's sofa is leather.", "The user's sofa is velvet."),
        ("The user's dog weighs 12 kilos.", "The user's dog weighs 14 kilos."),
        ("Anna's bike is dark green.", "Anna's bike is silver."),
        ("The user's car is 3 years old.", "The user's car is 5 years old."),
        ("Anna has brown hair.", "Anna has red hair."),
    ],
)
def test_one_thing_has_one_of_these_values(one: str, other: str) -> None:
    assert at_odds(fact(1, one), fact(2, other, hours=3))
    assert at_odds(fact(1, one), fact(2, other, hours=12))
    assert not at_odds(fact(1, one), fact(2, other, hours=12.1))
    assert not at_odds(fact(1, one), fact(2, one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The user's car is red.", "The user's car is fast."),
        ("The user's car is red.", "The user's car is dark red."),
        ("The user's car is red.", "The user's sister's car is blue."),
        ("The user's car is red.", "The user's car is blue now."),
        ("The user's old car is red.", "The user's car is blue."),
        ("The user's bike is black.", "The user's bike is black and silver."),
        ("The user's scarf is red.", "The user's hat is blue."),
        ("The user's sofa is leather.", "The user's sofa is red."),
        ("The user's red car is fast.", "The user's blue car is fast."),
        ("The user has 2 brothers.", "The user has 3 cousins."),
        ("The user likes red wine.", "The user likes white wine."),
        ("The user's class is on Monday.", "The user's class is on Tuesday."),
        ("The user's car was red.", "The user's car is blue."),
        ("The user has a silver ring.", "The user has a gold ring."),
        ("The user has two cats, one is black.", "The user has two cats, one is white."),
        ("The user has lost 3 kilos.", "The user has lost 5 kilos."),
    ],
)
def test_what_leaves_room_for_both_is_no_contradiction(one: str, other: str) -> None:
    assert not at_odds(fact(1, one), fact(2, other))


@pytest.mark.gguf
def test_a_person_is_asked_which_colour_it_is(weights: object) -> None:
    for message in ("My car is red.", "My car is blue."):
        assert persona("chat", message).code == 0
    shown = persona("memory", "conflicts").out
    assert "My car is red." in shown
    assert "My car is blue." in shown
