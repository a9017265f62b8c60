"""What a turn changed, and taking it back: exactly, and never what somebody has changed since."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.memory.store import Store, open_store
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft, SemanticDraft
from persona_cli.personality import Traits
from persona_cli.records import Author, EpisodicMemory, Kind, Ref, Status
from tests.conftest import StillClock
from tests.fakes import ScriptedModel
from tests.terminal import persona


@pytest.fixture
def store(assistant: Assistant) -> Store:
    return assistant.memory.store


class Diary:
    """Says things, each a day later, with what the model makes of them."""

    def __init__(self, assistant: Assistant, model: ScriptedModel, clock: StillClock) -> None:
        self.assistant, self.model, self.clock = assistant, model, clock

    def say(self, text: str, *drafts: SemanticDraft, traits: Traits = Traits()) -> int:  # noqa: B008 - frozen
        self.clock.advance(days=1)
        self.model.enqueue("extract_semantic", drafts)
        self.model.enqueue("infer_personality", traits)
        for _ in self.assistant.respond(text):
            pass
        self.assistant.updates.run()
        assert self.assistant.last_turn is not None
        return self.assistant.last_turn.id


@pytest.fixture
def diary(assistant: Assistant, model: ScriptedModel, clock: StillClock) -> Diary:
    return Diary(assistant, model, clock)


def home(place: str) -> SemanticDraft:
    return SemanticDraft(f"The user lives in {place}.", ("home",), slot="user/home")


def rows(store: Store) -> list[object]:
    """Return the whole truth but jobs and messages."""
    return [pair for pair in store.export_rows() if pair[0] in ("semantic", "core", "habit", "reading")]


def test_what_a_turn_wrote_is_taken_back_exactly(diary: Diary, store: Store) -> None:
    diary.say("I live in Oslo", home("Oslo"), traits=Traits(openness=4))
    diary.say("I like tea", SemanticDraft("The user likes tea.", ()))
    before = rows(store)
    turn = diary.say(
        "I live in Rome now. I like tea!", home("Rome"), SemanticDraft("The user likes tea.", ()), traits=Traits(5, 1)
    )
    changes = store.journal.of_turn(turn)
    assert [(change.before is None, type(change.after).__name__) for change in changes] == [
        (True, "Reading"),
        (True, "SemanticMemory"),
        (False, "SemanticMemory"),
        (False, "SemanticMemory"),
    ]
    done = store.journal.take_back(turn)
    assert (done.changes, done.kept) == (changes, ())
    assert rows(store) == before
    assert store.journal.of_turn(turn) == ()
    assert store.turns.get(turn).user == "I live in Rome now. I like tea!"
    assert store.verify() == ()


def test_turn_after_turn_can_be_taken_back(diary: Diary, store: Store) -> None:
    states, turns = [rows(store)], []
    for place in ("Oslo", "Rome", "Bonn"):
        turns.append(diary.say(f"I live in {place}", home(place), traits=Traits(extraversion=4)))
        states.append(rows(store))
    while turns:
        assert rows(store) == states.pop()
        store.journal.take_back(turns.pop())
    assert rows(store) == states.pop() == []


def test_a_turn_in_the_middle_is_healed_out_of_the_chain(diary: Diary, store: Store) -> None:
    turns = [diary.say(f"I live in {place}", home(place)) for place in ("Oslo", "Rome", "Bonn")]
    store.journal.take_back(turns[1])
    oslo, bonn = store.semantic.list(status=None)[::-1]
    assert [memory.content for memory in store.semantic.list()] == ["The user lives in Bonn."]
    assert (oslo.status, oslo.superseded_by, oslo.valid_to) == (Status.SUPERSEDED, bonn.id, bonn.valid_from)


def test_the_profile_and_habits_of_a_session_go_with_the_turn_they_rest_on(
    diary: Diary, store: Store, model: ScriptedModel
) -> None:
    first = diary.say("I am a nurse")
    model.enqueue("update_core", [CoreDraft("Job", "nurse")])
    diary.assistant.close_sessions(force=True)
    diary.assistant.updates.run()
    before = rows(store)
    second = diary.say("I am a welder now, I swim on Mondays")
    model.enqueue("update_core", [CoreDraft("Job", "welder")])
    model.enqueue("update_procedural", [ProceduralDraft("[HABIT_SWIM]", "The user swims on Mondays.")])
    diary.assistant.close_sessions(force=True)
    diary.assistant.updates.run()
    assert store.core.current().get("Job") == "welder"
    assert len(store.habits.current()) == 1
    store.journal.take_back(second)
    assert [pair for pair in rows(store) if pair[0] != "reading"] == [pair for pair in before if pair[0] != "reading"]  # type: ignore[index]
    assert store.journal.of_turn(first)


def test_the_topics_of_a_session_go_with_its_last_turn(diary: Diary, store: Store, model: ScriptedModel) -> None:
    first = diary.say("I paint")
    diary.assistant.close_sessions(force=True)
    diary.assistant.updates.run()
    before = list(store.episodes.list())
    diary.clock.advance(days=1)
    second = diary.say("I sing")
    third = diary.assistant.memory.store.turns.add(2, diary.clock.advance(minutes=3), "and dance", "", "scripted").id
    model.enqueue("summarize_episodes", [EpisodeDraft("The user sings.", ("song",), (0, 1))])
    diary.assistant.close_sessions(force=True)
    diary.assistant.updates.run()
    (change,) = store.journal.of_turn(third)
    assert isinstance(change.after, EpisodicMemory)
    assert (change.before, change.after.summary, change.after.turn_ids) == (None, "The user sings.", (second, third))
    assert not [one for one in store.journal.of_turn(second) if isinstance(one.after, EpisodicMemory)]
    assert store.journal.take_back(third).changes == (change,)
    assert list(store.episodes.list()) == before
    assert [one.turn_ids for one in before] == [(first,)]


def test_what_was_said_again_or_edited_since_stays(diary: Diary, store: Store) -> None:
    turn = diary.say("I like tea, and jazz", *(SemanticDraft(f"The user likes {one}.", ()) for one in ("tea", "jazz")))
    diary.say("I like tea", SemanticDraft("The user likes tea.", ()))
    store.semantic.update(2, content="The user likes old jazz.", author=Author.PERSON)
    done = store.journal.take_back(turn)
    assert {memory.content for memory in store.semantic.list()} == {"The user likes tea.", "The user likes old jazz."}
    assert len(done.kept) == 2


def test_the_journal_forgets_what_is_forgotten(diary: Diary, store: Store) -> None:
    turn = diary.say("I live in Oslo", home("Oslo"))
    store.forget(Ref(Kind.SEMANTIC, 1))
    assert "Oslo" not in str([pair for pair in store.export_rows() if pair[0] == "journal"])
    store.forget(Ref(Kind.MESSAGE, turn))
    assert not [pair for pair in store.export_rows() if pair[0] == "journal"]


def test_nothing_is_journalled_without_a_cause(store: Store, diary: Diary) -> None:
    turn = diary.say("I live in Oslo", home("Oslo"))
    before = store.journal.of_turn(turn)
    store.semantic.seen_again(1, diary.clock.now + timedelta(days=1))
    assert store.journal.of_turn(turn) == before


def test_updates_that_have_not_run_are_taken_off_the_queue(store: Store, diary: Diary) -> None:
    diary.clock.advance(days=1)
    for _ in diary.assistant.respond("I live in Oslo"):
        pass
    assert diary.assistant.last_turn is not None
    assert store.journal.take_back(diary.assistant.last_turn.id).jobs == 2
    assert store.jobs.pending() == 0


@pytest.fixture
def moved(home: Path) -> Path:
    """Leave a home whose last turn moved the user from Oslo to Rome, told to the built-in model."""
    persona("chat", "--json", "I live in Oslo.")
    persona("update")
    persona("chat", "--json", "We've moved to Rome!")
    persona("update")
    return home


def test_diff_shows_what_the_last_turn_changed(moved: Path) -> None:
    shown = persona("memory", "diff")
    marks = [line for line in shown.out.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    assert any(line.startswith("+ s2") and "Rome" in line for line in marks)
    assert any(line.startswith("- s1") and "Oslo" in line for line in marks)
    changes = persona("memory", "diff", "m2", "--json").json["changes"]
    assert {(change["id"], change["change"]) for change in changes} >= {("s2", "added"), ("s1", "ended")}


def test_undo_shows_asks_and_takes_back(moved: Path) -> None:
    refused = persona("memory", "undo", stdin="n\n")
    assert refused.code == 1
    assert "Take this back?" in refused.err
    assert "Rome" in refused.out
    done = persona("memory", "undo", "--yes")
    assert done.code == 0
    store = open_store(moved / "persona.db")
    assert [memory.content for memory in store.semantic.list()] == ["I live in Oslo."]
    assert store.turns.count() == 2
    store.close()
    again = persona("memory", "undo", "--yes")
    assert (again.code, "changed nothing" in again.err) == (0, True)


def test_undo_before_anything_was_said() -> None:
    assert "no turn" in persona("memory", "undo").error
    assert persona("memory", "diff", "m7").code != 0
