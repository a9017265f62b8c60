"""What ends what: by which rule, whoever it is of, and in whichever form a memory stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from persona_cli.config import Settings
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder, open_embedder
from persona_cli.model.tasks import SemanticDraft
from persona_cli.paths import find_places
from persona_cli.reading.reader import Reader
from persona_cli.records import Status, Turn
from persona_cli.remembering.change import Changes
from persona_cli.remembering.drafts import Remembering
from persona_cli.remembering.meaning import Endings
from persona_cli.remembering.rules.subjects import apart, in_third_person

pytestmark = pytest.mark.usefixtures("weights")

START = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    opened = open_embedder(Settings(), find_places(), print)
    yield opened
    opened.close()


SLOTS = {"I live in": "user/home", "I moved to": "user/home", "I work at": "user/employer"}


def drafts_of(turn: Turn, *, own_words: bool) -> list[SemanticDraft]:
    """Return what a model drafts: about "the user", or with the user's own words as its content."""
    content = turn.user if own_words else in_third_person(turn.user)
    slot = next((slot for opening, slot in SLOTS.items() if turn.user.startswith(opening)), "")
    first = re.match(r"My (?:other |younger )?(\w+)(?: ([A-Z]\w+))?", turn.user)
    subject = first[2] or f"my {first[1]}" if first else "user"
    return [SemanticDraft(content, (), subject=subject, quote=turn.user, slot=slot)]


def told(
    store: Store, embedder: Embedder, *said: str, own_words: bool = False, endings: Endings | None = None
) -> dict[str, str]:
    """Tell messages weeks apart; returns by its words each memory that has ended, with the rule that ended it."""
    ended = {}
    for number, text in enumerate(said):
        at = START + timedelta(days=80 * number)
        turn = store.turns.add(store.sessions.start(at).id, at, text, "", "m")
        with store.transaction(), store.journal.caused_by(turn.id):
            remembering = Remembering(store, embedder, 5, endings=endings)
            remembering.remember(drafts_of(turn, own_words=own_words), turn, ())
        for change in store.journal.of_turn(turn.id):
            if change.rule:
                ended[change.after.content] = change.rule  # type: ignore[union-attr]
    return ended


RULES = [
    ("same slot", "I live in Bath.", "I moved to Hull."),
    ("explicit ending", "I collect old stamps.", "I gave up stamps and collect coins."),
    ("denial", "I eat pork.", "I don't eat pork."),
    ("state that rules another out", "I'm a night owl.", "I have turned into a morning person."),
    ("correction", "I go rowing on Mondays.", "Rowing is on Fridays now."),
]


@pytest.mark.parametrize("own_words", [False, True], ids=["the user's", "own words"])
@pytest.mark.parametrize("case", RULES, ids=lambda case: case[0])
def test_what_ends_a_memory_has_a_name(
    store: Store, embedder: Embedder, case: tuple[str, str, str], own_words: bool
) -> None:
    rule, old, new = case
    assert list(told(store, embedder, old, new, own_words=own_words).values()) == [rule]


@pytest.mark.parametrize("own_words", [False, True], ids=["the user's", "own words"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("My sister lives in Lisbon.", "My other sister lives in Galway."),
        ("My sister Marta lives in Lisbon.", "My sister Nora lives in Galway."),
        ("My cousin works at Audi.", "My younger cousin works at BMW."),
        ("My car is red.", "My second car is blue."),
        ("My brother smokes.", "I don't smoke."),
        ("I eat meat.", "My daughter doesn't eat meat."),
        ("My sister is single.", "My other sister got engaged."),
        ("I prefer not to fly.", "I prefer not to eat late."),
        ("I have an aversion to birds as pets.", "I cannot stand cats meowing."),
    ],
)
def test_nothing_ends_what_is_of_somebody_or_something_else(
    store: Store, embedder: Embedder, first: str, second: str, own_words: bool
) -> None:
    assert told(store, embedder, first, second, own_words=own_words) == {}
    assert {memory.seen for memory in store.semantic.list(None)} == {1}
    assert {memory.status for memory in store.semantic.list(None)} == {Status.ACTIVE}


@pytest.mark.parametrize("own_words", [False, True], ids=["the user's", "own words"])
def test_the_one_who_is_meant_may_have_moved(store: Store, embedder: Embedder, reader: Reader, own_words: bool) -> None:
    said = ("My sister lives in Lisbon.", "My other sister lives in Galway.", "My other sister moved to Cork.")
    ended = told(store, embedder, *said, own_words=own_words, endings=reader.endings)
    doubted = [conflict.earlier.content for conflict in store.conflicts.open()]
    (changed,) = [*ended, *doubted]
    assert "Galway" in changed


@pytest.mark.parametrize("own_words", [False, True], ids=["the user's", "own words"])
def test_a_return_ends_what_had_taken_the_place(store: Store, embedder: Embedder, own_words: bool) -> None:
    said = ("I work at Siemens.", "I work at Bosch now.", "I went back to Siemens.")
    ended = told(store, embedder, *said, own_words=own_words)
    assert {rule for content, rule in ended.items() if "Bosch" in content} == {"return to a former state"}
    (now,) = store.semantic.active_in_slot("user/employer")
    assert "back to Siemens" in now.content


def test_a_visit_is_no_return(store: Store, embedder: Embedder) -> None:
    ended = told(store, embedder, "I live in Bath.", "I moved to Hull.", "I went back to Bath.")
    assert [content for content in ended if "Hull" in content] == []


@pytest.mark.parametrize("own_words", [False, True], ids=["the user's", "own words"])
def test_the_same_is_known_in_either_form(store: Store, embedder: Embedder, own_words: bool) -> None:
    assert told(store, embedder, "I love tea.", own_words=not own_words) == {}
    at = START + timedelta(days=400)
    turn = store.turns.add(store.sessions.start(at).id, at, "I really love tea.", "", "m")
    Remembering(store, embedder, 5).remember(drafts_of(turn, own_words=own_words), turn, ())
    assert [memory.seen for memory in store.semantic.list()] == [2]


def test_of_a_page_the_first_words_are_looked_up_each_once(store: Store, embedder: Embedder) -> None:
    told(store, embedder, "I play tennis.", "I bake bread.")
    changes = Changes(store)
    page = " ".join(f"word{number}" for number in range(400))
    assert [memory.quote for memory in changes.near("tennis " * 5_000 + "bread")] == ["I play tennis.", "I bake bread."]
    assert [memory.quote for memory in changes.near(f"bread {page} tennis")] == ["I bake bread."]


def test_a_sentence_is_compared_in_the_third_person() -> None:
    assert in_third_person("My sister Marta moved to Lisbon.") == "The user's sister Marta moved to Lisbon."
    assert in_third_person("The user said: I am tired.") == "The user said: I am tired."
    assert in_third_person("Rex barks.") == "Rex barks."


def test_two_of_a_kind_are_told_apart() -> None:
    def sister(words: str) -> SemanticDraft:
        return SemanticDraft(f"The user's {words} lives in Bath.", (), subject="my sister")

    assert apart(sister("other sister"), sister("sister"))
    assert apart(sister("sister Nora"), sister("sister Marta"))
    assert not apart(sister("sister Nora"), sister("sister"))
    assert not apart(sister("sister"), sister("sister"))
