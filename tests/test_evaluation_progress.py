"""How a run of the evaluation goes: its bar, several questions at once, an interruption, a process that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import replay
from persona_cli.config import ServerSettings, Settings
from persona_cli.errors import EngineError, UsageError
from persona_cli.evaluation.cases import Collection
from persona_cli.evaluation.datasets import load
from persona_cli.evaluation.run import answer_all, choose, make_plan
from persona_cli.evaluation.run_files import RunFolder
from persona_cli.evaluation.subjects import Bench
from persona_cli.evaluation.subjects.engines import shared_engine
from persona_cli.paths import find_places
from tests.openai_server import as_a_model_would, serving

pytestmark = pytest.mark.gguf


@pytest.fixture(autouse=True)
def fresh_engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 0)
    yield
    shared_engine.cache_clear()


def run(collection: Collection, subject: str, url: str, root: Path, workers: int = 1) -> list[tuple[int, int]]:
    """Run and return what the bar was told."""
    settings = Settings(server=ServerSettings(url=url, dialect="plain"))
    where = Bench(replace(settings, model=replace(settings.model, name="server")), find_places())
    told: list[tuple[int, int]] = []
    answer_all(
        collection,
        make_plan(collection, subject, where, limit=0, seed=0),
        where,
        RunFolder(root),
        workers=workers,
        on_progress=lambda done, every, _: told.append((done, every)),
    )
    return told


def test_the_bar_counts_exchanges_that_are_learnt_and_questions(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("persona-mme", None, "128k"), 3, 1)
    exchanges = len(collection.people[0].history)
    with serving(as_a_model_would) as (url, _):
        told = run(collection, "persona", url, tmp_path)
        again = run(collection, "persona", url, tmp_path)
    assert {every for _, every in told} == {exchanges + 3}
    counts = [done for done, _ in told]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-4:] == [exchanges, exchanges + 1, exchanges + 2, exchanges + 3]
    # there is movement before the first answer: learning is most of the work
    assert len(counts) > 6
    assert again == [(exchanges + 3, exchanges + 3)]


def test_a_server_is_asked_several_questions_about_one_person_at_once(tmp_path: Path, weights: Path) -> None:
    collection = load("locomo", None)
    collection = replace(collection, people=collection.people[:1])
    together = threading.Barrier(2, timeout=20)

    def waits(_text: str) -> str:
        together.wait()
        return "Walnuts."

    with serving(waits) as (url, heard):
        run(collection, "recent", url, tmp_path, workers=2)
    assert len(heard) == 10
    answered = [outcome.question.key for outcome in RunFolder(tmp_path).read().outcomes]
    assert answered == [question.key for question in collection.people[0].questions]


def test_a_made_up_person_is_replayed_to_measure_it(weights: Path) -> None:
    people = [replay.person(key, 12, "0") for key in ("0000", "0001")]
    assert people[0] == replay.person("0000", 12, "0")
    rows = list(replay.replayed(people, Settings()))
    assert [(row.person, row.exchanges) for row in rows] == [("0000", 12), ("0001", 12)]
    assert all(row.seconds > 0 and row.memories > 0 and row.mebibytes > 50 for row in rows)


def test_two_processes_do_not_work_on_one_run(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("locomo", None), 1, 3)
    says = serving(lambda _: "Walnuts.")
    with says as (url, _), RunFolder(tmp_path).held(), pytest.raises(UsageError, match="another process is at work"):
        run(collection, "none", url, tmp_path)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let processes hear Ctrl-C: what a shell starts in the background hands down that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_run_ends_its_processes_and_goes_on(home: Path, weights: Path, tmp_path: Path) -> None:
    asked = threading.Event()
    slow = threading.Event()

    def says(_text: str) -> str:
        asked.set()
        if not slow.is_set():
            time.sleep(0.5)
        return "Walnuts."

    with serving(says) as (url, heard):
        command = [sys.executable, "-m", "persona_cli", "eval", "run", "locomo", "--subject", "none", "--workers", "2"]
        command += ["--model", "server", "--to", str(tmp_path / "runs"), "--json"]
        surroundings = {**os.environ, "PERSONA_SERVER_URL": url, "PERSONA_SERVER_DIALECT": "plain"}
        running = subprocess.Popen(
            command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert asked.wait(60)
        # as a terminal does it: every process of the group hears of it
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=60)
        assert running.returncode == 130, err
        assert "the same command goes on" in err.lower()
        assert "Traceback" not in err
        before = len(heard)
        assert before < 30
        slow.set()
        ended = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    (row,) = json.loads(ended.stdout)["rows"]
    assert row["labels"] == {"right": 1, "wrong": 29}
    # what was under way is asked again, what was answered is not
    assert len(heard) <= 30 + 2


@pytest.mark.slow
def test_a_process_that_is_killed_is_said_and_loses_nothing(tmp_path: Path, weights: Path) -> None:
    collection = load("locomo", None)
    killed: list[Any] = []

    def kills(text: str) -> str:
        import multiprocessing

        if "Noor" in text and not killed:
            for process in multiprocessing.active_children():
                killed.append(process.pid)
                process.kill()
        return "Walnuts."

    with serving(kills) as (url, _):
        with pytest.raises(EngineError, match="was killed"):
            run(collection, "none", url, tmp_path, workers=2)
        told = run(collection, "none", url, tmp_path, workers=2)
    assert killed
    assert told[-1] == (30, 30)
    assert len(RunFolder(tmp_path).read().outcomes) == 30
