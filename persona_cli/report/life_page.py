"""The page: one HTML file with its style, figures and pictures inside, which fetches nothing and runs nothing.

Everything said or remembered is data here: it is escaped by the template engine, what nobody would see is shown as an
escape, and the page's own policy allows no script, no frame, no form to another place and no address to load from.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from persona_cli.english.forms import to_second
from persona_cli.escapes import escaped
from persona_cli.memory import Memory
from persona_cli.records import EpisodicMemory, Image, SemanticMemory, Window
from persona_cli.records.counting import counted
from persona_cli.report import figures
from persona_cli.report.gathering import PageContent, gather
from persona_cli.report.thumbnails import thumbnail

_HERE = Path(__file__).parent
_LISTED = re.compile(r"(?P<words>[^:“”]{1,80}): (?P<said>“.*)", re.DOTALL)


def write_page(memory: Memory, now: datetime, *, pictures: bool = True, editable: bool = False) -> str:
    """Return the page of a memory as it is at `now`; times are shown in the zone of `now`.

    With `editable` it has forms beside the facts, which are sent to where it came from.
    """
    gathered = gather(memory.store, now)
    shown = {picture.image.hash: thumbnail(memory.media, picture.image) for picture in gathered.pictures if pictures}
    return render(gathered, shown, editable=editable)


def render(gathered: PageContent, thumbnails: Mapping[str, str], *, editable: bool = False) -> str:
    """Return the page; `thumbnails` are data URLs by the SHA-256 of their pictures."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    zone = gathered.at.tzinfo

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone)

    since, until = gathered.since or gathered.at, gathered.at
    return (
        _environment(local)
        .get_template("page.html")
        .render(
            it=gathered,
            style=Markup(style),  # noqa: S704 - ours
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
            radar=figures.radar(gathered.traits),
            curves=_curves(gathered, since, until),
            strip=figures.strip(gathered.days),
            months=_by_month(gathered.topics, local),
            years=_by_year(gathered.facts, local),
            thumbnails=thumbnails,
            editable=editable,
        )
    )


def _environment(local: Callable[[datetime], datetime]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )

    def day(moment: datetime) -> str:
        return f"{local(moment).day} {local(moment):%b %Y}"

    environment.filters |= {
        "day": day,
        "clock": lambda moment: f"{day(moment)}, {local(moment):%H:%M}",
        "iso": lambda moment: local(moment).isoformat(timespec="minutes"),
        "when": lambda window: _when(window, day),
        "short": lambda text, most=220: text if len(text) <= most else f"{text[: most - 1]}…",
        "counted": counted,
        "picture_words": _picture_words,
        "topic": _topic,
        "yours": lambda text: to_second(text) or text,
    }
    return environment


def _curves(gathered: PageContent, since: datetime, until: datetime) -> dict[str, Markup]:
    span = figures.common_span(gathered.stories)
    moved = [at for story in gathered.stories for at, _ in story.curve]
    begin = min([since, *moved])
    return {story.name: figures.curve(story, begin, until, span) for story in gathered.stories}


def _by_month(
    topics: tuple[EpisodicMemory, ...], local: Callable[[datetime], datetime]
) -> list[tuple[str, list[EpisodicMemory]]]:
    return [(month, list(group)) for month, group in groupby(topics, lambda topic: f"{local(topic.started_at):%B %Y}")]


def _by_year(
    facts: tuple[SemanticMemory, ...], local: Callable[[datetime], datetime]
) -> list[tuple[str, list[SemanticMemory]]]:
    return [(year, list(group)) for year, group in groupby(facts, lambda fact: f"{local(fact.recorded_at):%B %Y}")]


def _when(window: Window, day: Callable[[datetime], str]) -> str:
    """Return a span in the words of a calendar; its end is exclusive."""
    if window.end is None:
        return "" if window.start is None else f"from {day(window.start)}"
    if window.start is None:
        return f"until {day(window.end - timedelta(microseconds=1))}"
    return _between(window.start, window.end, day)


def _between(start: datetime, end: datetime, day: Callable[[datetime], str]) -> str:
    days = (end - start).days
    if days <= 1:
        return day(start)
    if 28 <= days <= 31 and start.day == 1:
        return f"{start:%B %Y}"
    if 360 <= days <= 367:
        return f"{start:%Y}"
    last = end - timedelta(days=1)
    if (start.year, start.month) == (last.year, last.month):
        return f"{start.day} – {day(last)}"
    return f"{day(start)} – {day(last)}"


def _topic(summary: str) -> tuple[str, str]:
    """Return what was said of a topic and the words it is listed under, which the built-in model puts before it."""
    parted = _LISTED.fullmatch(summary)
    return (parted["said"], parted["words"]) if parted else (summary, "")


def _picture_words(image: Image, said: str) -> str:
    return said or image.caption or f"{image.width} × {image.height}"
