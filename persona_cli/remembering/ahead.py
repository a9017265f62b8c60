"""What lies ahead: plans and appointments with their dates, birthdays, what is overdue, and this day in other years.

All of it comes from memories that say when; nothing is guessed, and nothing rings. What comes round every year is
known by its words ("birthday", "anniversary", "every year") and found anew each year from the date they name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from persona_cli.memory.store import Store
from persona_cli.records import EpisodicMemory, SemanticMemory, Status, Window
from persona_cli.timewords import comes_yearly, find_times
from persona_cli.timewords.calendar import day_of, midnight

DAYS = 30
"""How far ahead is looked, unless somebody says otherwise."""
LATE = timedelta(days=14)
"""How long something that was to be is still called to mind after its time."""
_WHOLE_DAY = timedelta(hours=30)
_AT_MOST = timedelta(days=100)  # what takes a season or a year is no date
_SOONEST = timedelta(hours=12)
"""Said so long before its time, at least: "at four this afternoon" was a remark, no plan to look back on."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something with a date, of a year that is named by where it stands: ahead, or overdue."""

    memory: SemanticMemory
    window: Window
    """When it is, this time; with one side open ("by Friday") the other counts."""
    yearly: bool = False
    years: int | None = None
    """How many years it is then since the date its words name; None where they name no year."""

    @property
    def moment(self) -> datetime:
        """Return the time it is sorted by."""
        moment = self.window.start or self.window.end
        assert moment is not None
        return moment


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead, what was to be lately, and what was on this day in other years."""

    coming: tuple[Occasion, ...]
    """Soonest first; what is on just now comes before that."""
    overdue: tuple[Occasion, ...]
    """Newest first: planned, its time is over, and nothing was said to have ended it."""
    on_this_day: tuple[SemanticMemory | EpisodicMemory, ...]
    """Oldest first."""


def look_ahead(store: Store, now: datetime, within: int = DAYS) -> Ahead:
    """Return what lies ahead for so many days, seen from `now` in its own zone."""
    held = store.semantic.list(Status.ACTIVE)
    yearly = {memory.id: found for memory in held if (found := _each_year(memory, now)) is not None}
    once = [
        Occasion(memory, _in_zone(memory.event, now))
        for memory in held
        if memory.id not in yearly and memory.event is not None and _is_dated(memory.event)
    ]
    until = midnight(now) + timedelta(days=within + 1)
    coming = [occasion for occasion in (*once, *yearly.values()) if _ends(occasion) > now and occasion.moment < until]
    overdue = [occasion for occasion in once if now - LATE <= _ends(occasion) <= now and _was_planned(occasion)]
    return Ahead(
        tuple(sorted(coming, key=lambda occasion: (occasion.moment, occasion.memory.id))),
        tuple(sorted(overdue, key=lambda occasion: occasion.moment, reverse=True)),
        tuple(_on_this_day(store, once, now)),
    )


def soon(ahead: Ahead, now: datetime, most: int) -> tuple[Occasion, ...]:
    """Return the few things to say when a conversation begins: of today and tomorrow, then what has just passed."""
    end = midnight(now) + timedelta(days=2)
    near = [occasion for occasion in ahead.coming if occasion.moment < end and not _is_long(occasion)]
    late = [occasion for occasion in ahead.overdue if now - _ends(occasion) <= timedelta(days=3)]
    return tuple((*near, *late)[:most])


def _each_year(memory: SemanticMemory, now: datetime) -> Occasion | None:
    """Return the next time of what comes round every year, None for anything else."""
    if not comes_yearly(memory.content):
        return None
    said = memory.recorded_at.astimezone(now.tzinfo)
    for phrase in find_times(memory.content, said):
        start, end = phrase.window.start, phrase.window.end
        if start is None or end is None or end - start > _WHOLE_DAY or phrase.repeating:
            continue
        nearest = _next(start.date(), now)
        named = str(start.year) in phrase.text
        return Occasion(memory, nearest[1], yearly=True, years=nearest[0] - start.year if named else None)
    return None


def _next(day: date, now: datetime) -> tuple[int, Window]:
    """Return the year and the day of the next time; 29 February waits for a leap year."""
    for year in range(now.year, now.year + 9):
        window = day_of(now, year, day.month, day.day)
        if window is not None and window.end is not None and window.end > now:
            return year, window
    raise AssertionError(day)


def _is_dated(window: Window) -> bool:
    if window.start is None or window.end is None:
        return window.start is None and window.end is not None  # "by Friday" is a date, "since May" is none
    return window.end - window.start <= _AT_MOST


def _ends(occasion: Occasion) -> datetime:
    return occasion.window.end or occasion.moment


def _is_long(occasion: Occasion) -> bool:
    start, end = occasion.window.start, occasion.window.end
    return start is not None and end is not None and end - start > timedelta(days=4)


def _was_planned(occasion: Occasion) -> bool:
    return occasion.memory.recorded_at + _SOONEST <= occasion.moment


def _on_this_day(store: Store, once: Sequence[Occasion], now: datetime) -> Iterator[SemanticMemory | EpisodicMemory]:
    def is_today(moment: datetime) -> bool:
        there = moment.astimezone(now.tzinfo)
        return (there.month, there.day) == (now.month, now.day) and there.year < now.year

    found: list[tuple[datetime, SemanticMemory | EpisodicMemory]] = [
        (occasion.moment, occasion.memory)
        for occasion in once
        if occasion.window.start is not None and _ends(occasion) - occasion.moment <= _WHOLE_DAY
    ]
    found += [(episode.started_at, episode) for episode in store.episodes.list() if not episode.parts]
    yield from (memory for moment, memory in sorted(found, key=lambda pair: pair[0]) if is_today(moment))


def _in_zone(window: Window, now: datetime) -> Window:
    def there(moment: datetime | None) -> datetime | None:
        return moment and moment.astimezone(now.tzinfo)

    return Window(there(window.start), there(window.end))
