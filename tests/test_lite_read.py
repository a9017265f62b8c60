"""A message into drafts: whole sentences in the person's own words, annotated, and nothing that is not theirs."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest

from persona_cli.model.lite.read import draft_memories, said_plainly
from persona_cli.model.tasks import SemanticDraft
from persona_cli.reading.filling import is_past, plainly_filled
from persona_cli.reading.statement import Statement
from persona_cli.records import Change, Turn
from tests.readings import listening, read_as
from tests.stories import moment

AT = moment("2026-03-31T19:00")  # a Tuesday


def turn(text: str, number: int = 1) -> Turn:
    return Turn(number, 1, AT, text, "", "lite")


def drafts(*statements: Statement, recent: tuple[Statement, ...] = ()) -> tuple[SemanticDraft, ...]:
    """Return what is kept of a message made of these sentences, said after those of `recent`."""
    before = [turn(statement.text, number) for number, statement in enumerate(recent, 10)]
    text = " ".join(statement.text for statement in statements)
    return draft_memories(listening(*statements, *recent), turn(text), before)


def test_a_sentence_is_kept_whole_with_whom_and_when_beside_it() -> None:
    told = read_as(
        "Sam is allergic to peanuts and also i think to kiwi, the test is on Friday",
        worth=3, who="other", name="Sam", kinds=["health"],
        spans=[("Sam", "person", ""), ("peanuts", "value", "allergy")],
    )  # fmt: skip
    (draft,) = drafts(told)
    assert draft.content == draft.quote == told.text
    assert (draft.subject, draft.slot, draft.change) == ("Sam", "", Change.ADDS)
    assert draft.event is not None
    assert draft.event.start == moment("2026-04-03T00:00")
    assert {"Sam", "peanuts", "health"} <= set(draft.keywords)


@pytest.mark.parametrize(
    ("text", "act", "plain"),
    [
        ("oh and btw I'm vegan", "tell", "I'm vegan"),
        ("Could you remember that my mum is coming on Friday?", "keep", "my mum is coming on Friday"),
        ("please don't forget that I hate olives", "keep", "I hate olives"),
        ("I want you to remember my locker is 14", "keep", "my locker is 14"),
        ("remind me to call the dentist on Monday", "remind", "call the dentist on Monday"),
        ("So sorry, my cat's name is Nilo.", "tell", "my cat's name is Nilo."),
        ("Actually we moved", "tell", "we moved"),
        ("no", "chat", "no"),
    ],
)
def test_what_only_opens_a_sentence_is_left_out(text: str, act: str, plain: str) -> None:
    assert said_plainly(read_as(text, act)) == plain


@pytest.mark.parametrize(
    "left",
    [
        read_as("I hate my husband.", speaker="quoted"),
        read_as("I lost my job yesterday", speaker="pasted"),
        read_as("Suppose I had a twin.", "suppose", worth=3),
        read_as("Is Ada my sister?", "ask", asked="yesno", worth=3),
        read_as("write me a poem about my dog", "request", worth=2),
        read_as("lol ok", "chat", worth=0),
        read_as("I'm at the bus stop.", worth=1),
    ],
    ids=lambda statement: statement.act.label,
)
def test_what_is_not_theirs_or_not_said_or_passing_is_left(left: Statement) -> None:
    text = f"> {left.text}" if left.speaker.label == "pasted" else f'"{left.text}"' if not left.own else left.text
    assert drafts(read_as(text, left.act.label, worth=2 if left.own else 0, speaker=left.speaker.label,
                          asked=left.asked.label if left.asked else "") if not left.own else left) == ()  # fmt: skip


def test_health_family_plans_and_names_are_kept_where_others_would_not_be() -> None:
    doubtful = read_as("the scan came back fine", kinds=["health"])
    assert drafts(replace(doubtful, keep=0.5))
    assert not drafts(replace(doubtful, keep=0.5, kinds=()))


def test_a_message_with_a_wish_to_keep_nothing_leaves_nothing() -> None:
    assert drafts(read_as("I cheated.", worth=3), read_as("don't save that", "nokeep", worth=0)) == ()


def test_a_correction_puts_what_was_meant_in_the_place_of_what_was_said() -> None:
    said = read_as("My cat is called Milo.")
    (draft,) = drafts(read_as("Nilo, not Milo", "correct"), recent=(said,))
    assert (draft.content, draft.change) == ("My cat is called Nilo.", Change.REPLACES)
    blue = read_as("My favourite colour is blue.", spans=[("blue", "value", "favourite")])
    (draft,) = drafts(read_as("no wait, it's teal", "correct", spans=[("teal", "value", "favourite")]), recent=(blue,))
    assert draft.content == "My favourite colour is teal."


def test_what_only_sounds_like_a_correction_is_kept_with_what_it_goes_on_from() -> None:
    thought = read_as("I had thought the front room was cream.", spans=[("cream", "value", "")])
    yellow = read_as("It is yellow.", "correct", goes_on=True, spans=[("yellow", "value", "")])
    (draft,) = drafts(thought, yellow)
    assert draft.content == "I had thought the front room was cream. It is yellow."


def test_what_goes_on_is_kept_with_what_it_goes_on_from() -> None:
    (draft,) = drafts(
        read_as("Ron has died.", who="other", name="Ron"),
        read_as("Wednesday, in his chair.", worth=1, who="other", goes_on=True),
        read_as("lol", "chat", worth=0, goes_on=True),
    )
    assert (draft.content, draft.subject) == ("Ron has died. Wednesday, in his chair.", "Ron")
    two = drafts(read_as("We got a dog called Bo."), read_as("My mum has a new job."))
    assert [draft.content for draft in two] == ["We got a dog called Bo.", "My mum has a new job."]


def test_what_fills_a_slot_stands_alone_for_it_may_end_alone() -> None:
    rome = read_as("I live in Rome now.", goes_on=True, spans=[("Rome", "place", "home")])
    found = drafts(read_as("We got a dog called Bo."), rome, read_as("It is hot there.", goes_on=True))
    assert [draft.content for draft in found] == ["We got a dog called Bo.", "I live in Rome now. It is hot there."]


def test_a_remark_that_stands_between_is_kept_and_one_at_the_edge_is_not() -> None:
    passed = read_as("Matei passed!", who="other", name="Matei")
    remark = read_as("My head.", "chat", worth=0, goes_on=True)
    (draft,) = drafts(remark, passed, remark, read_as("With a nine.", goes_on=True), remark)
    assert draft.content == "Matei passed! My head. With a nine."


@pytest.mark.parametrize(
    ("statement", "slot"),
    [
        (read_as("I live in Rome now", spans=[("Rome", "place", "home")]), "user/home"),
        (read_as("I lived in Rome until 2019", spans=[("Rome", "place", "home")]), ""),
        (read_as("maybe I move to Rome", unsure=0.9, spans=[("Rome", "place", "home")]), ""),
        (read_as("I don't live in Rome", negative=0.9, spans=[("Rome", "place", "home")]), ""),
        (read_as("Ada lives in Rome", who="other", name="Ada", spans=[("Rome", "place", "home")]), "Ada/home"),
        (
            read_as(
                "my sister lives in Rome", who="other", name="sister", label="role", spans=[("Rome", "place", "home")]
            ),
            "",
        ),
        (read_as("I like Rome", spans=[("Rome", "place", "likes")]), ""),
    ],
    ids=lambda value: value.text if isinstance(value, Statement) else value,
)
def test_only_what_is_certain_fills_a_slot(statement: Statement, slot: str) -> None:
    (draft,) = drafts(statement)
    assert draft.slot == slot


FORMS = tomllib.loads((files("persona_cli.reading") / "filling.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("slot", FORMS)
def test_plain_sentences_fill_their_slot(slot: str) -> None:
    for line in FORMS[slot]["yes"]:
        text, _, value = line.rpartition(" = ")
        found = plainly_filled(text)
        assert found is not None
        assert (found.slot.split()[0], found.text) == (slot, value)
    for text in FORMS[slot]["no"]:
        found = plainly_filled(text)
        assert found is None or is_past(text, found) or not found.slot.startswith(slot)


def test_who_begins_a_sentence_is_whom_it_is_about() -> None:
    assert drafts(read_as("My wife loves orchids."))[0].subject == "my wife"
    assert drafts(read_as("My uncle Jim sails."))[0].subject == "Jim"
    assert drafts(read_as("My wife and I love orchids."))[0].subject == "user"
    assert drafts(read_as("My dentist appointment is tomorrow."))[0].subject == "user"


def test_the_weightiest_comes_first() -> None:
    found = drafts(read_as("We had pasta again.", worth=2), read_as("Dad has cancer.", worth=3))
    assert [draft.content for draft in found] == ["Dad has cancer.", "We had pasta again."]


def test_another_language_is_not_read() -> None:
    assert draft_memories(listening(), turn("Ich habe heute meinen Hund zum Tierarzt gebracht"), ()) == ()
