"""What a time that hangs on something remembered means: "the day before my birthday", "since I moved to Lisbon".

The words of the anchor are searched for like any question; what is found is asked for a time (tellings.py): the
profile first, then facts with the time of their event and the user's own sentences. A topic is not asked: its time
is that of the talk. The relation makes a window of that time. An anchor that is not found surely stays what it was,
words of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

from persona_cli.memory.retrieval.ranking import Ranker
from persona_cli.memory.retrieval.tellings import Anchoring, Surety, Telling, read_anchor, tell
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.retrieval.window import Asking
from persona_cli.memory.store import Store
from persona_cli.memory.tables.turns import Line
from persona_cli.records import Hit, SemanticMemory, Window
from persona_cli.timewords import Anchored, describe, find_times, in_zone, relate

_LOOKED_AT = 20
_CLOSE = 0.6
"""Cosine from which a memory means the same as the anchor: "I got married" for "our wedding" has 0.62."""
_QUOTED = 80
_PAUSE = timedelta(days=10)
"""Between two tellings of one stay."""
_REACH = 60
"""Years around the question that a birthday is looked for in."""

Rank = Callable[[str], Ranker]
"""Makes a ranker for the words of an anchor; only called where memory has to be searched."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An event with the words it is known from."""

    telling: Telling
    full: bool
    """All the words of the anchor are in it, not only their meaning."""
    words: str
    told: datetime | None
    """None for the profile."""


def resolve(anchored: Anchored, at: datetime, store: Store, rank: Rank) -> Asking | None:
    """Return the window a phrase stands for, None where no time is known for its anchor."""
    if anchored.time is not None and not anchored.yearly:
        return _asking(anchored, at, anchored.time.window, anchored.time.soft, "")
    wanted = read_anchor(anchored.anchor)
    if not wanted.terms:
        return None
    fitting = _fitting(_of_profile(store, wanted), anchored, at)
    if not fitting:
        fitting = _fitting(_of_memory(rank(anchored.anchor), wanted), anchored, at)
    if not fitting:
        return None
    best, event = min(fitting, key=lambda pair: _order(pair[0], pair[1], at))
    if wanted.lasts:
        best, event = _stay(best, event, [pair for pair in fitting if pair[0].telling.surety is Surety.JUST])
    return _asking(anchored, at, event, best.telling.soft, _source(best, event, at))


def _stay(best: _Known, event: Window, told: list[tuple[_Known, Window]]) -> tuple[_Known, Window]:
    """Let a stay last from when it was first told of to the last time: "in Rome" on the third, "back" on the eighth.

    A start that was named stays.
    """
    told = sorted(told, key=lambda pair: pair[1].start or datetime.max.replace(tzinfo=UTC))
    for known, other in reversed(told) if best.telling.surety is Surety.JUST else ():
        if other.start and other.end and event.start and other.start < event.start <= other.end + _PAUSE:
            best, event = known, Window(other.start, event.end)
    for _, other in told:
        if other.start and other.end and event.end and event.end < other.end and other.start <= event.end + _PAUSE:
            event = Window(event.start, other.end)
    return best, event


def _fitting(every: Iterable[_Known], anchored: Anchored, at: datetime) -> list[tuple[_Known, Window]]:
    occurrences = ((known, _occurrence(anchored, known.telling, at)) for known in every)
    return [(known, event) for known, event in occurrences if event is not None]


def _asking(anchored: Anchored, at: datetime, event: Window, soft: timedelta, source: str) -> Asking | None:
    made = relate(anchored.relation, anchored.distance, in_zone(event, at), soft)
    if made is None:
        return None
    return Asking(made[0], _wide(*made, in_zone(event, at), soft), f"{anchored.text}{source}")


