"""A response of which nothing is kept: what an evaluation asks must not change what it asks next."""

from persona_cli.agent.assistant import Assistant
from persona_cli.records import Answer, Kind, Query, Recall, Ref, Retrieve, Want, Wish
from tests.conftest import StillClock
from tests.fakes import ScriptedModel


def test_nothing_of_a_rehearsal_is_kept(assistant: Assistant, model: ScriptedModel, clock: StillClock) -> None:
    list(assistant.respond("My dog is called Boris."))
    assistant.close_sessions(force=True)
    assistant.updates.run()
    store = assistant.memory.store
    before = store.turns.count(), assistant.updates.pending
    now = clock.advance(hours=3)
    model.enqueue("reason", Retrieve("dog"), Answer("Boris."))
    steps = list(assistant.rehearse(Query("What is my dog called?", now)))
    recall = next(step for step in steps if isinstance(step, Recall))
    assert [hit.memory.user for hit in recall.messages] or recall.episodic
    assert steps[-1] == Answer("Boris.")
    assert before == (store.turns.count(), assistant.updates.pending)
    # what was rehearsed a moment ago is no recent turn
    list(assistant.rehearse(Query("And again?", now)))
    assert model.called("reason")[-1][0].recent == ()


def test_a_wish_is_heard_and_not_fulfilled(assistant: Assistant, model: ScriptedModel, clock: StillClock) -> None:
    list(assistant.respond("My dog is called Boris."))
    turn = assistant.last_turn
    assert turn is not None
    model.enqueue("reason", Wish(Want.FORGET, (Ref(Kind.MESSAGE, turn.id),)), Answer("There is nothing to forget."))
    list(assistant.rehearse(Query("Forget my dog.", clock.advance(hours=3))))
    assert assistant.memory.store.turns.get(turn.id).user == "My dog is called Boris."
