"""What lies ahead as a calendar file (iCalendar, RFC 5545), for the calendar that does ring.

Days are whole-day events, hours are hours in UTC, what comes round every year repeats. An event keeps its UID, so a
calendar that reads the file again changes what it has and doubles nothing. No alarm is set: how early, only its
person knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from persona_cli import __version__
from persona_cli.records import Kind, Ref
from persona_cli.remembering.ahead import Occasion

if TYPE_CHECKING:
    from icalendar import Event

_WHOLE_DAYS = timedelta(hours=20)


def calendar_of(occasions: Iterable[Occasion], owner: UUID, at: datetime) -> bytes:
    """Return the occasions as one iCalendar file; `owner` tells one home's events from another's."""
    from icalendar import Calendar, Event

    made = Calendar()
    made.add("prodid", f"-//persona//persona {__version__}//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    for occasion in occasions:
        event = Event()
        event.add("uid", f"{Ref(Kind.SEMANTIC, occasion.memory.id)}.{owner}@persona")
        event.add("dtstamp", at.astimezone(UTC))
        event.add("summary", occasion.memory.content)
        _add_times(event, occasion)
        if occasion.yearly:
            event.add("rrule", {"freq": "yearly"})
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return bytes(made.to_ical())


def _add_times(event: Event, occasion: Occasion) -> None:
    start, end = occasion.window.start, occasion.window.end
    if start is None:  # "by Friday": the last day it may be
        assert end is not None
        start = (end - timedelta(seconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    end = end or start + timedelta(hours=1)
    if end - start >= _WHOLE_DAYS:
        event.add("dtstart", start.date())
        last = end if end == end.replace(hour=0, minute=0, second=0, microsecond=0) else end + timedelta(days=1)
        event.add("dtend", last.date())
    else:
        event.add("dtstart", start.astimezone(UTC))
        event.add("dtend", end.astimezone(UTC))
