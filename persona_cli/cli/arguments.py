"""What a person names on the command line: a memory by its name, a stretch of time in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from persona_cli.errors import NotFoundError, UsageError
from persona_cli.records import Ref, Window

if TYPE_CHECKING:
    from datetime import datetime

    from persona_cli.memory.store import Record, Store

Recalled = Callable[[str], Window | None]
"""Returns the time that words which hang on something remembered stand for."""


def find(store: Store, name: str) -> tuple[Ref, Record]:
    """Return the memory a person named; raises `NotFoundError` or `UsageError`."""
    try:
        ref = Ref.parse(name)
    except ValueError as exc:
        raise UsageError(str(exc), fix="`persona memory list` shows the names.") from exc
    try:
        return ref, store.get(ref)
    except NotFoundError as exc:
        raise NotFoundError(f"there is no memory {ref}", fix="`persona memory list` shows what there is.") from exc


def parse_window(since: str | None, until: str | None, recall: Recalled | None = None) -> Window | None:
    """Return the window two options describe; None when neither was given.

    With `recall` they may also name what is remembered: "I moved to Lisbon", "my birthday".
    """
    if since is None and until is None:
        return None
    start = parse_moment(since, end=False, recall=recall) if since else None
    end = parse_moment(until, end=True, recall=recall) if until else None
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--since {since} is not before --until {until}", fix="Exchange the two.")
    return Window(start, end)


def parse_moment(text: str, *, end: bool, recall: Recalled | None = None) -> datetime:
    """Return where the time `text` names begins, or with `end` where it ends; raises `UsageError`."""
    from persona_cli.timewords import query_window

    phrase = query_window(text, _now())
    window = None if phrase is None else phrase.window
    if window is None and recall is not None:
        window = recall(text) or recall(f"{'until' if end else 'since'} {text}")
    moment = None if window is None else window.end if end else window.start
    if moment is None:
        known = ', or what you told: "I moved to Lisbon"' if recall is not None else ""
        raise UsageError(
            f"{text!r} is no time persona {'knows' if known else 'understands'}",
            fix=f'Try 2024-05-12, "last Sunday" or "two weeks ago"{known}.',
        )
    return moment


def _now() -> datetime:
    from datetime import datetime

    return datetime.now().astimezone()
