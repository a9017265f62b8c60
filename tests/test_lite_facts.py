"""What the built-in model remembers of a message, and that it remembers nothing else."""

from datetime import UTC, datetime

import pytest

from persona_cli.model.lite.facts import find_facts

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["Should I get a dog?", "If I had a dog I would call it Rex", "tell me a joke", "Thanks, that's great"],
)
def test_nothing_is_kept_of_what_tells_nothing(text: str) -> None:
    assert find_facts(text, AT) == ()


def test_statement_before_question_is_kept() -> None:
    (fact,) = find_facts("I have a dog, do you like dogs?", AT)
    assert fact.content == "The user has a dog."
    assert fact.quote == "I have a dog"
