"""The end of a run that the system asks for: nothing said is lost, what was running is queued again."""

import os
import pty
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from persona_cli.agent.assistant import Assistant
from persona_cli.cli.ending import end_in_order
from persona_cli.model.tasks import Stop
from persona_cli.personality import Traits
from persona_cli.records import AnswerDelta, JobState
from tests.fakes import ScriptedModel

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def orderly() -> Iterator[None]:
    """End in order, with the signals as they are by default around the test."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    end_in_order()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_was_said_is_kept_when_the_system_ends_an_answer(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", [AnswerDelta("Half an"), AnswerDelta(" answer")])
    with closing(assistant.respond("I adopted a parrot.")) as steps:
        assert next(steps) == AnswerDelta("Half an")
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    turn = assistant.memory.store.turns.latest()
    assert ended.value.code == 128 + signal.SIGTERM
    assert turn is not None
    assert (turn.user, turn.answer) == ("I adopted a parrot.", "Half an")
    assert assistant.updates.pending() == 2


def test_words_are_kept_that_still_wait_for_a_running_job(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        signal.raise_signal(signal.SIGTERM)

    # the wait for the job in the background cannot be met by chance
    monkeypatch.setattr(assistant.updates, "paused", end)
    with pytest.raises(SystemExit):
        list(assistant.respond("I adopted a parrot."))
    turn = assistant.memory.store.turns.latest()
    assert turn is not None
    assert turn.user == "I adopted a parrot."


def test_a_job_the_system_ends_is_queued_again(assistant: Assistant, model: ScriptedModel) -> None:
    list(assistant.respond("I adopted a parrot."))

    def ended(_stop: Stop) -> Traits:
        signal.raise_signal(signal.SIGTERM)
        return Traits()

    model.enqueue("infer_personality", ended)
    with pytest.raises(SystemExit):
        assistant.updates.run()
    turn = assistant.memory.store.turns.latest()
    assert turn is not None
    assert {job.state for job in assistant.memory.store.jobs.of_turn(turn.id)} == {JobState.QUEUED}
    assert assistant.updates.run().done == 2


def test_a_closed_terminal_is_not_written_to() -> None:
    ours, theirs = pty.openpty()
    kept = os.dup(2)
    try:
        os.dup2(theirs, 2)
        os.close(ours)
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGHUP)
        assert ended.value.code == 128 + signal.SIGHUP
        assert os.write(2, b"to nobody") == 9
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(theirs)


def test_who_asks_twice_does_not_wait() -> None:
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_ignored_hangup_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_in_order()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
