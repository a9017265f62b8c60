"""Facts said twice: what is the same in other words and what only looks so, heard at once or found by a tidying."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.tidying import take_back
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Author, SemanticMemory, Status
from persona_cli.remembering.same import says_the_same
from tests.conftest import StillClock
from tests.fakes import ScriptedModel

pytestmark = pytest.mark.gguf

SAME = [
    ("The user works as a nurse.", "The user is a nurse."),
    ("The user enjoys hiking.", "The user likes to go hiking."),
    ("The user is allergic to nuts.", "The user has a nut allergy."),
    ("The user goes running every Sunday.", "The user runs every Sunday."),
    ("The user wants to visit Japan.", "The user would like to visit Japan."),
]
OTHER = [
    ("The user lives in Oslo.", "The user wants to live in Oslo."),
    ("The user likes jazz.", "The user plays jazz."),
    ("The user visited Rome.", "The user wants to visit Rome."),
    ("The user likes Anna.", "Anna likes the user."),
    ("The user moved to Bonn.", "The user lives in Bonn."),
    ("The user likes tea.", "The user likes green tea."),
    ("The user has a headache.", "The user had a headache."),
    ("The user has two cats.", "The user has three cats."),
    ("The user eats meat.", "The user does not eat meat."),
    ("The user has a cat named Tom.", "The user has a dog named Tom."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert says_the_same(one, other)
    assert says_the_same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_only_looks_the_same(one: str, other: str) -> None:
    assert not says_the_same(one, other)
    assert not says_the_same(other, one)


def fact(content: str, at: datetime) -> SemanticMemory:
    return SemanticMemory(0, content, (), "user", content, at, at, last_seen=at)


def test_a_fact_that_slipped_in_twice_counts_as_one_and_comes_apart_again(
    assistant: Assistant, clock: StillClock
) -> None:
    store, now = assistant.memory.store, clock.now
    for pair in (SAME[0], OTHER[0], OTHER[4]):
        for days, content in zip((9, 5), pair, strict=True):
            store.semantic.add(fact(content, now - timedelta(days=days)))
    embed_wanted(store, assistant.memory.embedder)
    before = [pair for pair in store.export_rows() if pair[0] == "semantic"]
    (double,) = assistant.tidy(dry_run=False).doubles
    assert (double.kept.content, double.again.content) == SAME[0]
    kept, again = store.semantic.many([double.kept.id, double.again.id])
    assert (kept.seen, kept.last_seen) == (2, now - timedelta(days=5))
    assert (again.status, again.superseded_by, again.valid_to) == (Status.SUPERSEDED, kept.id, again.valid_from)
    held = store.semantic.list(as_of=now - timedelta(days=1))
    assert again.id not in [one.id for one in held]
    assert assistant.tidy(dry_run=False).empty
    tidied = store.tidies.latest()
    assert tidied is not None
    take_back(assistant.memory, tidied.id)
    assert [pair for pair in store.export_rows() if pair[0] == "semantic"] == before


def test_what_a_person_wrote_is_the_one_that_stays(assistant: Assistant, clock: StillClock) -> None:
    store = assistant.memory.store
    said = store.semantic.add(fact(SAME[0][0], clock.now - timedelta(days=9)))
    own = store.semantic.add(replace(fact(SAME[0][1], clock.now), author=Author.PERSON))
    embed_wanted(store, assistant.memory.embedder)
    (double,) = assistant.tidy(dry_run=True).doubles
    assert (double.kept.id, double.again.id) == (own.id, said.id)


def test_the_same_in_other_words_is_heard_as_the_same_at_once(
    assistant: Assistant, model: ScriptedModel, clock: StillClock
) -> None:
    for said, content in zip(("I work as a nurse", "I am a nurse, you know"), SAME[0], strict=True):
        model.enqueue("extract_semantic", [SemanticDraft(content, ("nurse",))])
        list(assistant.respond(said))
        assistant.updates.run()
        clock.advance(days=1)
    (known,) = assistant.memory.store.semantic.list()
    assert (known.content, known.seen) == (SAME[0][0], 2)
