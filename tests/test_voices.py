"""A search shows what the user said before what the assistant did, and nothing of what nobody said."""

import pytest

from persona_cli.english.small_talk import only_asks, says_nothing
from persona_cli.memory import Memory
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.records import Kind, Turn
from tests.talks import NOW

SAID = (
    ("What am I allergic to?", "I don't know that yet. Tell me, and I will remember it."),
    ("Any tips for spring?", "An allergy often comes with the birch pollen."),
    ("I'm allergic to birch pollen, says the doctor.", "Noted, thank you for telling me about the allergy."),
    ("What am I allergic to?", "You are allergic to birch pollen."),
    ("Do I have allergies?", "I am sorry, I do not have any information about your allergies."),
    ("Good morning!", "How is your allergy?"),
)

NOTHING = (
    ("I don't know: nothing you told me answers that.", "Where do I live?"),
    ("I’m sorry, but I don’t have any information about your flat. Could you provide more context?", "My flat?"),
    ("All right.", "Remember that I am vegan."),
    ("That's great, congratulations on the new job!", "I got a new job."),
    ("As an AI language model I have no access to personal records.", "Who am I?"),
)
SOMETHING = (
    ("Your sister Marnie.", "Who visited?"),
    ("I don't know that yet; the closest I have is your flat in Lisbon.", "Where do I live?"),
    ("You have 2.", "How many cats do I have?"),
    ("知りません", "猫は?"),
)


@pytest.fixture
def talk(memory: Memory) -> Memory:
    session = memory.store.sessions.start(NOW)
    for said, answer in SAID:
        memory.store.turns.add(session.id, NOW, said, answer, "test")
    embed_wanted(memory.store, memory.embedder)
    return memory


@pytest.mark.parametrize("words", ["allergy", "am I allergic?", "What allergies do I have?"])
def test_the_users_words_come_first_and_refusals_never(words: str, talk: Memory) -> None:
    hits = talk.retriever.search(words, kinds={Kind.MESSAGE}, at=NOW).hits
    shown = [hit.memory for hit in hits if isinstance(hit.memory, Turn)]
    assert shown[0].user == SAID[2][0]
    assert not {SAID[0], SAID[4]} & {(turn.user, turn.answer) for turn in shown}
    assert {turn.user for turn in shown[1:]} <= {SAID[1][0], SAID[3][0], SAID[5][0]}


def test_as_many_are_shown_as_were_wanted(talk: Memory) -> None:
    assert len(talk.retriever.search("allergy", kinds={Kind.MESSAGE}, limit=2, at=NOW).hits) == 2


def test_a_reply_is_taken_for_what_it_says() -> None:
    assert [pair for pair in NOTHING if not says_nothing(*pair)] == []
    assert [pair for pair in SOMETHING if says_nothing(*pair)] == []


def test_only_questions_ask() -> None:
    assert all(map(only_asks, ("What am I allergic to?", "where do i live", "Really? Why?")))
    assert not any(map(only_asks, ("I live in Rome.", "I moved. Guess where?", "Where I live it rains.", "")))
