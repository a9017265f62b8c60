"""Gemini's activity in Google's Takeout: one entry for each prompt, the newest first, as JSON or as a page of HTML.

The words around a prompt are in the person's language ("Prompted …"), so they are found in the entries themselves: all
begin alike. An entry names no conversation that lasts, so prompts belong together by their times.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from persona_cli.errors import TransferError
from persona_cli.importers.activity_page import activity_entries, in_figures, offset_of
from persona_cli.importers.bundle import Bundle
from persona_cli.importers.correspondence import Conversation, Format, Item, Options, Speaker, Tally, WrittenMessage
from persona_cli.importers.markup import plain_text
from persona_cli.importers.reasons import ATTACHED
from persona_cli.importers.streaming import json_items, listing, mapping
from persona_cli.importers.times import DateOrder, from_iso, order_of, parse_time

APART = timedelta(hours=1)
"""Silence after which prompts are no longer one conversation: that of a session."""
_BRANDS = ("gemini", "bard")
_ENGLISH = "Prompted "
_ENOUGH = 8
"""Different prompts from which what all of them begin with is the service's own."""
_OTHER = "activity that is no prompt"
_AGAIN = "answers that were made again"
_UNTIMED = "prompts whose time cannot be read"
_FRAMED = "files whose own words could not be told from the prompts and stay before them"


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry: what its title says, and what came back."""

    place: str
    title: str
    at: datetime | None
    answers: tuple[str, ...]
    attached: int = 0


def _recognise(bundle: Bundle) -> bool:
    return any(_is_activity(bundle.head(name)) for name in _files(bundle)[:3])


def _is_activity(head: bytes) -> bool:
    text = head.decode("utf-8", "replace").casefold()
    entry = ('"header"' in text and '"title"' in text) or "outer-cell" in text
    return entry and any(brand in text for brand in _BRANDS)


def _files(bundle: Bundle) -> tuple[str, ...]:
    """Return the files of activity; the folder has Google's name for it in any language."""
    endings = (".json", ".html")
    there = [name for name in bundle.names if name.lower().endswith(endings)]
    named = tuple(name for name in there if any(brand in name.casefold() for brand in _BRANDS))
    return named or bundle.only(*endings)


def _read(bundle: Bundle, options: Options, tally: Tally) -> Iterator[Item]:
    for name in _files(bundle):
        if not _is_activity(bundle.head(name)):
            continue
        order = _order(bundle, name, options.order)
        before, after = _frame(activity.title for activity in _activities(bundle, name, order) if activity.answers)
        if not before:
            tally.skip(_FRAMED, name)
        entries = _activities(bundle, name, order)
        yield from _conversations(entries, before, after, tally)


GEMINI = Format("gemini", "Gemini", _recognise, _read)


def _frame(titles: Iterable[str]) -> tuple[str, str]:
    """Return what stands before and behind every prompt; nothing where there are too few to tell."""
    distinct: set[str] = set()
    before = after = ""
    for title in titles:
        before = _shared(before, title) if distinct else title
        after = _shared(after[::-1], title[::-1])[::-1] if distinct else title
        # a few are enough to know that there are enough
        if len(distinct) < _ENOUGH:
            distinct.add(title)
    if before.startswith(_ENGLISH):
        return _ENGLISH, ""
    if len(distinct) < _ENOUGH:
        # of a few, what ends with a colon in all of them is the service's all the same
        colon = before.rfind(": ") if len(distinct) > 1 else -1
        return (before[: colon + 2], "") if colon > 0 else ("", "")
    # not into a word: "Frage: W" of "Frage: Wer …" and "Frage: Wie …"
    cut = max((before.rfind(mark) + 1 for mark in (" ", ":", "「", "“", "„", '"')), default=0)
    behind = min((place for mark in (" ", "」", "”", '"') if (place := after.find(mark)) >= 0), default=len(after))
    return before[:cut], after[behind:]


