"""What the built-in model makes of a closed session: topics, the profile, habits that were said to be such."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite.portrait import update_core, update_habits
from persona_cli.model.lite.session import summarize_episodes
from persona_cli.reading.statement import Statement
from persona_cli.records import Aspect, CoreEntry, CoreMemory, ProceduralMemory, Turn
from tests.readings import listening, read_as
from tests.stories import moment

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
GARDEN = (
    "I planted tomatoes on the balcony this morning.",
    "The basil next to the tomatoes has green fly, I sprayed the plants with soap.",
)
MARATHON = (
    "I ran 25 kilometres on Sunday for my marathon training.",
    "My running coach says the marathon pace is too fast for me.",
)


def session(*texts: str) -> list[Turn]:
    return [
        Turn(number, 1, moment(f"2023-05-12T10:{number:02}"), text, "", "lite") for number, text in enumerate(texts, 1)
    ]


def core(*statements: Statement, **known: str) -> dict[str, str]:
    entries = tuple(CoreEntry(1, key, value, Aspect.HUMAN, AT) for key, value in known.items())
    turns = session(*(statement.text for statement in statements))
    return {draft.key: draft.value for draft in update_core(listening(*statements), turns, CoreMemory(entries))}


def habits(*statements: Statement, **known: str) -> dict[str, str]:
    current = [ProceduralMemory(1, key.replace("_", " "), text, AT) for key, text in known.items()]
    turns = session(*(statement.text for statement in statements))
    return {draft.key: draft.text for draft in update_habits(listening(*statements), turns, current)}


@pytest.mark.gguf
def test_topics_are_told_in_the_persons_words(embedder: Embedder) -> None:
    told = [read_as(text) for text in (*GARDEN, *MARATHON)]
    first, second = summarize_episodes(session(*GARDEN, *MARATHON), listening(*told), embedder.embed)
    assert (first.turns, second.turns) == ((0, 1), (2, 3))
    assert "tomatoes" in first.keywords
    assert f"“{GARDEN[0]}”" in first.summary


@pytest.mark.gguf
def test_a_topic_that_comes_back_is_one_and_every_turn_has_one(embedder: Embedder) -> None:
    texts = (GARDEN[0], *MARATHON, GARDEN[1])
    found = summarize_episodes(session(*texts), listening(*map(read_as, texts)), embedder.embed)
    assert [topic.turns for topic in found] == [(0, 3), (1, 2)]


@pytest.mark.gguf
@pytest.mark.parametrize(("text", "summary"), [("hi!", "Small talk."), ("What is my dog called?", "Asked about dog.")])
def test_a_session_that_tells_nothing_is_named_so(embedder: Embedder, text: str, summary: str) -> None:
    (topic,) = summarize_episodes(session(text), listening(), embedder.embed)
    assert topic.summary == summary


def test_slots_fill_the_profile() -> None:
    told = core(
        read_as("my name is Rosa and I'm a nurse", spans=[("Rosa", "person", "name"), ("nurse", "job", "job")]),
        read_as("my sister Ada visited", spans=[("sister", "role", "sibling"), ("Ada", "person", "sibling")]),
        read_as("I can't eat nuts", spans=[("nuts", "value", "allergy")]),
    )
    assert told == {"name": "Rosa", "occupation": "nurse", "family": "Ada (sister)", "allergies": "nuts"}


@pytest.mark.parametrize(
    "left",
    [
        read_as("I lived in Rome until 2019", spans=[("Rome", "place", "home")]),
        read_as("maybe I move to Rome", unsure=0.9, spans=[("Rome", "place", "home")]),
        read_as("Lena's brother Bo came", who="other", name="Bo", spans=[("Bo", "person", "sibling")]),
        read_as("where is Rome?", "ask", asked="where", spans=[("Rome", "place", "home")]),
        read_as("I hate my husband.", speaker="quoted", spans=[("husband", "role", "partner")]),
    ],
    ids=lambda statement: statement.text,
)
def test_what_is_past_or_open_or_anothers_is_in_no_profile(left: Statement) -> None:
    assert core(left if left.own else read_as(f'"{left.text}"', speaker="quoted")) == {}


def test_a_relative_of_ones_own_is_in_the_profile_by_name() -> None:
    brother = read_as(
        "my brother Clem is on oxygen", spans=[("brother", "role", "sibling"), ("Clem", "person", "")], who="other"
    )
    assert core(brother) == {"family": "Clem (brother)"}
    other = read_as("her brother Clem is ill", spans=[("brother", "role", "sibling"), ("Clem", "person", "")])
    assert core(other) == {}


def test_lists_keep_what_they_have_and_the_newest_seven() -> None:
    told = core(read_as("I love figs", spans=[("figs", "value", "likes")]), likes="a, b, c, d, e, f, g")
    assert told == {"likes": "b, c, d, e, f, g, figs"}
    again = core(read_as("Ada came", spans=[("Ada", "person", "sibling")]), family="Ada (sister), Bo")
    assert again == {}


def test_a_habit_is_what_was_said_to_be_one() -> None:
    swim = read_as("I swim every Thursday", kinds=["routine"])
    assert habits(swim) == {"habit swim thursday": "I swim every Thursday"}
    assert habits(read_as("I went to the cinema", kinds=["event"])) == {}
    assert habits(read_as("My boss swims daily", who="other", name="boss", label="role", kinds=["routine"])) == {}


def test_what_was_given_up_says_so_under_its_key() -> None:
    over = read_as("I stopped swimming on Thursday", kinds=["routine"])
    assert habits(over, habit_swim="I swim every Thursday") == {"habit swim": "I stopped swimming on Thursday"}
