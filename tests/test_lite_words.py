"""Languages, sums and tone of the built-in model: what is told from words alone."""

from __future__ import annotations

import itertools
import tomllib
from importlib.resources import files

import pytest

from persona_cli.model.lite.feeling import excerpt, gravest, occasion_of
from persona_cli.model.lite.language import language_of
from persona_cli.model.lite.phrases import phrases_of
from persona_cli.model.lite.sums import reckon
from persona_cli.model.lite.tone import Tone
from persona_cli.personality import TRAITS, Traits
from persona_cli.reading.labels import STANCES
from persona_cli.reading.stance import Stance
from tests.readings import read_as


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
        ("what's 20 percent off 60", "60 * (1 - 20 / 100) is 48."),
        ("split 84 by 4", "84 / 4 is 21."),
        ("what is 9 squared", "9 ** 2 is 81."),
        ("half of 37", "0.5 * 37 is 18.5."),
        ("the square root of 81", "81 ** 0.5 is 9."),
        ("my kids are 4 and 6", None),
        ("10/0", None),
        ("2**99999999", None),
        ("my birthday is 4/6/1990", None),
        ("i live 5 miles in the country", None),
        ("5 miles in kg", None),
    ],
)
def test_sums_and_units_are_reckoned_and_nothing_else(text: str, answer: str | None) -> None:
    assert reckon(text) == answer


def meant(strong: float = 0.0, **probabilities: float) -> Stance:
    rest = (1 - sum(probabilities.values())) / len(STANCES)
    return Stance({label: probabilities.get(label, 0.0) + rest for label in STANCES}, strong)


@pytest.mark.parametrize(
    ("stance", "words", "occasion"),
    [
        (meant(0.9, grief=0.9), 6, "grief_strong"),
        (meant(0.1, grief=0.9), 6, "sorry"),
        (meant(0.9, win=0.9), 6, "win_strong"),
        (meant(0.9, win=0.7, moved=0.25), 6, "pleased"),
        (meant(0.9, win=0.8), 6, "pleased"),
        (meant(0.9, win=0.6, hurt=0.35), 6, "unclear"),
        (meant(joke=0.75, worry=0.2), 6, "unclear"),
        (meant(joke=0.9), 6, "joke"),
        (meant(grief=0.3, worry=0.3, hurt=0.3), 6, "sorry"),
        (meant(win=0.3, joy=0.3, relief=0.3), 6, "joy"),
        (meant(moved=0.45, plain=0.4), 6, "quiet"),
        (meant(plain=0.9), 6, ""),
        (meant(fine=0.9), 3, "fine"),
        (meant(fine=0.9), 30, "unclear"),
        (meant(), 6, "unclear"),
    ],
)
def test_only_what_is_sure_is_answered_with_feeling(stance: Stance, words: int, occasion: str) -> None:
    assert occasion_of(stance, words) == occasion


def test_what_is_weighty_is_not_noted_like_a_parcel() -> None:
    assert occasion_of(meant(plain=0.9), 6, weighty=True) == "unclear"


def test_a_death_is_heard_among_other_sentences() -> None:
    whole, died, rest = meant(grief=0.5, plain=0.3), meant(0.9, grief=0.9), meant(plain=0.9)
    assert gravest(whole, [rest, died, rest]) is died
    assert gravest(whole, [rest, meant(grief=0.6)]) is whole
    assert gravest(whole, []) is whole


def test_every_ending_of_a_trait_has_its_moods_and_every_occasion_its_forms() -> None:
    forms = tomllib.loads((files("persona_cli.model.lite") / "tone.toml").read_text(encoding="utf-8"))
    moods = {*forms["moods"], "joke", "known", "unknown", "greeting", "any"}
    for trait in TRAITS:
        for end in ("high", "low"):
            assert set(forms[trait][end]) == moods
    assert {occasion for of in forms["moods"].values() for occasion in of.split()} <= {*forms["plain"], "plan"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("guitar moved to tuesdays at 5 after half term.", "guitar moved to tuesdays at 5 after half term"),
        ("guitar moved to tuesdays at 5 from after half term cos denise is doing a choir thing", ""),
        ("had soup", ""),
        ('she said "never again" and put the phone down', ""),
    ],
)  # fmt: skip
def test_only_a_short_whole_sentence_is_taken_up(text: str, words: str) -> None:
    assert excerpt([read_as(text)]) == words


def test_plain_things_in_a_row_are_not_each_followed_by_a_trait_and_what_is_unsure_by_none() -> None:
    high, lately, ended = Traits(openness=4.5), tuple[str, ...](), 0
    for number in range(6):
        reply = Tone(high, lately).reply("noted", f"message {number}")
        ended += not reply.endswith(("Noted.", "it.", "that.", "noted."))
        lately = (*lately, reply)[-2:]
        for unsure in ("quiet", "unclear", "pleased"):
            assert Tone(high, lately).reply(unsure, f"{number}") == Tone(high, lately).plain(unsure, f"{number}")
    assert 1 <= ended <= 2


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("occasion", ["noted", "known", "unknown", "greeting", "grief_strong", "anger", "joy"])
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
