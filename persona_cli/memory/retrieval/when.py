"""The time a question is about: from the model, from its time words, or from something remembered; and what lies in it.

"The day before my birthday" and "since I moved to Lisbon" hang on something remembered. Such an anchor is searched for
like any question, and what is found is asked for a time (`events`): the profile first, then facts with the time of
their event and the user's own sentences. A topic is not asked: its time is that of the talk. The relation makes a
window of that time. An anchor that is not found surely stays what it was, words of the question.

A fact lies in a window by when it happened or when it was said; a topic by its first and last turn; a message by
when it was said or by the times it speaks of: "we went yesterday", said on Monday, answers "what did I do on Sunday".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

from persona_cli.memory.retrieval.ages import find_birth, source_of, years_of_age
from persona_cli.memory.retrieval.events import Event, EventTime, Surety, event_time, read_anchor
from persona_cli.memory.retrieval.question import without_times
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.store import Store
from persona_cli.memory.tables.lines import FactLine, TopicLine
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.records import CoreEntry, Hit, ProceduralMemory, Retrieve, SemanticMemory, Window
from persona_cli.timewords import Anchored, describe, find_anchors, find_times, in_zone, query_window, relate

TOLD_LATER = timedelta(days=14)
"""How long after a window a message is looked through for words that point back into it."""

_VAGUE = timedelta(days=14)
LOOKED_AT = 20
"""Memories of each kind that are asked for the time of an event."""
_CLOSE = 0.6
"""Cosine from which a memory means the same as the anchor: "I got married" for "our wedding" has 0.62."""
_QUOTED = 80
_PAUSE = timedelta(days=10)
"""Between two tellings of one stay."""
_REACH = 60
"""Years around the question that a birthday is looked for in."""

Remembered = Callable[[str], tuple[Sequence[Hit[SemanticMemory]], Sequence[Hit[MessageLine]]]]
"""Finds the facts and the messages that speak of the words of an anchor; called where memory has to be searched."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """The window a search is about and where it came from; `wide` has its softness on both sides."""

    window: Window
    wide: Window
    source: str

    @property
    def from_words(self) -> bool:
        """Tell whether the window was read from the question, and not given."""
        return self.source not in {"model", "given"}


@dataclass(frozen=True, slots=True)
class TimedQuestion:
    """A question with the time it is about, and what is left of it without the words that were looked up for that."""

    timeframe: Timeframe | None
    rest: str
    phrase: str = ""
    """The words that were looked up: "since I moved"."""
    notes: tuple[str, ...] = ()


def time_of(
    text: str, at: datetime, store: Store, remembered: Remembered, retrieve: Retrieve | None = None
) -> TimedQuestion:
    """Return the time a question is about: the model's, else that of its time words, looked up where they need it."""
    plain = window_of(text, at, retrieve)
    anchors = find_anchors(text, at)
    anchored = next((anchor for anchor in anchors if plain is None or anchor.time is not None), None)
    if anchored is None or (plain is not None and not plain.from_words):
        return TimedQuestion(plain, text)
    timeframe = resolve(anchored, at, store, remembered)
    if timeframe is None:
        note = f"No time is known for “{anchored.anchor}”; it was searched for as words."
        return TimedQuestion(plain, text, notes=(note,))
    rest = f"{text[: anchored.start]} {text[anchored.end :]}"
    if _tells_its_own_time(anchored) and search_terms(without_times(rest, at)):
        return TimedQuestion(timeframe, text)
    return TimedQuestion(timeframe, rest if any(map(str.isalnum, rest)) else text, anchored.text)


def window_of(text: str, at: datetime, retrieve: Retrieve | None = None) -> Timeframe | None:
    """Return the window of the model's retrieve, else of the question's time words, else None."""
    if retrieve is not None and (retrieve.start is not None or retrieve.end is not None):
        given = Window(retrieve.start, retrieve.end)
        return Timeframe(given, given, "model")
    phrase = query_window(text, at)
    if phrase is None:
        return None
    return Timeframe(phrase.window, phrase.wide, phrase.text)


