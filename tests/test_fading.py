"""What is of little weight falls behind with time and comes back when it is used; nothing is left out for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.config import MemorySettings, Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.retrieval.lanes import fading
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.tables.uses import Use
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import find_places
from persona_cli.records import (
    Answer,
    Aspect,
    Author,
    CoreEntry,
    EpisodicMemory,
    Hit,
    Kind,
    ProceduralMemory,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    Topic,
    Turn,
    Window,
)
from persona_cli.remembering.use import used_memories
from tests.conftest import StillClock
from tests.fakes import ScriptedModel

NOW = datetime(2026, 5, 20, 18, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=700)
FACT = SemanticMemory(1, "The user saw a green van.", (), "user", "I saw a green van", LONG_AGO, LONG_AGO)
TALK = EpisodicMemory(1, 1, "The user saw a van.", ("van", "green"), (1,), LONG_AGO, LONG_AGO, LONG_AGO)


def faded(fact: SemanticMemory = FACT, at: datetime = NOW, use: Use | None = None) -> float:
    """Return how far a stored fact has faded, by the line that ranking reads of it."""
    store = open_store(None)
    for name in fact.images:
        store.images.add(name, "image/png", 3, 3, 3, "0" * 16, LONG_AGO)
    kept = store.semantic.add(fact)
    for _ in range(use.count if use else 0):
        store.uses.add([Ref(Kind.SEMANTIC, kept.id)], use.last_at if use else at)
    value = float(fading(store.lines.facts([kept.id]), {}, at)[0])
    store.close()
    return value


def test_the_longer_something_lies_idle_the_further_it_fades() -> None:
    ages = [faded(at=LONG_AGO + timedelta(days=days)) for days in (0, 29, 60, 200, 700, 3000)]
    assert ages[:2] == [0, 0]
    assert ages == sorted(ages)
    assert 0 < ages[2] < 0.1 < ages[3] < 0.5 < ages[4] < ages[5] <= 1


@pytest.mark.parametrize(
    "weightier",
    [
        replace(FACT, author=Author.PERSON),
        replace(FACT, slot="user/home"),
        replace(FACT, images=("0" * 64,)),
        replace(FACT, seen=4),
        replace(FACT, last_seen=NOW - timedelta(days=100)),
        replace(FACT, event=Window(None, NOW + timedelta(days=30))),
    ],
)
def test_what_has_weight_fades_less(weightier: SemanticMemory) -> None:
    assert faded(weightier) < faded()


def test_topics_of_many_turns_and_summaries_fade_less_and_the_profile_and_habits_in_use_never(store: Store) -> None:
    session = store.sessions.start(LONG_AGO)
    turns = [store.turns.add(session.id, LONG_AGO, "A van.", "", "lite").id for _ in range(8)]
    short = store.episodes.add(replace(TALK, session_id=session.id, turn_ids=(turns[0],)))
    long, part = (store.episodes.add(replace(TALK, session_id=session.id, turn_ids=tuple(turns))) for _ in range(2))
    summary = store.episodes.merge(replace(TALK, id=0, session_id=session.id), [part], LONG_AGO)
    lines = store.lines.topics([short.id, long.id, summary.id])
    assert [line.turns for line in lines] == [1, 8, 8]
    brief, lengthy, summed = fading(lines, {}, NOW).tolist()
    assert 0 < summed < lengthy < brief < 1
    habit = ProceduralMemory(3, "tea", "Tea in the morning.", LONG_AGO)
    entry = CoreEntry(1, "name", "Ada", Aspect.HUMAN, LONG_AGO)
    assert fading([entry], {}, NOW) == 0
    assert fading([habit], {3: Use(1, NOW - timedelta(days=1))}, NOW) == 0 < fading([habit], {}, NOW)


def test_one_use_brings_a_memory_back_and_many_keep_it_longer() -> None:
    assert faded(use=Use(1, NOW - timedelta(days=1))) == 0
    once, often = (faded(use=Use(count, NOW - timedelta(days=300))) for count in (1, 20))
    assert often < once < faded()


def recall(*texts: str) -> Recall:
    hits = tuple(
        Hit(Ref(Kind.SEMANTIC, at), replace(FACT, id=at, content=text), 1.0) for at, text in enumerate(texts, 1)
    )
    said = Turn(7, 1, LONG_AGO, "A green van stood in our yard for a week", "", "lite")
    return Recall(semantic=hits, episodic=(Topic(Hit(Ref(Kind.EPISODIC, 1), TALK, 1.0), (said,)),))


def test_only_what_the_answer_speaks_of_was_used() -> None:
    found = recall("The user saw a green van.", "The user has a cat named Tom.")
    assert used_memories([found], "You told me of a green van.") == (Ref(Kind.SEMANTIC, 1), Ref(Kind.EPISODIC, 1))
    assert used_memories([found, found], "Your cat is called Tom.") == (Ref(Kind.SEMANTIC, 2),)
    assert used_memories([found], "I don't know that yet.") == ()


def test_a_use_is_counted_with_the_turn_that_made_it(
    assistant: Assistant, model: ScriptedModel, clock: StillClock
) -> None:
    store = assistant.memory.store
    at = clock.now - timedelta(days=400)
    fact = store.semantic.add(replace(FACT, recorded_at=at, valid_from=at))
    embed_wanted(store, assistant.memory.embedder)
    for _ in range(2):
        model.enqueue("reason", Retrieve("green van"), Answer("It was a green van."))
        assert list(assistant.respond("Where was the green van?"))
        clock.advance(days=2)
    assert store.uses.of(Kind.SEMANTIC, [fact.id]) == {fact.id: Use(2, clock.now - timedelta(days=2))}
    store.forget(Ref(Kind.SEMANTIC, fact.id))
    assert not [row for table, row in store.export_rows() if table == "used"]


@pytest.fixture
def unjudged(weights: Path) -> Iterator[Memory]:
    """Return a memory whose searches go by their lanes alone: to the judge a yard is not a lane."""
    assert weights.is_dir()
    opened = open_memory(find_places(), Settings(memory=MemorySettings(judged=0)), pytest.fail)
    yield opened
    opened.close()


@pytest.mark.gguf
def test_what_faded_ranks_lower_is_still_found_and_comes_back(unjudged: Memory) -> None:
    memory = unjudged
    said = ("The user saw a green van in the yard.", "The user saw a green van in the lane.")
    old, older = (
        memory.store.semantic.add(replace(FACT, content=text, slot=slot, valid_from=at, recorded_at=at))
        for text, slot, at in zip(said, ("user/sight", ""), (NOW - timedelta(days=690), LONG_AGO), strict=True)
    )
    embed_wanted(memory.store, memory.embedder)

    def found() -> list[int]:
        hits = memory.retriever.search("Where was the green van?", kinds=[Kind.SEMANTIC], at=NOW).hits
        assert all(hit.score == pytest.approx(sum(hit.lanes.values())) for hit in hits)
        return [hit.ref.id for hit in hits if hit.lanes.get("fading", 0) < 0]

    assert found() == [old.id, older.id]
    memory.store.uses.add([Ref(Kind.SEMANTIC, older.id)], NOW - timedelta(days=3))
    assert found() == [old.id]
    (best, *_) = memory.retriever.search("the green van in the lane", kinds=[Kind.SEMANTIC], at=NOW).hits
    assert best.ref.id == older.id
