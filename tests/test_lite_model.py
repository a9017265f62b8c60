"""The built-in model as a Model: its steps, its replies, its tone, and what it says of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from persona_cli.errors import Interrupted
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.model.lite import LiteModel, open_lite
from persona_cli.model.lite.tone import Mood, Tone, dress, feeling
from persona_cli.model.tasks import ImageSeen, Model, Situation
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    AnswerDelta,
    Aspect,
    CoreEntry,
    CoreMemory,
    Image,
    Query,
    Retrieve,
    Think,
    ThinkDelta,
)
from tests.stories import Listener, moment, said

pytestmark = pytest.mark.gguf
NOW = moment("2023-06-10T09:00")
PICTURE = Image(1, "h" * 64, "image/jpeg", 10, 10, 100, "0" * 16, NOW)
HELLO = CoreMemory((CoreEntry(1, "name", "Anna", Aspect.HUMAN, NOW),))


@pytest.fixture(scope="module")
def model(embedder: Embedder) -> LiteModel:
    return open_lite(embedder.embed)


@pytest.fixture
def listener(model: LiteModel, embedder: Embedder) -> Listener:
    turns = (
        said(1, "2023-05-12T10:00", "I have a dog called Max, he is a beagle."),
        said(2, "2023-05-14T10:00", "I live in Berlin."),
        said(3, "2023-05-20T10:00", "Last Sunday I visited my grandmother in Kiel."),
    )
    return Listener(model, embedder.embed, turns)


def never() -> bool:
    return False


def after(polls: int) -> Callable[[], bool]:
    """Return a stop that holds from the given poll on."""
    left = iter([False] * polls)
    return lambda: next(left, True)


def test_it_is_a_model(model: LiteModel) -> None:
    as_protocol: Model = model
    assert as_protocol.name == "lite"


def test_a_question_thinks_and_searches_before_it_answers(model: LiteModel) -> None:
    situation = Situation(Query("What is my dog called?", NOW), CoreMemory(), Traits())
    pieces = list(model.reason(situation, never))
    assert [type(piece) for piece in pieces] == [ThinkDelta, Think, Retrieve]
    assert isinstance(pieces[-1], Retrieve)
    assert "dog" in pieces[-1].keywords


def test_the_pieces_joined_are_the_answer(model: LiteModel) -> None:
    situation = Situation(Query("Hello!", NOW), HELLO, Traits())
    pieces = list(model.answer(situation, never))
    spoken = "".join(piece.text for piece in pieces if isinstance(piece, AnswerDelta))
    assert pieces[-1] == Answer(spoken)
    assert spoken == "Good morning, Anna. What is on your mind?"


def test_it_stops_between_words(model: LiteModel) -> None:
    situation = Situation(Query("Who are you?", NOW), CoreMemory(), Traits())
    pieces = model.answer(situation, after(3))
    heard = [next(pieces), next(pieces)]
    with pytest.raises(Interrupted):
        next(pieces)
    assert all(isinstance(piece, AnswerDelta) for piece in heard)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("thanks!", "You're welcome."),
        ("Who are you?", "I'm persona, running on the built-in model"),
        ("Write a poem about rain.", "I can't do that"),
        ("Forget what I said.", "Nothing is forgotten by talking"),
        ("?!", "I have no words to go by."),
    ],
)
def test_replies_without_a_memory(listener: Listener, text: str, reply: str) -> None:
    assert listener.ask(text, NOW).startswith(reply)


def test_a_statement_is_given_back_in_the_second_person(listener: Listener) -> None:
    answer = listener.ask("My sister Ida plays the harp.", NOW)
    assert "our sister Ida plays the harp" in answer
    assert "my sister" not in answer


def test_a_statement_links_an_older_one(listener: Listener) -> None:
    answer = listener.ask("I visited my grandmother again today.", NOW)
    assert "That reminds me of what you told me on 20 May" in answer


def test_a_change_names_what_was_known(listener: Listener) -> None:
    answer = listener.ask("I moved to Hamburg.", NOW)
    assert "Until now I had noted: you live in Berlin" in answer


def test_a_message_that_tells_and_asks_gets_both(listener: Listener) -> None:
    answer = listener.ask("My sister Ida plays the harp. What is my dog called?", NOW)
    assert "Max" in answer
    assert "harp" in answer


def test_a_command_is_never_parroted(listener: Listener) -> None:
    answer = listener.ask("Remember that my locker code is 1234.", NOW)
    assert "our locker code is 1234" in answer
    assert "emember that your" not in answer


def test_a_new_picture_is_asked_about(listener: Listener) -> None:
    assert "Who or what is it?" in listener.ask("", NOW, images=(PICTURE,))
    assert listener.ask("Who is that?", NOW, images=(PICTURE,)).startswith("I don't know")


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("Max is the user's dog.", "That's Max, your dog: you showed me this picture on 12 May."),
        ("The picture shows the user's new bike.", "That's your new bike: you showed me this picture on 12 May."),
    ],
)
def test_a_picture_seen_before_is_recognised(listener: Listener, content: str, answer: str) -> None:
    seen = (ImageSeen(PICTURE.hash, "k" * 64, (content,), listener.turns[0]),)
    assert listener.ask("Who is that?", NOW, images=(PICTURE,), seen=seen) == answer


CALM = Traits()


@pytest.mark.parametrize(
    ("traits", "mood", "part"),
    [
        (Traits(agreeableness=4.5), Mood.NOTED, "for telling me|sharing that"),
        (Traits(neuroticism=4.5), Mood.NOTED, "safe with me|count on me"),
        (Traits(extraversion=4.5), Mood.NOTED, "!"),
    ],
)
def test_tone_follows_the_traits(traits: Traits, mood: Mood, part: str) -> None:
    seeds = [f"I like tea number {number}" for number in range(30)]
    assert {dress("You like tea.", mood, Tone.of(CALM), seed) for seed in seeds} == {"You like tea."}
    toned = [dress("You like tea.", mood, Tone.of(traits), seed) for seed in seeds]
    assert all(said.startswith("You like tea") for said in toned)
    assert any(way in said for said in toned for way in part.split("|"))


def test_tone_is_seldom_and_never_on_a_refusal() -> None:
    every = Tone.of(Traits(agreeableness=4.5, neuroticism=4.5))
    seeds = [f"I like tea number {number}" for number in range(60)]
    noted = [dress("You like tea.", Mood.NOTED, every, seed) != "You like tea." for seed in seeds]
    assert 0 < sum(noted) < 30
    assert all(dress("I don't know.", Mood.UNKNOWN, every, seed) == "I don't know." for seed in seeds)


def test_conscientiousness_is_brief() -> None:
    both = Traits(agreeableness=4.5, conscientiousness=4.5)
    assert dress("You like tea.", Mood.NOTED, Tone.of(both), "x") == "You like tea."


def test_openness_is_curious_but_not_about_misfortune(listener: Listener) -> None:
    curious = Traits(openness=4.5)
    assert listener.ask("I started painting birds.", NOW, traits=curious).endswith(("?", "about it."))
    sad = listener.ask("My goldfish died yesterday.", NOW, traits=curious)
    assert sad.startswith("I'm sorry")
    assert "?" not in sad


def test_tone_never_changes_what_is_known(listener: Listener) -> None:
    calm = listener.ask("What is my dog called?", NOW)
    lively = listener.ask("What is my dog called?", NOW, traits=Traits(4.5, 2, 5, 5, 4.5))
    assert lively == calm


def test_joy_is_not_for_what_did_not_happen() -> None:
    assert feeling("I got promoted today.")
    assert not feeling("I didn't get promoted.")


def test_the_same_message_gets_the_same_answer(listener: Listener) -> None:
    first = listener.ask("My sister Ida plays the harp.", NOW)
    assert listener.ask("My sister Ida plays the harp.", NOW) == first


def test_traits_come_from_the_users_words(model: LiteModel) -> None:
    turn = said(1, "2023-05-12T10:00", "I love going to parties and meeting lots of new people, I talk to everyone.")
    assert model.infer_personality(turn, (), never).extraversion > 3
    assert model.infer_personality(replace(turn, user="I had pasta for lunch."), (), never) == Traits()
