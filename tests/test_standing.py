"""How two sentences stand to each other: the same, the opposite, the end of the other, or neither."""

import pytest

from persona_cli.records import SemanticMemory
from persona_cli.remembering.rules.corrections import renames, reschedules, revises
from persona_cli.remembering.rules.denials import opposed
from persona_cli.remembering.rules.endings import Ending, ended, is_over_with
from persona_cli.remembering.rules.sentence import says_no_more
from persona_cli.remembering.same import fills_alike, same_meaning, same_saying
from tests.agents import NOW


def memory(content: str, subject: str = "user") -> SemanticMemory:
    return SemanticMemory(1, content, (), subject, "", NOW, NOW)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("The user really enjoys chess, by the way.", "The user enjoys chess."),
        ("Every Friday the user swims.", "The user swims every Friday."),
        ("The user is a huge fan of Blur.", "The user is a big fan of Blur."),
        ("The user hopes to see Peru one day.", "The user hopes to see Peru."),
    ],
)
def test_colour_and_order_make_no_other_fact(new: str, old: str) -> None:
    assert same_saying(new, old)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("The user has one cat.", "The user has two cats."),
        ("The user does not enjoy chess.", "The user enjoys chess."),
        ("The user enjoys chess in the park.", "The user enjoys chess."),
        ("Ada gave the user a book.", "The user gave Ada a book."),
    ],
)
def test_what_says_more_or_else_is_another_fact(new: str, old: str) -> None:
    assert not same_saying(new, old)


def test_a_slot_is_filled_again_by_the_same_value() -> None:
    assert says_no_more("The user was born on 3 May.", "The user's birthday is on 3 May.", "user/birthday")
    assert says_no_more("The user lives in Bath.", "The user lives in Bath with a dog.", "user/home")
    assert not says_no_more("The user lives in Bath with a dog.", "The user lives in Bath.", "user/home")
    assert not says_no_more("The user lives in Ghent.", "The user lives in Bath.", "user/home")
    assert not says_no_more("The user turned 41.", "The user is 40 years old.", "user/age")


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("The user dislikes tea.", "The user likes tea."),
        ("The user does not eat pork.", "The user eats pork."),
        ("The user loves rain.", "The user hates rain."),
    ],
)
def test_the_opposite_is_known(new: str, old: str) -> None:
    assert opposed(new, old)
    assert opposed(old, new)


def test_what_denies_something_else_is_not_the_opposite() -> None:
    assert not opposed("The user dislikes green tea.", "The user likes tea.")
    assert not opposed("The user does not eat pork.", "The user eats beef.")


@pytest.mark.parametrize(
    ("said", "thing"),
    [
        ("I used to collect stamps, but not now.", "stamps"),
        ("I used to be into knitting.", "knitting"),
        ("Chess used to be my great passion.", "Chess"),
        ("I no longer subscribe to the Times.", "the Times"),
        ("I don't play squash any more.", "squash"),
        ("I've switched from butter to margarine.", "butter"),
        ("We traded in our van for a bike.", "our van"),
        ("I've replaced the old oven with a new one", "the old oven"),
        ("I finally got rid of my piano last week.", "my piano"),
        ("I've grown bored of sudoku!", "sudoku"),
        ("I drink oat milk instead of cow's milk.", "cow's milk"),
    ],
)
def test_what_is_over_is_heard(said: str, thing: str) -> None:
    assert thing in [ending.thing for ending in ended(said)]


@pytest.mark.parametrize(
    "said", ["I play squash.", "My brother sold his boat.", "I left early.", "I stopped at a shop."]
)
def test_nothing_is_over_where_nothing_is_said_to_be(said: str) -> None:
    assert not [ending for ending in ended(said) if is_over_with(ending, memory("The user plays squash."))]


@pytest.mark.parametrize(
    ("thing", "content", "about"),
    [
        ("coffee", "The user drinks three cups of coffee a day.", True),
        ("my van", "The user drives a van.", True),
        ("smoking", "The user smokes ten a day.", True),
        ("coffee", "The user bought a coffee table.", False),
        ("coffee", "The user hates coffee.", False),
        ("the gym", "The user lives near a gym.", False),
        ("the gym", "The user met Ana at the gym.", False),
        ("the gym", "Ana goes to the gym.", False),
        ("my van", "The user no longer drives a van.", False),
    ],
)
def test_only_a_lasting_fact_about_the_thing_ends_with_it(thing: str, content: str, about: bool) -> None:
    assert is_over_with(Ending(thing), memory(content)) is about


def test_another_name_for_the_same_takes_its_place_when_it_is_said_to() -> None:
    old = "The user's dentist is Dr Vance."
    assert renames("The user's dentist is Dr Cole now.", old, "my dentist is Dr Cole now")
    assert not renames("The user's dentist is Dr Cole.", old, "my dentist is Dr Cole")
    assert not renames("The user's vet is Dr Cole now.", old, "my vet is Dr Cole now")


def test_how_a_doing_is_now_takes_the_place_of_how_it_was() -> None:
    old = "The user gets up at six every day."
    assert revises("The user gets up at eight every day now.", old, "I get up at eight every day now")
    assert not revises("The user gets up at eight on Sundays.", old, "I get up at eight on Sundays")
    assert not revises("The user takes the bus now.", old, "I take the bus now")
    assert not revises("The user has a cat now.", "The user has a dog.", "I have a cat now")


def test_another_day_or_number_for_the_same_takes_its_place_when_it_is_said_to() -> None:
    old = "The user goes rowing on Mondays."
    assert reschedules("Rowing is now on Fridays.", old, "Rowing is now on Fridays.")
    assert not reschedules("The user goes rowing on Fridays.", old, "I go rowing on Fridays.")
    assert not reschedules("Judo is now on Fridays.", old, "Judo is now on Fridays.")


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("The user is a huge fan of dub.", "The user loves dub."),
        ("Rex is the user's husband.", "The user is married to Rex."),
        ("The user has a kiwi allergy.", "The user is allergic to kiwi."),
        ("The user is preparing for the Boston race.", "The user is training for the Boston race."),
        ("The user's gran lives in Bonn.", "The user's grandmother lives in Bonn."),
    ],
)
def test_the_same_in_other_common_words_is_the_same(new: str, old: str) -> None:
    assert same_meaning(new, old)
    assert same_meaning(old, new)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("The user lived in Bonn.", "The user lives in Bonn."),
        ("The user wants a dog.", "The user has a dog."),
        ("The user has two dogs.", "The user has a dog."),
        ("The user is not allergic to kiwi.", "The user is allergic to kiwi."),
        ("The user's sister lives in Bonn.", "The user lives in Bonn."),
    ],
)
def test_what_differs_in_one_word_that_counts_is_not_the_same(new: str, old: str) -> None:
    assert not same_meaning(new, old)


def test_a_slot_is_filled_alike_by_the_same_feeling_or_number() -> None:
    assert fills_alike("The user cannot stand plums.", "The user hates plums.", "user/likes/plums")
    assert fills_alike("The user wakes up at 6.", "The user gets up at six.", "user/waking")
    assert not fills_alike("The user likes plums.", "The user hates plums.", "user/likes/plums")
    assert not fills_alike("The user wakes up at 7.", "The user gets up at six.", "user/waking")
    assert not fills_alike("The user lives in Ghent.", "The user lives in Bath.", "user/home")
