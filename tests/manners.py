"""A fake OpenAI-compatible server that replies in the manner it is told: prose, thinking, headings, JSON, tools.

It also keeps to a format where it is told to be able to (`keeps`), as real servers do each in their own way.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

Deltas = list[dict[str, Any] | None]

SAID = "Your dog is called Max, and he is a beagle."
CALL = {"index": 0, "id": "1", "type": "function"}


def words(text: str) -> Deltas:
    """Return a text in deltas of a few characters."""
    return [{"content": text[at : at + 5]} for at in range(0, len(text), 5)]


def called(*arguments: str) -> Deltas:
    """Return the call of a tool whose arguments come in pieces."""
    return [{"tool_calls": [{**CALL, "function": {"name": "retrieve", "arguments": part}}]} for part in arguments]


@dataclass
class Manner:
    """How one server is: what it streams, whether it ends in order, what it keeps to, and what it was asked."""

    deltas: list[Deltas] = field(default_factory=list)
    """For each reply in turn, the last again and again; a None is a chunk without choices."""
    ends: bool = True
    overflows: bool = False
    keeps: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def stream(self) -> Deltas:
        """Return the deltas of the next reply."""
        return self.deltas.pop(0) if len(self.deltas) > 1 else self.deltas[0]

    def kept(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the message of a reply that is not streamed: held to the format, where this server can."""
        ways = {"llama": "grammar", "vllm": "structured_outputs", "json": "response_format", "tools": "tools"}
        if not self.keeps or ways[self.keeps] not in body:
            return {"content": "Hello there!"}
        if self.keeps in ("llama", "vllm"):
            return {"content": "kestrel 47"}
        held = '{"bird": "kestrel 47"}'
        if self.keeps == "json":
            return {"content": held}
        return {"content": None, "tool_calls": [{**CALL, "function": {"name": "write", "arguments": held}}]}


@contextmanager
def serve(manner: Manner) -> Iterator[Manner]:
    """Run the server while the block runs; its address is in `manner.url`."""
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"manner": manner}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    manner.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield manner
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    manner: Manner

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith("/chat/completions"):
            self._send(404, {"error": {"message": "no such address", "type": "x"}})
            return
        self.manner.asked.append(body)
        if self.manner.overflows:
            self._send(400, {"error": {"message": "the request exceeds the available context size", "type": "x"}})
        elif body.get("stream"):
            self._stream()
        else:
            message = {"role": "assistant", **self.manner.kept(body)}
            self._send(200, _chunk("chat.completion", [{"index": 0, "message": message, "finish_reason": "stop"}]))

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta in self.manner.stream():
            self._event([] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}])
        if self.manner.ends:
            self._event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
            self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, choices: list[dict[str, Any]]) -> None:
        self.wfile.write(f"data: {json.dumps(_chunk('chat.completion.chunk', choices))}\n\n".encode())

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


def _chunk(kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": "m", "choices": choices}
