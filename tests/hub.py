"""A hub on loopback: serves repositories as the Hugging Face hub does, with hashes, ranges, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

COMMIT = "c0ffee" * 6 + "cafe"


class Hub:
    """Repositories by name, each with its files, and what was asked of them."""

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]]) -> None:
        self.repositories = repositories
        self.ranges: list[str] = []
        self.cut_after: int | None = None
        """Bytes after which the next body breaks off."""
        self.goes_away = False
        """Whether nothing is answered after a cut."""
        self.damaged: set[str] = set()
        """Files that arrive with other bytes than were promised."""
        self.url = ""

    def listing(self, repository: str) -> dict[str, Any]:
        files = self.repositories[repository]
        siblings = [
            {"rfilename": name, "size": len(body), "lfs": {"size": len(body), "sha256": _sha(body), "pointerSize": 134}}
            for name, body in files.items()
        ]
        return {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings, "tags": []}


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@contextmanager
def serve_hub(repositories: Mapping[str, Mapping[str, bytes]]) -> Iterator[Hub]:
    """Serve `repositories` while the block runs; `hub.url` is what HF_ENDPOINT takes."""
    hub = Hub(repositories)
    handler = type("Asked", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        del format, args

    def _answer(self, *, body: bool) -> None:
        if self.hub.goes_away and self.hub.cut_after is None:
            self.close_connection = True
            return None
        path = self.path.split("?")[0].strip("/")
        parts = path.split("/")
        if parts[:2] == ["api", "models"] and "/".join(parts[2:4]) in self.hub.repositories:
            return self._json(self.hub.listing("/".join(parts[2:4])))
        repository, name = "/".join(parts[:2]), "/".join(parts[4:])
        if parts[2:3] == ["resolve"] and name in self.hub.repositories.get(repository, {}):
            return self._file(name, self.hub.repositories[repository][name], body=body)
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def _json(self, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _file(self, name: str, data: bytes, *, body: bool) -> None:
        start = 0
        if body and (asked := self.headers.get("Range")):
            self.hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{_sha(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not body:
            return
        sent = bytes(len(data)) if name in self.hub.damaged else data
        if self.hub.cut_after is not None:
            self.wfile.write(sent[start : start + self.hub.cut_after])
            self.hub.cut_after = None
            self.close_connection = True
            return
        try:
            self.wfile.write(sent[start:])
        except ConnectionError:
            self.close_connection = True  # whoever asked has left
