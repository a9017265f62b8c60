"""Wishes about memory that a model hears in talk: what is kept out, forgotten and looked up."""

from __future__ import annotations

from pathlib import Path

import PIL.Image

from persona_cli.agent.assistant import Assistant
from persona_cli.model.tasks import SemanticDraft, Situation
from persona_cli.records import Answer, Fulfilled, Kind, Ref, Retrieve, Want, Wish
from tests.agents import exists, say
from tests.fakes import ScriptedModel


def fulfilled(model: ScriptedModel) -> Fulfilled:
    """Return what the model was told had come of its last wish."""
    situation = model.called("reason")[-1][0]
    assert isinstance(situation, Situation)
    return situation.fulfilled[-1]


def test_what_is_to_be_kept_out_leaves_no_trace(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Wish(Want.KEEP_OUT), Answer("It stays between us."))
    steps = list(assistant.respond("Don't store this: I cheated."))
    assert steps[-1] == Answer("It stays between us.")
    assert fulfilled(model).receipt == ("Nothing of this message is stored.",)
    assert assistant.last_turn is None
    assert assistant.memory.store.turns.latest() is None
    assert assistant.memory.store.jobs.pending() == 0
    assert "cheated" not in str(dict(assistant.memory.store.export_rows()))


def test_a_picture_that_is_to_be_kept_out_goes_and_one_that_was_known_stays(
    assistant: Assistant, model: ScriptedModel, tmp_path: Path
) -> None:
    new, known = tmp_path / "new.png", tmp_path / "known.png"
    PIL.Image.effect_noise((64, 64), 90).save(new)
    PIL.Image.effect_noise((64, 64), 30).save(known)
    list(assistant.respond("My dog.", [known]))
    model.enqueue("reason", Wish(Want.KEEP_OUT))
    list(assistant.respond("Do not keep these.", [new, known]))
    assert len(assistant.memory.store.images.all()) == 1


def test_what_is_to_be_forgotten_goes_as_the_command_deletes_it(assistant: Assistant, model: ScriptedModel) -> None:
    told = say(assistant, "Kelly has a new man.")
    model.enqueue("extract_semantic", [SemanticDraft("Kelly has a new man.", ("Kelly",), subject="Kelly")])
    assistant.updates.run()
    model.enqueue("reason", Wish(Want.FORGET, (Ref(Kind.MESSAGE, told.id),)), Answer("Gone."))
    list(assistant.respond("Forget what I said about Kelly."))
    assert fulfilled(model).receipt[0].startswith(f"m{told.id} is deleted: 1 message, 1 semantic memory")
    store = assistant.memory.store
    assert store.semantic.list(None) == ()
    assert store.turns.latest() is None, "the message that says what to forget would tell it again"


def test_what_is_not_there_is_not_forgotten_and_the_message_is_kept(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Wish(Want.FORGET, (Ref(Kind.SEMANTIC, 99),)))
    list(assistant.respond("Forget that."))
    assert fulfilled(model).receipt == ()
    assert exists(assistant.last_turn).user == "Forget that."


def test_somebody_is_looked_up_with_what_held_once(assistant: Assistant, model: ScriptedModel) -> None:
    say(assistant, "My sister Ada lives in Galway.")
    model.enqueue("extract_semantic", [SemanticDraft("Ada is the user's sister.", ("Ada",), subject="Ada")])
    assistant.updates.run()
    model.enqueue("reason", Wish(Want.ABOUT, name="my sister"))
    list(assistant.respond("What do you know about my sister?"))
    assert fulfilled(model).names == ("Ada", "sister")
    assert [memory.content for memory in fulfilled(model).memories] == ["Ada is the user's sister."]
    model.enqueue("reason", Wish(Want.ABOUT, name="Bruno"), Retrieve("Bruno"))
    list(assistant.respond("And about Bruno?"))
    assert model.called("reason")[-2][0].fulfilled[-1].memories == ()


def test_a_wish_is_no_step_that_is_kept(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Wish(Want.MYSELF), Answer("You are Rosa."))
    turn = say(assistant, "Who am I?")
    stored = exists(assistant.memory.store.turns.latest())
    assert stored.answer == turn.answer == "You are Rosa."
    assert not any(isinstance(step, Wish) for step in stored.steps)


def test_a_model_that_wishes_without_end_answers_in_the_end(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", *[Wish(Want.MYSELF)] * 9)
    model.enqueue("answer", Answer("Enough."))
    assert say(assistant, "Who am I?").answer == "Enough."
