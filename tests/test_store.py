"""The store by noun: what is put in comes out again, also after closing."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from persona_cli.errors import NotFoundError
from persona_cli.memory.store import Store, open_store
from persona_cli.personality import Traits, evolve, momentum
from persona_cli.records import (
    Answer,
    Aspect,
    Author,
    EpisodicMemory,
    Hit,
    Image,
    ImageMemory,
    JobState,
    Kind,
    Notice,
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

AT = datetime(2026, 5, 12, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))
HOUR = timedelta(hours=1)


def a_turn(store: Store, user: str = "I live in Leeds", at: datetime = AT, answer: str = "Noted.") -> Turn:
    session = store.sessions.current(at, HOUR) or store.sessions.start(at)
    return store.turns.add(session.id, at, user, answer, "test")


def a_fact(content: str = "The user lives in Leeds.", at: datetime = AT, turn_id: int | None = None) -> SemanticMemory:
    return SemanticMemory(0, content, ("home", "Leeds"), "user", "I live in Leeds", at, at, turn_id)


def a_picture(store: Store, name: str = "a", phash: str = "ffffffff00000000") -> Image:
    return store.images.add(name * 64, "image/jpeg", 20, 10, 999, phash, AT, "a dog")


ZONES = [UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-3, minutes=-30)), ZoneInfo("Asia/Kathmandu")]


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_comes_back_as_the_same_moment_in_its_own_zone(store: Store, zone: timezone) -> None:
    at = datetime(2026, 10, 25, 2, 30, 1, 5, tzinfo=zone, fold=1)
    turn = store.turns.get(a_turn(store, at=at).id)
    assert turn.at.astimezone(UTC) == at.astimezone(UTC)
    assert turn.at.utcoffset() == at.utcoffset()
    assert turn.at.tzinfo == zone


def test_turns_of_different_zones_are_in_the_order_of_their_moments(store: Store) -> None:
    later = a_turn(store, "later", datetime(2026, 5, 12, 1, 0, tzinfo=timezone(timedelta(hours=-8))))
    earlier = a_turn(store, "earlier", datetime(2026, 5, 12, 9, 30, tzinfo=ZoneInfo("Asia/Tokyo")))
    assert tuple(store.turns.all()) == (earlier, later)


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        store.sessions.start(datetime(2026, 5, 12))


def test_a_session_is_current_until_more_than_the_gap_has_passed(store: Store) -> None:
    session = store.sessions.start(AT)
    assert store.sessions.current(AT + HOUR, HOUR) == session
    assert store.sessions.current(AT + HOUR + timedelta(seconds=1), HOUR) is None
    assert store.sessions.overdue(AT + HOUR, HOUR) == ()
    assert store.sessions.overdue(AT + HOUR + timedelta(seconds=1), HOUR) == (session,)
    store.sessions.close(session.id, AT + 2 * HOUR)
    assert store.sessions.overdue(AT + 3 * HOUR, HOUR) == ()
    assert store.sessions.get(session.id).closed_at == AT + 2 * HOUR


def test_a_turn_makes_its_session_last(store: Store) -> None:
    turn = a_turn(store)
    a_turn(store, at=AT + HOUR / 2)
    session = store.sessions.get(turn.session_id)
    assert (session.started_at, session.last_at) == (AT, AT + HOUR / 2)
    store.sessions.touch(session.id, AT)
    assert store.sessions.get(session.id).last_at == AT + HOUR / 2


def test_turns_are_found_by_time_and_session(store: Store) -> None:
    turns = [a_turn(store, f"turn {number}", AT + number * HOUR / 4) for number in range(5)]
    other = a_turn(store, "another day", AT + timedelta(days=1))
    assert store.turns.recent(AT, AT + HOUR / 4) == tuple(turns[:2])
    assert store.turns.of_session(turns[0].session_id) == tuple(turns)
    assert store.turns.many([other.id, turns[1].id, 999]) == (turns[1], other)
    assert store.turns.latest() == other
    assert (store.turns.count(), store.turns.count_before(turns[3].id, 50)) == (6, 3)
    assert store.turns.find_same(AT.astimezone(UTC), "turn 0") == turns[0]
    assert store.turns.find_same(AT, "turn 1") is None
    assert tuple(store.turns.all(Window(AT + HOUR, None))) == (turns[4], other)


def test_all_turns_come_page_by_page_while_more_are_written(store: Store) -> None:
    session = store.sessions.start(AT)
    with store.transaction():
        for number in range(1200):
            store.turns.add(session.id, AT, f"turn {number}", "", "test")
    reading = store.turns.all()
    first = next(reading)
    a_turn(store, "meanwhile")
    assert [first.user, *(turn.user for turn in reading)] == [f"turn {n}" for n in range(1200)] + ["meanwhile"]


def test_steps_come_back_with_the_memories_they_recalled(store: Store) -> None:
    picture = a_picture(store)
    old = store.turns.add(store.sessions.start(AT).id, AT, "I live in Leeds", "Noted.", "test", [picture])
    fact = store.semantic.add(replace(a_fact(turn_id=old.id), images=(picture.hash,)))
    episode = store.episodes.add(EpisodicMemory(0, old.session_id, "Home", ("home",), (old.id,), AT, AT, AT))
    habit = store.habits.put("run", "The user runs on Thursdays.", AT)
    recall = Recall(
        semantic=(Hit(Ref(Kind.SEMANTIC, fact.id), fact, 1.5, {"dense": 1.0, "text": 0.5}),),
        episodic=(Topic(Hit(Ref(Kind.EPISODIC, episode.id), episode, 0.5), (old,)),),
        procedural=(Hit(Ref(Kind.PROCEDURAL, habit.id), habit, 0.25),),
        images=(ImageMemory(Hit(Ref(Kind.IMAGE, picture.id), picture, 0.1), (fact,), old),),
        messages=(Hit(Ref(Kind.MESSAGE, old.id), old, 0.7),),
        window=Window(AT - HOUR, None),
        window_source="model",
        notes=("the window was relaxed",),
    )
    retrieve = Retrieve('home "Leeds"', AT - HOUR, None)
    steps = (Think("hm"), retrieve, recall, Notice("cut"), Answer("You live in Leeds."))
    turn = store.turns.add(old.session_id, AT, "Where do I live?", "You live in Leeds.", "test", [], steps)
    assert turn.steps == steps
    assert store.turns.get(turn.id).steps == steps
    assert store.turns.latest() == turn
    store.forget(Ref(Kind.SEMANTIC, fact.id))
    after = store.turns.get(turn.id).steps
    assert not any(isinstance(step, Think) for step in after)
    kept = next(step for step in after if isinstance(step, Recall))
    assert kept == replace(recall, semantic=(), images=(replace(recall.images[0], memories=()),))


def test_a_semantic_memory_comes_back_as_it_was(store: Store) -> None:
    picture = a_picture(store)
    turn = a_turn(store)
    fact = store.semantic.add(
        replace(
            a_fact(turn_id=turn.id),
            images=(picture.hash,),
            event=Window(AT, None),
            slot="user/home",
            last_seen=AT,
            author=Author.PERSON,
            status=Status.QUARANTINED,
        )
    )
    assert store.semantic.get(fact.id) == fact
    assert store.semantic.of_turn(turn.id) == (fact,)
    assert store.semantic.of_image(picture.hash) == ()


def test_a_superseded_fact_is_still_there_for_its_time(store: Store) -> None:
    old = store.semantic.add(replace(a_fact("The user lives in Leeds."), slot="user/home"))
    moved = AT + timedelta(days=30)
    new = store.semantic.add(replace(a_fact("The user lives in York.", moved), slot="user/home"))
    store.semantic.supersede(old.id, new.id, moved)
    assert store.semantic.active_in_slot("user/home") == (new,)
    assert store.semantic.list() == (new,)
    assert [memory.id for memory in store.semantic.list(as_of=AT)] == [old.id]
    assert [memory.id for memory in store.semantic.list(as_of=moved)] == [new.id]
    assert [memory.id for memory in store.semantic.list(status=None)] == [new.id, old.id]
    kept = store.semantic.get(old.id)
    assert (kept.superseded_by, kept.valid_to, kept.status) == (new.id, moved, Status.SUPERSEDED)
    store.semantic.end(new.id, moved + HOUR)
    assert store.semantic.list() == ()
    assert store.semantic.get(new.id).superseded_by is None


def test_the_same_fact_is_known_in_any_case_and_punctuation(store: Store) -> None:
    fact = store.semantic.add(a_fact("The user lives in Leeds."))
    assert store.semantic.same("  the user   lives in LEEDS!") == fact
    assert store.semantic.same("The user lives in York.") is None
    assert store.semantic.seen_again(fact.id, AT + HOUR).seen == 2
    assert store.semantic.get(fact.id).last_seen == AT + HOUR
    store.semantic.end(fact.id, AT)
    assert store.semantic.same("The user lives in Leeds.") is None


def test_facts_are_listed_by_window_subject_and_number(store: Store) -> None:
    said = store.semantic.add(a_fact("said"))
    day = Window(AT + timedelta(days=10), AT + timedelta(days=11))
    happens = store.semantic.add(replace(a_fact("happens", AT + HOUR), subject="Marnie", event=day))
    assert store.semantic.list(window=Window(AT, AT + HOUR)) == (said,)
    assert store.semantic.list(window=Window(day.start, None)) == (happens,)
    assert store.semantic.list(window=Window(day.end, None)) == ()
    assert store.semantic.list(subject="marnie") == (happens,)
    assert store.semantic.list(limit=1) == (happens,)


def test_an_edit_changes_what_it_names_only(store: Store) -> None:
    fact = store.semantic.add(a_fact())
    edited = store.semantic.update(fact.id, content="The user lives in York.", author=Author.PERSON)
    assert edited == replace(fact, content="The user lives in York.", author=Author.PERSON)
    assert store.semantic.same("the user lives in york") == edited


def test_core_memory_keeps_versions_and_the_order_of_learning(store: Store) -> None:
    store.core.put("name", "Ada", Aspect.HUMAN, AT)
    home = store.core.put("home", "Leeds", Aspect.HUMAN, AT)
    name = store.core.put("Name", "Ada L.", Aspect.HUMAN, AT + HOUR)
    assert store.core.put("home", "Leeds", Aspect.HUMAN, AT + HOUR) == home
    assert store.core.current().entries == (name, home)
    assert [(entry.value, entry.valid_to) for entry in store.core.history("name")] == [
        ("Ada", AT + HOUR),
        ("Ada L.", None),
    ]
    store.core.end("home", AT + HOUR)
    assert store.core.current().get("home") is None


def test_what_a_person_wrote_is_not_overwritten_by_a_model(store: Store) -> None:
    mine = store.core.put("name", "Ada", Aspect.HUMAN, AT, author=Author.PERSON)
    assert store.core.put("name", "Adam", Aspect.HUMAN, AT) == mine
    habit = store.habits.put("run", "The user runs on Mondays.", AT, author=Author.PERSON)
    assert store.habits.put("run", "The user runs never.", AT) == habit
    assert store.core.put("name", "Ada L.", Aspect.HUMAN, AT, author=Author.PERSON).value == "Ada L."


def test_habits_keep_versions(store: Store) -> None:
    store.habits.put("run", "The user runs on Mondays.", AT)
    new = store.habits.put("run", "The user runs on Thursdays.", AT + HOUR)
    assert store.habits.current() == (new,)
    assert [habit.status for habit in store.habits.history("run")] == [Status.SUPERSEDED, Status.ACTIVE]
    store.habits.end("run", AT + 2 * HOUR)
    assert store.habits.current() == ()
    assert store.habits.get(new.id).valid_to == AT + 2 * HOUR


def test_episodes_are_found_by_session_turn_and_window(store: Store) -> None:
    turns = [a_turn(store, f"turn {number}", AT + number * HOUR / 4) for number in range(3)]
    ids = (turns[2].id, turns[0].id)
    late = AT + HOUR / 2
    episode = store.episodes.add(EpisodicMemory(0, turns[0].session_id, "Home", ("a", "b"), ids, AT, late, late))
    assert store.episodes.get(episode.id) == episode
    assert store.episodes.of_session(turns[0].session_id) == (episode,)
    assert store.episodes.of_turns([turns[0].id]) == (episode,)
    assert store.episodes.of_turns([turns[1].id]) == ()
    assert store.episodes.list(Window(late, None)) == (episode,)
    assert store.episodes.list(Window(late + HOUR, None)) == ()


def test_readings_are_a_history(store: Store) -> None:
    assert store.readings.latest() == Traits()
    turn = a_turn(store)
    after = evolve(Traits(), Traits(openness=5.0), 0)
    reading = store.readings.add(turn.id, AT, Traits(openness=5.0), momentum(0), Traits(), after)
    assert store.readings.latest() == after
    assert store.readings.all() == store.readings.of_turn(turn.id) == (reading,)


def test_jobs_run_in_order_and_an_interrupted_one_comes_first_again(store: Store) -> None:
    turn = a_turn(store)
    first = store.jobs.add(Task.PERSONALITY, turn_id=turn.id)
    second = store.jobs.add(Task.SEMANTIC, turn_id=turn.id)
    claimed = store.jobs.claim()
    assert claimed == replace(first, state=JobState.RUNNING, attempts=1)
    store.jobs.requeue(first.id)
    assert store.jobs.claim() == claimed
    assert store.jobs.pending() == 2
    store.jobs.done(first.id)
    assert store.jobs.claim() == replace(second, state=JobState.RUNNING, attempts=1)
    assert store.jobs.claim() is None
    assert store.jobs.recover() == 1
    assert store.jobs.pending() == 1


def test_a_job_that_fails_three_times_is_given_up_with_its_error(store: Store) -> None:
    job = store.jobs.add(Task.CORE)
    other = store.jobs.add(Task.EPISODIC)
    order = []
    for _ in range(4):
        claimed = store.jobs.claim()
        assert claimed is not None
        order.append(claimed.id)
        if claimed.id == job.id:
            store.jobs.fail(job.id, "no core")
        else:
            store.jobs.done(other.id)
    assert order == [job.id, other.id, job.id, job.id]
    assert [(one.attempts, one.error) for one in store.jobs.failed()] == [(3, "no core")]
    assert store.jobs.pending() == 0
    assert store.jobs.retry_failed() == 1
    assert store.jobs.pending() == 1


def test_pictures_are_known_by_their_bytes_and_found_by_their_looks(store: Store) -> None:
    picture = a_picture(store)
    assert a_picture(store) == picture
    near = a_picture(store, "b", "ffffffff00000007")
    a_picture(store, "c", "0123456789abcdef")
    assert store.images.near("ffffffff00000001") == ((picture, 1), (near, 2))
    turn = store.turns.add(store.sessions.start(AT).id, AT, "look", "", "test", [near, picture])
    assert store.turns.get(turn.id).images == (near, picture)
    assert store.turns.of_image(picture.hash) == (turn,)
    store.images.set_caption(picture.id, "Max")
    assert store.get(Ref(Kind.IMAGE, picture.id)) == replace(picture, caption="Max", caption_by="")


@pytest.mark.parametrize("kind", list(Kind))
def test_what_does_not_exist_is_not_found(store: Store, kind: Kind) -> None:
    with pytest.raises(NotFoundError):
        store.get(Ref(kind, 7))
    with pytest.raises(NotFoundError):
        store.forget(Ref(kind, 7))


def test_a_memory_of_an_unknown_turn_is_refused_whole(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.semantic.add(a_fact(turn_id=99))
    assert store.semantic.list(status=None) == ()


def test_everything_is_there_after_closing(home: Path) -> None:
    first = open_store(home / "persona.db")
    turn = a_turn(first)
    fact = first.semantic.add(a_fact(turn_id=turn.id))
    first.close()
    second = open_store(home / "persona.db")
    assert (second.turns.get(turn.id), second.semantic.get(fact.id)) == (turn, fact)
    assert second.verify() == ()
    second.close()


def test_files_are_for_their_owner_only(home: Path) -> None:
    path = home / "users" / "ada" / "persona.db"
    opened = open_store(path)
    a_turn(opened)
    assert {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {
        "persona.db": 0o600,
        "persona.db-wal": 0o600,
        "persona.db-shm": 0o600,
    }
    assert [one.stat().st_mode & 0o777 for one in (home, path.parent)] == [0o700, 0o700]
    opened.close()


def test_every_table_is_strict(home: Path) -> None:
    open_store(home / "persona.db").close()
    raw = sqlite3.connect(home / "persona.db")
    tables = raw.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    loose = {name for name, strict in tables if not strict and not name.startswith(("sqlite_", "_sqlite_"))}
    raw.close()
    assert loose == set()
