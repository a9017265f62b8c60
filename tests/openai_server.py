"""An OpenAI-compatible server for tests: it lists one model and answers as a function of the last message."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from persona_cli.personality import TRAITS

Says = Callable[[str], str | None]
"""Returns the reply to the text of the last message; None is a failure of the server."""


@contextmanager
def serving(says: Says, *, owner: str = "x") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the address of a server, and what it was asked so far; as vLLM (`owner`) it weighs what is in a prompt.

    A word is a token there, and its log-probability minus its length.
    """
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(
                200, {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": owner, "created": 1}]}
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.endswith("/chat/completions"):
                self._send(404, {"error": {"message": "no such address"}})
                return
            heard.append(body)
            if not body.get("stream"):
                words = " ".join(text_of(message) for message in body["messages"]).split()
                weighed = [{"7": {"logprob": -float(len(word))}} for word in words]
                self._send(200, {"usage": {"prompt_tokens": len(words)}, "prompt_logprobs": weighed})
                return
            reply = says(text_of(body["messages"][-1]))
            if reply is None:
                self._send(400, {"error": {"message": "out of order"}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            for delta, reason in (({"content": reply}, None), ({}, "stop")):
                choice = {"index": 0, "delta": delta, "finish_reason": reason}
                self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def as_a_model_would(text: str) -> str:
    """Answer the prompts of the loop in their formats: nothing is worth remembering, every letter is (b)."""
    if '"openness"' in text:
        return "\n".join(f'"{name}": 3' for name in TRAITS)
    if '"decision"' in text:
        return '"reason": "small talk"\n"decision": false\n"content": null\n"keywords": null'
    if '"topic_summary"' in text:
        return '"topic_summary": "The week."\n"keywords": week\n"source_dialog_indices": 0'
    if "# Output format" in text and "<answer>" not in text:
        return "null"
    return "<think>It is the second.</think>\n<answer>(b)</answer>"


def text_of(message: dict[str, Any]) -> str:
    """Return the words of a message, its pictures left out."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