def _wide(window: Window, soft: timedelta, event: Window, known: timedelta) -> Window:
    """Return a window with its softness, which does not reach into the event itself where that is known by the day."""
    start, end = window.start and window.start - soft, window.end and window.end + soft
    if known <= timedelta(hours=6):
        if window.end is not None and event.start is not None and window.end <= event.start:
            end = event.start
        if window.start is not None and event.end is not None and window.start >= event.end:
            start = event.end
    return Window(start, end)


def _of_profile(store: Store, wanted: Anchoring) -> Iterator[_Known]:
    """Yield the entry of the profile that is called as the anchor is: "birthday" for "my birthday"."""
    for entry in store.core.current().entries:
        if wanted.own and search_terms(entry.key.replace("_", " ")) == wanted.terms:
            for phrase in find_times(entry.value, entry.recorded_at)[:1]:
                telling = Telling(phrase.window, phrase.soft, Surety.NAMED)
                yield _Known(telling, full=True, words=f"{entry.key}: {entry.value}", told=None)


def _of_memory(ranker: Ranker, wanted: Anchoring) -> Iterator[_Known]:
    facts, messages = ranker.facts(ranker.semantic()[:_LOOKED_AT]), ranker.messages()[:_LOOKED_AT]
    for fact in facts:
        known = fact.memory
        yield from _told(fact, known.content, known.valid_from, wanted, known.event, quote=known.quote)
        if known.event is None and known.quote:
            yield from _told(fact, known.quote, known.valid_from, wanted)
    for message in messages:
        yield from _told(message, message.memory.user, message.memory.at, wanted)


def _told(
    hit: Hit[SemanticMemory] | Hit[Line],
    words: str,
    at: datetime,
    wanted: Anchoring,
    event: Window | None = None,
    *,
    quote: str = "",
) -> Iterator[_Known]:
    telling = tell(words, at, wanted, event)
    full = telling is not None
    if telling is None and hit.lanes.get("dense", 0.0) >= _CLOSE:
        telling = tell(words, at, wanted, event, close=True)
    if telling is not None:
        yield _Known(telling, full, quote or words, at)


def _occurrence(anchored: Anchored, telling: Telling, at: datetime) -> Window | None:
    """Return the event a phrase is about, None where what was told cannot be meant: a future wedding by "since"."""
    event = in_zone(telling.event, at)
    if anchored.yearly:
        return _this_year(anchored, event, at)
    if anchored.direction == "past":
        return event if event.start is None or event.start <= at else None
    if anchored.direction == "future":
        return event if event.end is None or event.end > at else None
    return event


def _this_year(anchored: Anchored, event: Window, at: datetime) -> Window | None:
    if event.start is None or event.end is None:
        return None
    length = event.end - event.start
    first = event.start + relativedelta(years=at.year - event.start.year)
    starts = [first + relativedelta(years=years) for years in range(-_REACH, _REACH + 1)]
    if anchored.time is not None:
        start = next((one for one in starts if one in anchored.time.window), None)
    elif anchored.direction == "future":
        start = next((one for one in starts if one + length > at), None)
    else:
        last = "last" in anchored.anchor.lower().split()
        start = next((one for one in reversed(starts) if (one + length if last else one) <= at), None)
    return None if start is None else Window(start, start + length)


def _order(known: _Known, event: Window, at: datetime) -> tuple[Surety, bool, timedelta]:
    """Order the surest first, and of those the last one that is past, or the first to come: "since I moved"."""
    moment = event.start or event.end or at
    return known.telling.surety, not known.full, abs(moment - at)


def _source(known: _Known, event: Window, at: datetime) -> str:
    words = " ".join(known.words.split())
    words = f"{words[:_QUOTED].rstrip()}…" if len(words) > _QUOTED else words
    when = describe(event, at)
    if when.startswith("around") and event.end is not None:  # told to the day, not "a week ago"
        when = describe(Window(event.start, event.end - timedelta(seconds=1)), at)
    if known.told is None:
        return f", {when} (your profile says “{words}”)"
    day = known.told.astimezone(at.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
    return f", {when} (you said “{words}” {describe(Window(day, day + timedelta(days=1)), at)})"
