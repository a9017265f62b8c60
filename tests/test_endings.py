"""What a message says is over, in either order, of whom; what may be, passes or is another's ends nothing."""

from dataclasses import replace

import pytest

from persona_cli.english.people import holder, same_holder
from persona_cli.remembering.rules.endings import Ending, ended, for_a_while
from persona_cli.remembering.rules.states import rules_out


def bare(said: str) -> list[Ending]:
    return [replace(ending, sentence="") for ending in ended(said)]


@pytest.mark.parametrize(
    ("said", "thing"),
    [
        ("Fencing is behind me.", "Fencing"),
        ("The Peru trip is off.", "The Peru trip"),
        ("Mead? Not me any longer.", "Mead"),
        ("I've moved on from the harp to the lute.", "the harp"),
        ("I've put the harp aside.", "the harp"),
        ("Rita and I broke up.", "Rita"),
        ("Our old van broke down for good, so we bought a bus.", "Our old van"),
        ("Musicals don't do it for me any more.", "Musicals"),
        ("I prefer plums to pears these days.", "pears"),
        ("I can't be bothered with crosswords any more.", "crosswords"),
        ("My doctor took me off aspirin.", "aspirin"),
        ("Ludo has taken the place of draughts.", "draughts"),
    ],
)
def test_what_is_over_is_heard_in_either_order(said: str, thing: str) -> None:
    assert Ending(thing) in bare(said)


def test_it_is_heard_whose_it_was() -> None:
    assert Ending("the harp", "My niece") in bare("My niece has swapped the harp for the lute.")
    assert Ending("his boat", "Dad") in bare("Dad sold his boat.")


@pytest.mark.parametrize("said", ["I've come round to kale.", "I like kale now.", "I'm not afraid of kale any more."])
def test_an_aversion_can_be_over_too(said: str) -> None:
    assert Ending("kale", aversion=True) in bare(said)


@pytest.mark.parametrize(
    "said",
    [
        "I might give up chess.",
        "Should I quit chess?",
        "If I quit chess, I'd have more time.",
        "I'm thinking of dropping chess.",
        "I want to stop playing chess.",
        "I'm not playing chess this week.",
        "I have a break from chess until May.",
    ],
)
def test_what_may_be_or_passes_is_not_over(said: str) -> None:
    assert ended(said) == ()


def test_a_time_that_passes_is_told_from_one_that_does_not() -> None:
    assert for_a_while("I'm not drinking tea this week.")
    assert not for_a_while("I quit tea this week.")


def test_a_new_state_ends_what_it_rules_out() -> None:
    assert rules_out("The user got engaged.", "The user is single.")
    assert rules_out("The user found a job as a postman.", "The user is unemployed.")
    assert rules_out("The user has retired.", "The user works as a nurse.")
    assert not rules_out("The user is single.", "The user is a nurse.")
    assert not rules_out("The user works as a nurse.", "The user works at night.")


def test_facts_of_one_person_are_known_by_role_or_name() -> None:
    assert same_holder(holder("The user's mum has retired."), holder("The user's mother teaches.", "my mother"))
    assert same_holder(holder("The user's sister Ada paints."), holder("Ada paints.", "Ada"))
    assert not same_holder(holder("The user paints."), holder("Ada paints."))
    assert not same_holder(holder("The user's sister paints."), holder("The user's brother paints."))


def test_a_page_in_one_sentence_ends_nothing_and_takes_no_time() -> None:
    assert ended("I like " * 20_000) == ()
    assert ended("I gave up chess")
