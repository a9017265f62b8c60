"""Time words: what "last Sunday", "two weeks ago" or "in May" mean, seen from a moment in its own time zone.

``find_times`` finds every phrase of a text; ``query_window`` the one window a question asks for, leaning to
the past as questions to a memory do; ``describe`` says a window in words; ``stamp`` and ``parse_stamp`` are
the form times have in prompts; ``settle`` writes out the dates that time words mean. The phrases are a table of
rules (rules.py) over calendar arithmetic (calendar.py, with dateutil under it); tense.py decides which Sunday
"on Sunday" is.

``find_anchors`` finds the phrases that only memory can date ("the day before my birthday", anchors.py); ``relate``
makes a window of one, once its event is known (relations.py).
"""

from __future__ import annotations

from datetime import datetime

from persona_cli.records import Window
from persona_cli.timewords.anchors import Anchored, find_anchors
from persona_cli.timewords.phrase import Direction, TimePhrase
from persona_cli.timewords.relations import in_zone, is_length, lasting, relate
from persona_cli.timewords.scanning import scan, unread
from persona_cli.timewords.settling import comes_yearly, settle, settled
from persona_cli.timewords.wording import describe, parse_stamp, stamp

__all__ = [
    "Anchored",
    "Direction",
    "TimePhrase",
    "comes_yearly",
    "describe",
    "event_of",
    "find_anchors",
    "find_times",
    "in_zone",
    "is_length",
    "lasting",
    "parse_stamp",
    "query_window",
    "relate",
    "settle",
    "settled",
    "stamp",
    "unread",
]


def find_times(text: str, at: datetime) -> tuple[TimePhrase, ...]:
    """Return every time phrase of `text` in order, as meant at `at`, in the zone of `at`."""
    return scan(text, at, "any")


def event_of(text: str, at: datetime) -> Window | None:
    """Return when what a sentence of somebody's tells of happens, where it says so; `at` is when it was said."""
    return next((phrase.window for phrase in find_times(text, at) if not phrase.repeating), None)


def query_window(text: str, at: datetime) -> TimePhrase | None:
    """Return the window a question asks for, None without time words; a bare "on Sunday" is the last one."""
    phrases = [phrase for phrase in scan(text, at, "past") if not phrase.repeating]
    return min(phrases, key=lambda phrase: (phrase.soft, phrase.start), default=None)
