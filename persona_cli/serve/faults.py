"""Faults in the shape of OpenAI's API, which clients know how to show: what is wrong, of what kind, and the fix."""

from __future__ import annotations

import json

from persona_cli.errors import BusyError, ContextError, Interrupted, ModelError, NotFoundError, PersonaError, UsageError

_STATUS: tuple[tuple[type[PersonaError], int, str], ...] = (
    (NotFoundError, 404, "not_found"),
    (ContextError, 400, "context_length_exceeded"),
    (UsageError, 400, "invalid_request"),
    (BusyError, 503, "busy"),
    (ModelError, 500, "model_error"),
    (Interrupted, 499, "interrupted"),
    (PersonaError, 500, "error"),
)


def status_of(exc: PersonaError) -> int:
    """Return the HTTP status an error is answered with."""
    return next(status for kind, status, _ in _STATUS if isinstance(exc, kind))


def sentence_of(exc: PersonaError) -> str:
    """Return what is wrong and what to do about it, as one text."""
    return f"{exc.message.rstrip('.')}. {exc.fix}".strip()


def fault(message: str, status: int, code: str | None = None, param: str | None = None) -> dict[str, object]:
    """Return a fault as the object clients expect."""
    kind = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error"}.get(
        status, "invalid_request_error" if status < 500 else "server_error"
    )
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def fault_of(exc: PersonaError) -> dict[str, object]:
    """Return an expected error as the object clients expect, its fix included."""
    code = next(code for kind, _, code in _STATUS if isinstance(exc, kind))
    return fault(sentence_of(exc), status_of(exc), code)


def error_body(message: str, status: int) -> bytes:
    """Return a fault as JSON."""
    return json.dumps(fault(message, status)).encode()
