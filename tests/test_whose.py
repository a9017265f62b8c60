"""Whose fact a memory is that holds several sentences: of whoever is told of, of nobody rather than the wrong one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from persona_cli.english.people import SOMEBODY, USER
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.reading.reader import Reader
from persona_cli.reading.whose import holders, open_whose, whose
from persona_cli.records import Turn
from tests.readings import read_as

pytestmark = pytest.mark.usefixtures("weights")


def subjects(reader: Reader, text: str) -> list[str]:
    turn = Turn(1, 1, datetime(2026, 3, 2, 9, tzinfo=UTC), text, "", "")
    return [draft.subject for draft in draft_memories(Listener(lambda: reader), turn, ())]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        # what somebody else did beside what happened to oneself
        ("i dont sleep, the neighbours drill from 9. Tomas gave me earplugs from his factory", USER),
        ("Dr Novak wasn't happy with it so I'm up to 20 mg at night. She says less coffee, I said less work.", USER),
        # what the speaker asked about somebody stays theirs
        ("Rosa has a job at the zoo from May, a real one. I asked who feeds the lions, she said nobody.", "Rosa"),
        # the first who is told of, not the last who is named
        ("Milena's train gets in at six. Pavel can fetch her from the station.", "Milena"),
        # a relative without "my", in small letters and without an apostrophe
        ("dads in a caravan near whitby now. says its only till summer", "my dad"),
        ("Mum announced this morning that she is selling the house. Dana is furious about it.", "my mum"),
        # nobody is named
        ("She is out of hospital and asking for toast.", SOMEBODY),
        ("I was fifty on Saturday. Piotr took me to the coast and he paid for everything.", USER),
    ],
)
def test_a_memory_is_of_the_one_it_tells_of(reader: Reader, text: str, subject: str) -> None:
    assert subjects(reader, text)[0] == subject


def test_what_fills_a_slot_is_of_the_one_whose_slot_it_is(reader: Reader) -> None:
    turn = Turn(1, 1, datetime(2026, 3, 2, 9, tzinfo=UTC), "", "", "")
    text = "Vera lives in Bergen and never writes. My brother Tom is ten minutes away and hasn't rung in weeks."
    for draft in draft_memories(Listener(lambda: reader), Turn(1, 1, turn.at, text, "", ""), ()):
        assert not draft.slot or draft.slot.partition("/")[0] in (draft.subject, USER)


def test_all_who_are_named_are_weighed_once_each() -> None:
    told = [
        read_as("My sister Ada is ill.", who="other", name="Ada", label="person", spans=[("Ada", "person", "")]),
        read_as("She has the flu.", who="other"),
    ]
    found = holders(told)
    assert [holder.name for holder in found] == [USER, SOMEBODY, "Ada"]
    assert all(len(holder.seen) == len(open_whose()) for holder in found)
    assert whose(told) == "Ada"


def test_a_relative_of_somebody_else_is_called_after_them(reader: Reader) -> None:
    assert subjects(reader, "Nadia's son starts school in September and he is afraid of the bus.")[0] != "my son"
