"""A request finds what somebody likes, cannot stand or has to mind."""

from pathlib import Path

import pytest

from benchmarks.preferences import load, measure
from persona_cli.english.small_talk import requests
from persona_cli.memory import Memory
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.records import Kind
from tests.talks import NOW, ask, know, tell

DEV = Path(__file__).parent / "data" / "preferences_dev.txt"


def test_what_asks_for_a_proposal_is_a_request() -> None:
    asked = [pair.request for pair in load(DEV) if requests(pair.request)]
    assert len(asked) >= 55
    assert [pair.preference for pair in load(DEV) if requests(pair.preference)] == []
    for text in ("Can you tell me when I moved?", "Which book did Anna recommend?", "I find museums dull.", ""):
        assert not requests(text), text


@pytest.mark.usefixtures("weights")
def test_preferences_are_found_better_than_by_closeness_alone() -> None:
    dense, ours = measure(load(DEV), Kind.MESSAGE)
    assert ours.hits[5] > dense.hits[5]
    assert ours.hits[10] >= dense.hits[10]


def test_a_request_recalls_preferences_and_not_what_was_asked(memory: Memory) -> None:
    tell(memory, "2026-05-02", "Can you recommend a film for tonight?", "The recommended book arrived on Monday.")
    for content in ("The user can't stand sushi.", "The user repairs clocks.", "The user adores Ethiopian food."):
        know(memory, content)
    embed_wanted(memory.store, memory.embedder)
    recall = memory.retriever.recall(*ask("Could you recommend a restaurant for tonight?"))
    assert {hit.memory.content for hit in recall.semantic[:2]} == {
        "The user can't stand sushi.",
        "The user adores Ethiopian food.",
    }
    found = memory.retriever.search("Could you recommend a restaurant for tonight?", kinds={Kind.SEMANTIC}, at=NOW)
    assert len(found.hits) == 3
