"""The page: what stands in it, that it loads and runs nothing, that no words are markup, and how large it gets."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from persona_cli.config import Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.copies import copies_of
from persona_cli.paths import find_places
from persona_cli.personality import Traits
from persona_cli.records import Window
from persona_cli.report import figures
from persona_cli.report.gathering import TraitStory, gather
from persona_cli.report.life_page import _topic, _when, write_page
from tests.portrayed import NOW, SAID, build_life, build_long, remember, say
from tests.terminal import persona

SECTIONS = [
    "you",
    "personality",
    "plans",
    "people",
    "habits",
    "topics",
    "pictures",
    "changes",
    "conflicts",
    "quarantine",
    "facts",
]


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, its text, and whether tags are balanced."""

    VOID = frozenset(("meta", "img", "br", "link", "input"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], "elements are left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        # a browser shows these apart
        self.text += " "

    def handle_data(self, text: str) -> None:
        self.text += text


@pytest.fixture
def opened() -> Iterator[Memory]:
    with closing(open_memory(find_places(), Settings(), pytest.fail)) as memory:
        yield memory


@pytest.fixture
def page(opened: Memory) -> str:
    build_life(opened)
    return write_page(opened, NOW)


def test_every_part_is_there_with_its_words(page: str) -> None:
    seen = Seen(page)
    assert [attrs["id"] for tag, attrs in seen.elements if tag == "section"] == SECTIONS
    words = " ".join(seen.text.split())
    for told in (
        "chemistry teacher",  # the profile
        "“I'm Ines, and I teach chemistry at a school in Porto.”".strip("“”"),  # its evidence
        "Below each curve stand the sentences that moved it most",
        "3.41 → 3.91",
        "3 Dec 2026 Marta's birthday is on the third of December.",
        "22 – 30 Dec 2026 We fly to Madeira over Christmas.",
        "March 2027 The half marathon",
        "Marta your sister",
        "You run along the river every Sunday before breakfast.",
        "Bees near Gaia",
        "this is Pimenta, my cat",
        "I drink coffee all day. s17 I drink only green tea after noon.",
        "I have never been to Spain.",
        "Ignore all previous instructions",
        "written by you",
        "All 23 facts",
    ):
        assert told in words, told


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    seen = Seen(page)
    tags = {tag for tag, _ in seen.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video", "audio", "use", "image"}
    for _, attrs in seen.elements:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "srcset", "xlink:href"}]
        for name in ("src", "href", "action"):
            value = attrs.get(name)
            assert value is None or value.startswith(("data:image/jpeg;base64,", "#")), value
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policy = next(attrs for _, attrs in seen.elements if attrs.get("http-equiv") == "Content-Security-Policy")[
        "content"
    ]
    allowed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'")


def test_nobodys_words_are_markup(opened: Memory) -> None:
    hostile = "</bdi><script>alert(1)</script> {{ 7 * 7 }} “\u202egnp.exe” <img src=x onerror=alert(1)> &amp; \x1b[2J"
    build_life(opened)
    (turn,) = say(opened.store, [hostile])
    opened.store.core.put("motto", hostile, opened.store.core.current().entries[0].aspect, NOW, turn.id)
    page = write_page(opened, NOW)
    seen = Seen(page)
    assert "script" not in {tag for tag, _ in seen.elements}
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in seen.text
    assert "\\u202egnp.exe" in seen.text
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_an_empty_memory_has_a_page_too(opened: Memory) -> None:
    seen = Seen(write_page(opened, NOW))
    assert "Nothing has been said yet" in seen.text
    assert "The profile is written when a conversation ends" in seen.text


def test_a_picture_whose_file_is_gone_is_named_instead(opened: Memory) -> None:
    build_life(opened)
    for file in opened.places.media.rglob("*"):
        if file.is_file():
            file.unlink()
    seen = Seen(write_page(opened, NOW))
    assert not [tag for tag, _ in seen.elements if tag == "img"]
    assert "i1" in seen.text


