"""What a newer fact had taken the place of holds again once that is forgotten; and what still repeats the forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from persona_cli.config import Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.repeats import repeated
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.records import (
    Aspect,
    EpisodicMemory,
    Hit,
    Kind,
    Recall,
    Ref,
    SemanticMemory,
    Status,
    Think,
    Topic,
    Turn,
)
from tests.terminal import persona

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def turn(store: Store, day: int, text: str, answer: str = "Noted.") -> Turn:
    at = AT + timedelta(days=day)
    return store.turns.add(store.sessions.start(at).id, at, text, answer, "test")


def lives(store: Store, day: int, city: str) -> SemanticMemory:
    """Tell where the user lives, in the place of what held before."""
    said = turn(store, day, f"I live in {city} now.")
    before = [memory for memory in store.semantic.list() if memory.slot == "user/home"]
    fact = SemanticMemory(
        0, f"The user lives in {city}.", (), "user", city, said.at, said.at, said.id, slot="user/home"
    )
    added = store.semantic.add(fact)
    for old in before:
        store.semantic.supersede(old.id, added.id, said.at)
        store.core.put("home", f"no longer {old.content.split()[-1][:-1]}", Aspect.HUMAN, said.at, said.id)
    store.core.put("home", city, Aspect.HUMAN, said.at, said.id)
    return added


def home(store: Store) -> tuple[list[str], list[str]]:
    """Return where the user lives by the facts and by the profile."""
    return [memory.content for memory in store.semantic.list()], [entry.value for entry in store.core.current().entries]


def message(fact: SemanticMemory) -> Ref:
    assert fact.turn_id is not None
    return Ref(Kind.MESSAGE, fact.turn_id)


@pytest.mark.parametrize("whole", [False, True])
def test_the_old_home_is_current_again_when_the_new_one_is_forgotten(store: Store, whole: bool) -> None:
    berlin = lives(store, 0, "Berlin")
    rome = lives(store, 9, "Rome")
    asked = message(rome) if whole else Ref(Kind.SEMANTIC, rome.id)
    foreseen = store.foresee([asked])
    assert home(store) == (["The user lives in Rome."], ["Rome"])
    receipt = store.forget(asked)
    assert home(store) == (["The user lives in Berlin."], ["Berlin"])
    assert store.semantic.get(berlin.id) == berlin
    assert receipt.again == foreseen.again == (Ref(Kind.SEMANTIC, berlin.id), Ref(Kind.CORE, 1))
    assert Ref(Kind.CORE, 3) in foreseen.gone
    assert store.verify() == ()


def test_one_between_two_leaves_the_first_ended_when_the_last_began(store: Store) -> None:
    berlin, rome = lives(store, 0, "Berlin"), lives(store, 9, "Rome")
    oslo = lives(store, 20, "Oslo")
    receipt = store.forget(message(rome))
    now = store.semantic.get(berlin.id)
    assert (now.valid_to, now.superseded_by, now.status) == (oslo.valid_from, oslo.id, Status.SUPERSEDED)
    assert receipt.again == ()
    assert home(store) == (["The user lives in Oslo."], ["Oslo"])
    store.forget(message(oslo))
    assert home(store) == (["The user lives in Berlin."], ["Berlin"])


def test_what_goes_together_passes_its_place_on(store: Store) -> None:
    berlin, rome, oslo = lives(store, 0, "Berlin"), lives(store, 9, "Rome"), lives(store, 20, "Oslo")
    both = [message(rome), message(oslo)]
    assert store.foresee(both).again == (Ref(Kind.SEMANTIC, berlin.id), Ref(Kind.CORE, 1))
    for ref in reversed(both):
        store.forget(ref)
    assert home(store) == (["The user lives in Berlin."], ["Berlin"])


def test_what_ended_for_a_reason_of_its_own_stays_ended(store: Store) -> None:
    berlin = lives(store, 0, "Berlin")
    store.semantic.end(berlin.id, AT + timedelta(days=5))
    rome = lives(store, 9, "Rome")
    assert store.foresee([Ref(Kind.SEMANTIC, rome.id)]).again == (Ref(Kind.CORE, 1),)
    store.forget(Ref(Kind.SEMANTIC, rome.id))
    assert store.semantic.list() == ()


def test_the_profile_keeps_what_another_fact_or_a_person_says(store: Store) -> None:
    rome = lives(store, 0, "Rome")
    loved = store.semantic.add(replace(rome, content="Rome is the user's favourite city.", slot=""))
    store.forget(Ref(Kind.SEMANTIC, loved.id))
    assert home(store)[1] == ["Rome"]
    store.core.put("name", "Ada of Rome", Aspect.HUMAN, AT, rome.turn_id)
    store.forget(Ref(Kind.SEMANTIC, rome.id))
    assert home(store) == ([], ["Ada of Rome"])


def test_a_forgotten_entry_or_habit_gives_way_to_the_one_before(store: Store) -> None:
    for day, city in enumerate(("Berlin", "Rome")):
        store.core.put("home", city, Aspect.HUMAN, AT + timedelta(days=day))
        store.habits.put("walk", f"Walks in {city}.", AT + timedelta(days=day))
    assert store.forget(Ref(Kind.CORE, 2)).again == (Ref(Kind.CORE, 1),)
    assert store.forget(Ref(Kind.PROCEDURAL, 2)).again == (Ref(Kind.PROCEDURAL, 1),)
    assert (home(store)[1], store.habits.current()[0].text) == (["Berlin"], "Walks in Berlin.")


def test_what_says_the_forgotten_in_the_same_words_is_named(store: Store) -> None:
    source = turn(store, 0, "We moved, we live in Rome")
    fact = SemanticMemory(0, "The user lives in Rome.", (), "user", "we live in Rome", AT, AT, source.id)
    kept = store.semantic.add(fact)
    answer = turn(store, 1, "Where do I live?", "You live in Rome.")
    turn(store, 2, "Rome wasn't built in a day, and I live for that.")
    turn(store, 3, "Do you like rome?", "It is a fine place.")
    other = turn(store, 4, "Thanks!", "You are welcome.")
    receipt = store.forget(Ref(Kind.SEMANTIC, kept.id))
    assert repeated(store, [receipt]) == (Ref(Kind.MESSAGE, 1), Ref(Kind.MESSAGE, answer.id), Ref(Kind.MESSAGE, 3))
    turn(store, 5, "Thanks!", "Any time.")
    assert repeated(store, [store.forget(Ref(Kind.MESSAGE, other.id))]) == ()


def test_several_are_forgotten_at_once_also_where_one_goes_with_another(memory: Memory) -> None:
    rome = lives(memory.store, 0, "Rome")
    receipt = memory.forget(message(rome), Ref(Kind.SEMANTIC, rome.id)).receipt
    assert (receipt.counts["messages"], receipt.counts["semantic memories"]) == (1, 1)
    assert memory.store.semantic.list(None) == ()


def test_an_answer_that_recalled_it_by_a_number_alone_loses_its_thoughts(memory: Memory) -> None:
    store = memory.store
    said = turn(store, 0, "My cellar has mice.")
    topic = store.episodes.add(EpisodicMemory(0, said.session_id, "A house.", (), (said.id,), AT, AT, AT))
    recall = Recall(episodic=(Topic(Hit(Ref(Kind.EPISODIC, topic.id), topic, 1.0), (said,)),))
    at = AT + timedelta(days=1)
    later = store.turns.add(store.sessions.start(at).id, at, "And?", "Well.", "test", [], [recall, Think("mice")])
    assert store.forget(Ref(Kind.MESSAGE, said.id)).thoughts == 1
    assert not any(isinstance(step, Think) for step in store.turns.get(later.id).steps)


def test_a_person_is_shown_what_will_hold_again_and_where_the_words_still_stand(weights: object) -> None:
    for text in ("I live in Berlin.", "I live in Rome now."):
        assert persona("chat", text).code == 0
        assert persona("update", "--close").code == 0
    assert persona("chat", "Where do I live?").code == 0
    asked = persona("memory", "forget", "s2", stdin="n\n")
    before, again = asked.err.split("This will hold again:")[0], asked.out.rsplit("I live in Berlin.", 1)
    assert "With it goes:" in before
    assert len(again) == 2
    done = persona("memory", "forget", "s2", "--yes")
    assert "This holds again:" in done.err
    assert "I live in Berlin." in done.out
    assert "`persona memory forget m2" in done.err
    assert [entry["text"] for entry in persona("memory", "list", "--kind", "core", "--json").json] == ["home: Berlin"]
    assert persona("memory", "forget", "m2", "m3", "--yes").code == 0
    assert "Berlin" in persona("chat", "Where do I live?").out


def test_undo_brings_the_old_home_back_as_well(weights: object) -> None:
    for text in ("I live in Berlin.", "I live in Rome now."):
        assert persona("chat", text).code == 0
        assert persona("update", "--close").code == 0
    assert persona("memory", "undo", "m2", "--yes").code == 0
    assert [entry["text"] for entry in persona("memory", "list", "--kind", "core", "--json").json] == ["home: Berlin"]
    facts = persona("memory", "list", "--kind", "semantic", "--json").json
    assert [entry["text"] for entry in facts] == ["I live in Berlin."]


@pytest.mark.gguf
def test_forgetting_says_where_a_copy_stays_for_a_moment(memory: Memory) -> None:
    kept, gone = (lives(memory.store, day, city) for day, city in enumerate(("Berlin", "Rome")))
    embed_wanted(memory.store, memory.embedder)
    memory.index.sync()
    heard: list[str] = []
    other = open_memory(memory.places, Settings(), heard.append)
    try:
        other.forget(Ref(Kind.SEMANTIC, gone.id))
        assert len(heard) == 1
        assert "another persona has the vector index open" in heard[0]
        memory.index.sync()
        memory.index.close()
        other.forget(Ref(Kind.SEMANTIC, kept.id))
        assert len(heard) == 1
    finally:
        other.close()
