"""Time words: a table of phrases, what is no time, the zone, the tense, and properties that always hold."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.records import Window
from persona_cli.timewords import describe, find_times, parse_stamp, query_window, stamp

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2023, 5, 17, 15, 30, tzinfo=BERLIN)  # a Wednesday

PHRASES = (
    "I saw her yesterday = 2023-05-16..2023-05-17",
    "I am leaving tomorrow = 2023-05-18..2023-05-19",
    "we talked today = 2023-05-17..2023-05-18",
    "the day before yesterday I fell = 2023-05-15..2023-05-16",
    "we meet the day after tomorrow = 2023-05-19..2023-05-20",
    "I slept badly last night = 2023-05-16T18:00..2023-05-17T05:00",
    "what happened this morning = 2023-05-17T05:00..2023-05-17T12:00",
    "see you this evening = 2023-05-17T17:00..2023-05-18",
    "we met this afternoon = 2023-05-17T12:00..2023-05-17T18:00",
    "dinner tonight = 2023-05-17T17:00..2023-05-18",
    "yesterday morning I ran = 2023-05-16T05:00..2023-05-16T12:00",
    "tomorrow afternoon = 2023-05-18T12:00..2023-05-18T18:00",
    "yesterday at 5pm = 2023-05-16T17:00..2023-05-16T18:00",
    "tomorrow at 10:30 = 2023-05-18T10:30..2023-05-18T11:30",
    "at 7 am yesterday = 2023-05-16T07:00..2023-05-16T08:00",
    "today at noon = 2023-05-17T11:00..2023-05-17T14:00",
    "earlier today I cried = 2023-05-17..2023-05-17T15:30",
    "later today = 2023-05-17T15:30..2023-05-18",
    "last Sunday = 2023-05-14..2023-05-15",
    "last Monday we started = 2023-05-15..2023-05-16",
    "next Friday = 2023-05-19..2023-05-20",
    "this Friday = 2023-05-19..2023-05-20",
    "on Sunday I went swimming = 2023-05-14..2023-05-15",
    "I will swim on Sunday = 2023-05-21..2023-05-22",
    "the concert is on Saturday = 2023-05-20..2023-05-21",
    "I went there on Wednesday = 2023-05-10..2023-05-11",
    "on Monday morning I called = 2023-05-15T05:00..2023-05-15T12:00",
    "last Friday night = 2023-05-12T18:00..2023-05-13T05:00",
    "on Tuesday last week = 2023-05-09..2023-05-10",
    "on Thursday next week = 2023-05-25..2023-05-26",
    "last week Friday = 2023-05-12..2023-05-13",
    "two weeks ago = 2023-04-30..2023-05-07",
    "a week ago = 2023-05-07..2023-05-14",
    "three days ago = 2023-05-14..2023-05-15",
    "a couple of days ago = 2023-05-15..2023-05-16",
    "a few days ago = 2023-05-13..2023-05-16",
    "10 days ago = 2023-05-07..2023-05-08",
    "one month ago = 2023-04-01..2023-05-01",
    "six months ago = 2022-11-01..2022-12-01",
    "about two years ago = 2021-01-01..2022-01-01",
    "ten years ago = 2013-01-01..2014-01-01",
    "a year and a half ago = 2021-01-01..2022-01-01",
    "half a year ago = 2022-11-01..2022-12-01",
    "an hour ago = 2023-05-17T14:00..2023-05-17T15:00",
    "20 minutes ago = 2023-05-17T15:00..2023-05-17T15:20",
    "a fortnight ago = 2023-04-30..2023-05-07",
    "three Sundays ago = 2023-04-30..2023-05-01",
    "two weekends ago = 2023-05-06..2023-05-08",
    "in two weeks = 2023-05-28..2023-06-04",
    "in three days I fly = 2023-05-20..2023-05-21",
    "a month from now = 2023-06-01..2023-07-01",
    "two weeks from tomorrow = 2023-05-29..2023-06-05",
    "in a year's time = 2024-01-01..2025-01-01",
    "last week = 2023-05-08..2023-05-15",
    "this week = 2023-05-15..2023-05-22",
    "next week = 2023-05-22..2023-05-29",
    "last month = 2023-04-01..2023-05-01",
    "this month = 2023-05-01..2023-06-01",
    "next month = 2023-06-01..2023-07-01",
    "last year = 2022-01-01..2023-01-01",
    "this year = 2023-01-01..2024-01-01",
    "next year = 2024-01-01..2025-01-01",
    "the week before last = 2023-05-01..2023-05-08",
    "the weekend before last = 2023-05-06..2023-05-08",
    "the month after next = 2023-07-01..2023-08-01",
    "the Sunday before last = 2023-05-07..2023-05-08",
    "last weekend = 2023-05-13..2023-05-15",
    "this weekend = 2023-05-20..2023-05-22",
    "at the weekend I slept = 2023-05-13..2023-05-15",
    "on the weekend I will paint = 2023-05-20..2023-05-22",
    "next weekend = 2023-05-27..2023-05-29",
    "the last two weeks = 2023-05-03T15:30..2023-05-17T15:30",
    "over the past month = 2023-04-17T15:30..2023-05-17T15:30",
    "in the last few days = 2023-05-14T15:30..2023-05-17T15:30",
    "during the past year = 2022-05-17T15:30..2023-05-17T15:30",
    "in the next three days = 2023-05-17T15:30..2023-05-20T15:30",
    "the past 6 months = 2022-11-17T15:30..2023-05-17T15:30",
    "in May I was in Rome = 2023-05-01..2023-06-01",
    "in June I will go = 2023-06-01..2023-07-01",
    "in March 2021 = 2021-03-01..2021-04-01",
    "in april = 2023-04-01..2023-05-01",
    "last May = 2022-05-01..2022-06-01",
    "last March = 2023-03-01..2023-04-01",
    "next January = 2024-01-01..2024-02-01",
    "this August = 2023-08-01..2023-09-01",
    "since February = 2023-02-01..",
    "March 2021 = 2021-03-01..2021-04-01",
    "Sept 2020 = 2020-09-01..2020-10-01",
    "Dec 2022 = 2022-12-01..2023-01-01",
    "on 12 May = 2023-05-12..2023-05-13",
    "on 12 May 2023 = 2023-05-12..2023-05-13",
    "on May 3rd = 2023-05-03..2023-05-04",
    "May 3, 2023 = 2023-05-03..2023-05-04",
    "3 June 1990 = 1990-06-03..1990-06-04",
    "the 4th of July = 2023-07-04..2023-07-05",
    "on the 12th = 2023-05-12..2023-05-13",
    "on Jan 5 I moved = 2023-01-05..2023-01-06",
    "25 December 2020 = 2020-12-25..2020-12-26",
    "2023-04-12 = 2023-04-12..2023-04-13",
    "2023-04-12 18:30 = 2023-04-12T18:30..2023-04-12T19:30",
    "2022-11 = 2022-11-01..2022-12-01",
    "12.05.2021 = 2021-05-12..2021-05-13",
    "in 2021 = 2021-01-01..2022-01-01",
    "since 2019 = 2019-01-01..",
    "until 2024 = ..2025-01-01",
    "the summer of 2021 = 2021-06-01..2021-09-01",
    "in 2010 = 2010-01-01..2011-01-01",
    "back in 1999 = 1999-01-01..2000-01-01",
    "the 90s = 1990-01-01..2000-01-01",
    "last summer = 2022-06-01..2022-09-01",
    "next spring = 2024-03-01..2024-06-01",
    "in the winter = 2022-12-01..2023-03-01",
    "in autumn 2020 = 2020-09-01..2020-12-01",
    "this fall = 2023-09-01..2023-12-01",
    "over the summer I read = 2022-06-01..2022-09-01",
    "at Christmas = 2022-12-24..2022-12-27",
    "last Christmas = 2022-12-24..2022-12-27",
    "next Easter = 2024-03-29..2024-04-02",
    "on Halloween = 2023-10-31..2023-11-01",
    "New Year's Eve 2021 = 2021-12-31..2022-01-01",
    "Good Friday = 2023-04-07..2023-04-08",
    "on Thanksgiving = 2022-11-24..2022-11-25",
    "Valentine's Day = 2023-02-14..2023-02-15",
    "early May = 2023-05-01..2023-05-11",
    "late 2022 = 2022-09-02..2023-01-01",
    "mid-June = 2023-06-11..2023-06-21",
    "at the beginning of March 2022 = 2022-03-01..2022-03-11",
    "by the end of last month = ..2023-05-01",
    "the end of the year 2022 = 2022-09-02..2023-01-01",
    "the first week of May = 2023-05-01..2023-05-08",
    "the second Sunday of April = 2023-04-09..2023-04-10",
    "the last weekend of April = 2023-04-29..2023-05-01",
    "in the first week of last month = 2023-04-01..2023-04-08",
    "between May and July = 2023-05-01..2023-08-01",
    "between 3 May and 9 May = 2023-05-03..2023-05-10",
    "from 3 to 9 May = 2023-05-03..2023-05-10",
    "from Monday to Wednesday = 2023-05-15..2023-05-18",
    "from May 3 to May 9 = 2023-05-03..2023-05-10",
    "from January to March 2022 = 2022-01-01..2022-04-01",
    "since Monday = 2023-05-15..",
    "since last week = 2023-05-08..",
    "until Friday = ..2023-05-20",
    "by tomorrow = ..2023-05-19",
    "before Christmas = ..2022-12-24",
    "after 12 May = 2023-05-13..",
    "before 2020 = ..2020-01-01",
    "as of 27 March, 2022 = ..2022-03-28",
    "recently = 2023-04-17T15:30..2023-05-17T15:45",
    "lately = 2023-04-17T15:30..2023-05-17T15:45",
    "the other day = 2023-05-09T15:30..2023-05-17T15:30",
    "a while ago = 2022-05-17T15:30..2023-05-03T15:30",
    "a long time ago = 2013-05-19T15:30..2022-11-18T15:30",
    "soon = 2023-05-17T15:30..2023-06-16T15:30",
    "just now = 2023-05-17T14:30..2023-05-17T15:45",
    "the morning of May 3 = 2023-05-03T05:00..2023-05-03T12:00",
    "on the evening of 12 May = 2023-05-12T17:00..2023-05-13",
)

REPEATING = (
    "every Thursday",
    "every day",
    "on Mondays",
    "Sunday mornings",
    "twice a week",
    "every other week",
    "on weekends",
    "each morning",
    "every summer",
)

NO_TIMES = (
    "I may go",
    "may I ask you something",
    "It may rain",
    "maybe",
    "I might march on",
    "march 5 miles with me",
    "April told me about it",
    "my friend June is nice",
    "August Wilson wrote plays",
    "wait a second",
    "the second option",
    "I have two dogs",
    "I am 25 years old",
    "when I was 12",
    "since I moved",
    "I sat in the sun",
    "the cat sat on the mat",
    "we wed happily",
    "I ran 2000 steps",
    "it costs 2021 dollars",
    "room 2010",
    "the fall of Rome",
    "I love spring rolls",
    "Sunday school",
    "once upon a time",
    "one day I will be rich",
    "a day at the beach",
    "the night is dark",
    "in the morning I drink coffee",
    "I like mornings",
    "the decade of change",
    "by the way",
    "my years in school",
    "it took three weeks",
    "for two years",
    "I ran it in two hours",
    "I finished the book in three days",
    "weekend plans",
    "call 555-2021",
    "the year flew by",
    "Christmas tree",
    "a May flower bloomed",
    "I need it now",
    "last but not least",
    "the last thing",
    "next time",
    "this time",
    "the next chapter",
    "time flies",
    "I can march",
    "Marchioness",
    "the 12th floor",
    "5/12",
    "the day is long",
    "second-hand",
    "I'm in sales",
)


def read(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN) if text else None


@pytest.mark.parametrize("row", PHRASES)
def test_a_phrase_means_its_window(row: str) -> None:
    text, _, window = row.partition(" = ")
    start, _, end = window.partition("..")
    (phrase,) = find_times(text, AT)
    assert phrase.window == Window(read(start), read(end))
    assert text[phrase.start : phrase.end] == phrase.text
    assert not phrase.repeating


@pytest.mark.parametrize("text", REPEATING)
def test_a_repetition_is_told_apart(text: str) -> None:
    (phrase,) = find_times(text, AT)
    assert phrase.repeating
    assert query_window(text, AT) is None


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert find_times(text, AT) == ()


def test_a_repeating_weekday_names_its_next_day() -> None:
    (phrase,) = find_times("I row every Thursday", AT)
    assert phrase.window == Window(read("2023-05-18"), read("2023-05-19"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("What did I do on Sunday?", 14),
        ("What am I doing on Sunday?", 21),
        ("on Sunday", 14),
        ("Who was I going to see on Sunday?", 14),
        ("Do I have anything planned for Sunday?", 21),
        ("Where will we meet on Sunday?", 21),
        ("Whom did I meet last Sunday", 14),
    ],
)
def test_a_question_leans_to_the_past(text: str, day: int) -> None:
    phrase = query_window(text, AT)
    assert phrase is not None
    assert phrase.window.start == datetime(2023, 5, day, tzinfo=BERLIN)


def test_a_question_takes_the_sharpest_of_its_times() -> None:
    phrase = query_window("What did I lately say about the trip on 3 May 2021?", AT)
    assert phrase is not None
    assert phrase.text == "on 3 May 2021"


def test_each_time_of_a_text_is_found_in_order() -> None:
    text = "Yesterday I booked a flight for next Friday, and in May 2021 I was in Rome."
    found = find_times(text, AT)
    assert [phrase.text for phrase in found] == ["Yesterday", "next Friday", "May 2021"]
    assert [phrase.direction for phrase in found[:2]] == ["past", "future"]


def test_the_zone_is_the_speakers() -> None:
    at = datetime(2023, 5, 17, 23, 30, tzinfo=UTC)
    tokyo = at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert find_times("yesterday", at)[0].window.start == datetime(2023, 5, 16, tzinfo=UTC)
    assert find_times("yesterday", tokyo)[0].window.start == datetime(2023, 5, 17, tzinfo=tokyo.tzinfo)


def test_a_day_has_its_own_length_when_the_clocks_change() -> None:
    at = datetime(2023, 3, 27, 9, tzinfo=BERLIN)
    (phrase,) = find_times("yesterday", at)
    assert phrase.window.start is not None
    assert phrase.window.end is not None
    assert phrase.window.end.astimezone(UTC) - phrase.window.start.astimezone(UTC) == timedelta(hours=23)


def test_softness_fits_the_words() -> None:
    soft = {text: find_times(text, AT)[0].soft for text in ("yesterday", "two weeks ago", "in May", "recently")}
    assert soft["yesterday"] < soft["two weeks ago"] < soft["in May"] < soft["recently"]
    wide = find_times("yesterday", AT)[0].wide
    assert wide.start == datetime(2023, 5, 15, 18, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("today", "today"),
        ("yesterday", "yesterday"),
        ("last night", "last night"),
        ("this morning", "this morning"),
        ("tomorrow morning", "tomorrow morning"),
        ("last Sunday", "last Sunday"),
        ("on 3 May", "on 3 May"),
        ("on 3 May 2021", "on 3 May 2021"),
        ("last week", "last week"),
        ("next weekend", "next weekend"),
        ("in March", "in March"),
        ("in March 2021", "in March 2021"),
        ("in 2021", "in 2021"),
        ("last summer", "in the summer of 2022"),
        ("two weeks ago", "around 3 May"),
        ("since 2019", "since 1 January 2019"),
        ("until 2021", "until 31 December 2021"),
        ("from 3 to 6 May", "between 3 May and 6 May"),
        ("the 90s", "between 1990 and 1999"),
    ],
)
def test_a_window_is_said_as_a_person_would(text: str, words: str) -> None:
    assert describe(find_times(text, AT)[0].window, AT) == words


def test_a_stamp_is_read_back() -> None:
    assert stamp(AT) == "2023-05-17 15:30 (Wednesday)"
    assert parse_stamp(stamp(AT), BERLIN) == AT
    assert parse_stamp("2023-05-17", BERLIN) == datetime(2023, 5, 17, tzinfo=BERLIN)
    for text in ("null", "", "2023-13-01 10:00", "2023-02-30", "soon"):
        assert parse_stamp(text, BERLIN) is None


MOMENTS = st.datetimes(
    min_value=datetime(1950, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC) | st.just(BERLIN)
)


@given(MOMENTS)
def test_any_minute_survives_its_stamp(moment: datetime) -> None:
    whole = moment.replace(second=0, microsecond=0, fold=0)
    assert parse_stamp(stamp(whole), whole.tzinfo or UTC) == whole


@given(st.sampled_from(PHRASES), MOMENTS)
def test_windows_are_never_empty_and_can_be_said(row: str, at: datetime) -> None:
    for phrase in find_times(row.partition(" = ")[0], at):
        start, end = phrase.window.start, phrase.window.end
        assert start is None or end is None or start < end
        assert describe(phrase.window, at)
        assert phrase.soft >= timedelta(0)


@given(st.text(max_size=200), MOMENTS)
def test_any_text_is_read_without_fail(text: str, at: datetime) -> None:
    found = find_times(text, at)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(st.lists(st.sampled_from([row.partition(" = ")[0] for row in PHRASES]), max_size=4), MOMENTS)
def test_any_mix_of_phrases_is_read_without_fail(texts: list[str], at: datetime) -> None:
    text = " and ".join(texts)
    assert all(text[one.start : one.end] == one.text for one in find_times(text, at))


@given(MOMENTS, st.integers(1, 300))
def test_days_ago_is_that_day(at: datetime, count: int) -> None:
    (phrase,) = find_times(f"{count} days ago", at)
    assert phrase.window.start is not None
    assert (at.date() - phrase.window.start.date()).days == count


@given(MOMENTS, st.sampled_from(["Monday", "Thursday", "Sunday"]))
def test_the_last_and_the_next_weekday_lie_around_today(at: datetime, weekday: str) -> None:
    last, coming = find_times(f"last {weekday}", at)[0].window, find_times(f"next {weekday}", at)[0].window
    assert last.end is not None
    assert coming.start is not None
    assert last.end <= at < coming.start
    assert f"{coming.start:%A}" == weekday


def test_a_far_zone_is_kept() -> None:
    far = timezone(timedelta(hours=-11))
    (phrase,) = find_times("tomorrow", AT.astimezone(far))
    assert phrase.window.start is not None
    assert phrase.window.start.utcoffset() == timedelta(hours=-11)
