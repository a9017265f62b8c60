"""Transcripts: replayed at their own times, a hundred exchanges in each transaction, stopped and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image as Pillow

from persona_cli.agent.assistant import Assistant
from persona_cli.agent.replay import Exchange, replay, store_exchanges
from persona_cli.agent.why import explain
from persona_cli.errors import Interrupted, PictureError
from persona_cli.records import Image
from tests.agents import NOW, say
from tests.fakes import ScriptedModel

pytestmark = pytest.mark.gguf  # the gate compares memories with the real embedding


def transcript() -> Iterator[Exchange]:
    for day in range(2):
        for minute in range(3):
            at = NOW - timedelta(days=400 - day, minutes=-10 * minute)
            yield Exchange(at, f"day {day} minute {minute}", "I see.")


def test_a_transcript_is_replayed_at_its_own_times(assistant: Assistant, model: ScriptedModel) -> None:
    assert replay(assistant, list(transcript())).added == 6
    store = assistant.memory.store
    assert not model.called("reason")
    assert [len(episode.turn_ids) for episode in store.episodes.list()] == [3, 3]
    assert [turn.answer for turn in store.turns.all()] == ["I see."] * 6
    assert all(session.closed_at is not None for session in store.sessions.all())
    assert store.readings.all()[0].at == NOW - timedelta(days=400)


def test_a_secret_in_a_transcript_is_taken_out_and_said(assistant: Assistant) -> None:
    replay(assistant, [Exchange(NOW - timedelta(days=9), "My password is hunter2", "Noted: pin is 4711")])
    why = explain(assistant.memory.store)
    assert (why.turn.user, why.turn.answer) == ("My password is [password removed]", "Noted: pin is [PIN removed]")
    (notice,) = why.notices
    assert notice.endswith("Taken out before anything is stored: password, PIN.")


def test_a_stopped_replay_goes_on_where_it_was(assistant: Assistant) -> None:
    stored: list[int] = []
    with pytest.raises(Interrupted):
        replay(
            assistant,
            list(transcript()),
            stop=lambda: len(stored) == 2,
            on_stored=lambda number, total: stored.append(number),
        )
    again = replay(assistant, list(transcript()))
    assert (again.added, again.known, again.updates.left) == (4, 2, 0)
    assert assistant.memory.store.turns.count() == 6
    assert len(assistant.memory.store.sessions.all()) == 2


def test_exchanges_are_stored_together_but_those_with_pictures(assistant: Assistant, tmp_path: Path) -> None:
    picture = tmp_path / "dog.png"
    Pillow.new("RGB", (64, 48), "brown").save(picture)
    plain = [Exchange(NOW - timedelta(days=9, seconds=-number), f"word {number}", "") for number in range(130)]
    shown = [replace(one, user=f"{one.user} shown", images=(picture,)) for one in plain[20:22]]
    memory, seen = assistant.memory, list[str]()
    memory.store._connection.raw.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    assert store_exchanges(memory, assistant.gap, [*plain, *shown]) == 132
    # 21 before the first picture, two with one (between them one without), 9 to a hundred and the rest
    assert len(seen) <= 8
    assert [turn.user for turn in memory.store.turns.all() if turn.images] == ["word 20 shown", "word 21 shown"]
    with pytest.raises(PictureError):
        store_exchanges(memory, assistant.gap, [replace(plain[0], user="x", images=(tmp_path / "none.png",))])
    assert memory.media.verify() == ()


def test_two_imports_at_once_store_an_exchange_with_a_picture_once(
    assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "dog.png"
    Pillow.new("RGB", (64, 48), "brown").save(picture)
    exchanges = [Exchange(NOW - timedelta(days=9), "my dog", "Nice.", (picture,))]
    memory, counts = assistant.memory, list[int]()
    add = memory.media.add

    def add_when_the_other_is_through(path: Path, at: datetime) -> Image:
        monkeypatch.setattr(memory.media, "add", add)
        counts.append(store_exchanges(memory, assistant.gap, exchanges))
        return add(path, at)

    monkeypatch.setattr(memory.media, "add", add_when_the_other_is_through)
    counts.append(store_exchanges(memory, assistant.gap, exchanges))
    assert (counts, memory.store.turns.count()) == ([1, 0], 1)


def test_an_import_that_breaks_off_brings_again_what_was_not_on_disk(assistant: Assistant) -> None:
    def break_off(done: int, _all: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(assistant, list(transcript()), on_stored=break_off)
    store = assistant.memory.store
    assert (store.turns.count(), store.jobs.pending(), store.sessions.all()) == (0, 0, ())
    done = replay(assistant, list(transcript()))
    assert (done.added, store.turns.count(), len(store.sessions.all())) == (6, 6, 2)


def test_a_replay_of_the_past_leaves_todays_session_open(assistant: Assistant) -> None:
    today = say(assistant, "Hello")
    replay(assistant, list(transcript()))
    assert assistant.memory.store.sessions.get(today.session_id).closed_at is None
    assert say(assistant, "Hello again").session_id == today.session_id


def test_the_queue_is_read_without_the_jobs_that_are_done(assistant: Assistant) -> None:
    connection = assistant.memory.store._connection
    statements: list[str] = []
    connection.raw.set_trace_callback(statements.append)
    replay(assistant, list(transcript()))
    assistant.memory.store.jobs.failed()
    connection.raw.set_trace_callback(None)
    of_queue = [sql for sql in dict.fromkeys(statements) if " job " in sql and "state" in sql and " id = " not in sql]
    plans = [row["detail"] for sql in of_queue for row in connection.rows(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("job_queue" in plan for plan in plans)
    assert [plan for plan in plans if plan == "SCAN job"] == []
