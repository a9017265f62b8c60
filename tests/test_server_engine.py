"""The server engine against a real `python -m llama_cpp.server` with the tiny model, and against servers that fail."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from persona_cli.errors import ContextError, EngineError, Interrupted, PersonaError
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.server import ServerEngine
from persona_cli.model.engines.server_formats import Dialect
from persona_cli.model.grounding import training_size
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf

SCORES = 'root ::= "\\"openness\\": " [1-5] "\\n\\"extraversion\\": " [1-5] "\\n"'
HELLO = Message("user", ("hello",))


def never() -> bool:
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def url(tiny: Tiny) -> Iterator[str]:
    port = free_port()
    options = ["--port", str(port), "--n_ctx", "2048", "--chat_format", "qwen2.5-vl"]
    files = ["--model", str(tiny.pair.text), "--clip_model_path", str(tiny.pair.projection)]
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.llama_server", *files, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    address = f"http://127.0.0.1:{port}/v1"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/models", timeout=1).close()
            break
        except (urllib.error.URLError, OSError):
            assert child.poll() is None, "the server did not start"
            time.sleep(0.1)
    yield address
    child.terminate()
    child.wait()


@pytest.fixture
def engine(url: str) -> Iterator[ServerEngine]:
    opened = ServerEngine(url, "", context=2048)
    yield opened
    opened.close()


def say(engine: ServerEngine, *messages: Message, grammar: str | None = None) -> str:
    return "".join(engine.generate(messages, grammar=grammar, stop=never, limit=60, lane="respond"))


def test_streams_and_holds_to_a_grammar(engine: ServerEngine) -> None:
    assert engine.dialect is Dialect.LLAMA
    reply = say(engine, Message("user", ("who am I?",)), grammar=SCORES)
    assert reply.startswith('"openness": ')
    assert reply.count("\n") == 2


def test_pictures_travel_as_data(engine: ServerEngine, tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)).save(file)
    with_picture = Message("user", ("what is ", ImagePart(file, "0" * 64), "?"))
    assert say(engine, with_picture, grammar=SCORES).startswith('"openness": ')


def test_tokens_are_counted_by_the_server(engine: ServerEngine) -> None:
    assert engine.count("tea") < engine.count("tea with milk and tea with milk")
    assert engine.count([HELLO]) > engine.count("hello")


def test_stopping_ends_the_stream(engine: ServerEngine) -> None:
    told = threading.Event()
    stream = engine.generate([HELLO], grammar=SCORES, stop=told.is_set, limit=60, lane="respond")
    next(stream)
    told.set()
    with pytest.raises(Interrupted):
        list(stream)


def test_too_long_a_prompt_is_a_context_error(engine: ServerEngine) -> None:
    with pytest.raises(ContextError):
        say(engine, Message("user", ("word " * 8000,)))


def test_a_model_the_server_does_not_have(url: str) -> None:
    with pytest.raises(EngineError) as caught:
        ServerEngine(url, "another")
    assert "server.model" in caught.value.fix


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 0)
    with pytest.raises(EngineError, match="cannot be reached"):
        ServerEngine(f"http://127.0.0.1:{free_port()}/v1", "")


class Failing(BaseHTTPRequestHandler):
    """A server that lists one model, then answers with a chosen status, or dies in the middle of a stream."""

    status = 200
    message = "no"
    about = ""
    heard = b""
    page: str | None = None
    """What it answers instead of its models."""
    counts: tuple[str, ...] | None = None
    """What it answers when asked to count, the last again and again; "" hangs up. None: it cannot count."""

    def do_GET(self) -> None:
        if self.page is not None:
            self._send(200, self.page, "application/json" if self.page[0] in "[{" else "text/html")
            return
        model = f'{{"id": "m", "object": "model", "owned_by": "x", "created": 1{self.about}}}'
        self._send(200, f'{{"object": "list", "data": [{model}]}}')

    def do_POST(self) -> None:
        heard = self.rfile.read(int(self.headers["Content-Length"]))
        if self.counts is not None and self.path == "/tokenize":
            said, type(self).counts = self.counts[0], self.counts[1:] or self.counts
            if said:
                self._send(200, said)
            return
        type(self).heard = heard
        if self.status != 200:
            self._send(self.status, f'{{"error": {{"message": "{self.message}", "type": "x"}}}}')
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(
            b'data: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", '
            b'"choices": [{"index": 0, "delta": {"content": "half"}, "finish_reason": null}]}\n\n'
        )
        if self.message != "no":
            self.wfile.write(f'data: {{"error": {{"message": "{self.message}", "code": 500}}}}\n\n'.encode())

    def _send(self, status: int, body: str, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 0)
    server = HTTPServer(("127.0.0.1", 0), Failing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "message", "error", "says"),
    [
        (400, "the request exceeds the available context size", ContextError, "model.context"),
        (200, "the context size has been exceeded", ContextError, "model.context"),
        (200, "out of memory", EngineError, "still running"),
        (500, "context deadline exceeded", EngineError, "log"),
        (404, "model m not found", EngineError, "server.model"),
    ],
)
def test_what_the_server_says_is_understood(
    failing: str, status: int, message: str, error: type[PersonaError], says: str, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "status", status)
    monkeypatch.setattr(Failing, "message", message)
    engine = ServerEngine(failing, "m")
    with pytest.raises(error, match=message) as caught:
        say(engine, HELLO)
    assert says in caught.value.fix
    engine.close()


@pytest.mark.parametrize("page", ["<html>hello</html>", "[]", '{"error": "no such endpoint"}', '{"data": [{"x": 1}]}'])
def test_an_address_of_something_else_is_named(failing: str, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "page", page)
    with pytest.raises(EngineError, match="not with a list of models") as caught:
        ServerEngine(failing, "")
    assert "/v1" in caught.value.fix


def test_a_server_without_a_model_is_named(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "page", '{"object": "list", "data": null}')
    with pytest.raises(EngineError, match="serves no model"):
        ServerEngine(failing, "")


def test_a_count_that_breaks_off_is_asked_for_again(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 1)
    monkeypatch.setattr(Failing, "counts", ('{"tokens": [1]}', "", '{"tokens": [1, 2, 3]}', '{"sorry": 1}'))
    engine = ServerEngine(failing, "m")
    assert engine.count("three words here") == 3
    with pytest.raises(EngineError, match="counts"):
        engine.count("other words")
    engine.close()


@pytest.mark.parametrize(
    ("about", "context"), [("", 4096), (', "meta": {"n_ctx": 2048}', 2048), (', "max_model_len": 32768', 4096)]
)
def test_the_context_is_the_smaller_one(
    failing: str, about: str, context: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "about", about)
    engine = ServerEngine(failing, "m", context=4096)
    assert engine.context == context
    facts = {fact.name: fact.finding for fact in engine.about()}
    assert f"{context:,} tokens" in facts["context"]
    assert "estimated" in facts["context"]
    engine.close()


def test_a_server_that_hangs_up_when_asked_for_a_count_is_an_error_and_no_reason_to_estimate(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "counts", ("",))
    engine = ServerEngine(failing, "m")
    with pytest.raises(EngineError, match="cannot be reached"):
        engine.count("some words")
    monkeypatch.setattr(Failing, "counts", ('{"count": 7}',))
    assert engine.count("some words") == 7
    engine.close()


def test_control_tokens_in_what_is_said_reach_no_server(failing: str, tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    Image.new("RGB", (640, 480)).save(file)
    engine = ServerEngine(failing, "m")
    typed = "before <|im_end|> between <|image_pad|> a < b, |x| > after"
    for parts in ((typed,), (typed, ImagePart(file, "0" * 64))):
        with pytest.raises(EngineError):
            say(engine, Message("user", parts))
        assert b"before" in Failing.heard
        assert b"a < b, |x| > after" in Failing.heard
        assert b"<|im" not in Failing.heard
    engine.close()


def test_pictures_are_sent_at_their_training_size(failing: str, tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    Image.new("RGB", (1600, 1200)).save(file)
    engine = ServerEngine(failing, "m")
    part = ImagePart(file, "1" * 64)
    with pytest.raises(EngineError):
        say(engine, Message("user", ("look", part)))
    address = json.loads(Failing.heard)["messages"][0]["content"][1]["image_url"]["url"]
    sent = Image.open(BytesIO(base64.b64decode(address.partition(",")[2])))
    assert sent.size == training_size(1600, 1200, 230_400)
    assert engine.count([Message("user", (part,))]) - engine.count([Message("user", ("",))]) == 266 + 2
    engine.close()


@pytest.mark.parametrize(
    ("status", "says"), [(401, "PERSONA_SERVER_KEY"), (404, "/v1"), (429, "Wait"), (500, "log"), (200, "still running")]
)
def test_failures_say_what_to_do(failing: str, status: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "status", status)
    engine = ServerEngine(failing, "m")
    with pytest.raises(PersonaError) as caught:
        say(engine, HELLO)
    assert says in caught.value.fix
    assert engine.dialect is Dialect.PLAIN
    engine.close()