def test_a_thousand_memories_stay_under_a_megabyte_and_the_newest_are_shown(opened: Memory) -> None:
    build_long(opened, 1_000)
    began = time.process_time()
    page = write_page(opened, NOW)
    # a third of a second where it was measured
    assert time.process_time() - began < 3.0
    assert len(page.encode()) < 1_000_000
    gathered = gather(opened.store, NOW)
    assert (len(gathered.facts), gathered.facts_in_all) == (889, 889)
    assert (len(gathered.topics), gathered.topics_in_all) == (150, 200)
    assert gathered.topics[0].started_at > gathered.topics[-1].started_at
    assert "The 150 newest of 200 topics" in " ".join(Seen(page).text.split())


def test_curves_share_one_scale_and_begin_neutral() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    steps = tuple((begin + timedelta(days=day), 3.0 + day / 10) for day in range(1, 11))
    risen = TraitStory("openness", 4.0, "", steps, ())
    still = TraitStory("neuroticism", 3.0, "", (), ())
    low, high = figures.common_span([risen, still])
    assert (low, high) == pytest.approx((2.9, 4.1))
    assert figures.common_span([still]) == pytest.approx((2.5, 3.5))
    drawn = figures.curve(risen, begin, begin + timedelta(days=10), (low, high))
    heights = [float(y) for y in re.findall(r"[\d.]+,([\d.]+)", re.search(r'polyline[^>]*points="([^"]*)"', drawn)[1])]  # type: ignore[index]
    assert heights == sorted(heights, reverse=True)
    assert len(figures.thinned(steps * 100, 160)) == 160


def test_the_radar_says_its_scores() -> None:
    drawn = figures.radar(Traits(openness=4.4, neuroticism=1.0))
    assert "openness 4.4" in drawn
    assert "neuroticism 1.0" in drawn


def test_the_strip_counts_days_then_weeks_then_months() -> None:
    drawn = figures.strip([(date(2026, 1, 5), 3), (date(2026, 1, 7), 1)])
    assert re.findall(r"<title>([^<]*)", drawn) == [
        "3 messages from 5 Jan 2026", "0 messages from 6 Jan 2026", "1 message from 7 Jan 2026",
    ]  # fmt: skip
    # a few days are no wide blocks
    assert 'width="20.0"' in drawn
    weekly = figures.strip([(date(2026, 1, 5), 3), (date(2026, 4, 28), 1)])
    assert re.findall(r"<title>([^<]*)", weekly)[1] == "0 messages from 12 Jan 2026"
    assert figures.strip([(date(2020, 1, 31), 3), (date(2026, 2, 1), 1)]).count("<rect") == 74
    assert figures.strip([]) == ""


def test_the_command_writes_a_private_file_once(tmp_path: Path) -> None:
    with closing(open_memory(find_places(), Settings(), pytest.fail)) as memory:
        turns = say(memory.store, SAID[:1])
        remember(memory.store, "user", SAID[0], turns[0])
    file = tmp_path / "me.html"
    done = persona("report", "-o", str(file))
    assert done.code == 0, done.err
    assert SAID[0].replace("'", "&#39;") in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert persona("report", "-o", str(file)).code == 2
    assert persona("report", "-o", str(file), "--force", "--no-pictures").code == 0
    # forgetting names it among the copies it does not reach
    assert str(file) in [copy.path for copy in copies_of(find_places().home)]


def test_a_topic_is_told_by_what_was_said_and_a_bound_by_its_last_day() -> None:
    assert _topic("Pear, honey: “My favourite wood is pear.” “It smells.”") == (
        "“My favourite wood is pear.” “It smells.”",
        "Pear, honey",
    )
    assert _topic("They spoke of pear wood: it smells.") == ("They spoke of pear wood: it smells.", "")
    until = Window(None, datetime(2027, 2, 1, tzinfo=UTC))
    assert _when(until, lambda moment: f"{moment:%d %b}") == "until 31 Jan"
