"""Retrieval over the real store, index and embedding model."""

from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from persona_cli.config import MemorySettings, Settings
from persona_cli.errors import StorageError
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.likeness import METHOD, take_print
from persona_cli.memory.retrieval.lane_weights import MEASURED, MINILM, LaneWeights, Noise, measure, weights_for
from persona_cli.memory.retrieval.question import prepare
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import find_places
from persona_cli.records import (
    Aspect,
    EpisodicMemory,
    Kind,
    Query,
    Ref,
    Retrieve,
    Status,
    Turn,
    Window,
)
from tests.likenesses import photo
from tests.talks import NOW, ask, know, tell, texts

pytestmark = pytest.mark.usefixtures("weights")

TALK = (
    ("2026-03-02", "I moved to Lisbon for a job at a ceramics studio."),
    ("2026-03-02", "The flat is tiny but it has a view of the river."),
    ("2026-04-11", "My sister Marnie visited and we took the tram to Belem."),
    ("2026-04-11", "She hated the custard tarts, can you believe it?"),
    ("2026-05-17", "Went surfing in Ericeira and got stung by a weever fish."),
    ("2026-05-17", "The lifeguard poured hot water over my foot."),
)


@pytest.fixture
def life(memory: Memory) -> Memory:
    for day in sorted({day for day, _ in TALK}):
        tell(memory, day, *(text for one, text in TALK if one == day))
    know(memory, "The user lives in Lisbon.", "2026-03-02", slot="user/home")
    know(memory, "Marnie dislikes custard tarts.", "2026-04-11", subject="Marnie")
    know(memory, "The user was stung by a weever fish.", "2026-05-17",
         event=Window(datetime(2026, 5, 17, tzinfo=UTC), datetime(2026, 5, 18, tzinfo=UTC)))  # fmt: skip
    embed_wanted(memory.store, memory.embedder)
    return memory


def test_the_day_asked_about_comes_before_the_hours_around_it(memory: Memory) -> None:
    for day, words in (
        ("2026-05-04", "Where shall I go? I often go to places."),
        ("2026-05-05", "Today I was at the harbour and sat in the sun."),
    ):
        at = datetime.fromisoformat(f"{day}T19:00:00+00:00")
        session = memory.store.sessions.start(at)
        memory.store.turns.add(session.id, at, words, "", "test")
    embed_wanted(memory.store, memory.embedder)
    # "go" says nothing of where: the day is all there is to go by, and the evening before is only in its softness
    found = memory.retriever.search("Where did I go on 5 May?", kinds={Kind.MESSAGE}, at=NOW)
    assert next(hit.memory.user for hit in found.hits).startswith("Today")  # type: ignore[union-attr]
    assert ["window" in hit.lanes for hit in found.hits] == [True, False]


def test_the_hours_around_a_day_count_half(memory: Memory) -> None:
    for day in ("2026-05-04", "2026-05-05"):
        at = datetime.fromisoformat(f"{day}T19:00:00+00:00")
        memory.store.turns.add(memory.store.sessions.start(at).id, at, "The lentil soup was too salty.", "", "test")
    embed_wanted(memory.store, memory.embedder)
    found = memory.retriever.search("How was the lentil soup on 5 May?", kinds={Kind.MESSAGE}, at=NOW)
    evening, that_day = sorted(found.hits, key=lambda hit: hit.ref.id)
    assert found.hits[0] == that_day
    assert evening.lanes["window"] == pytest.approx(that_day.lanes["window"] / 2)


def test_the_best_of_each_kind_comes_first(life: Memory) -> None:
    recall = life.retriever.recall(*ask("Where do I live?"))
    assert recall.semantic[0].memory.content == "The user lives in Lisbon."
    recall = life.retriever.recall(*ask("What did Marnie think of the custard tarts?"))
    assert recall.semantic[0].memory.subject == "Marnie"
    assert {text.split()[0] for text in texts(recall.messages)[:2]} == {"My", "She"}


def test_lanes_add_up_and_the_dense_one_is_the_cosine(life: Memory) -> None:
    question = "Which fish stung me?"
    found = life.retriever.search(question, at=NOW)
    assert found.hits
    for hit in found.hits:
        assert hit.score == pytest.approx(sum(hit.lanes.values()))
    fact = next(hit for hit in found.hits if hit.ref.kind is Kind.SEMANTIC)
    stored = life.store.vectors.get(fact.ref, "content", life.embedder.name)
    assert stored is not None
    assert fact.lanes["dense"] == pytest.approx(float(stored @ life.embedder.embed_query([question])[0]), abs=1e-3)


