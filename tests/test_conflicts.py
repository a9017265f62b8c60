"""Contradictions nobody can order: kept open, shown with both sides, settled by the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.config import Settings
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.embedding import open_embedder
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.model.tasks import SemanticDraft
from persona_cli.paths import find_places
from persona_cli.reading.judging import open_judge
from persona_cli.reading.reader import open_reader
from persona_cli.records import Aspect, Author, Change, SemanticMemory, Status
from persona_cli.remembering.drafts import Remembering, tells_more
from persona_cli.remembering.profile import follow
from persona_cli.remembering.slots import Reads
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def colour(name: str, change: Change = Change.ADDS) -> SemanticDraft:
    return SemanticDraft(f"The user's favourite colour is {name}.", (), slot="user/favourite colour", change=change)


def say(store: Store, at: datetime, text: str, *drafts: SemanticDraft, read: Reads = lambda _: ()) -> None:
    turn = store.turns.add(store.sessions.start(at).id, at, text, "", "m")
    embedder = open_embedder(Settings(), find_places(), print)
    try:
        Remembering(store, embedder, 5, read=read).remember(drafts, turn, ())
    finally:
        embedder.close()


def written(store: Store, content: str) -> SemanticMemory:
    """Return a memory as a person writes it."""
    memory = SemanticMemory(0, content, (), "user", content, AT, AT, slot="user/favourite colour", author=Author.PERSON)
    return store.semantic.add(memory)


def test_two_values_said_at_once_are_both_kept_open(store: Store) -> None:
    said = "My favourite colour is red. My favourite colour is blue."
    say(store, AT, said, colour("red"), colour("blue"))
    (conflict,) = store.conflicts.open()
    assert (conflict.one.content, conflict.other.content) == (colour("red").content, colour("blue").content)
    assert len(store.semantic.list()) == 2


def test_what_a_person_wrote_is_not_overwritten_but_disputed(store: Store) -> None:
    mine = written(store, "The user's favourite colour is red.")
    say(store, AT + timedelta(days=9), "My favourite colour is blue now", colour("blue", Change.REPLACES))
    (conflict,) = store.conflicts.open()
    assert conflict.one == mine
    assert store.semantic.get(mine.id).status is Status.ACTIVE


def test_what_time_orders_is_no_conflict(store: Store) -> None:
    say(store, AT, "My favourite colour is red", colour("red"))
    say(store, AT + timedelta(days=9), "My favourite colour is blue", colour("blue"))
    assert store.conflicts.open() == ()
    assert len(store.semantic.list()) == 1


def test_settling_keeps_one_and_ends_the_other(store: Store) -> None:
    say(store, AT, "My favourite colour is red. My favourite colour is blue.", colour("red"), colour("blue"))
    later = AT + timedelta(days=1)
    (beaten,) = store.conflicts.settle(2, later).beaten
    assert (beaten.id, beaten.superseded_by, beaten.valid_to) == (1, 2, later)
    assert store.conflicts.open() == ()
    assert store.conflicts.settle(2, later).beaten == ()


def test_a_conflict_ends_with_either_side(store: Store) -> None:
    say(store, AT, "My favourite colour is red. My favourite colour is blue.", colour("red"), colour("blue"))
    say(store, AT + timedelta(days=3), "My favourite colour is pink now", colour("pink", Change.REPLACES))
    assert store.conflicts.open() == ()
    assert [memory.content for memory in store.semantic.list()] == [colour("pink").content]


@pytest.mark.parametrize(("hours", "settled"), [(2, False), (12, False), (12.1, True), (50, True)])
def test_what_is_said_again_on_another_day_is_the_later_word(store: Store, hours: float, settled: bool) -> None:
    say(store, AT, "My favourite colour is red. My favourite colour is blue.", colour("red"), colour("blue"))
    later = AT + timedelta(hours=hours)
    say(store, later, "My favourite colour is blue.", colour("blue"))
    assert (store.conflicts.open() == ()) is settled
    red = store.semantic.get(1)
    assert (red.status, red.superseded_by, red.valid_to) == (
        (Status.SUPERSEDED, 2, later) if settled else (Status.ACTIVE, None, None)
    )


def test_what_a_person_wrote_stays_disputed_however_often_the_other_is_said(store: Store) -> None:
    mine = written(store, "The user's favourite colour is red.")
    for days in (9, 12, 20):
        say(store, AT + timedelta(days=days), "My favourite colour is blue.", colour("blue"))
    (conflict,) = store.conflicts.open()
    assert conflict.one == mine


@pytest.fixture
def disputed(home: Path) -> Path:
    """Leave a home with one open conflict."""
    store = open_store(home / "persona.db")
    written(store, "The user's favourite colour is red.")
    say(store, AT + timedelta(days=9), "My favourite colour is blue", colour("blue"))
    store.close()
    return home


def test_conflicts_shows_both_sides_with_their_dates(disputed: Path) -> None:
    shown = persona("memory", "conflicts")
    assert "favourite colour is red" in shown.out
    assert "12 May 2026" in shown.out
    assert "written by you" in shown.out
    assert "21 May 2026" in shown.out
    assert "you said “My favourite colour is blue”" in shown.out
    (conflict,) = persona("memory", "conflicts", "--json").json
    assert [side["id"] for side in conflict["sides"]] == [1, 2]


def test_conflicts_resolve(disputed: Path) -> None:
    assert persona("memory", "conflicts", "--resolve", "s2").out == "s2\n"
    assert "Nothing contradicts" in persona("memory", "conflicts").err
    assert "nothing contradicts s2" in persona("memory", "conflicts", "--resolve", "s2").error
    assert persona("memory", "list", "--json").json[0]["record"]["content"] == colour("blue").content


def test_what_a_person_writes_fills_the_slot_its_words_name(home: Path, weights: Path) -> None:
    assert persona("memory", "add", "My favourite tea is Assam.").out == "s1\n"
    store = open_store(home / "persona.db")
    assert store.semantic.get(1).slot == "user/favourite tea"
    drafts = [SemanticDraft("The user's favourite tea is Darjeeling.", ())]  # as a language model writes it
    encoder = StateEncoder(weights, print)
    said = "My favourite tea is Darjeeling."
    say(store, AT + timedelta(days=400), said, *drafts, read=open_reader(encoder, open_judge(encoder)).read)
    encoder.close()
    (conflict,) = store.conflicts.open()
    assert (conflict.one.author, conflict.other.author) == (Author.PERSON, Author.MODEL)
    store.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("I smoke.", "I don't smoke."),
        ("The user smokes.", "The user does not smoke."),
        ("My brother eats meat.", "My brother doesn't eat meat."),
        ("I'm a night owl.", "I'm an early bird."),
        ("My car is red.", "My car is blue."),
    ],
)
def test_what_contradicts_what_a_person_wrote_is_offered(home: Path, first: str, second: str) -> None:
    persona("memory", "add", first)
    added = persona("memory", "add", second)
    assert "It contradicts s1" in added.err
    (conflict,) = persona("memory", "conflicts", "--json").json
    assert [side["content"] for side in conflict["sides"]] == [first, second]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("I smoke.", "I love the sea."),
        ("My brother smokes.", "I don't smoke."),
        ("My sister lives in Lisbon.", "My other sister lives in Galway."),
    ],
)
def test_what_does_not_contradict_is_left_alone(home: Path, first: str, second: str) -> None:
    persona("memory", "add", first)
    persona("memory", "add", second)
    assert persona("memory", "conflicts", "--json").json == []
    assert len(persona("memory", "list", "--json").json) == 2


def test_an_end_in_a_persons_own_words_needs_no_question(home: Path) -> None:
    persona("memory", "add", "I smoke cigars.")
    persona("memory", "add", "I gave up cigars.")
    assert persona("memory", "conflicts", "--json").json == []
    assert [row["record"]["content"] for row in persona("memory", "list", "--json").json] == ["I gave up cigars."]


def test_what_a_person_writes_later_takes_the_place_of_what_they_wrote(home: Path) -> None:
    persona("memory", "add", "I live in Bath.")
    persona("memory", "add", "I live in Hull.")
    assert [row["record"]["content"] for row in persona("memory", "list", "--json").json] == ["I live in Hull."]


BAKERY = "The user works full days at the bakery."


def doubted(store: Store) -> tuple[int, int]:
    """Say two things weeks apart, the later of which may have ended the earlier; returns their ids."""
    say(store, AT, "I work full days at the bakery.", SemanticDraft(BAKERY, ()))
    say(
        store,
        AT + timedelta(days=40),
        "My shifts have become shorter.",
        SemanticDraft("The user has shorter shifts.", ()),
    )
    earlier, later = sorted(memory.id for memory in store.semantic.list())
    store.conflicts.add(earlier, later, AT + timedelta(days=40))
    return earlier, later


def test_what_may_have_ended_is_asked_and_ends_when_the_later_is_kept(store: Store) -> None:
    earlier, later = doubted(store)
    (conflict,) = store.conflicts.open()
    assert (conflict.doubt, conflict.earlier.id, conflict.later.id) == (True, earlier, later)
    assert [memory.id for memory in store.conflicts.settle(later, AT + timedelta(days=41)).beaten] == [earlier]


def test_who_keeps_what_may_have_ended_keeps_both(store: Store) -> None:
    earlier, later = doubted(store)
    assert [memory.id for memory in store.conflicts.settle(earlier, AT + timedelta(days=41)).beside] == [later]
    assert store.conflicts.open() == ()
    assert len(store.semantic.list(Status.ACTIVE)) == 2


def test_what_is_said_again_is_doubted_no_more(store: Store) -> None:
    doubted(store)
    say(store, AT + timedelta(days=60), "I work full days at the bakery.", SemanticDraft(BAKERY, ()))
    assert store.conflicts.open() == ()
    assert len(store.semantic.list(Status.ACTIVE)) == 2


def test_what_may_have_ended_is_marked_where_memories_are_listed(home: Path, weights: Path) -> None:
    store = open_store(home / "persona.db")
    earlier, later = doubted(store)
    store.close()
    listed = {row["id"]: row.get("may_have_ended") for row in persona("memory", "list", "--json").json}
    assert listed == {f"s{earlier}": f"s{later}", f"s{later}": None}
    assert f"may have ended: s{later}" in " ".join(persona("memory", "list").out.split())
    assert f"may have ended: s{later}" in persona("memory", "show", f"s{earlier}").out
    assert f"may have ended: s{later}" in " ".join(persona("memory", "search", "bakery").out.split())


def test_somebody_keeps_the_name_they_are_known_by(store: Store) -> None:
    told = (
        ("Jabari plays the pan.", "Jabari"),
        ("jabari moved in with me.", "jabari"),
        ("Jabaris school is near.", "Jabaris"),
    )
    for number, (said, subject) in enumerate(told):
        say(store, AT + timedelta(days=number), said, SemanticDraft(said, (), subject=subject))
    assert {memory.subject for memory in store.semantic.list()} == {"Jabari"}


def test_what_says_more_than_what_ends_is_not_ended_by_it(store: Store) -> None:
    for number, (said, slot) in enumerate(
        (("I paint.", ""), ("I row. Ada does too.", ""), ("I live in Bath. It is wet.", "user/home"))
    ):
        say(store, AT + timedelta(days=number), said, SemanticDraft(said, (), quote=said, slot=slot))
    assert [tells_more(memory) for memory in store.semantic.list()] == [False, True, False]


def test_a_list_of_the_profile_of_which_nothing_holds_ends(store: Store) -> None:
    say(store, AT, "I have an ulcer.", SemanticDraft("I have an ulcer.", ()))
    say(store, AT + timedelta(days=30), "The ulcer has healed.", SemanticDraft("The ulcer has healed.", ()))
    healed, ulcer = store.semantic.list(None)
    for key, value in (("health", "ulcer"), ("pets", "Bo, ulcer")):
        store.core.put(key, value, Aspect.HUMAN, AT, turn_id=ulcer.turn_id)
    turn = store.turns.get(healed.turn_id or 0)
    follow(store, ulcer, replace(healed, content="I am well."), turn)
    assert {entry.key: entry.value for entry in store.core.current().entries} == {"pets": "Bo"}