def resolve(anchored: Anchored, at: datetime, store: Store, remembered: Remembered) -> Timeframe | None:
    """Return the window a phrase stands for, None where no time is known for its anchor."""
    if anchored.time is not None and not anchored.yearly:
        return _timeframe(anchored, at, anchored.time.window, anchored.time.soft, "")
    if anchored.ages is not None:
        return _at_age(anchored, at, store, remembered)
    wanted = read_anchor(anchored.anchor)
    if not wanted.terms:
        return None
    fitting = _fitting(_of_profile(store, wanted), anchored, at)
    if not fitting:
        fitting = _fitting(_of_memory(*remembered(anchored.anchor), wanted), anchored, at)
    if not fitting:
        return None
    best, event = min(fitting, key=lambda pair: _order(pair[0], pair[1], at))
    if wanted.lasts:
        best, event = _stay(best, event, [pair for pair in fitting if pair[0].time.surety is Surety.JUST])
    return _timeframe(anchored, at, event, best.time.soft, _source(best, event, at))


def holds(window: Window, memory: FactLine | TopicLine | MessageLine | ProceduralMemory | CoreEntry) -> bool:
    """Tell whether a memory lies in a window; habits and profile entries hold at any time since they were learnt."""
    match memory:
        case FactLine():
            return memory.valid_from in window or (memory.event is not None and _meet(window, memory.event))
        case TopicLine():
            return window.overlaps(memory.started_at, memory.ended_at)
        case MessageLine():
            return memory.at in window or _speaks_of(window, memory)
        case _:
            return window.end is None or memory.recorded_at < window.end


def may_speak_of(window: Window, at: datetime) -> bool:
    """Tell whether a message of that moment lies in the window, or soon enough after it to speak of it."""
    return Window(window.start, window.end and window.end + TOLD_LATER).overlaps(at, at)


def _speaks_of(window: Window, turn: MessageLine) -> bool:
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


def _tells_its_own_time(anchored: Anchored) -> bool:
    """Tell whether what is asked is told along with the anchor: "after the race", "when I was in Rome".

    The words of "since I moved" and "the day before my birthday" only find the move and the birthday again.
    """
    if anchored.ages is not None:
        return False
    return anchored.distance is None and anchored.relation in {"during", "around", "after"}


@dataclass(frozen=True, slots=True)
class _DatedEvent:
    """An event with the words it is known from."""

    time: EventTime
    full: bool
    """All the words of the anchor are in it, not only their meaning."""
    words: str
    told: datetime | None
    """None for the profile."""


def _at_age(anchored: Anchored, at: datetime, store: Store, remembered: Remembered) -> Timeframe | None:
    birth = find_birth(anchored, at, store, remembered)
    event = None if birth is None else years_of_age(anchored, birth)
    made = None if event is None else relate(anchored.relation, None, event, timedelta(days=30))
    if birth is None or made is None:
        return None
    window, soft = made
    wide = Window(window.start and window.start - soft, window.end and window.end + soft)
    return Timeframe(window, wide, f"{anchored.text}, {describe(window, at)}{source_of(birth, at)}")


def _stay(best: _DatedEvent, event: Window, tellings: list[tuple[_DatedEvent, Window]]) -> tuple[_DatedEvent, Window]:
    """Let a stay last from when it was first told of to the last time: "in Rome" on the third, "back" on the eighth.

    A start that was named stays.
    """
    tellings = sorted(tellings, key=lambda pair: pair[1].start or datetime.max.replace(tzinfo=UTC))
    for known, other in reversed(tellings) if best.time.surety is Surety.JUST else ():
        if other.start and other.end and event.start and other.start < event.start <= other.end + _PAUSE:
            best, event = known, Window(other.start, event.end)
    for _, other in tellings:
        if other.start and other.end and event.end and event.end < other.end and other.start <= event.end + _PAUSE:
            event = Window(event.start, other.end)
    return best, event


def _fitting(every: Iterable[_DatedEvent], anchored: Anchored, at: datetime) -> list[tuple[_DatedEvent, Window]]:
    occurrences = ((known, _occurrence(anchored, known.time, at)) for known in every)
    return [(known, event) for known, event in occurrences if event is not None]


