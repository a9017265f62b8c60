"""Turning the grammatical person: done where it is certain, else not at all."""

from __future__ import annotations

import pytest

from persona_cli.english.forms import mirror, tells_of_one, to_first, to_second

MIRRORED = [
    ("I live in York with my wife", "You live in York with your wife"),
    ("im allergic to nuts and i've two cats", "you're allergic to nuts and you've two cats"),
    ("When I was five, we moved to Lyon.", "When you were five, you moved to Lyon."),
    ("My boss said “I quit” and was gone", "Your boss said “I quit” and was gone"),
    ("Ada gave me her bike, it is mine now", "Ada gave you her bike, it is yours now"),
    ("I'm meeting Tom at 7 am", "You're meeting Tom at 7 am"),
    ("I am never late", "You are never late"),
    ("So am I", "So are you"),
    ("I much prefer tea", "You much prefer tea"),
    ("I used to smoke", "You used to smoke"),
    ("I dont eat meat", "You dont eat meat"),
    ("My brother and I were born in Oslo", "Your brother and you were born in Oslo"),
    ("Our house is small, isn't it great", "Your house is small, isn't it great"),
    ("The US visa came, they let us in", "The US visa came, they let you in"),
    ("Lisbon is warm.", "Lisbon is warm."),
    ("I was in Rome with my wife", "You were in Rome with your wife"),
    ("I'm tired of my job", "You're tired of your job"),
]
UNCERTAIN = [
    "You told me so",
    "I LIVE IN YORK",
    "I much",
    "I rose gave me a rose",
    "I read about World War I when I was ill",
    "I have Type I diabetes",
    "I love you",
    "Do I like tea?",
    "Oh my god I won",
    "I went home and was tired",
    'She said "I am ill',
    "The gold mine closed",
    "Tell me a joke",
    "Let's go",
    "I florbed the gazebo",
]


@pytest.mark.parametrize(("said", "expected"), MIRRORED)
def test_ones_own_words_are_said_back(said: str, expected: str) -> None:
    assert mirror(said) == expected


@pytest.mark.parametrize("said", UNCERTAIN)
def test_what_is_not_certain_is_left_to_be_quoted(said: str) -> None:
    assert mirror(said) is None


TOLD = [
    ("The user lives in York.", "You live in York."),
    ("The user's dog is old.", "Your dog is old."),
    ("Ada is the user's sister and lives in Oslo.", "Ada is your sister and lives in Oslo."),
    ("The user works as a nurse and loves hiking.", "You work as a nurse and love hiking."),
    ("The user likes walks and runs.", "You like walks and runs."),
    ("The user does not eat meat and isn't sorry.", "You do not eat meat and aren't sorry."),
    ("The user was born when the user's father was away.", "You were born when your father was away."),
    ("Tom gave the user a rose.", "Tom gave you a rose."),
    ("The user goes to the gym and watches films.", "You go to the gym and watch films."),
    ("The user still loves their bike.", "You still love your bike."),
    ("The user much prefers tea.", "You much prefer tea."),
    ("The user wrote “The user likes tea” on it.", "You wrote “The user likes tea” on it."),
    ("Lisbon is warm.", "Lisbon is warm."),
]
MORE = [
    ("The user's dog is called Max.", "Your dog is called Max."),
    ("The user is a nurse and lives in Kiel.", "You are a nurse and live in Kiel."),
    ("The user doesn't like tea.", "You don't like tea."),
    ("The user never watches films.", "You never watch films."),
    ("The user likes cats and dogs.", "You like cats and dogs."),
    ("Tom gave the user a book.", "Tom gave you a book."),
    ("The user has three children.", "You have three children."),
    ("The user studies law with the user's friend.", "You study law with your friend."),
    ("The user's sister has moved in with the user.", "Your sister has moved in with you."),
]
NOT_TOLD = [
    "The user muches prefer tea.",
    "The user LIVEs IN YORK.",
    "The user rose gave the user a rose.",
    "The user let'ses say so.",
    "The user and Ada sold their car.",
]


@pytest.mark.parametrize(("content", "expected"), TOLD + MORE)
def test_an_old_memory_is_told_to_the_user(content: str, expected: str) -> None:
    assert to_second(content) == expected


@pytest.mark.parametrize("content", NOT_TOLD)
def test_a_wrong_third_person_is_never_turned(content: str) -> None:
    assert to_second(content) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("The user's dog is called Max", "My dog is called Max"),
        ("The user lives in Ghent with her partner Tom", "I live in Ghent with my partner Tom"),
        ("The user is a nurse and has a cat", "I am a nurse and have a cat"),
        ("The user isn't religious", "I am not religious"),
        ("The user says she loves jazz", "I say I love jazz"),
        ("The user and their husband Tom bought a house", "My husband Tom and I bought a house"),
        ("Max is the user's dog", "Max is my dog"),
        ("The user's sister Clara lost her keys", "My sister Clara lost her keys"),
        ("Anna gave the user a rose", "Anna gave me a rose"),
    ],
)
def test_a_note_about_the_user_is_turned_to_their_own_words(content: str, expected: str) -> None:
    assert to_first(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        "The user told Anna that her plan is good",
        "The user has a dog named Max who loves his ball",
        "The user lives with Tom and their two kids",
        "The user's parents sold their house",
        "The user LIVEs IN YORK.",
    ],
)
def test_whose_she_or_they_is_is_not_guessed(content: str) -> None:
    assert to_first(content) is None


def test_a_town_is_nobody() -> None:
    assert tells_of_one("Ada is a nurse at UZ Gent.")
    assert not tells_of_one("Ada works with Piet.")
    assert not tells_of_one("Ada has a sister.")