def _shared(one: str, other: str) -> str:
    """Return what both begin with."""
    length = next((place for place, (here, there) in enumerate(zip(one, other, strict=False)) if here != there), None)
    return one[: min(len(one), len(other)) if length is None else length]


def _conversations(entries: Iterable[Activity], before: str, after: str, tally: Tally) -> Iterator[Conversation]:
    """Yield prompts that follow each other within an hour as conversations, in either order of the file."""
    group: list[Activity] = []
    for entry in entries:
        if not entry.title.startswith(before) or (not before and not entry.answers):
            tally.skip(_OTHER)
        elif entry.at is None:
            tally.skip(_UNTIMED, entry.place)
        else:
            if group and abs(entry.at - _at(group[-1])) > APART:
                yield _conversation(group, before, after, tally)
                group = []
            group.append(entry)
    if group:
        yield _conversation(group, before, after, tally)


def _at(entry: Activity) -> datetime:
    assert entry.at is not None
    return entry.at


def _conversation(group: list[Activity], before: str, after: str, tally: Tally) -> Conversation:
    ordered = sorted(group, key=_at)
    messages: list[WrittenMessage] = []
    for entry in ordered:
        prompt = entry.title.removeprefix(before).removesuffix(after).strip()
        own = f"{_at(entry).timestamp()}"
        tally.skip(ATTACHED, count=entry.attached)
        tally.skip(_AGAIN, count=max(0, len(entry.answers) - 1))
        messages.append(WrittenMessage(f"{own} {prompt}", Speaker.ME, prompt, _at(entry)))
        messages += [
            WrittenMessage(f"{own} answer", Speaker.ASSISTANT, answer, _at(entry))
            for answer in entry.answers[:1]
            if answer
        ]
    return Conversation(messages[0].id, messages)


def _order(bundle: Bundle, name: str, said: DateOrder | None) -> DateOrder | None:
    """Return which of day and month stands first on a page; raises `TransferError` where nothing tells."""
    if not name.lower().endswith(".html"):
        return None
    times = (
        (f"{name}, entry {number}", in_figures(entry.time))
        for number, entry in enumerate(activity_entries(bundle, name), 1)
    )
    return order_of(times, said)


def _activities(bundle: Bundle, name: str, order: DateOrder | None) -> Iterator[Activity]:
    if name.lower().endswith(".html"):
        for number, entry in enumerate(activity_entries(bundle, name), 1):
            place = f"{name}, entry {number}"
            if any(brand in entry.header.casefold() for brand in _BRANDS):
                yield Activity(place, entry.title, _time_of(entry.time, order, place), entry.answers)
        return
    for number, (_, value) in enumerate(json_items(bundle, name, "item"), 1):
        fields = mapping(value)
        if any(brand in _names(fields).casefold() for brand in _BRANDS):
            yield _activity(fields, f"{name}, entry {number}")


def _names(fields: Any) -> str:
    return f"{fields.get('header')} {' '.join(map(str, listing(fields.get('products'))))}"


def _activity(fields: Any, place: str) -> Activity:
    title = fields.get("title")
    answers = tuple(
        plain_text(html)
        for item in listing(fields.get("safeHtmlItem"))
        if isinstance(html := mapping(item).get("html"), str)
    )
    attached = len(listing(fields.get("attachedFiles"))) + (fields.get("imageFile") is not None)
    # a space that does not break stands behind "Prompted"
    said = title.replace("\u00a0", " ") if isinstance(title, str) else ""
    return Activity(place, said, from_iso(fields.get("time")), answers, attached)


def _time_of(written: str, order: DateOrder | None, place: str) -> datetime | None:
    """Return the time of a page, which is in the words of its language; None where it cannot be read for certain."""
    body, _, zone = in_figures(written).rpartition(" ")
    try:
        if offset := offset_of(zone):
            return parse_time(f"{body}{offset}", order, place)
        # IST means several zones, but on a machine that is in one of them, that one
        return parse_time(body if zone in time.tzname else f"{body} {zone}", order, place)
    except TransferError:
        return None
