"""How a time stands to an event: before it, the day before, two weeks after, around it; and how soft that makes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from dateutil.relativedelta import relativedelta

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import DAY, HOUR, NUMBER, SOFT, number, span
from persona_cli.timewords.patterns import late

Relation = Literal["before", "after", "since", "until", "during", "around"]
"""During is also "on my birthday" and "when I was in Rome"."""

_SIZES = "day|night|morning|afternoon|evening|weekend|week|fortnight|month|year|spring|summer|autumn|fall|winter"
_PARTS = frozenset({"night", "morning", "afternoon", "evening"})
_SOON = {
    "right": 2,
    "just": 2,
    "immediately": 2,
    "directly": 2,
    "straight": 2,
    "shortly": 14,
    "soon": 14,
    "not long": 14,
}
_APPROXIMATE = frozenset({"few", "couple", "some", "several"})
DISTANCE = (
    rf"(?:(?:(?:on|in|during)\s+)?(?P<which>the|a|an|{NUMBER})(?:\s+very)?(?:\s+(?P<some>few|couple)(?:\s+of)?)?"
    rf"\s+(?P<size>{_SIZES})(?P<many>s)?|(?P<soon>{'|'.join(_SOON)}))\s+"
)
"""What stands before "before" and "after": "the day", "two weeks", "a few days", "shortly"."""
_LENGTH = late(rf"(?:(?:for|about|almost|over)\s+)*{NUMBER}\s+(?:more\s+)?(?:{_SIZES})s?")
_LASTING = late(
    rf"\bfor\s+(?:an?\s+)?(?P<count>{NUMBER})(?:\s+(?:of|full|whole|short|long))?\s+(?P<unit>day|week|weekend|fortnight|month)s?\b"
)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far before or after: "the day" has no count, "two weeks" has one, "shortly" is a size of days about."""

    size: str
    count: int | None = None
    near: bool = False
    """Anywhere up to that far, not just there."""


def is_length(text: str) -> bool:
    """Tell whether a text is a length of time and nothing else, "Three months.", which says nothing by itself."""
    return _LENGTH().fullmatch(text.strip(" .!,")) is not None


def read_distance(match: re.Match[str]) -> Distance | None:
    """Return the distance in the groups of `DISTANCE`, None where they are empty."""
    if match["soon"]:
        return Distance("day", _SOON[re.sub(r"\s+", " ", match["soon"].lower())], near=True)
    if not match["size"]:
        return None
    word = (match["some"] or match["which"]).lower()
    if word == "the":
        # "the weeks before": not one week but some, up to where they end
        return Distance(match["size"].lower(), 3, near=True) if match["many"] else Distance(match["size"].lower())
    return Distance(match["size"].lower(), number(word), near=word in _APPROXIMATE)


def lasting(text: str) -> relativedelta | None:
    """Return how long a text says something lasts: "for a week", "for ten days"."""
    match = _LASTING().search(text)
    return None if match is None else span(match["unit"].lower(), number(match["count"]))


def relate(
    relation: Relation, distance: Distance | None, event: Window, soft: timedelta
) -> tuple[Window, timedelta] | None:
    """Return the stretch that stands so to an event, and its softness; None where the event lacks the end it needs.

    The event's times are in the zone of the question, its own softness is how vaguely it is known.
    """
    start, end = event.start, event.end
    edge = max(DAY / 4, soft)
    if relation in {"before", "after"} and distance is not None:
        moment = start if relation == "before" else end
        return None if moment is None else _at_distance(moment, distance, edge, back=relation == "before")
    if relation in {"before", "until"}:
        moment = start if relation == "before" else end
        return None if moment is None else (Window(None, moment), max(edge, DAY))
    if relation in {"after", "since"}:
        moment = end if relation == "after" else start
        return None if moment is None else (Window(moment, None), max(edge, DAY))
    if distance is not None and start is not None:
        return _whole(start, distance.size), max(edge, SOFT.get(distance.size, SOFT["day"]))
    return event, edge if relation == "during" else max(edge, 7 * DAY)


def in_zone(event: Window, at: datetime) -> Window:
    """Return an event in the zone of `at`: days told in another zone stay whole days."""
    start, end = (moment and moment.astimezone(at.tzinfo) for moment in (event.start, event.end))
    if start is None or end is None or end - start >= 20 * HOUR:
        return Window(start and _nearest_midnight(start), end and _nearest_midnight(end))
    return Window(start, end)


def _nearest_midnight(moment: datetime) -> datetime:
    return calendar.midnight(moment + 12 * HOUR)


def _at_distance(moment: datetime, distance: Distance, edge: timedelta, *, back: bool) -> tuple[Window, timedelta]:
    """Return what lies that far from an edge of the event: `moment` is its start, or its exclusive end."""
    size, count = distance.size, distance.count
    if count is None:
        window = _next_to(moment, size, back=back)
        return window, max(edge, SOFT.get(size, SOFT["season"] if size in calendar.SEASONS else SOFT["day"]))
    if distance.near:
        reach = span(size, count)
        window = Window(moment - reach, moment) if back else Window(moment, moment + reach)
        return window, max(edge, abs(moment + reach - moment) / 2)
    day = calendar.days(moment, 0 if back else -1).start  # of the event itself: its first day, or its last
    assert day is not None
    there = day - span(size, count) if back else day + span(size, count)
    if size in _PARTS:
        return calendar.part_of(calendar.days(there), size), max(edge, 2 * HOUR)
    if size == "day":
        return calendar.days(there), max(edge, DAY * (count // 3))
    if size in {"week", "weekend", "fortnight"}:
        return calendar.days(there, -3, 7), max(edge, DAY * (1 + count))
    window = calendar.days(there, -10, 21) if size == "month" else calendar.months(there, -2, 5)
    return window, max(edge, SOFT["month" if size == "month" else "year"])


def _next_to(moment: datetime, size: str, *, back: bool) -> Window:
    """Return "the day before", "the week after": the stretch that touches the event."""
    if size in _PARTS | {"day"}:
        day = calendar.days(moment, -1 if back else 0)
        if not back and moment != calendar.midnight(moment):
            day = calendar.days(moment, 1)
        return day if size == "day" else calendar.part_of(day, size)
    if size == "weekend":
        touching = calendar.weekly(moment, 5, reach=2)
        one = calendar.ended(touching, moment) if back else calendar.coming(touching, moment - timedelta(seconds=1))
        assert one is not None
        return calendar.weekend(calendar.beginning(one))
    if size in calendar.SEASONS:
        seasons = calendar.yearly(moment, lambda year: calendar.season_of(moment, year, size))
        one = calendar.ended(seasons, moment) if back else calendar.coming(seasons, moment)
        return one or calendar.years(moment, -1 if back else 1)
    length = span(size, 1)
    return Window(moment - length, moment) if back else Window(moment, moment + length)


def _whole(start: datetime, size: str) -> Window:
    """Return the day, week, summer ... in which something began."""
    if size in _PARTS:
        return calendar.part_of(calendar.days(start), size)
    if size in calendar.SEASONS:
        year = start.year - (size == "winter" and start.month < calendar.SEASONS[size] - 6)
        return calendar.season_of(start, year, size)
    if size == "weekend":
        return calendar.weekend(start)
    make = {"week": calendar.week, "month": calendar.months, "year": calendar.years}.get(size, calendar.days)
    window = make(start)
    return Window(window.start, window.end and window.end + relativedelta(weeks=1)) if size == "fortnight" else window