@pytest.mark.parametrize(
    "question",
    [
        "What is the boiling point of tungsten?",
        "Do I own a helicopter?",
        "asdf qwer zxcv",
        "Who won the 1974 world cup?",
    ],
)
def test_what_was_never_said_finds_nothing(life: Memory, question: str) -> None:
    assert life.retriever.recall(*ask(question)).empty


def test_a_window_from_the_words_filters_for_real(life: Memory) -> None:
    recall = life.retriever.recall(*ask("What did I do last Sunday?"))
    assert recall.window_source == "last Sunday"
    assert recall.window == Window(datetime(2026, 5, 17, tzinfo=UTC), datetime(2026, 5, 18, tzinfo=UTC))
    assert [hit.memory.content for hit in recall.semantic] == ["The user was stung by a weever fish."]
    assert {turn.at.date().isoformat() for turn in (hit.memory for hit in recall.messages)} == {"2026-05-17"}


def test_a_time_alone_does_not_ask_for_habits_and_profile(life: Memory) -> None:
    life.store.habits.put("rowing", "The user rows every Thursday.", NOW)
    life.store.core.put("name", "Ada", Aspect.HUMAN, NOW)
    embed_wanted(life.store, life.embedder)
    found = life.retriever.search("What did I do last Sunday?", at=NOW)
    assert {hit.ref.kind for hit in found.hits} == {Kind.SEMANTIC, Kind.MESSAGE}
    assert not life.retriever.recall(*ask("What did I do last Sunday?")).procedural


def test_a_habit_and_the_profile_are_found_by_what_they_say(life: Memory) -> None:
    life.store.habits.put("rowing", "The user rows every Thursday.", NOW)
    life.store.core.put("name", "Ada", Aspect.HUMAN, NOW)
    embed_wanted(life.store, life.embedder)
    assert [hit.memory.key for hit in life.retriever.recall(*ask("When do I go rowing?")).procedural] == ["rowing"]
    assert life.retriever.search("What is my name?", at=NOW).hits[0].ref.kind is Kind.CORE


def test_words_prefer_a_time_where_there_is_more_to_go_by(life: Memory) -> None:
    tell(life, "2026-05-10", "Surfing lesson number one, I swallowed half the sea.")
    embed_wanted(life.store, life.embedder)
    recall = life.retriever.recall(*ask("How was surfing last Sunday?"))
    assert texts(recall.messages)[0].startswith("Went surfing")
    assert recall.messages[0].lanes["window"] > 0
    given = life.retriever.search("surfing", window=recall.window, at=NOW)
    assert all(hit.memory.at.day == 17 for hit in given.hits if isinstance(hit.memory, Turn))


def test_the_models_window_comes_before_the_words(life: Memory) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    query = Query("What did I do last Sunday?", NOW)
    recall = life.retriever.recall(query, Retrieve("moving", start, end))
    assert (recall.window, recall.window_source) == (Window(start, end), "model")
    assert all(hit.memory.at < end for hit in recall.messages)


def test_a_window_that_leaves_nothing_is_given_up_with_a_note(life: Memory) -> None:
    recall = life.retriever.recall(*ask("Where did I go surfing two years ago?"))
    assert recall.window is None
    assert any("two years ago" in note for note in recall.notes)
    assert any("surfing" in text for text in texts(recall.messages))


def test_a_window_that_is_given_is_not_given_up(life: Memory) -> None:
    window = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
    assert life.retriever.search("surfing", window=window, at=NOW).hits == ()


def test_a_message_that_speaks_of_a_day_answers_for_it(memory: Memory) -> None:
    tell(memory, "2026-05-18", "Yesterday we baked a rhubarb cake.", "Work was dull.")
    embed_wanted(memory.store, memory.embedder)
    recall = memory.retriever.recall(*ask("What did I do on Sunday?"))
    assert texts(recall.messages) == ["Yesterday we baked a rhubarb cake."]


