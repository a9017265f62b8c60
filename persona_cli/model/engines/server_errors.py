"""What goes wrong between here and a server, as errors of ours that each say what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

import httpx2
import openai

from persona_cli.errors import ContextError, EngineError

_OVERFLOW = re.compile(r"context (?:size|length|window)|n_ctx|too long", re.IGNORECASE)


@contextmanager
def mapped(url: str) -> Iterator[None]:
    """Turn the errors of the package, while it talks to `url`, into ours."""
    try:
        yield
    except openai.APITimeoutError as exc:
        raise EngineError(f"{url} did not answer in time", fix="Is the model still loading? Try again.") from exc
    except openai.APIConnectionError as exc:
        raise EngineError(
            f"{url} cannot be reached", fix="Start the server, or correct server.url with `persona config`."
        ) from exc
    except openai.APIStatusError as exc:
        raise _status_error(url, exc) from exc
    # the package reads each event of a stream as JSON without asking whether it is
    except (openai.APIError, httpx2.HTTPError, JSONDecodeError) as exc:
        if _is_overflow(said := _said(exc)):
            raise _overflow(said) from exc
        raise EngineError(f"{url} broke off: {said}", fix="Is the server still running?") from exc


def _status_error(url: str, exc: openai.APIStatusError) -> EngineError | ContextError:
    said = _said(exc)
    if exc.status_code in (401, 403):
        return EngineError(f"{url} refused the key", fix="Set PERSONA_SERVER_KEY to a key the server accepts.")
    if exc.status_code == 404 and "model" in said.lower():
        return EngineError(f"{url} no longer has the model: {said}", fix="Load it in the server, or set server.model.")
    if exc.status_code == 404:
        return EngineError(f"{url} has no such address: {said}", fix="server.url usually ends in /v1.")
    if exc.status_code == 429:
        return EngineError(f"{url} is busy or its quota is used up", fix="Wait a little and try again.")
    if exc.status_code in (400, 413, 500) and _is_overflow(said):
        return _overflow(said)
    return EngineError(f"{url} answered {exc.status_code}: {said}", fix="The server's own log says more.")


def _is_overflow(said: str) -> bool:
    return _OVERFLOW.search(said) is not None


def _overflow(said: str) -> ContextError:
    return ContextError(f"the prompt does not fit the server's context: {said}", fix="Lower model.context.")


def _said(exc: Exception) -> str:
    body = getattr(exc, "body", None)
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])[:300]
    return str(exc)[:300]
