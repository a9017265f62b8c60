"""A number with its noun."""

import pytest

from persona_cli.records.counting import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "messages", "0 messages"),
        (1, "messages", "1 message"),
        (1, "semantic memories", "1 semantic memory"),
        (1_200, "pictures", "1,200 pictures"),
    ],
)
def test_a_number_with_its_noun(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
