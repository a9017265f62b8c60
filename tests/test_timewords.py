"""Time words: a table of phrases, what is no time, the zone, the tense, and properties that always hold."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.records import Window
from persona_cli.timewords import describe, find_times, parse_stamp, query_window, stamp
from tests.timephrases import NO_TIMES, PHRASES, REPEATING

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2023, 5, 17, 15, 30, tzinfo=BERLIN)  # a Wednesday


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


@pytest.mark.parametrize(
    ("text", "phrase", "start"),
    [
        ("they say snow for tommorow afternoon, and wind", "tommorow afternoon", "2023-05-18T12:00"),
        ("and on wensday next week i have the dentist", "on wensday next week", "2023-05-24"),
        ("yesteday we ate out", "yesteday", "2023-05-16"),
        ("exams in febuary 2024, tomorow the timetable", "febuary 2024", "2024-02-01"),
    ],
)
def test_mistyped_words_of_time_are_read(text: str, phrase: str, start: str) -> None:
    found = find_times(text, AT)[0]
    assert found.text == phrase
    assert text[found.start : found.end] == phrase
    assert found.window.start == read(start)


@pytest.mark.parametrize("text", ["Augusta", "a sundry lot", "in mourning", "the weekender bag", "winner takes all"])
def test_words_that_are_near_to_one_stay_what_they_are(text: str) -> None:
    assert find_times(text, AT) == ()


def test_what_is_due_is_ahead_and_what_is_counted_from_a_day_is_exact() -> None:
    (due,) = find_times("I need a bed in that flat by the 10th", AT)
    assert due.window == Window(None, read("2023-06-11"))
    (counted,) = find_times("the midwife says 11 weeks from today", AT)
    assert counted.window == Window(read("2023-08-02"), read("2023-08-03"))


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
    week = timedelta(days=7)
    assert [
        find_times(text, AT)[0].soft for text in ("around Easter", "around 12 May", "sometime around the 4th of July")
    ] == [week] * 3
    assert find_times("around noon yesterday", AT)[0].soft < week
    assert find_times("at Easter", AT)[0].soft < week
    assert find_times("I flew around the world on 12 May", AT)[0].soft < week
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
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in find_times(text, at))


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
