"""What the words around a time phrase make of it: "since", "the end of", "morning", "at five", "two days before".

The nearest are applied first. Only a few words before a phrase are looked at, so that each costs the same in a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from persona_cli.records import Window
from persona_cli.timewords import calendar
from persona_cli.timewords.atoms import DAY, HOUR, Found
from persona_cli.timewords.feasts import day_of_feast, feast_of
from persona_cli.timewords.patterns import expand, late, read_table
from persona_cli.timewords.portions import portion
from persona_cli.timewords.relations import DISTANCE, Distance, Relation, read_distance, relate

_NEAR = 60
"""Characters before a phrase in which the words that change it stand."""
_DIVISIBLE = frozenset({"week", "month", "season", "year"})
_FIRM_MONTHS = re.compile(r"(?:January|February|July|September|October|November|December)")
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MINUTES = {"half": 30, "quarter": 15, "ten": 10, "twenty": 20, "five": 5}
_LATEST_BY_DAY = 6
"""The last hour that is one of the afternoon where nothing else is said."""
_RUN_UP = Distance("week", 4, near=True)
_DISTANCE = late(rf"(?<![\w'’-]){DISTANCE}$")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phrase where it stands: text[start:end], and what it was found to mean."""

    start: int
    end: int
    found: Found


@cache
def around(name: str) -> re.Pattern[str]:
    """Return a pattern of the words around phrases, compiled when it is first needed."""
    parts = read_table("around")["around"]
    return re.compile(expand(parts[name], parts), re.IGNORECASE)


def leading(name: str, text: str, end: int) -> re.Match[str] | None:
    """Return where one of those patterns stands right before a place in the text."""
    return around(name).search(text, max(0, end - _NEAR), end)


def modify(text: str, span: Stretch) -> Stretch:
    """Apply the words around one phrase, innermost first."""
    if span.found.repeating:
        return span
    span = _hook(text, span)
    span = _edge(text, span)
    span = _part(text, span)
    span = _clock(text, span)
    return _loosely(text, _bound(text, span))


def _hook(text: str, span: Stretch) -> Stretch:
    if not span.found.weak:
        return span
    words = text[span.start : span.end]
    hook = leading("hook", text, span.start)
    if hook is None and not (_FIRM_MONTHS.fullmatch(words)):
        return span
    if words == "may" and hook is not None and hook[1].lower() not in {"in", "during", "since", "early", "late", "mid"}:
        return span
    kept = {"in", "during", "of", "throughout"}
    start = hook.start() if hook is not None and hook[1].lower() in kept - {"of"} else span.start
    return Stretch(start, span.end, replace(span.found, weak=False))


def _edge(text: str, span: Stretch) -> Stretch:
    match = leading("edge", text, span.start)
    start, end = span.found.window.start, span.found.window.end
    if match is None or start is None or end is None or span.found.unit not in _DIVISIBLE:
        return span
    word = re.sub(r"\s+of$", "", re.sub(r"\s+", " ", match[1].lower()))
    window = portion(span.found.window, word, span.found.unit)
    return Stretch(match.start(), span.end, replace(span.found, window=window, unit="stretch", weak=False))


def _part(text: str, span: Stretch) -> Stretch:
    if span.found.unit != "day":
        return span
    after = around("part").match(text, span.end)
    before = leading("part_before", text, span.start)
    beside = after or before
    if beside is None:
        return span
    window = calendar.part_of(span.found.window, beside[1].lower())
    made = replace(span.found, window=window, unit="moment", soft=2 * HOUR)
    return Stretch(span.start if after else beside.start(), after.end() if after else span.end, made)


def _clock(text: str, span: Stretch) -> Stretch:
    """Read "at 5pm", "at half past five" and "between 2 and 4 pm" beside a day or a part of it."""
    start = span.found.window.start
    if span.found.unit not in {"day", "moment"} or start is None:
        return span
    beside = around("hours_after").match(text, span.end) or leading("hours_before", text, span.start)
    beside = beside or around("clock_after").match(text, span.end) or leading("clock_before", text, span.start)
    if beside is None:
        return span
    clocks = [words for words in beside.groups() if words]
    half = next((half for words in reversed(clocks) if (half := _half(words))), "")
    hours = [_hour(words, span.found, half) for words in clocks]
    first, last = hours[0], hours[-1]
    if first is None or last is None or last < first:
        return span
    day = calendar.midnight(start)
    window = Window(day + first, day + last + (HOUR if len(hours) == 1 or last == first else timedelta(0)))
    made = replace(span.found, window=window, unit="moment", soft=2 * HOUR)
    return Stretch(min(span.start, beside.start()), max(span.end, beside.end()), made)


