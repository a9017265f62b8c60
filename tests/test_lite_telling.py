"""How something known is said: in the second person or quoted word for word, with the day it was said."""

from __future__ import annotations

import pytest

from persona_cli.model.lite import telling
from persona_cli.model.lite.knowledge import of_memory
from tests.stories import moment
from tests.test_lite_talk import NOW, ask, remembered


def test_an_answer_is_in_the_second_person_with_the_day_it_was_said() -> None:
    memory = remembered("i'm allergic to peanuts")
    assert ask("what can't i eat?", "what", memory, "answers") == "You're allergic to peanuts — you told me on 3 May."


def test_what_cannot_be_turned_for_sure_is_quoted() -> None:
    memory = remembered('ill be with "Kelly" on the 9th')
    assert ask("who is it?", "who", memory, "answers") == f"You told me on 3 May: “{memory.content}”"


def test_an_old_memory_in_the_third_person_still_answers() -> None:
    memory = remembered("The user's dog is called Max.")
    assert ask("what is my dog called?", "what", memory, "answers") == "Your dog is called Max — you told me on 3 May."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("I moved it, it is Friday 11, at nine.", "You moved it, it is Friday 11, at nine — you told me on 3 May."),
        ("I gave notice for 31 October.", "You gave notice for 31 October — you told me on 3 May."),
        ("I saw him yesterday.", "You told me on 3 May: “I saw him yesterday.” (yesterday: 2 May)"),
        ("I was 51 on Saturday.", "You told me on 3 May: “I was 51 on Saturday.” (on Saturday: 2 May)"),
        ("We fly in two weeks!", "You told me on 3 May: “We fly in two weeks!” (in two weeks: around 17 May)"),
        (
            "I did ring them. Right one comes Thursday",
            "You told me on 3 May: “I did ring them. Right one comes Thursday”",
        ),
        ("She lands on the 19th of December at twenty past six.", "at twenty past six — you told me on 3 May."),
        ("i started polish, monday and wednesday", "You started polish, monday and wednesday — you told me on 3 May."),
        ("today i send home 600", "You told me on 3 May: “today i send home 600”"),
    ],
)
def test_which_day_it_was_stands_behind_the_words_and_only_where_it_is_certain(said: str, told: str) -> None:
    assert ask("when is it?", "what", remembered(said), "answers").endswith(told)


def test_in_a_list_the_day_it_was_said_stands_before_the_day_it_was() -> None:
    memory = of_memory(remembered("I was 51 on Saturday."))
    assert telling.line(memory, NOW) == "“I was 51 on Saturday.” (3 May; on Saturday: 2 May)"


@pytest.mark.parametrize(
    "said",
    [
        "at vet 180 for everything, and she say your he is she. ok",
        "first week. saturday was line till the street. i have julka, student, very fast",
        "Five weeks to the Leaving, God help us all.",
        "So mam put down her toast. She's stopping with us.",
        "somebody steal my bike!!! in front of pizza place, i was inside 2 minute. 2 minute",
    ],
)
def test_no_word_of_a_quotation_is_another_than_was_said(said: str) -> None:
    assert ask("what is it?", "what", remembered(said), "answers") == f"You told me on 3 May: “{said}”"


def test_seen_from_the_day_it_was_said_no_day_stands_behind_the_words() -> None:
    memory = of_memory(remembered("we got a cat last week", day="2026-05-12"))
    assert telling.line(memory, NOW) == "“we got a cat last week” (just now)"
    later = telling.line(memory, moment("2026-05-20T09:00"))
    assert later == "“we got a cat last week” (12 May; last week: in the week of 4 May)"
