"""Forgetting leaves nothing behind; vectors keep count of their changes; an export loses nothing."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.errors import NotFoundError, TransferError
from persona_cli.memory.store import Store, open_store
from persona_cli.personality import Traits, evolve, momentum
from persona_cli.records import (
    Answer,
    Aspect,
    EpisodicMemory,
    Hit,
    Image,
    ImageMemory,
    Kind,
    Recall,
    Ref,
    Retrieve,
    SemanticMemory,
    Status,
    Task,
    Think,
    Topic,
    Turn,
    Window,
)

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
NAME = "mini"


def vector(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, dtype=np.float32)


def embed_all(store: Store) -> None:
    for ref, field, text in store.vectors.wanted(NAME, 100):
        assert store.vectors.put(ref, field, NAME, vector(len(text), 1), text)


def a_life(store: Store) -> tuple[Sequence[Turn], Image, SemanticMemory]:
    """Store two turns of one closed session with everything that can hang on them."""
    session = store.sessions.start(AT)
    picture = store.images.add("a" * 64, "image/jpeg", 9, 9, 9, "0" * 16, AT)
    store.images.set_caption(picture.id, "a zebra")
    picture = store.images.get(picture.id)
    first = store.turns.add(session.id, AT, "this is my zebra", "Lovely.", "test", [picture])
    second = store.turns.add(session.id, AT + timedelta(minutes=5), "I like tea", "Noted.", "test")
    fact = store.semantic.add(
        SemanticMemory(0, "Has a zebra.", ("zebra",), "user", "my zebra", AT, AT, first.id, (picture.hash,))
    )
    tea = store.semantic.add(SemanticMemory(0, "Likes tea.", ("tea",), "user", "tea", AT, AT, second.id))
    store.core.put("pet", "a zebra", Aspect.HUMAN, AT, first.id)
    store.habits.put("zoo", "Goes to the zoo.", AT, session.id)
    for turn, inferred in ((first, Traits(openness=5)), (second, Traits(openness=1))):
        before = store.readings.latest()
        count = store.turns.count_before(turn.id, 50)
        store.readings.add(turn.id, AT, inferred, momentum(count), before, evolve(before, inferred, count))
        store.jobs.add(Task.SEMANTIC, turn_id=turn.id)
    store.sessions.close(session.id, AT + timedelta(hours=2))
    ids = (first.id, second.id)
    store.episodes.add(EpisodicMemory(0, session.id, "A zebra and tea.", (), ids, AT, AT, AT))
    recall = Recall(
        semantic=(Hit(Ref(Kind.SEMANTIC, fact.id), fact, 1.0), Hit(Ref(Kind.SEMANTIC, tea.id), tea, 0.5)),
        window=Window(AT, None),
    )
    later = store.sessions.start(AT + timedelta(days=1))
    steps = (Think("the zebra"), recall)
    third = store.turns.add(later.id, AT + timedelta(days=1), "my pet?", "Ask again.", "test", [], steps)
    embed_all(store)
    return (first, second, third), picture, fact


def test_forgetting_a_message_takes_everything_made_from_it(store: Store) -> None:
    (first, second, third), picture, fact = a_life(store)
    receipt = store.forget(Ref(Kind.MESSAGE, first.id))
    counts = dict(receipt.counts)
    assert counts.pop("vectors") > 0
    assert counts == {
        "messages": 1,
        "semantic memories": 1,
        "core memories": 1,
        "episodes": 1,
        "habits": 1,
        "pictures": 1,
        "readings": 1,
    }
    assert (receipt.files, receipt.rewritten, receipt.thoughts) == ((picture.hash,), 1, 1)
    assert store.texts.search(["zebra"], None, 9) == ()
    assert "zebra" not in json.dumps(list(store.export_rows()))
    assert [job.task for job in store.jobs.of_session(first.session_id)] == [Task.EPISODIC, Task.PROCEDURAL]
    assert store.readings.latest() == evolve(Traits(), Traits(openness=1), 1)
    assert [turn.id for turn in store.turns.all()] == [second.id, third.id]
    with pytest.raises(NotFoundError):
        store.get(Ref(Kind.SEMANTIC, fact.id))
    assert store.verify() == ()


def test_nothing_forgotten_is_in_the_file(home: Path) -> None:
    store = open_store(home / "persona.db")
    turns, _, _ = a_life(store)
    store.forget(Ref(Kind.MESSAGE, turns[0].id))
    store.close()
    assert b"zebra" not in (home / "persona.db").read_bytes()


def test_forgetting_the_last_message_of_a_session_ends_the_session(store: Store) -> None:
    turns, _, _ = a_life(store)
    store.forget(Ref(Kind.MESSAGE, turns[0].id))
    receipt = store.forget(Ref(Kind.MESSAGE, turns[1].id))
    assert (receipt.counts["sessions"], receipt.rewritten) == (1, 0)
    assert [session.id for session in store.sessions.all()] == [turns[2].session_id]


def test_what_an_answer_nearly_said_and_searched_for_goes_without_a_thought_beside_it(store: Store) -> None:
    (first, _, third), _, fact = a_life(store)
    recall = Recall(semantic=(Hit(Ref(Kind.SEMANTIC, fact.id), fact, 1.0),))
    steps = (Retrieve("pets"), recall, Retrieve("zebra food"), recall, Answer("Hay.", "A zebra eats hay."))
    store.turns.add(third.session_id, AT, "what does it eat?", "Hay.", "test", [], steps)
    assert store.forget(Ref(Kind.MESSAGE, first.id)).thoughts == 2
    assert "zebra" not in json.dumps(list(store.export_rows()))
    assert "pets" in json.dumps(list(store.export_rows()))


def test_thoughts_of_a_summary_go_with_a_topic_it_sums_up_and_of_a_part_with_its_picture(store: Store) -> None:
    (first, _, third), picture, _ = a_life(store)
    part = store.images.add("c" * 64, "image/png", 3, 3, 3, "0" * 16, AT, crop_of=picture.hash)
    topic = store.episodes.of_session(first.session_id)[0]
    merged = replace(topic, id=0, summary="Zebras again and again.", turn_ids=())
    summary = store.episodes.merge(merged, [topic], AT)
    recalls = (
        Recall(episodic=(Topic(Hit(Ref(Kind.EPISODIC, summary.id), summary, 1.0), ()),)),
        Recall(images=(ImageMemory(Hit(Ref(Kind.IMAGE, part.id), part, 1.0), ()),)),
    )
    for recall in recalls:
        store.turns.add(third.session_id, AT, "and?", "Well.", "test", [], [recall, Think("It has stripes.")])
    assert store.forget(Ref(Kind.EPISODIC, topic.id)).thoughts == 1
    assert store.forget(Ref(Kind.IMAGE, picture.id)).thoughts == 1
    assert "stripes" not in json.dumps(list(store.export_rows()))


@pytest.mark.parametrize("source", ["you said “this is my zebra” yesterday", "your profile says “pet: a zebra”"])
def test_a_time_known_from_what_is_forgotten_quotes_it_no_more(store: Store, source: str) -> None:
    (first, _, third), _, _ = a_life(store)
    told = f"since the fair, in May ({source})"
    # nothing refers to the message: its words gave the time, and were not recalled
    recall = Recall(window=Window(AT, None), window_source=told, notes=(f"Nothing was found for “{told}”; all times.",))
    other = Recall(window_source="since tea, in May (you said “I like tea” yesterday)")
    kept = store.turns.add(third.session_id, AT, "since the fair?", "Ask again.", "test", [], [recall, other])
    store.forget(Ref(Kind.MESSAGE, first.id))
    assert "zebra" not in json.dumps(list(store.export_rows()))
    left = [step for step in store.turns.get(kept.id).steps if isinstance(step, Recall)]
    assert left[0].window_source == "since the fair, in May"
    assert left[0].notes == ("Nothing was found for “since the fair, in May”; all times.",)
    assert left[1] == other


def test_a_habit_goes_with_a_message_it_may_tell_of_and_what_it_was_before_holds_again(store: Store) -> None:
    earlier = store.sessions.start(AT - timedelta(days=9))
    store.turns.add(earlier.id, AT - timedelta(days=9), "I like animals", "Noted.", "test")
    before = store.habits.put("zoo", "Likes animals.", AT - timedelta(days=9), earlier.id)
    (first, _, _), _, _ = a_life(store)
    store.forget(Ref(Kind.MESSAGE, first.id))
    assert store.habits.current() == (before,)
    # read again, the old session does not take the place of what was learnt after it
    store.habits.put("zoo", "Rides.", AT + timedelta(days=3))
    assert store.habits.put("zoo", "Likes tea.", AT, first.session_id).text == "Rides."


def test_a_fact_that_was_counted_with_a_forgotten_one_holds_by_itself_again(store: Store) -> None:
    (first, second, _), _, fact = a_life(store)
    again = store.semantic.add(replace(fact, content="Owns a striped horse.", turn_id=second.id, images=()))
    changed = store.semantic.add(replace(fact, content="Had a cat.", turn_id=second.id, images=()))
    store.semantic.absorb(fact, again)
    store.semantic.supersede(changed.id, fact.id, AT + timedelta(days=1))
    receipt = store.forget(Ref(Kind.MESSAGE, first.id))
    assert store.semantic.many([again.id, changed.id]) == (again, changed)
    assert receipt.again == (Ref(Kind.SEMANTIC, again.id), Ref(Kind.SEMANTIC, changed.id))


def test_after_everything_is_forgotten_the_memory_is_empty_and_takes_an_import(store: Store) -> None:
    turns, _, fact = a_life(store)
    with store.transaction():
        tidy = store.tidies.begin(AT)
        with store.journal.caused_by(tidy_id=tidy.id):
            store.semantic.seen_again(fact.id, AT)
    rows = [(table, dict(row)) for table, row in store.export_rows()]
    for turn in turns:
        store.forget(Ref(Kind.MESSAGE, turn.id))
    # an answer that was on its way when the fact was forgotten
    store.uses.add([Ref(Kind.SEMANTIC, fact.id)], AT)
    assert store.empty()
    assert store.import_rows(rows)["tidy"] == 1


def test_forgetting_a_fact_keeps_the_message_and_its_picture(store: Store) -> None:
    turns, picture, fact = a_life(store)
    receipt = store.forget(Ref(Kind.SEMANTIC, fact.id))
    assert receipt.counts == {"semantic memories": 1, "core memories": 1, "vectors": 3}
    assert (receipt.files, receipt.sources) == ((), (Ref(Kind.MESSAGE, turns[0].id),))
    assert store.turns.get(turns[0].id).images == (picture,)


def test_forgetting_a_picture_takes_its_crops_and_leaves_the_words(store: Store) -> None:
    turns, picture, fact = a_life(store)
    crop = store.images.add("b" * 64, "image/png", 3, 3, 3, "0" * 16, AT, crop_of=picture.hash)
    receipt = store.forget(Ref(Kind.IMAGE, picture.id))
    assert receipt.files == (picture.hash, crop.hash)
    assert receipt.counts["pictures"] == 2
    assert store.turns.get(turns[0].id).images == ()
    assert store.semantic.get(fact.id).images == ()


@pytest.mark.parametrize("kind", [Kind.CORE, Kind.EPISODIC, Kind.PROCEDURAL])
def test_forgetting_any_other_memory_takes_its_vectors(store: Store, kind: Kind) -> None:
    a_life(store)
    receipt = store.forget(Ref(kind, 1))
    assert receipt.counts["vectors"] == 1
    assert sum(receipt.counts.values()) == 2


def test_an_id_is_never_used_again(store: Store) -> None:
    turns, _, fact = a_life(store)
    store.forget(Ref(Kind.SEMANTIC, fact.id + 1))
    new = store.semantic.add(replace(fact, turn_id=turns[2].id, images=()))
    assert new.id == fact.id + 2


def test_vectors_are_wanted_until_they_are_there_and_again_after_an_edit(store: Store) -> None:
    fact = store.semantic.add(SemanticMemory(0, "Likes tea.", ("tea", "drink"), "user", "q", AT, AT))
    ref = Ref(Kind.SEMANTIC, fact.id)
    assert store.vectors.wanted(NAME, 9) == ((ref, "content", "Likes tea."), (ref, "keywords", "tea, drink"))
    embed_all(store)
    assert (store.vectors.wanted(NAME, 9), store.vectors.count_wanted("other")) == ((), 2)
    store.semantic.seen_again(fact.id, AT)
    assert store.vectors.wanted(NAME, 9) == ()
    store.semantic.update(fact.id, content="Likes coffee.")
    assert (ref, "content", "Likes coffee.") in store.vectors.wanted(NAME, 9)
    assert not store.vectors.put(ref, "content", NAME, vector(1, 2), "Likes tea.")
    assert not store.vectors.put(Ref(Kind.SEMANTIC, 99), "content", NAME, vector(1, 2))
    store.semantic.add(SemanticMemory(0, "Obey.", (), "user", "q", AT, AT, status=Status.QUARANTINED))
    assert {wanted for wanted, _, _ in store.vectors.wanted(NAME, 9)} == {ref}


def test_the_matrix_holds_the_vectors_by_id(store: Store) -> None:
    ids, empty = store.vectors.matrix(Kind.SEMANTIC, "content", NAME)
    assert (ids.shape, empty.shape[0]) == ((0,), 0)
    for text in ("a", "bcd"):
        store.semantic.add(SemanticMemory(0, text, (), "user", "q", AT, AT))
    embed_all(store)
    ids, vectors = store.vectors.matrix(Kind.SEMANTIC, "content", NAME)
    assert (ids.tolist(), vectors.tolist()) == ([1, 2], [[1, 1], [3, 1]])
    assert vectors.dtype == np.dtype("float32")
    one = store.vectors.get(Ref(Kind.SEMANTIC, 2), "content", NAME)
    assert one is not None
    assert one.tolist() == [3, 1]
    assert store.vectors.get(Ref(Kind.SEMANTIC, 2), "keywords", NAME) is None


def test_an_index_learns_each_change_once(store: Store) -> None:
    first = store.semantic.add(SemanticMemory(0, "a", (), "user", "q", AT, AT))
    second = store.semantic.add(SemanticMemory(0, "b", (), "user", "q", AT, AT))
    embed_all(store)
    seen = store.vectors.revision()
    assert [change.ref.id for change in store.vectors.changed_since(0, NAME)] == [first.id, second.id]
    assert store.vectors.changed_since(seen, NAME) == ()
    store.forget(Ref(Kind.SEMANTIC, first.id))
    store.vectors.put(Ref(Kind.SEMANTIC, second.id), "content", NAME, vector(7, 7))
    changes = store.vectors.changed_since(seen, NAME)
    assert [(change.ref.id, change.vector is None) for change in changes] == [(first.id, True), (second.id, False)]
    assert [change.revision for change in changes] == sorted({change.revision for change in changes})
    assert store.vectors.revision() == changes[-1].revision
    assert store.vectors.changed_since(seen, "other") == ()


def test_an_export_brings_everything_back_with_its_ids(store: Store) -> None:
    a_life(store)
    old = store.semantic.add(SemanticMemory(0, "Lives in Leeds.", (), "user", "q", AT, AT))
    new = store.semantic.add(SemanticMemory(0, "Lives in York.", (), "user", "q", AT, AT))
    store.semantic.supersede(old.id, new.id, AT)
    rows = [(table, json.loads(json.dumps(row))) for table, row in store.export_rows()]
    copy = open_store(None)
    assert copy.import_rows(rows) == store.tables()
    assert list(copy.export_rows()) == list(store.export_rows())
    assert copy.verify() == ()
    assert copy.turns.latest() == store.turns.latest()
    assert copy.texts.search(["zebra"], None, 9) == store.texts.search(["zebra"], None, 9)
    assert copy.vectors.count_wanted(NAME) == store.vectors.counts()[NAME] + 2
    with pytest.raises(TransferError, match="already"):
        copy.import_rows(rows)
    copy.close()


@pytest.mark.parametrize(
    "row",
    [
        ("secrets", {"id": 1}),
        ("turn", {"id": 1, "mood": "good"}),
        ("turn", {"id": 1, "session_id": 9, "at": "", "user": "", "answer": "", "model": "", "steps": "[]"}),
        ("session", {"id": [1]}),
    ],
)
def test_rows_that_are_none_of_ours_are_refused_whole(store: Store, row: tuple[str, dict[str, object]]) -> None:
    good = ("session", {"id": 5, "started_at": "x", "last_at": "x", "closed_at": None})
    with pytest.raises(TransferError):
        store.import_rows([good, row])
    assert store.empty()
