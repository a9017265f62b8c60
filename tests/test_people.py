"""What is known of somebody, under each of their names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.errors import NotFoundError
from persona_cli.memory.store import Store, open_store
from persona_cli.records import SemanticMemory
from persona_cli.remembering.about import about, people
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def learn(store: Store, *told: tuple[str, str]) -> None:
    for day, (subject, content) in enumerate(told):
        at = AT + timedelta(days=day)
        store.semantic.add(SemanticMemory(0, content, (), subject, content, at, at))


def contents(store: Store, name: str) -> list[str]:
    return [memory.content for memory in about(store, name).facts]


FAMILY = (
    ("Julia", "The user's sister is called Julia."),
    ("my sister", "The user's sister plays the harp."),
    ("Julia", "Julia moved to Graz."),
    ("user", "The user went sailing with Julia."),
    ("my brother", "The user's brother hates rain."),
    ("Rex", "The user has a dog named Rex."),
    ("user", "The user likes sisterly advice."),
)


@pytest.mark.parametrize("name", ["Julia", "julia", "my sister", "sister", "the user's sister"])
def test_a_person_is_found_under_each_name(store: Store, name: str) -> None:
    learn(store, *FAMILY)
    found = about(store, name)
    assert (found.name, found.roles) == ("Julia", ("sister",))
    assert [memory.content for memory in found.facts] == [content for _, content in FAMILY[:4]]


def test_a_person_without_a_name_and_a_pet(store: Store) -> None:
    learn(store, *FAMILY)
    assert contents(store, "my brother") == ["The user's brother hates rain."]
    found = about(store, "Rex")
    assert (found.roles, [memory.content for memory in found.facts]) == (("dog",), ["The user has a dog named Rex."])


def test_of_two_sisters_each_has_only_what_is_told_by_name(store: Store) -> None:
    learn(
        store,
        *FAMILY,
        ("Nora", "The user's sister Nora is a judge."),
    )
    assert "The user's sister plays the harp." not in contents(store, "Nora")
    assert contents(store, "Nora") == ["The user's sister Nora is a judge."]


def test_what_held_once_is_told_apart(store: Store) -> None:
    learn(store, *FAMILY)
    store.semantic.end(3, AT + timedelta(days=30))
    assert [memory.content for memory in about(store, "Julia").former] == ["Julia moved to Graz."]


def test_nobody_of_that_name(store: Store) -> None:
    learn(store, *FAMILY)
    with pytest.raises(NotFoundError, match="Boris"):
        about(store, "Boris")


def test_memory_about(home: Path) -> None:
    store = open_store(home / "persona.db")
    learn(store, *FAMILY)
    store.semantic.end(3, AT + timedelta(days=30))
    store.close()
    shown = persona("memory", "about", "my", "sister").out
    assert "Julia, your sister" in shown
    assert "The user's sister plays the harp." in shown
    assert "until 11 Jun 2026" in shown
    assert persona("memory", "about", "Julia", "--json").json["roles"] == ["sister"]
    assert "nobody called 'Boris'" in persona("memory", "about", "Boris").error


def test_a_role_that_ended_is_told_as_former(store: Store) -> None:
    learn(
        store, ("Lena", "Lena is the user's girlfriend."), ("user", "The user moved with the user's girlfriend Lena.")
    )
    learn(store, ("user", "The user broke up with Lena."))
    store.semantic.supersede(1, 3, AT + timedelta(days=5))
    found = about(store, "Lena")
    assert (found.roles, found.former_roles) == ((), ("girlfriend",))
    at = AT + timedelta(days=9)
    store.semantic.add(SemanticMemory(0, "Lena is the user's girlfriend.", (), "Lena", "again", at, at))
    assert (about(store, "Lena").roles, about(store, "Lena").former_roles) == (("girlfriend",), ())


@pytest.mark.parametrize(
    ("said", "name", "role"),
    [
        ("This is Bram, our dog.", "Bram", ("dog",)),
        ("Our cat Mia sleeps all day.", "Mia", ("cat",)),
        ("My wife is a vet, and we have a daughter, Lotte, who is nine.", "Lotte", ("daughter",)),
        ("My sister April sings.", "April", ("sister",)),
    ],
)
def test_what_somebody_is_to_the_user_is_told_in_many_forms(
    said: str, name: str, role: tuple[str, ...], store: Store
) -> None:
    learn(store, ("user", said))
    assert [(known.name, known.roles) for known in people(store, 9)] == [(name, role)]


@pytest.mark.parametrize(
    "said", ["I ring my mother every Sunday.", "I have a house in Ghent.", "I met my sister Monday."]
)
def test_a_day_and_a_town_are_nobody(said: str, store: Store) -> None:
    learn(store, ("user", said))
    assert people(store, 9) == ()
