"""The time a search is about: from the model, or from the words of the question, and what lies in it.

A fact lies in a window by when it happened or when it was said; a topic by its first and last turn; a message by
when it was said or by the times it speaks of: "we went yesterday", said on Monday, answers "what did I do on Sunday".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import Line
from persona_cli.records import CoreEntry, ProceduralMemory, Retrieve, Window
from persona_cli.timewords import find_times, query_window

TOLD_LATER = timedelta(days=14)
"""How long after a window a message is looked through for words that point back into it."""

_VAGUE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Asking:
    """The window a search is about and where it came from; `wide` has its softness on both sides."""

    window: Window
    wide: Window
    source: str

    @property
    def from_words(self) -> bool:
        """Tell whether the window was read from the question, and not given."""
        return self.source not in {"model", "given"}


def window_of(text: str, at: datetime, retrieve: Retrieve | None = None) -> Asking | None:
    """Return the window of the model's retrieve, else of the question's time words, else None."""
    if retrieve is not None and (retrieve.start is not None or retrieve.end is not None):
        given = Window(retrieve.start, retrieve.end)
        return Asking(given, given, "model")
    phrase = query_window(text, at)
    if phrase is None:
        return None
    return Asking(phrase.window, phrase.wide, phrase.text)


def holds(window: Window, memory: FactLine | TopicLine | Line | ProceduralMemory | CoreEntry) -> bool:
    """Tell whether a memory lies in a window; habits and profile entries hold at any time since they were learnt."""
    match memory:
        case FactLine():
            return memory.valid_from in window or (memory.event is not None and _meet(window, memory.event))
        case TopicLine():
            return window.overlaps(memory.started_at, memory.ended_at)
        case Line():
            return memory.at in window or _speaks_of(window, memory)
        case _:
            return window.end is None or memory.recorded_at < window.end


def may_speak_of(window: Window, at: datetime) -> bool:
    """Tell whether a message of that moment lies in the window, or soon enough after it to speak of it."""
    return Window(window.start, window.end and window.end + TOLD_LATER).overlaps(at, at)


def _speaks_of(window: Window, turn: Line) -> bool:
    if not may_speak_of(window, turn.at):
        return False
    return any(
        not phrase.repeating and phrase.soft <= _VAGUE and _meet(window, phrase.window)
        for phrase in find_times(turn.user, turn.at)
    )


def _meet(one: Window, other: Window) -> bool:
    return (one.start is None or other.end is None or one.start < other.end) and (
        other.start is None or one.end is None or other.start < one.end
    )
