"""What the built-in model remembers of a message, and that it remembers nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.english.third import straighten
from persona_cli.model.lite.facts import Fact, extract_semantic, find_facts
from persona_cli.records import Change, Image, Turn
from persona_cli.timewords.calendar import MONTHS, WEEKDAYS

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
LINES = (Path(__file__).parent / "data" / "lite_facts.txt").read_text(encoding="utf-8").splitlines()
TABLE = [tuple(line.split(" => ")) for line in LINES if line and not line.startswith("#")]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_table(text: str, expected: str) -> None:
    facts = find_facts(text, AT)
    if expected == "-":
        assert facts == ()
        return
    assert facts
    for wanted in expected.split("; "):
        assert any(meets(fact, wanted) for fact in facts), (wanted, facts)


def meets(fact: Fact, wanted: str) -> bool:
    mark, rest = wanted[0], wanted[1:]
    if mark == "+":
        return True
    if mark == "@":
        return fact.subject == rest
    if mark == "~":
        return rest.lower() in fact.content.lower()
    if mark == "^":
        return fact.change.value == rest
    slot, value = wanted.split("=", 1)
    return fact.slot == slot and value in {fact.value, ""}


@pytest.mark.parametrize("text", [text for text, expected in TABLE if expected != "-"])
def test_every_fact_is_a_sentence_with_its_words(text: str) -> None:
    for fact in find_facts(text, AT):
        assert fact.quote in text
        assert fact.content[0].isupper() or not fact.content[0].isalpha()
        assert fact.content.endswith(".")
        assert not {"I", "my", "me", "am", "we", "our"} & set(fact.content.rstrip(".").split())


@given(
    st.text(alphabet=st.sampled_from("I my dog'’is was .,?!;\n\"()n't likelove and but Max 12 no to 🎉"), max_size=120)
)
def test_no_text_breaks_it(text: str) -> None:
    for fact in find_facts(text, AT):
        assert fact.quote in text


def test_names_and_numbers_come_from_the_text() -> None:
    for text, _ in TABLE:
        said = straighten(text).lower()
        for fact in find_facts(text, AT):
            # a month is no name: time words are written as the dates they mean
            words = [w.strip(",'s") for w in fact.content.rstrip(".").split()[1:] if w[0].isupper()]
            strange = [w for w in words if w.lower() not in {*MONTHS, *WEEKDAYS} and w.lower() not in said]
            assert not strange, (text, fact.content)


@pytest.mark.parametrize("text", ["I teach my son chess", "I got my sister flowers"])
def test_what_somebody_is_given_is_not_their_name(text: str) -> None:
    assert [fact.slot for fact in find_facts(text, AT)] == [""]


def test_event_time_is_the_time_told_of() -> None:
    (fact,) = find_facts("I ran my first marathon yesterday", AT)
    assert fact.event is not None
    assert fact.event.start == datetime(2026, 5, 13, tzinfo=UTC)


def test_correction_takes_the_slot_of_the_message_before() -> None:
    draft = extract_semantic(turn("Actually, it's Coke"), [turn("My favourite drink is Sprite")])[0]
    assert draft.content == "The user's favourite drink is Coke."
    assert (draft.slot, draft.change, draft.replaces) == ("user/favourite drink", Change.REPLACES, "Sprite")


def test_picture_that_is_introduced_belongs_to_the_fact() -> None:
    draft = extract_semantic(turn("This is Max, my dog", picture="ab12"), [])[0]
    assert draft.content == "Max is the user's dog."
    assert draft.images == ("ab12",)
    assert "Max (Image Object: dog)" in draft.keywords


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("Look at my new bike!", "The picture shows the user's new bike."),
        ("That's my sister Anna on the left", "Anna is the user's sister (on the left)."),
        ("here's me at the beach in Brighton", "The picture shows the user at the beach in Brighton."),
        ("Meet Luna, our new kitten", "Luna is the user's new kitten."),
    ],
)
def test_ways_to_introduce_a_picture(text: str, content: str) -> None:
    assert extract_semantic(turn(text, picture="ab12"), [])[0].content == content


def test_picture_that_is_not_introduced_belongs_to_no_fact() -> None:
    assert all(not draft.images for draft in extract_semantic(turn("I live in Rome", picture="ab12"), []))


def test_a_long_story_gives_a_few_facts() -> None:
    story = " ".join(text + "." for text, expected in TABLE[:40] if expected != "-")
    assert len(extract_semantic(turn(story), [])) == 5


def turn(text: str, picture: str = "") -> Turn:
    images = (Image(1, picture, "image/jpeg", 10, 10, 100, "0" * 16, AT),) if picture else ()
    return Turn(1, 1, AT, text, "All right.", "lite", images)
