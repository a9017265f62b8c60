"""Who may speak to the server: who knows its token, from this machine, and not through somebody's browser page.

A page on the internet can make a browser send requests to this machine. It can send no foreign Host by its own
name (DNS rebinding) and hides no Origin: both are checked before anything else, whatever the token says.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from persona_cli.errors import StorageError
from persona_cli.serve.faults import error_body

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
MOST_BYTES = 32_000_000
"""Of one request: some photos as base64 in a long history."""
COOKIE = "persona_token"


def read_token(file: Path) -> str:
    """Return the token of this home, made at the first start and readable by its owner alone."""
    from persona_cli.memory.private_file import private_file

    try:
        if token := file.read_text(encoding="ascii").strip():
            return token
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as exc:
        raise StorageError(f"{file} cannot be read", fix="Delete it; a new token is made.") from exc
    token = secrets.token_urlsafe(32)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with private_file(file, overwrite=True) as out:
        out.write(f"{token}\n".encode())
    return token


class Guard:
    """Lets through what comes from this machine, in bounds, and knows the token; answers the rest itself."""

    def __init__(self, application: Application, token: str, origins: Collection[str] = ()) -> None:
        self._application = application
        self._token = token
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if fault := self._fault(scope, headers):
            await _refuse(send, *fault)
            return
        await self._application(scope, _bounded(receive), send)

    def _fault(self, scope: Scope, headers: MutableMapping[str, str]) -> tuple[int, str] | None:
        if _host(headers.get("host", "")) not in LOOPBACK:
            return 421, "This server answers to this machine's own names alone."
        if (origin := headers.get("origin")) is not None and not self._is_known(origin):
            return 403, "Requests from pages of other origins are refused; `persona serve --origin` names one to allow."
        with suppress(ValueError):
            if int(headers.get("content-length", "0")) > MOST_BYTES:
                return 413, f"A request may have {MOST_BYTES // 1_000_000} MB."
        # a browser asks without the token whether it may send it
        if scope["method"] == "OPTIONS" and origin is not None:
            return None
        if not self._knows(scope, headers):
            return 401, "Send the token: Authorization: Bearer TOKEN. `persona serve` says where it is."
        return None

    def _is_known(self, origin: str) -> bool:
        return origin in self._origins or urlsplit(origin).hostname in LOOPBACK

    def _knows(self, scope: Scope, headers: MutableMapping[str, str]) -> bool:
        given = [headers.get("authorization", "").removeprefix("Bearer ").strip()]
        # a browser opens the page by its address, and shows it again by the cookie that sets
        if scope["method"] == "GET" and not scope["path"].startswith(("/v1", "/mcp")):
            query = scope.get("query_string", b"").decode("latin-1")
            given += [part.removeprefix("token=") for part in query.split("&") if part.startswith("token=")]
            cookies = headers.get("cookie", "").split(";")
            given += [part.strip().removeprefix(f"{COOKIE}=") for part in cookies if COOKIE in part]
        return any(secrets.compare_digest(one.encode(), self._token.encode()) for one in given)


def _host(header: str) -> str:
    name = header.rsplit(":", 1)[0] if header.rsplit(":", 1)[-1].isdigit() else header
    return name.lower()


def _bounded(receive: Receive) -> Receive:
    """Return a `receive` that ends a request which sends more than it said."""
    read = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BYTES:
            return {"type": "http.disconnect"}
        return message

    return bounded


async def _refuse(send: Send, status: int, message: str) -> None:
    body = error_body(message, status)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