def _half(words: str) -> str:
    """Return "a" or "p" for "5 am" and "5 p.m."."""
    match = re.search(r"([ap])\.?m\b", words, re.IGNORECASE)
    return match[1].lower() if match else ""


def _hour(words: str, found: Found, half: str) -> timedelta | None:
    """Return how long after midnight a clock shows this; without am or pm the part of the day decides."""
    words = words.lower()
    if words in {"noon", "midday", "midnight"}:
        return timedelta(hours=24 if words == "midnight" else 12)
    shown = re.search(rf"(\d{{1,2}})(?:[:.h](\d\d))?|\b(?:{'|'.join(_HOURS)})\b(?!\s+(?:past|to)\b)", words)
    if shown is None:
        return None
    hour = int(shown[1]) if shown[1] else _HOURS.index(shown[0]) + 1
    time = timedelta(hours=hour, minutes=int(shown[2] or 0))
    if hour > 24 or int(shown[2] or 0) > 59:
        return None
    if beside := re.match(r"(half|quarter|ten|twenty|five)\s+(past|to)\b", words):
        time += timedelta(minutes=_MINUTES[beside[1]]) * (1 if beside[2] == "past" else -1)
    elif words.startswith("half"):  # "half seven", as the British say it
        time += timedelta(minutes=30)
    if half:
        return time + timedelta(hours=12 if half == "p" and hour < 12 else -12 if half == "a" and hour == 12 else 0)
    start, end = found.window.start, found.window.end
    if found.unit == "moment" and start is not None and end is not None:
        day = calendar.midnight(start)
        later = (time + timedelta(hours=more) for more in (0, 12, 24))
        return next((moment for moment in later if start <= day + moment <= end), time)
    # by day alone nobody means the small hours, but who writes them as such: "at 02:30"
    by_night = hour == 0 or hour > _LATEST_BY_DAY or words.startswith("0")
    return time if by_night else time + timedelta(hours=12)


def _loosely(text: str, span: Stretch) -> Stretch:
    """Widen the softness of "around Easter", "around 12 May"."""
    match = leading("around", text, span.start)
    inside = text[span.start : span.end].lower().startswith("around ")
    if span.found.unit != "day" or not (match or inside):
        return span
    return Stretch(
        match.start() if match else span.start, span.end, replace(span.found, soft=max(span.found.soft, 7 * DAY))
    )


def _bound(text: str, span: Stretch) -> Stretch:
    match = leading("bound", text, span.start)
    word = re.sub(r"\s+", " ", match[1].lower()) if match else ""
    inner = span
    words = text[span.start : span.end].split(" ", maxsplit=1)[0].lower()
    if match is None and words in {"since", "until", "till", "by"}:
        word, match = words, re.compile(r"").match(text, span.start)
    if match is None or span.found.weak:
        return span
    apart = (
        _DISTANCE().search(text, max(0, match.start() - _NEAR), match.start()) if word in {"before", "after"} else None
    )
    if apart is not None:
        return _apart(text, inner, "before" if word == "before" else "after", apart)
    if word.endswith("to") and word not in {"prior to", "up to"}:
        made = relate(
            "before", Distance("day", 7, near=True) if "days" in word else _RUN_UP, inner.found.window, timedelta(0)
        )
        return (
            span
            if made is None
            else Stretch(match.start(), span.end, replace(span.found, window=made[0], unit="stretch", soft=made[1]))
        )
    window = inner.found.window
    if word in {"since", "ever since"}:
        window = Window(window.start, None)
    elif word == "after":
        window = Window(window.end, None)
    elif word in {"before", "prior to", "ahead of"}:
        window = Window(None, window.start)
    else:
        window = Window(None, window.end)
    return Stretch(match.start(), span.end, replace(span.found, window=window, unit="stretch"))


def _apart(text: str, span: Stretch, relation: Relation, apart: re.Match[str]) -> Stretch:
    """Read "the day before Christmas", "two weeks after 12 May"."""
    event = span.found.window
    its_day = day_of_feast(text[span.start : span.end].rsplit(" ", maxsplit=1)[-1])
    if its_day is not None and event.start is not None:
        event = feast_of(event.start, event.start.year, its_day) or event
    made = relate(relation, read_distance(apart), event, timedelta(0))
    if made is None:
        return span
    return Stretch(apart.start(), span.end, replace(span.found, window=made[0], unit="stretch", soft=made[1]))
