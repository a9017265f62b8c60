"""What lies ahead: dated plans, birthdays found anew each year, what is overdue, this day in other years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from persona_cli.memory.store import Store
from persona_cli.records import EpisodicMemory, SemanticMemory, Window
from persona_cli.remembering.ahead import look_ahead, soon
from tests.terminal import persona

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 12, 9, 30, tzinfo=BERLIN)
SAID = NOW - timedelta(days=20)


def day(number: int, month: int = 5, year: int = 2026) -> Window:
    start = datetime(year, month, number, tzinfo=BERLIN)
    return Window(start, start + timedelta(days=1))


def add(store: Store, content: str, event: Window | None = None, said: datetime = SAID) -> SemanticMemory:
    return store.semantic.add(SemanticMemory(0, content, (), "user", content, said, said, event=event))


def test_dates_come_in_their_order_and_as_far_as_is_asked(store: Store) -> None:
    at_ten = datetime(2026, 5, 14, 10, tzinfo=UTC)
    dentist = add(store, "I see the dentist at noon.", Window(at_ten, at_ten + timedelta(hours=1)))
    add(store, "We fly to Porto on 20 July.", day(20, 7))
    rent = add(store, "The rent is due by Wednesday.", Window(None, day(13).end))
    add(store, "I have lived here since May.", Window(day(1).start, None))
    add(store, "I like tea.")
    assert [one.memory.id for one in look_ahead(store, NOW).coming] == [rent.id, dentist.id]
    assert len(look_ahead(store, NOW, within=100).coming) == 3
    assert look_ahead(store, NOW).coming[1].moment.hour == 12  # in the zone of who asks


def test_a_birthday_comes_round_each_year_and_is_counted_where_its_year_is_known(store: Store) -> None:
    add(store, "Ada was born on 20 May 1990.", day(20, 5, 1990))
    add(store, "My mother's birthday is on 3 June.", day(3, 6, 2025))
    add(store, "My birthday is on 29 February.")
    coming = look_ahead(store, NOW).coming
    assert [(one.moment.date(), one.years, one.yearly) for one in coming] == [
        (date(2026, 5, 20), 36, True),
        (date(2026, 6, 3), None, True),
    ]
    leap = look_ahead(store, NOW, within=1_000).coming[-1]
    assert leap.moment.date() == date(2028, 2, 29)
    after = look_ahead(store, datetime(2026, 5, 21, 1, tzinfo=BERLIN), within=365)
    assert max(one.moment.date() for one in after.coming) == date(2027, 5, 20)


def test_what_was_planned_and_has_passed_is_overdue_for_a_while(store: Store) -> None:
    passed = add(store, "I'll call the bank on 8 May.", day(8))
    add(store, "I was in town yesterday.", day(11), said=NOW)
    add(store, "We'll paint on 1 April.", day(1, 4))
    ahead = look_ahead(store, NOW)
    assert [one.memory.id for one in ahead.overdue] == [passed.id]
    store.semantic.end(passed.id, NOW)
    assert look_ahead(store, NOW).overdue == ()


def test_this_day_in_other_years_is_found_in_events_and_topics(store: Store) -> None:
    before = NOW - timedelta(days=365)
    session = store.sessions.start(before)
    turn = store.turns.add(session.id, before, "We planted the pear tree!", "Lovely.", "m")
    store.episodes.add(EpisodicMemory(0, session.id, "A pear tree.", (), (turn.id,), before, before, before))
    married = add(store, "We got married on 12 May 2019.", day(12, 5, 2019))
    add(store, "We got the keys on 12 April 2019.", day(12, 4, 2019))
    found = look_ahead(store, NOW).on_this_day
    assert [type(memory).__name__ for memory in found] == ["SemanticMemory", "EpisodicMemory"]
    assert found[0].id == married.id


def test_a_chat_begins_with_what_is_near(store: Store) -> None:
    for number in (12, 13, 13, 13, 20):
        add(store, f"Something on {number} May.", day(number))
    near = soon(look_ahead(store, NOW), NOW, 3)
    assert [one.moment.day for one in near] == [12, 13, 13]
    add(store, "A stay in May.", Window(day(10).start, day(20).end))
    assert [one.moment.day for one in soon(look_ahead(store, NOW), NOW, 9)] == [12, 13, 13, 13]


def read_events(file: Path) -> dict[str, Any]:
    calendar: Any = Calendar.from_ical(file.read_bytes())
    return {str(event["summary"]): event for event in calendar.walk("VEVENT")}


@pytest.fixture
def told(home: Path) -> datetime:
    """Return a day a week ahead that a memory of this home names, and two that come round each year."""
    then = datetime.now().astimezone() + timedelta(days=7)
    for said in (f"I see the dentist on {then:%d %B %Y}.", f"Ada's birthday is on {then:%d %B} 1990."):
        assert persona("memory", "add", said).code == 0
    return then


def test_the_command_shows_it_and_writes_a_calendar(told: datetime, tmp_path: Path) -> None:
    file = tmp_path / "ahead.ics"
    shown = persona("upcoming", "--ics", str(file))
    assert shown.code == 0, shown.err
    assert "dentist" in shown.out
    assert "birthday" in shown.out
    assert file.stat().st_mode & 0o777 == 0o600
    events = read_events(file)
    assert len(events) == 2
    dentist = next(event for words, event in events.items() if "dentist" in words)
    assert dentist["dtstart"].dt == told.date()
    assert "rrule" not in dentist
    assert next(event for words, event in events.items() if "birthday" in words)["rrule"]["freq"] == ["YEARLY"]
    again = persona("upcoming", "--ics", str(file))
    assert (again.code, again.error) == (2, f"{file} exists already")
    assert persona("upcoming", "--ics", str(file), "--force").code == 0
    assert {event["uid"] for event in read_events(file).values()} == {event["uid"] for event in events.values()}


def test_nothing_dated_is_said(home: Path) -> None:
    assert "Nothing that you told has a date" in persona("upcoming").out
    assert persona("upcoming", "--json").json == {"coming": [], "overdue": [], "on_this_day": []}
