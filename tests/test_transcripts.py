"""Who speaks in a transcript, and what a message is like: what counts besides its meaning and its words."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.memory import Memory
from persona_cli.memory.retrieval.messages import MessageForm, form_of
from persona_cli.memory.retrieval.question import in_first_person, speakers_named
from persona_cli.memory.retrieval.terms import search_terms, speaker_of
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.records import (
    Kind,
    Ref,
    Turn,
)
from tests.talks import NOW, know, tell

pytestmark = pytest.mark.usefixtures("weights")


def test_who_speaks_counts_in_a_transcript(memory: Memory) -> None:
    tell(memory, "2026-04-01", "Anna: I started fencing lessons.", "Bert: I started fencing lessons too.")
    embed_wanted(memory.store, memory.embedder)
    found = memory.retriever.search("When did Bert start fencing?", kinds={Kind.MESSAGE}, at=NOW)
    assert isinstance(found.hits[0].memory, Turn)
    assert found.hits[0].memory.user.startswith("Bert")
    assert found.hits[0].lanes["person"] > 0


def test_who_is_asked_about_is_not_what_is_asked(memory: Memory) -> None:
    tell(
        memory, "2026-04-01", "Anna: How was your weekend, Bert?", "Bert: I glued the handle back on that mug.",
        "Anna: Well done, Bert! What does Bert do next?", "Bert: Nothing much.",
    )  # fmt: skip
    embed_wanted(memory.store, memory.embedder)
    found = memory.retriever.search("What did Bert repair?", kinds={Kind.MESSAGE}, at=NOW)
    assert isinstance(found.hits[0].memory, Turn)
    assert "mug" in found.hits[0].memory.user
    mine = memory.embedder.embed_query(["What did I repair?"])[0]
    stored = memory.store.vectors.get(found.hits[0].ref, "content", memory.embedder.name)
    assert stored is not None
    assert found.hits[0].lanes["dense"] == pytest.approx(float(stored @ mine), abs=1e-3)


def test_a_fact_is_compared_with_the_question_as_it_was_asked(memory: Memory) -> None:
    tell(memory, "2026-04-01", "Marnie: I sold the boat.")
    fact = know(memory, "Marnie sold her boat.", subject="Marnie")
    embed_wanted(memory.store, memory.embedder)
    found = memory.retriever.search("What did Marnie sell?", at=NOW)
    hit = next(hit for hit in found.hits if hit.ref == Ref(Kind.SEMANTIC, fact.id))
    stored = memory.store.vectors.get(hit.ref, "content", memory.embedder.name)
    assert stored is not None
    asked = memory.embedder.embed_query(["What did Marnie sell?"])[0]
    assert hit.lanes["dense"] == pytest.approx(float(stored @ asked), abs=1e-3)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("What did Anna paint?", "What did I paint?"),
        ("What is anna's dog called?", "What is my dog called?"),
        ("Where did Anna and Bert meet?", "Where did we meet?"),
        ("What are Anna and Bert's plans?", "What are our plans?"),
        ("Did James’ boat sink?", "Did my boat sink?"),
        ("What did Annabel paint?", "What did Annabel paint?"),
        ("What did Mary Ann paint?", "What did I paint?"),
    ],
)
def test_a_question_in_the_words_of_the_one_it_asks_about(question: str, told: str) -> None:
    assert in_first_person(question, ["anna", "bert", "james", "mary ann"]) == told


def test_who_speaks_is_known_from_what_was_said(memory: Memory) -> None:
    tell(memory, "2026-04-01", "Will you come on Sunday?", "Anna: Hello Zoe!", "Mary Ann: Yes. Note: buy milk")
    named = partial(speakers_named, memory.store)
    assert named("Did Anna, Zoe or Will call?") == ("anna",)
    assert named("what did anna want?") == ("anna",)
    assert named("What did Mary want from Note?") == ("mary ann",)
    assert named('Who is "*" OR ^Anna?') == ("anna",)
    assert named("") == ()


def test_the_kind_of_answer_counts(memory: Memory) -> None:
    turns = tell(
        memory, "2026-04-01", "We sold the car.", "What a year!", "Rain all day.", "Soup for lunch.",
        "We sold the car last March.", "Still raining.", "So tired.", 'We sold the car to "Bricks and Wheels".',
    )  # fmt: skip
    embed_wanted(memory.store, memory.embedder)

    def gains(question: str) -> set[int]:
        hits = memory.retriever.search(question, kinds={Kind.MESSAGE}, at=NOW).hits
        return {hit.ref.id for hit in hits if hit.lanes.get("answer", 0) > 0 and "car" in str(hit.memory)}

    assert gains("When did we sell the car?") == {turns[4].id}
    assert gains("What is the dealer called that took our car?") == {turns[4].id, turns[7].id}
    assert gains("Why did we sell the car?") == set()


def test_what_a_message_is_like() -> None:
    form = form_of('Anna: Thanks, Bert! I saw "Alien" in Oslo on 3rd May. And you?')
    assert (form.speaker, form.asks, form.reacts, form.dated, form.quotes) == ("anna", True, True, True, True)
    assert form.names == {"bert", "alien", "oslo", "may"}
    assert form.named(frozenset({"anna", "bert"}))
    assert not form_of("Anna: Bert came.").named(frozenset({"anna", "bert"}))
    assert form_of("It rains. Still") == MessageForm("", False, False, False, frozenset(), False)


@given(st.text())
def test_any_text_has_a_form_and_can_be_told(said: str) -> None:
    form_of(said)
    assert in_first_person(said, []) == said
    assert "zoe" not in in_first_person(said, ["zoe"]).split()


def test_search_terms_drop_what_says_nothing() -> None:
    assert search_terms("What is Marnie's dog’s name, and the dog's age?") == ("marnie", "dog", "name", "age")
    assert speaker_of("Anna Lee: hello") == "anna lee"
    assert not speaker_of("note: buy milk")
