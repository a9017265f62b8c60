"""`why`, `--explain`, `diff` and `undo` as a person reads them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from persona_cli.cli.scores import MEANING
from persona_cli.config import Settings
from persona_cli.memory.store import open_store
from persona_cli.memory.tables.steps import decode, encode, without_thoughts
from persona_cli.memory.vectors.embedding import open_embedder
from persona_cli.model.tasks import SemanticDraft
from persona_cli.paths import find_places
from persona_cli.personality import Traits, manner
from persona_cli.records import Answer, Personality, Think
from persona_cli.remembering.drafts import Remembering
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

GLAD = "I adopted a dog named Biscuit yesterday."


def test_every_lane_of_a_score_is_explained() -> None:
    persona("chat", GLAD)
    persona("chat", "Biscuit loves long walks by the river.")
    persona("update", "--close")
    hits = persona("memory", "search", "what does Biscuit love?", "--json").json["hits"]
    assert {name for hit in hits for name in hit["lanes"]} <= MEANING.keys()
    shown = persona("memory", "search", "what does Biscuit love?", "--explain").out
    assert "Scores: dense: close in meaning" in " ".join(shown.split())


def test_the_tone_is_shown_with_what_the_traits_changed() -> None:
    persona("profile", "set", "extraversion", "5")
    persona("chat", "I got the job, I'm so happy!")
    shown = " ".join(persona("why").out.split())
    assert "extraversion 5.0 asks for a tone that is lively" in shown
    toned, untoned = shown.split("persona: ")[1], shown.split("the answer would be: ")[1]
    assert "!" in toned
    assert untoned != toned


def test_what_a_turn_ended_and_what_of_it_was_refused_is_told_with_the_rule(home: Path) -> None:
    persona("chat", "I live in Oslo.")
    persona("chat", "We moved to Rome.")
    persona("update")
    assert "ended s1: I live in Oslo. (ended by: " in " ".join(persona("why").out.split())
    assert "(ended by: " in persona("memory", "diff").out
    store = open_store(home / "persona.db")
    turn = store.turns.latest()
    assert turn is not None
    with closing(open_embedder(Settings(), find_places(), print)) as embedder:
        Remembering(store, embedder, 5).remember([SemanticDraft("The user lives in Paris.", ())], turn, ())
    store.close()
    shown = " ".join(persona("why").out.split())
    assert "refused “The user lives in Paris.”: the user did not say" in shown
    assert "(rule: said in this turn)" in shown
    assert persona("why", "--json").json["refused"][0]["rule"] == "said in this turn"
    persona("memory", "forget", "m2", "--yes")
    assert b"Paris" not in (home / "persona.db").read_bytes()


def test_neutral_traits_ask_for_nothing() -> None:
    persona("chat", "Hello")
    assert "close to neutral and asked for none" in persona("why").out
    assert manner(Traits(openness=3.4, neuroticism=2.6)) == {}


def test_what_would_have_been_said_is_kept_and_goes_with_what_is_forgotten() -> None:
    kept = encode([Think("4411?"), Personality(Traits(openness=4.0)), Answer("4411!", "4411.")])
    assert decode(kept, lambda _: {}) == (Think("4411?"), Personality(Traits(openness=4.0)), Answer("4411!", "4411."))
    left = without_thoughts(kept)
    assert decode(left, lambda _: {}) == (Personality(Traits(openness=4.0)), Answer("4411!"))


def test_undo_of_a_turn_that_changed_nothing_points_to_the_last_that_did() -> None:
    persona("chat", GLAD)
    persona("chat", "Hello")
    shown = persona("memory", "undo")
    assert shown.code == 0
    assert "It changed nothing in memory." in shown.err
    assert "`persona memory undo m1` takes that back" in shown.err
    assert "It changed nothing" in persona("memory", "diff").err
    assert persona("memory", "undo", "m1", "--yes").code == 0
    assert not [row for row in persona("memory", "list", "--json").json if row["kind"] == "semantic"]