def _timeframe(anchored: Anchored, at: datetime, event: Window, soft: timedelta, source: str) -> Timeframe | None:
    made = relate(anchored.relation, anchored.distance, in_zone(event, at), soft)
    if made is None:
        return None
    return Timeframe(made[0], _wide(*made, in_zone(event, at), soft), f"{anchored.text}{source}")


def _wide(window: Window, soft: timedelta, event: Window, known: timedelta) -> Window:
    """Return a window with its softness, which does not reach into the event itself where that is known by the day."""
    start, end = window.start and window.start - soft, window.end and window.end + soft
    if known <= timedelta(hours=6):
        if window.end is not None and event.start is not None and window.end <= event.start:
            end = event.start
        if window.start is not None and event.end is not None and window.start >= event.end:
            start = event.end
    return Window(start, end)


def _of_profile(store: Store, wanted: Event) -> Iterator[_DatedEvent]:
    """Yield the entry of the profile that is called as the anchor is: "birthday" for "my birthday"."""
    for entry in store.core.current().entries:
        if wanted.own and search_terms(entry.key.replace("_", " ")) == wanted.terms:
            for phrase in find_times(entry.value, entry.recorded_at)[:1]:
                time = EventTime(phrase.window, phrase.soft, Surety.NAMED)
                yield _DatedEvent(time, full=True, words=f"{entry.key}: {entry.value}", told=None)


def _of_memory(
    facts: Sequence[Hit[SemanticMemory]], messages: Sequence[Hit[MessageLine]], wanted: Event
) -> Iterator[_DatedEvent]:
    for fact in facts:
        known = fact.memory
        yield from _times_in(fact, known.content, known.valid_from, wanted, known.event, quote=known.quote)
        if known.event is None and known.quote:
            yield from _times_in(fact, known.quote, known.valid_from, wanted)
    for message in messages:
        yield from _times_in(message, message.memory.user, message.memory.at, wanted)


def _times_in(
    hit: Hit[SemanticMemory] | Hit[MessageLine],
    words: str,
    at: datetime,
    wanted: Event,
    event: Window | None = None,
    *,
    quote: str = "",
) -> Iterator[_DatedEvent]:
    time = event_time(words, at, wanted, event)
    full = time is not None
    if time is None and hit.lanes.get("dense", 0.0) >= _CLOSE:
        time = event_time(words, at, wanted, event, close=True)
    if time is not None:
        yield _DatedEvent(time, full, quote or words, at)


def _occurrence(anchored: Anchored, time: EventTime, at: datetime) -> Window | None:
    """Return the event a phrase is about, None where what was told cannot be meant: a future wedding by "since"."""
    event = in_zone(time.window, at)
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
        start = next((start for start in starts if start in anchored.time.window), None)
    elif anchored.direction == "future":
        start = next((start for start in starts if start + length > at), None)
    else:
        last = "last" in anchored.anchor.lower().split()
        start = next((start for start in reversed(starts) if (start + length if last else start) <= at), None)
    return None if start is None else Window(start, start + length)


def _order(known: _DatedEvent, event: Window, at: datetime) -> tuple[Surety, bool, timedelta]:
    """Order the surest first, and of those the last one that is past, or the first to come: "since I moved"."""
    moment = event.start or event.end or at
    return known.time.surety, not known.full, abs(moment - at)


def _source(known: _DatedEvent, event: Window, at: datetime) -> str:
    words = " ".join(known.words.split())
    words = f"{words[:_QUOTED].rstrip()}…" if len(words) > _QUOTED else words
    when = describe(event, at)
    if when.startswith("around") and event.end is not None:  # told to the day, not "a week ago"
        when = describe(Window(event.start, event.end - timedelta(seconds=1)), at)
    if known.told is None:
        return f", {when} (your profile says “{words}”)"
    day = known.told.astimezone(at.tzinfo).replace(hour=0, minute=0, second=0, microsecond=0)
    return f", {when} (you said “{words}” {describe(Window(day, day + timedelta(days=1)), at)})"
