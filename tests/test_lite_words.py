"""Languages, sums and tone of the built-in model: what is told from words alone."""

from __future__ import annotations

import itertools

import pytest

from persona_cli.model.lite.language import language_of
from persona_cli.model.lite.phrases import phrases_of
from persona_cli.model.lite.sums import reckon
from persona_cli.model.lite.tone import Tone, occasion_of
from persona_cli.personality import TRAITS, Traits


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ich habe heute meinen Hund zum Tierarzt gebracht", "German"),
        ("mi hijo es alérgico a los cacahuetes", "Spanish"),
        ("mój brat mieszka w Krakowie", "Polish"),
        ("Ich bin Programmierer in Hamburg", "German"),
        ("J'habite à Paris avec mon mari", "French"),
        ("We gaan over een week op vakantie", "Dutch"),
        ("Me llamo Ana y soy médica", "Spanish"),
        ("医院在哪里", "Chinese or Japanese"),
        ("今日は病院に行きました", "Japanese"),
        ("Моя сестра живёт в Риге", "Cyrillic script"),
        ("lol ok", "English"),
        ("nowt to do for 45 mins parked up at tibshelf", "English"),
        ("Sasha dumped me", "English"),
        ("I drink green tea every morning.", "English"),
        ("I am allergic to peanuts.", "English"),
        ("Max Müller Siemens Hamburg", "English"),
        ("42", "English"),
    ],
)
def test_a_language_is_told_and_what_cannot_be_is_english(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("what's 17*23?", "17*23 is 391."),
        ("15% of 240", "15% of 240 is 36."),
        ("what is 12 plus 30 times 2", "12 + 30 * 2 is 72."),
        ("what is 5 miles in km", "5 miles is 8.047 km."),
        ("how many ml in a cup", "1 cup is 236.6 ml."),
        ("180 c in f", "180 c is 356 f."),
        ("10/0", None),
        ("2**99999999", None),
        ("my birthday is 4/6/1990", None),
        ("i live 5 miles in the country", None),
        ("5 miles in kg", None),
    ],
)
def test_sums_and_units_are_reckoned_and_nothing_else(text: str, answer: str | None) -> None:
    assert reckon(text) == answer


@pytest.mark.parametrize(
    ("text", "occasion"),
    [
        ("my gran died last week", "grief"),
        ("we had to put him down yesterday", "grief"),
        ("the biopsy is on Monday", "worried"),
        ("Sasha dumped me", "sad"),
        ("my boss is so rude, I'm fuming", "angry"),
        ("I passed my driving test!!", "glad"),
        ("I didn't get promoted", ""),
        ("I put the keys on the shelf", ""),
    ],
)
def test_feelings_are_heard(text: str, occasion: str) -> None:
    assert occasion_of(text) == occasion


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("occasion", ["noted", "known", "unknown", "greeting", "sad", "glad"])
def test_both_ends_of_a_trait_are_heard_and_never_twice_in_a_row(trait: str, occasion: str) -> None:
    said: dict[float, list[str]] = {}
    for score in (4.5, 1.5):
        lately: tuple[str, ...] = ()
        for number in range(4):
            tone = Tone(Traits(**{trait: score}), lately)
            reply = tone.said(tone.plain("noted", f"{number}"), occasion, f"message {number}")
            said.setdefault(score, []).append(reply)
            lately = (*lately, reply)[-2:]
    assert not set(said[4.5]) & set(said[1.5])
    for replies in said.values():
        assert all(one != other for one, other in itertools.pairwise(replies))


def test_a_neutral_person_gets_the_plain_words() -> None:
    tone = Tone(Traits())
    assert tone.said("It is Max.", "known", "x") == "It is Max."


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("forgetting", "forget what I said about Kelly", True),
        ("forgetting", "I forgot my keys", False),
        ("keeping_out", "please don't save this", True),
        ("keeping_out", "off the record", True),
        ("keeping_out", "I don't keep bees", False),
        ("summing", "what do you know about Ada?", True),
        ("summing", "who am i", True),
        ("summing", "what do you know", False),
        ("back", "that", True),
    ],
)
def test_phrases_are_found_where_they_are_meant(name: str, text: str, found: bool) -> None:
    assert bool(phrases_of(name).search(text)) is found
