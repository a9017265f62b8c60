"""The teacher: what it says is taken where the labels rest on it; slow, failing and lying ones are borne with."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from persona_cli.errors import EngineError
from persona_cli.synthesis.dialogue import SpokenTurn
from persona_cli.synthesis.lifeplan import Act, Life
from persona_cli.synthesis.making import Order, plan_all
from persona_cli.synthesis.teacher import (
    Teacher,
    connect,
    estimate,
    fault,
    parse_turns,
    prompt_of,
    reworded,
    teach,
)
from tests.terminal import persona

Says = Callable[[str], str | int]
"""The content of a reply, or the status of a failure."""


@contextmanager
def teaching(says: Says) -> Iterator[str]:
    """Yield the address of a server that answers whole, as a function of the prompt."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "x", "created": 1}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = says(body["messages"][0]["content"])
            if isinstance(said, int):
                self._send(said, {"error": {"message": "out of order"}})
                return
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

        def _send(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            # who was kept waiting too long has left
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def planned_turns(prompt: str) -> list[dict[str, Any]]:
    """Return the turns a prompt asks for."""
    return [json.loads(line) for line in prompt.splitlines() if line.startswith('{"n"')]


def honest(prompt: str) -> str:
    """Say every turn in a slightly other way."""
    turns = planned_turns(prompt)
    return json.dumps(
        [{**turn, "user": f"So, you see: {turn['user']}", "assistant": f"Well. {turn['assistant']}"} for turn in turns]
    )


@pytest.fixture(scope="module")
def lives() -> list[tuple[Life, tuple[SpokenTurn, ...]]]:
    return plan_all(Order(people=2, turns=16, seed="5", taught=True))


def silent(_done: int, _all: int) -> None:
    """Follow nothing."""


def test_an_honest_teacher_is_taken_at_its_word(lives: Any, tmp_path: Path) -> None:
    taught = teach(lives, tmp_path, honest, parallel=4, on_progress=silent)
    assert taught.accepted == 32
    assert not taught.refused
    life, spoken = lives[0]
    anew = reworded(life, spoken, tmp_path)
    assert all(turn.user.startswith("So, you see: ") for turn in anew)
    assert [turn.label for turn in anew] == [turn.label for turn in spoken]


def test_a_slow_and_failing_server_is_asked_again(lives: Any, tmp_path: Path) -> None:
    asked: list[str] = []

    def says(prompt: str) -> str | int:
        asked.append(prompt)
        if len(asked) % 3 == 1:
            return 503
        if len(asked) == 2:
            time.sleep(1.5)
        return honest(prompt)

    with teaching(says) as url:
        taught = teach(lives, tmp_path, connect(Teacher(url, seconds=1.0)), parallel=2, on_progress=silent)
    assert taught.accepted == 32
    assert len(asked) > len(set(asked)), "the same request was sent again"


def test_a_liar_is_refused_and_asked_once_more(lives: Any, tmp_path: Path) -> None:
    def lies(prompt: str) -> str:
        turns = planned_turns(prompt)
        return json.dumps([{**turn, "user": f"{turn['user']} And Wolfgang paid 9,000 for it."} for turn in turns])

    taught = teach(lives, tmp_path, lies, parallel=1, on_progress=silent)
    assert taught.accepted == 0
    assert taught.kept == 32
    assert taught.refused["something was added"] == 64
    life, spoken = lives[0]
    assert reworded(life, spoken, tmp_path) == spoken, "the grammar's words stay"


def test_what_is_no_json_is_refused(lives: Any, tmp_path: Path) -> None:
    taught = teach(lives, tmp_path, lambda _prompt: "Sure! Here you go: [oops", parallel=1, on_progress=silent)
    assert taught.refused["not there, or no JSON"] == 64
    assert parse_turns('```json\n[{"n": 1, "user": " a\\nb ", "assistant": "c"}, 7]\n```') == {1: ("a b", "c")}
    assert parse_turns("[" * 100_000) == {}


def test_a_server_that_goes_down_ends_it_and_the_next_run_goes_on(lives: Any, tmp_path: Path) -> None:
    asked: list[str] = []

    def once(prompt: str) -> str:
        asked.append(prompt)
        if len(asked) > 2:
            raise EngineError("down")
        return honest(prompt)

    before = estimate(lives, tmp_path)
    with pytest.raises(EngineError, match="the teacher stopped"):
        teach(lives, tmp_path, once, parallel=1, on_progress=silent)
    left = estimate(lives, tmp_path)
    assert left.sessions == before.sessions - 2
    assert 0 < left.prompt_tokens < before.prompt_tokens
    again: list[str] = []

    def answers(prompt: str) -> str:
        again.append(prompt)
        return honest(prompt)

    taught = teach(lives, tmp_path, answers, parallel=1, on_progress=silent)
    assert taught.accepted == 32
    assert len(again) == left.sessions


def test_what_is_refused(lives: Any) -> None:
    spoken = [turn for _, turns in lives for turn in turns]
    told = next(turn for turn in spoken if turn.beat.act is Act.TELL)
    asked = next(turn for turn in spoken if turn.beat.act is Act.ASK and "?" in turn.user)
    assert fault(told, "", "Fine.", (), "") == "empty or too long"
    assert fault(told, "Nothing much happened to me.", "Fine.", (), "").startswith("the label does not rest on it")
    assert fault(asked, "I was asking myself things.", asked.plain, (), "") == "a question became a statement"
    assert asked.asked is not None
    assert fault(asked, f"Is it {asked.asked.value}?", asked.plain, (), "") == "the question has its answer"
    assert fault(asked, asked.user, "No idea at all.", (), "") == "the reply says something else"
    assert fault(asked, asked.user, asked.plain, (), "") == ""


def test_the_prompt_says_who_speaks_and_what(lives: Any) -> None:
    life, spoken = lives[0]
    first = [turn for turn in spoken if turn.session == 0]
    prompt = prompt_of(life, first)
    assert life.persona in prompt
    assert [turn["n"] for turn in planned_turns(prompt)] == [turn.place for turn in first]


def test_the_command_says_the_cost_first_and_then_teaches(weights: Path, tmp_path: Path) -> None:
    options = ["--people", "1", "--turns", "8", "--context", "1600", "--workers", "1"]
    with teaching(honest) as url:
        dry = persona("synth", str(tmp_path / "out"), *options, "--teacher", url, "--dry-run", "--json")
        assert json.loads(dry.out)["cost"]["sessions"] >= 1
        assert "tokens of prompts" in dry.err
        assert not (tmp_path / "out").exists()
        ran = persona("synth", str(tmp_path / "out"), *options, "--teacher", url)
    assert ran.code == 0, ran.err
    assert "8 turns in the teacher's words" in ran.err
    first = json.loads((tmp_path / "out" / "transcripts" / "0000.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["user"].startswith("So, you see: ")
