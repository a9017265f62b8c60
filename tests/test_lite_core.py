"""What a session puts into the profile, and what it takes out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from persona_cli.model.lite.core import LONGEST, update_core
from persona_cli.model.tasks import CoreDraft
from persona_cli.records import Aspect, CoreEntry, CoreMemory, Turn
from persona_cli.remembering.profile import core_evidence

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


def session(*said: str) -> list[Turn]:
    return [Turn(number, 1, AT, text, "All right.", "lite") for number, text in enumerate(said)]


def profile(**values: str) -> CoreMemory:
    return CoreMemory(
        tuple(CoreEntry(n, key, value, Aspect.HUMAN, AT) for n, (key, value) in enumerate(values.items()))
    )


def learnt(current: CoreMemory, *said: str) -> dict[str, str]:
    return {draft.key: draft.value for draft in update_core(session(*said), current)}


def test_first_session_fills_the_profile() -> None:
    values = learnt(
        CoreMemory(),
        "Hi, I'm Nadia and I'm 34",
        "I live in Leeds, I work as a nurse",
        "my husband's name is Omar and we have a dog called Max",
        "I love hiking and old films but can't stand olives",
        "My sister Hana is visiting",
        "I'm allergic to nuts",
    )
    assert values == {
        "name": "Nadia",
        "age": "34",
        "home": "Leeds",
        "occupation": "nurse",
        "partner": "Omar (husband)",
        "pets": "Max (dog)",
        "likes": "hiking, old films",
        "dislikes": "olives",
        "family": "Hana (sister)",
        "allergies": "nuts",
    }


def test_work_belongs_to_the_persona_aspect() -> None:
    assert update_core(session("I'm a carpenter"), CoreMemory()) == (
        CoreDraft("occupation", "carpenter", Aspect.PERSONA),
    )


def test_changed_value_replaces_and_others_stay_unsaid() -> None:
    assert learnt(profile(name="Nadia", home="Leeds"), "I moved to York last week") == {"home": "York"}


def test_what_is_said_again_changes_nothing() -> None:
    assert learnt(profile(home="York"), "I live in York") == {}


def test_taste_that_turned_leaves_one_list_for_the_other() -> None:
    assert learnt(profile(likes="cheese, hiking"), "I've gone off cheese") == {"likes": "hiking", "dislikes": "cheese"}


def test_ended_things_say_so() -> None:
    assert learnt(profile(occupation="nurse", partner="Omar (husband)"), "I quit my job", "We broke up") == {
        "occupation": "no longer nurse",
        "partner": "no longer Omar (husband)",
    }


def test_end_of_what_was_never_known_is_not_kept() -> None:
    assert learnt(CoreMemory(), "I quit my job", "We broke up") == {}


def test_list_keeps_the_newest() -> None:
    known = ", ".join(f"thing {n}" for n in range(LONGEST))
    values = learnt(profile(likes=known), "I love pistachios").pop("likes").split(", ")
    assert len(values) == LONGEST
    assert values[0] == "thing 1"
    assert values[-1] == "pistachios"


def test_what_others_have_is_not_the_users() -> None:
    assert "allergies" not in learnt(CoreMemory(), "My sister Hana is allergic to nuts")


def test_questions_and_small_talk_leave_the_profile_alone() -> None:
    assert learnt(profile(name="Nadia"), "What is my name?", "If I lived in Rome I'd be happy", "Thanks!") == {}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("I love coffee and long walks with my dog", "likes", "coffee, long walks with the user's dog"),
        ("I like rock and roll, mac and cheese and old films", "likes", "rock and roll, mac and cheese, old films"),
        ("I love Simon and Garfunkel", "likes", "Simon and Garfunkel"),
        ("I'm into vinyl, mainly 70s soul", "likes", "vinyl"),
        ("I speak Spanish, Catalan and a bit of German", "languages", "Spanish, Catalan, German"),
        ("I can't eat gluten (coeliac since 2015)", "avoids", "gluten"),
        ("It's my birthday tomorrow!", "birthday", "15 May"),
        ("Pronouns are she/they btw", "pronouns", "she/they"),
        ("I'm Muslim, so no pork for me", "religion", "Muslim"),
        ("I'm Polish and I work part time as a librarian in Dundee", "nationality", "Polish"),
        ("I'm Polish and I work part time as a librarian in Dundee", "occupation", "librarian"),
        ("I have type 1 diabetes and wear a pump", "health", "type 1 diabetes"),
        ("My goal is to run a marathon", "goals", "run a marathon"),
        ("My sister is a surgeon. My brother's a plumber.", "family", "sister, brother"),
        ("im allergic to fur :(", "allergies", "fur"),
    ],
)
def test_the_profile_is_broad_and_its_lists_are_cut_where_things_end(text: str, key: str, value: str) -> None:
    said = Turn(1, 1, AT, text, "", "lite")
    drafts = {draft.key: draft for draft in update_core([said], CoreMemory())}
    assert sorted(drafts[key].value.split(", ")) == sorted(value.split(", "))
    assert core_evidence(drafts[key], CoreMemory(), [said]) is not None


@pytest.mark.parametrize(
    "text",
    ["My wife thinks I'm mad but she's been great", "I've lived in six countries", "My wife's mother is called Ann"],
)
def test_what_is_not_said_gets_into_no_profile(text: str) -> None:
    assert not {"home", "family"} & {
        draft.key for draft in update_core([Turn(1, 1, AT, text, "", "lite")], CoreMemory())
    }
