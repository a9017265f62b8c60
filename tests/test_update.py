"""The update stage: jobs in order, what each writes, interruptions, failures, a killed process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.why import explain
from persona_cli.config import PersonalitySettings, Settings
from persona_cli.errors import EngineError, FormatError, Interrupted, NotFoundError
from persona_cli.memory.vectors.chroma import Chroma, Folder
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.once import EmbedOnce
from persona_cli.model.tasks import SemanticDraft, Stop
from persona_cli.paths import find_places
from persona_cli.personality import Impression, Traits, weight
from persona_cli.records import Answer, Job, JobState, Kind, Ref, Retrieve, Task
from tests.agents import NOW, exists, say
from tests.conftest import StillClock
from tests.fakes import ScriptedModel

pytestmark = pytest.mark.gguf  # the gate compares memories with the real embedding


def test_jobs_run_in_the_order_of_their_turns(assistant: Assistant, model: ScriptedModel) -> None:
    for text in ("one", "two"):
        say(assistant, text)
    seen: list[tuple[int, int, Task]] = []
    drained = assistant.updates.run(lambda done, total, job: seen.append((done, total, job.task)))
    assert seen == [(1, 4, Task.PERSONALITY), (2, 4, Task.SEMANTIC), (3, 4, Task.PERSONALITY), (4, 4, Task.SEMANTIC)]
    assert (drained.done, drained.left, drained.failed) == (4, 0, ())
    asked = [(name, arguments[0].user) for name, arguments in model.calls if name != "reason"]
    assert asked == [(name, text) for text in ("one", "two") for name in ("infer_personality", "extract_semantic")]


def test_a_doubtful_reading_takes_a_shorter_step_to_the_same_end(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("infer_personality", Impression(openness=5, confidence=0.5), Traits(openness=5))
    for text in ("I might paint", "I paint"):
        say(assistant, text)
    assistant.updates.run()
    readings = assistant.memory.store.readings.all()
    assert readings[0].after.openness == pytest.approx(3.5)
    assert readings[0].momentum == pytest.approx(0.75)
    assert readings[1].after.openness == pytest.approx(3.5 + 1.5 * (1 - readings[1].momentum))


def test_turns_that_show_nothing_age_no_trait_where_that_is_set(
    home: Path, weights: Path, model: ScriptedModel, clock: StillClock
) -> None:
    settings = Settings(personality=PersonalitySettings(count_telling_turns=True))
    places = find_places(env={"PERSONA_HOME": str(home)})
    with closing(open_assistant(places, settings, model=model, clock=clock, notice=pytest.fail)) as opened:
        model.enqueue("infer_personality", Traits(), Traits(), Traits(openness=5), Traits(openness=5))
        for number in range(4):
            say(opened, f"message {number}")
        opened.updates.run()
        kept = [reading.momentum for reading in opened.memory.store.readings.all()]
    assert kept[2:] == [pytest.approx(0.5), pytest.approx(weight(1))]


def test_each_reading_moves_the_vector_and_keeps_its_turn(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("infer_personality", Traits(openness=5), Traits(), Traits(openness=5))
    turns = [say(assistant, text) for text in ("I paint", "I had pasta", "I paint again")]
    assistant.updates.run()
    readings = assistant.memory.store.readings.all()
    assert [reading.turn_id for reading in readings] == [turn.id for turn in turns]
    assert [round(reading.after.openness, 3) for reading in readings] == [4.0, 4.0, 4.498]
    assert readings[0].momentum == pytest.approx(0.5)
    assert assistant.memory.store.readings.latest() == readings[-1].after


def test_a_fact_is_remembered_with_the_words_it_rests_on(assistant: Assistant, model: ScriptedModel) -> None:
    turn = say(assistant, "Lovely day. I have a dog named Max.")
    model.enqueue("extract_semantic", [SemanticDraft("The user has a dog named Max.", ("dog", "Max"))])
    assistant.updates.run()
    (memory,) = assistant.memory.store.semantic.list()
    assert (memory.content, memory.quote) == ("The user has a dog named Max.", "I have a dog named Max.")
    assert (memory.turn_id, memory.recorded_at) == (turn.id, NOW)


def test_the_time_words_of_a_fact_become_the_dates_they_meant(assistant: Assistant, model: ScriptedModel) -> None:
    say(assistant, "I went to the dentist yesterday, and today I am fasting.")
    model.enqueue(
        "extract_semantic",
        [
            SemanticDraft("The user went to the dentist yesterday.", ("dentist",)),
            SemanticDraft("The user is fasting today.", ("fasting",)),
        ],
    )
    assistant.updates.run()
    yesterday, today = (f"{moment.day} {moment:%B %Y}" for moment in (NOW - timedelta(days=1), NOW))
    assert sorted(fact.content for fact in assistant.memory.store.semantic.list()) == [
        f"The user is fasting on {today}.",
        f"The user went to the dentist on {yesterday}.",
    ]


@pytest.mark.chroma
def test_what_is_forgotten_while_the_index_is_filled_in_does_not_wait_for_the_next_turn(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(folder: Folder) -> Chroma:
        monkeypatch.undo()
        assistant.memory.store.forget(Ref(Kind.MESSAGE, 1))
        return folder.open()

    say(assistant, "I adopted a parrot.")
    say(assistant, "I sold my bicycle.")
    monkeypatch.setattr(Folder, "open", meanwhile)
    assistant.updates.run()
    assert not assistant.memory.store.find([Ref(Kind.MESSAGE, 1)])
    assert assistant.memory.index.in_step


def test_jobs_run_in_the_background_and_are_indexed(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("extract_semantic", [SemanticDraft("The user has a dog named Max.", ("dog",))])
    assistant.updates.start()
    say(assistant, "I have a dog named Max.")
    wait_until(lambda: assistant.updates.pending() == 0)
    wait_until(lambda: not assistant.memory.store.vectors.wanted(assistant.memory.embedder.name, 9))
    (memory,) = assistant.memory.store.semantic.list()
    assert assistant.memory.retriever.search("pets", at=NOW + timedelta(hours=2)).hits[0].ref.id == memory.id


def test_the_embedding_is_ready_before_the_first_question(assistant: Assistant) -> None:
    once = assistant.memory.embedder
    assert isinstance(once, EmbedOnce)
    embedder = once._embedder
    assert isinstance(embedder, MiniLM)
    assert embedder._session is None
    assistant.updates.start()
    wait_until(lambda: embedder._session is not None)


def test_a_query_interrupts_the_running_job_which_runs_again(assistant: Assistant, model: ScriptedModel) -> None:
    began = threading.Event()

    def until_stopped(stop: Stop) -> Traits:
        began.set()
        wait_until(stop)
        raise Interrupted("stopped")

    model.enqueue("infer_personality", until_stopped, Traits(openness=5))
    say(assistant, "I paint")
    assistant.updates.start()
    assert began.wait(5)
    say(assistant, "Are you there?")
    wait_until(lambda: assistant.updates.pending() == 0)
    first = assistant.memory.store.readings.all()[0]
    assert (first.turn_id, first.inferred.openness) == (1, 5)
    assert assistant.memory.store.jobs.of_turn(1)[0].attempts == 1


def test_a_job_that_fails_keeps_its_error_and_blocks_nobody(assistant: Assistant, model: ScriptedModel) -> None:
    broken = EngineError("no scores")
    model.enqueue("infer_personality", broken, Traits(openness=5), broken, broken)
    say(assistant, "one")
    say(assistant, "two")
    drained = assistant.updates.run()
    (failed,) = drained.failed
    assert (failed.task, failed.turn_id, failed.attempts) == (Task.PERSONALITY, 1, 3)
    assert failed.error == "EngineError: no scores"
    assert drained.left == 0
    assert [reading.turn_id for reading in assistant.memory.store.readings.all()] == [2]


def test_a_broken_format_is_not_asked_for_again_in_the_same_words(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("infer_personality", FormatError("no scores"), Traits(openness=5))
    say(assistant, "one")
    (failed,) = assistant.updates.run().failed
    assert (failed.attempts, failed.error) == (1, "FormatError: no scores")
    assert len(model.called("infer_personality")) == 1


def test_any_error_of_a_model_stays_with_its_job(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("extract_semantic", *[ZeroDivisionError("oops")] * 3)
    say(assistant, "one")
    assert assistant.updates.run().failed[0].error == "ZeroDivisionError: oops"


def test_a_stopped_run_leaves_the_rest_queued(assistant: Assistant) -> None:
    for text in ("one", "two"):
        say(assistant, text)
    done: list[Job] = []
    with pytest.raises(Interrupted):
        assistant.updates.run(lambda *progress: done.append(progress[2]), stop=lambda: len(done) == 2)
    assert assistant.updates.pending() == 2
    assert assistant.updates.run().done == 2


def test_ctrl_c_puts_the_job_back(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("infer_personality", KeyboardInterrupt())
    turn = say(assistant, "one")
    with pytest.raises(KeyboardInterrupt):
        assistant.updates.run()
    first = assistant.memory.store.jobs.of_turn(turn.id)[0]
    assert (first.state, first.attempts) == (JobState.QUEUED, 0)


def test_where_another_process_works_the_jobs_wait(assistant: Assistant) -> None:
    say(assistant, "one")
    with FileLock(assistant.memory.places.update_lock):
        drained = assistant.updates.run()
    assert (drained.busy, drained.done, drained.left) == (True, 0, 2)


KILLED = """
    import sys, time
    from persona_cli.agent import open_assistant
    from persona_cli.config import PersonalitySettings, Settings
    from persona_cli.paths import find_places
    from tests.fakes import ScriptedModel

    def hang(stop):
        print("running", flush=True)
        time.sleep(60)

    model = ScriptedModel()
    model.enqueue("extract_semantic", hang)
    assistant = open_assistant(find_places(), Settings(), model=model, notice=print)
    list(assistant.respond("I have a dog named Max."))
    assistant.updates.run()
