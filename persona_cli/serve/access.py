"""Who may speak to the server: who knows its token, from this machine, and not through somebody's browser page.

A page on the internet can make a browser send requests to this machine. It can send no foreign Host by its own
name (DNS rebinding) and hides no Origin: both are checked before anything else, whatever the token says.

The page has a token of its own, which no client is given: what a person may change there, no program may. A browser
sends a cookie to every port of this machine, where another account may listen. So the page has an address that follows
from its token and nobody can guess, and the cookie, which is not the token, goes to that address alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
TOO_LARGE = f"A request may have {MOST_BYTES // 1_000_000} MB."
_COOKIE = "persona_page"


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where the page is, and the cookie that opens it; both follow from the token, and neither tells it."""

    path: str
    cookie: str

    def header(self) -> str:
        """Return the cookie as a header: for this address, this machine's own pages, no script, thirty days."""
        return f"{_COOKIE}={self.cookie}; Path={self.path}; HttpOnly; SameSite=Strict; Max-Age={30 * 86_400}"


def page_key(token: str) -> PageKey:
    """Return the address and the cookie of the page."""

    def derived(what: str) -> str:
        return hmac.new(token.encode(), what.encode(), hashlib.sha256).hexdigest()[:32]

    return PageKey(f"/{derived('address')}/", derived("cookie"))


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

    def __init__(self, application: Application, token: str, page_token: str, origins: Collection[str] = ()) -> None:
        self._application = application
        self._token = token
        self._origins = frozenset(origins)
        self._page_token = page_token
        self._page = page_key(page_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        if fault := self._fault(scope, headers):
            await _refuse(send, *fault)
            return
        await self._application(scope, _bounded(receive), send)

    def _fault(self, scope: Scope, headers: Mapping[str, list[str]]) -> tuple[int, str] | None:
        if not all(_host(host) in LOOPBACK for host in headers.get("host", [""])):
            return 421, "This server answers to this machine's own names alone."
        origins = headers.get("origin", [])
        if not all(map(self._is_known, origins)):
            return 403, "Requests from pages of other origins are refused; `persona serve --origin` names one to allow."
        with suppress(ValueError):
            if int(headers.get("content-length", ["0"])[0]) > MOST_BYTES:
                return 413, TOO_LARGE
        # a browser asks without the token whether it may send it
        if scope["method"] == "OPTIONS" and origins:
            return None
        if not self._knows(scope, headers):
            return 401, "Send the token: Authorization: Bearer TOKEN. `persona serve` says where it is."
        return None

    def _is_known(self, origin: str) -> bool:
        try:
            return origin in self._origins or urlsplit(origin).hostname in LOOPBACK
        except ValueError:
            return False

    def _knows(self, scope: Scope, headers: Mapping[str, list[str]]) -> bool:
        given = [value.removeprefix("Bearer ").strip() for value in headers.get("authorization", [])]
        if _equals_any(given, self._token) and not self._is_of_page(scope):
            return True
        # a browser opens the page by the token, once, and shows it again by the cookie that sets
        if scope["method"] == "GET" and scope["path"] == "/":
            query = scope.get("query_string", b"").decode("latin-1")
            named = [part.removeprefix("token=") for part in query.split("&") if part.startswith("token=")]
            return _equals_any(named, self._page_token)
        if scope["method"] == "POST":
            return self._is_own_form(scope, headers)
        cookies = headers.get("cookie", []) if scope["path"] == self._page.path else []
        return scope["method"] == "GET" and self._opens(cookies)

    def _is_of_page(self, scope: Scope) -> bool:
        path: str = scope["path"]
        return path == "/" or path.startswith(self._page.path)

    def _is_own_form(self, scope: Scope, headers: Mapping[str, list[str]]) -> bool:
        """Tell whether a form of the page itself was sent: of this very port, which another account's page is not."""
        origins, hosts = headers.get("origin", []), headers.get("host", [])
        own = len(origins) == len(hosts) == 1 and origins[0] == f"http://{hosts[0]}"
        return own and scope["path"].startswith(self._page.path) and self._opens(headers.get("cookie", []))

    def _opens(self, cookies: Sequence[str]) -> bool:
        shown = [part.strip().removeprefix(f"{_COOKIE}=") for part in ";".join(cookies).split(";")]
        return _equals_any(shown, self._page.cookie)


def _equals_any(given: Sequence[str], secret: str) -> bool:
    return any(secrets.compare_digest(one.encode(), secret.encode()) for one in given)


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