def test_the_last_hour_is_not_recalled_but_can_be_searched(life: Memory) -> None:
    session = life.store.sessions.start(NOW)
    turn = life.store.turns.add(session.id, NOW - timedelta(minutes=20), "I adopted a tortoise.", "Nice!", "test")
    fact = know(life, "The user adopted a tortoise.", "2026-05-20", turn_id=turn.id)
    embed_wanted(life.store, life.embedder)
    recall = life.retriever.recall(*ask("Do I have a tortoise?"))
    assert turn.id not in {hit.memory.id for hit in recall.messages}
    assert fact.id not in {hit.memory.id for hit in recall.semantic}
    found = life.retriever.search("tortoise", at=NOW)
    assert {hit.ref for hit in found.hits} >= {Ref(Kind.MESSAGE, turn.id), Ref(Kind.SEMANTIC, fact.id)}


def test_nothing_is_shown_twice(life: Memory) -> None:
    first = life.retriever.recall(*ask("Tell me about Marnie and the tarts"))
    shown = [*(hit.ref for hit in first.semantic), *(hit.ref for hit in first.messages)]
    second = life.retriever.recall(*ask("Tell me about Marnie and the tarts"), shown)
    assert shown
    assert not {*(hit.ref for hit in second.semantic), *(hit.ref for hit in second.messages)} & set(shown)


def test_a_shown_topic_takes_its_messages_with_it(life: Memory) -> None:
    turns = [turn for turn in life.store.turns.all() if "Marnie" in turn.user or "tarts" in turn.user]
    episode = life.store.episodes.add(
        EpisodicMemory(
            id=0, session_id=turns[0].session_id, summary="Marnie's visit to Lisbon", keywords=("Marnie", "visit"),
            turn_ids=tuple(turn.id for turn in turns), started_at=turns[0].at, ended_at=turns[-1].at, recorded_at=NOW,
        )
    )  # fmt: skip
    embed_wanted(life.store, life.embedder)
    recall = life.retriever.recall(*ask("How was it when my sister Marnie came?"))
    assert [topic.hit.memory.id for topic in recall.episodic] == [episode.id]
    assert [turn.id for turn in recall.episodic[0].turns] == [turn.id for turn in turns]
    assert not {hit.memory.id for hit in recall.messages} & {turn.id for turn in turns}
    again = life.retriever.recall(*ask("How was it when my sister Marnie came?"), [Ref(Kind.EPISODIC, episode.id)])
    assert not again.episodic
    assert not {hit.memory.id for hit in again.messages} & {turn.id for turn in turns}


def test_only_what_holds_is_recalled_and_the_past_can_be_asked_for(life: Memory) -> None:
    old = next(memory for memory in life.store.semantic.list() if memory.slot == "user/home")
    new = know(life, "The user lives in Porto.", "2026-05-01", slot="user/home")
    life.store.semantic.supersede(old.id, new.id, datetime(2026, 5, 1, 10, tzinfo=UTC))
    hidden = know(life, "The user lives in a castle.", status=Status.QUARANTINED)
    embed_wanted(life.store, life.embedder)
    found = [hit.memory for hit in life.retriever.recall(*ask("Where do I live?")).semantic]
    assert new.id in {one.id for one in found if one.status is Status.ACTIVE}
    assert hidden.id not in {one.id for one in found}
    # what it took the place of stands behind it, with its end
    assert [(one.id, one.valid_to) for one in found if one.status is Status.SUPERSEDED] == [
        (old.id, datetime(2026, 5, 1, 10, tzinfo=UTC))
    ]
    then = life.retriever.search(
        "Where do I live?", kinds={Kind.SEMANTIC}, as_of=datetime(2026, 4, 1, tzinfo=UTC), at=NOW
    )
    assert old.id in {hit.ref.id for hit in then.hits}
    assert not {hit.ref.id for hit in then.hits} & {new.id, hidden.id}


@pytest.fixture
def unjudged(weights: Path) -> Iterator[Memory]:
    """Return a memory whose searches go by their lanes alone: to the judge a full stop and a bang differ."""
    assert weights.is_dir()
    opened = open_memory(find_places(), Settings(memory=MemorySettings(judged=0)), pytest.fail)
    yield opened
    opened.close()


def test_what_was_said_often_comes_before_what_was_said_once(unjudged: Memory) -> None:
    once = know(unjudged, "The user likes green tea.")
    often = know(unjudged, "The user likes green tea!")
    for day in range(1, 6):
        unjudged.store.semantic.seen_again(often.id, datetime(2026, 4, day, tzinfo=UTC))
    embed_wanted(unjudged.store, unjudged.embedder)
    hits = unjudged.retriever.recall(*ask("Which tea do I like?")).semantic
    assert [hit.memory.id for hit in hits] == [often.id, once.id]
    assert hits[0].lanes["repetition"] > 0