"""


def test_a_process_killed_in_an_update_loses_nothing_and_doubles_nothing(home: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED)],
        env={**os.environ, "PERSONA_HOME": str(home), "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert exists(child.stdout).readline() == "running\n"
        child.send_signal(signal.SIGKILL)
    model = ScriptedModel()
    model.enqueue("extract_semantic", [SemanticDraft("The user has a dog named Max.", ("dog",))])
    assistant = open_assistant(find_places(env={"PERSONA_HOME": str(home)}), Settings(), model=model, notice=print)
    try:
        assert assistant.updates.pending() == 1
        assert assistant.updates.run().done == 1
        assert len(assistant.memory.store.readings.all()) == 1
        assert [memory.content for memory in assistant.memory.store.semantic.list()] == [
            "The user has a dog named Max."
        ]
        assert assistant.updates.run().done == 0
    finally:
        assistant.close()


def test_why_tells_how_an_answer_came_about_and_what_the_turn_left(assistant: Assistant, model: ScriptedModel) -> None:
    model.enqueue("reason", Retrieve("pets"), Answer("A dog, so."))
    model.enqueue("extract_semantic", [SemanticDraft("The user has a dog named Max.", ("dog",))])
    model.enqueue("infer_personality", *[EngineError("no memory left")] * 3)
    turn = say(assistant, "I have a dog named Max.")
    assistant.updates.run()
    why = explain(assistant.memory.store)
    assert why.turn == turn
    assert [(search.thought, search.retrieve.keywords) for search in why.searches] == [("Let me see.", "pets")]
    assert exists(why.searches[0].recall).empty
    assert why.thought == "Let me see."
    assert [memory.content for memory in why.remembered] == ["The user has a dog named Max."]
    assert [(job.task, job.state) for job in why.jobs] == [
        (Task.PERSONALITY, JobState.FAILED),
        (Task.SEMANTIC, JobState.DONE),
    ]


def test_why_without_a_turn_says_what_to_do(assistant: Assistant) -> None:
    with pytest.raises(NotFoundError) as missing:
        explain(assistant.memory.store)
    assert missing.value.fix


def wait_until(met: Stop, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.005)
