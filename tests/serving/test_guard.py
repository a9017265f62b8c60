"""Who is answered by the server, and what it refuses."""

from __future__ import annotations

import socket
from pathlib import Path

import openai
import pytest

from persona_cli.serve.access import read_token
from tests.serving.conftest import Running, ask

pytestmark = pytest.mark.gguf


def exchange(address: str, headers_and_body: bytes) -> bytes:
    """Send a request for an answer by hand, and return the beginning of what comes back."""
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer let-me-in\r\n"
            + headers_and_body
        )
        return raw.recv(100)


def test_only_this_machine_with_the_token_is_answered(running: Running) -> None:
    address = running.address
    assert ask(address, "/v1/models") == 200
    assert ask(address, "/v1/models", token="wrong") == 401
    assert ask(address, "/v1/models", host="evil.example") == 421
    assert ask(address, "/v1/models", origin="https://evil.example") == 403
    assert ask(address, "/v1/models", origin="null") == 403
    assert ask(address, "/v1/models", origin="http://[::1") == 403
    assert ask(address, "/v1/models", origin="http://localhost:3000") == 200
    assert ask(address, "/v1/models", origin="https://chat.example") == 200
    assert ask(address, "/mcp", host="evil.example", body=b"{}") == 421
    assert ask(address, "/nowhere") == 404
    with pytest.raises(openai.AuthenticationError):
        running.client.with_options(api_key="wrong").models.list()


def test_a_request_that_is_too_large_is_refused_before_it_is_read(running: Running) -> None:
    assert exchange(running.address, b"Content-Length: 999999999\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_a_request_that_sends_more_than_it_may_is_refused_and_nothing_is_logged(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("persona_cli.serve.access.MOST_BYTES", 100)
    piece = b"60\r\n" + b" " * 0x60 + b"\r\n"
    assert exchange(running.address, b"Transfer-Encoding: chunked\r\n\r\n" + piece * 4).startswith(b"HTTP/1.1 413")
    assert not caplog.records


def test_of_several_hosts_each_must_be_this_machine(running: Running) -> None:
    for more in (b"Host: evil.example\r\n\r\n", b"Origin: https://evil.example\r\nOrigin: http://localhost\r\n\r\n"):
        assert exchange(running.address, more)[:12] in (b"HTTP/1.1 421", b"HTTP/1.1 403")


def test_the_token_is_made_once_and_is_the_owners(home: Path) -> None:
    file = home / "serve.token"
    token = read_token(file)
    assert len(token) >= 32
    assert read_token(file) == token
    assert file.stat().st_mode & 0o777 == 0o600