def test_a_picture_is_found_by_its_looks_and_by_what_was_said_of_it(life: Memory) -> None:
    def add(name: str, phash: str) -> str:
        return life.store.images.add(name * 64, "image/png", 8, 8, 100, phash, NOW).hash

    at = datetime(2026, 4, 1, 10, tzinfo=UTC)
    session = life.store.sessions.start(at)
    dog = life.store.images.get(1) if life.store.images.all() else None
    assert dog is None
    known = life.store.images.by_hash(add("a", "f" * 16))
    copy = life.store.images.by_hash(add("b", "f" * 15 + "e"))
    assert known is not None
    assert copy is not None
    for image in (known, copy):
        life.store.images.keep_print(image.id, METHOD, take_print(photo(1)))
    turn = life.store.turns.add(session.id, at, "This is Max, my dog.", "Hello Max!", "test", [known])
    know(life, "Max is the user's dog.", turn_id=turn.id, subject="Max", images=(known.hash,))
    embed_wanted(life.store, life.embedder)
    looks = life.retriever.recall(Query("Who is this?", NOW, (copy,)), Retrieve("Who is this?"))
    assert [one.hit.memory.id for one in looks.images] == [known.id]
    assert looks.images[0].turn == turn
    assert [memory.content for memory in looks.images[0].memories] == ["Max is the user's dog."]
    words = life.retriever.recall(*ask("What does my dog Max look like?"))
    assert [one.hit.memory.id for one in words.images] == [known.id]


def test_full_text_serves_when_the_index_does_not(life: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StorageError("The index is not there.")

    monkeypatch.setattr(life.index, "search", broken)
    recall = life.retriever.recall(*ask("custard tarts"))
    assert texts(recall.messages)[0].startswith("She hated")
    assert recall.notes == ("The index is not there. Searched by words only.",)


def test_of_a_pasted_page_the_first_and_the_last_words_are_looked_up(life: Memory) -> None:
    page = " ".join(f"Word{number}" for number in range(2_000))
    asked = prepare(life.store, life.embedder, f"Ericeira? {page} Marnie?", NOW, kinds=set(Kind))
    assert len(asked.terms) == 200
    assert {"ericeira", "marnie"} <= set(asked.hits[Kind.MESSAGE][5]) | set(asked.hits[Kind.MESSAGE][3])
    assert asked.left_out == 1_802
    notes = life.retriever.search(f"Ericeira? {page} Marnie?", at=NOW).notes
    assert "Of so long a text 1,802 words in the middle were not looked up." in notes


def test_an_empty_memory_recalls_nothing(memory: Memory) -> None:
    assert memory.retriever.recall(*ask("Where do I live?")).empty
    assert memory.retriever.search("", at=NOW).hits == ()


def test_weights_follow_the_spread_of_the_embedder() -> None:
    wide = weights_for(Noise(0.5, MEASURED.deviation * 2))
    assert wide.text == pytest.approx(2 * LaneWeights().text)
    assert wide.before == LaneWeights().before
    assert wide.noise.mean > 0.5


def test_an_embedder_like_the_built_in_one_has_the_weights_that_were_chosen(life: Memory) -> None:
    assert astuple(weights_for(measure(life.embedder)))[1:] == pytest.approx(astuple(LaneWeights())[1:], rel=0.02)
    noise = weights_for(measure(life.embedder)).noise
    assert (noise.mean, noise.deviation) == pytest.approx((MINILM.mean, MINILM.deviation), rel=0.02)


def test_a_search_that_has_long_been_running_finds_what_a_fresh_one_does(life: Memory) -> None:
    questions = ("Where does the user live?", "What stung me?", "What does Marnie dislike?", "surfing last Sunday")

    def asked(memory: Memory) -> list[object]:
        found = [memory.retriever.search(text, at=NOW, limit=20).hits for text in questions]
        recalled = [memory.retriever.recall(Query(text, NOW), Retrieve("Lisbon surfing")) for text in questions]
        return [found, recalled]

    before = asked(life)
    other = open_memory(find_places(), Settings(), pytest.fail)
    try:
        know(other, "The user moved to Porto.", "2026-05-18")
        tell(other, "2026-05-18", "I moved to Porto, where nobody surfs.")
        other.store.forget(Ref(Kind.MESSAGE, 3))
        embed_wanted(other.store, other.embedder)
        fresh = asked(other)
    finally:
        other.close()
    assert asked(life) == fresh != before
