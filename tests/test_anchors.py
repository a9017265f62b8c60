"""Times that hang on something remembered: the forms they have, what has not that form, and the windows they become."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.records import Window
from persona_cli.timewords import find_anchors, find_times, in_zone, relate
from tests.timephrases import NO_TIMES, PHRASES

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2023, 5, 17, 15, 30, tzinfo=BERLIN)  # a Wednesday

ANCHORED = (
    "What did I do the day before my birthday? = before day | my birthday | past",
    "What am I doing on my birthday? = during | my birthday | future",
    "What did we cook around my birthday? = around | my birthday | past",
    "Where were we on our anniversary? = during | our anniversary | past",
    "What did I get on my last birthday? = during | my last birthday | past",
    "What do I want to do on my next birthday? = during | my next birthday | future",
    "What have I cooked since I moved? = since | I moved | past",
    "since I moved to Lisbon what have I cooked = since | I moved to Lisbon | past",
    "When I moved to Lisbon, what did I miss? = during | I moved to Lisbon | past",
    "What have I learnt since moving to Lisbon? = since | moving to Lisbon | past",
    "How have I felt since Max died? = since | Max died | past",
    "How was I since my dog died? = since | my dog died | past",
    "What happened after the wedding? = after | the wedding | past",
    "What changed after Anna left? = after | Anna left | past",
    "What has changed ever since our wedding? = since | our wedding | past",
    "What have I done since graduation? = since | graduation | past",
    "Where did I live before I met Anna? = before | I met Anna | past",
    "What did I do before meeting Anna? = before | meeting Anna | past",
    "What did I eat the week after my exam? = after week | my exam | past",
    "What did I dream the night before my exam? = before night | my exam | past",
    "Where was I the morning after Anna's party? = after morning | Anna's party | past",
    "Whom did I call two days before the wedding? = before 2 day | the wedding | past",
    "What did I buy a few days after my operation? = after ~3 day | my operation | past",
    "What did I say shortly before the exam? = before ~14 day | the exam | past",
    "What did I do two weeks after my knee surgery? = after 2 week | my knee surgery | past",
    "What did I see when I was in Rome? = during | I was in Rome | past",
    "What did I do while I was living in Spain? = during | I was living in Spain | past",
    "What did I read while living in Spain? = during | living in Spain | past",
    "What did Anna cook when we visited her? = during | we visited her | past",
    "What did we eat during my holiday in Spain? = during | my holiday in Spain | past",
    "What happened during the pandemic? = during | the pandemic | past",
    "What did I do on my trip to Rome? = during | my trip to Rome | past",
    "after my trip to New York what did I write = after | my trip to New York | past",
    "the weekend after our trip to the Alps = after weekend | our trip to the Alps | any",
    "What did I read the summer I moved? = during summer | I moved | past",
    "What did I write the year we married? = during year | we married | past",
    "What happened on the day of my operation? = during day | my operation | past",
    "What did I wear the day I graduated? = during day | I graduated | past",
    "Who called the night of the storm? = during night | the storm | past",
    "What was I doing at the time of my accident? = around | my accident | past",
    "What did I eat on my first day at work? = during | my first day at work | past",
    "What did I do until my operation? = until | my operation | past",
    "What must I buy before my sister's wedding? = before | my sister's wedding | future",
    "What do I need to pack before I fly to Rome? = before | I fly to Rome | future",
    "How was I a week after my brother and I moved to Kyoto? = after 1 week | my brother and I moved to Kyoto | past",
    "What did we do on Anna's birthday? = during | Anna's birthday | past",
)

NOT_ANCHORED = (
    "since I know you're busy",
    "before I forget",
    "after all",
    "since you ask",
    "before you answer",
    "after you told me",
    "before we start",
    "before I go",
    "since it is raining, what can I do?",
    "Since I'm free, what should I do?",
    "since I wanted to ask you something",
    "since I was wondering about it",
    "since I told you about Anna",
    "since then",
    "since when do I live here",
    "until then",
    "after that",
    "after a while",
    "before long",
    "what happened before?",
    "when did I move?",
    "When is my birthday?",
    "when I am sad",
    "I was 12",
    "Do you remember when I moved to Lisbon?",
    "Tell me when I started my job",
    "What do I do after work?",
    "What do I drink after running?",
    "What do I usually eat before my exams?",
    "before bed",
    "When did I get lost while running?",
    "before Christmas",
    "the day before Christmas",
    "the day before yesterday",
    "the day after tomorrow",
    "the week after next",
    "after 12 May",
    "since last summer",
    "during the day",
    "on my desk",
    "what is on my mind",
    "on my own",
    "on the other hand",
    "around the house",
    "the day is long",
    "at the end of the day",
    "I like the time after dinner",
)

EVENT = Window(datetime(2023, 4, 29, tzinfo=BERLIN), datetime(2023, 4, 30, tzinfo=BERLIN))  # a Saturday
WINDOWS = (
    "the day before my birthday = 2023-04-28..2023-04-29",
    "the day after my birthday = 2023-04-30..2023-05-01",
    "the night before my birthday = 2023-04-28T18:00..2023-04-29T05:00",
    "the morning after my birthday = 2023-04-30T05:00..2023-04-30T12:00",
    "the week before my birthday = 2023-04-22..2023-04-29",
    "the week after my birthday = 2023-04-30..2023-05-07",
    "the month after my birthday = 2023-04-30..2023-05-30",
    "the weekend after my birthday = 2023-05-06..2023-05-08",
    "the weekend before my birthday = 2023-04-22..2023-04-24",
    "the summer after my birthday = 2023-06-01..2023-09-01",
    "two days before my birthday = 2023-04-27..2023-04-28",
    "three days after my birthday = 2023-05-02..2023-05-03",
    "a few days after my birthday = 2023-04-30..2023-05-03",
    "two weeks after my birthday = 2023-05-10..2023-05-17",
    "a month before my birthday = 2023-03-19..2023-04-09",
    "a year after my birthday = 2024-02-01..2024-07-01",
    "shortly before my birthday = 2023-04-15..2023-04-29",
    "right after my birthday = 2023-04-30..2023-05-02",
    "before my birthday = ..2023-04-29",
    "after my birthday = 2023-04-30..",
    "since my birthday = 2023-04-29..",
    "until my birthday = ..2023-04-30",
    "on my birthday = 2023-04-29..2023-04-30",
    "around my birthday = 2023-04-29..2023-04-30",
    "the week of my birthday = 2023-04-24..2023-05-01",
    "the month of my birthday = 2023-04-01..2023-05-01",
    "the year of my birthday = 2023-01-01..2024-01-01",
    "the night of my birthday = 2023-04-29T18:00..2023-04-30T05:00",
    "the spring of my birthday = 2023-03-01..2023-06-01",
)


def read(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN) if text else None


@pytest.mark.parametrize("row", ANCHORED)
def test_a_phrase_hangs_on_its_anchor(row: str) -> None:
    text, _, wanted = row.partition(" = ")
    (found,) = find_anchors(text, AT)
    size = found.distance and f"{'~' * found.distance.near}{found.distance.count or ''} {found.distance.size}".strip()
    relation = found.relation + (f" {size}" if size else "")
    assert f"{relation} | {found.anchor} | {found.direction}" == wanted
    assert text[found.start : found.end] == found.text
    assert find_times(text, AT) == ()


@pytest.mark.parametrize(
    "text",
    [
        *NOT_ANCHORED,
        *(text for text in NO_TIMES if text not in {"since I moved", "I am in my twenties", "when I was 12"}),
    ],
)
def test_what_only_looks_like_an_anchor_is_none(text: str) -> None:
    assert find_anchors(text, AT) == ()


@pytest.mark.parametrize(
    ("text", "anchor", "ages"),
    [
        ("Where did I live in my twenties?", "my birthday", (20, 30)),
        ("What did I like in my early thirties?", "my birthday", (30, 34)),
        ("What was I afraid of when I was 12?", "my birthday", (12, 13)),
        ("I learnt it at the age of forty", "my birthday", (40, 41)),
        ("What did I play as a child?", "my birthday", (3, 13)),
        ("What did Ada do in Ada's teens?", "Ada's birthday", (13, 20)),
        ("in my late 50s I moved", "my birthday", (56, 60)),
    ],
)
def test_an_age_is_an_anchor(text: str, anchor: str, ages: tuple[int, int]) -> None:
    (phrase,) = find_anchors(text, AT)
    assert (phrase.anchor, phrase.ages, phrase.relation) == (anchor, ages, "during")
    assert find_times(text, AT) == ()


@pytest.mark.parametrize("text", ["What did I do during the sunset?", "We talked after dawn", "during the rush hour"])
def test_what_comes_round_every_day_is_no_anchor(text: str) -> None:
    assert find_anchors(text, AT) == ()


def test_what_comes_every_year_is_told_apart() -> None:
    assert find_anchors("on my birthday", AT)[0].yearly
    assert not find_anchors("since my wedding", AT)[0].yearly


def test_a_time_beside_the_anchor_is_kept_with_it() -> None:
    (moved,) = find_anchors("What have I done since I moved in March?", AT)
    assert (moved.anchor, moved.time and moved.time.text) == ("I moved", "in March")
    (last,) = find_anchors("What did I do the day before my birthday last year?", AT)
    assert (last.text, last.time and last.time.text) == ("the day before my birthday", "last year")


@pytest.mark.parametrize("row", WINDOWS)
def test_a_relation_to_an_event_is_a_window(row: str) -> None:
    text, _, window = row.partition(" = ")
    (found,) = find_anchors(text, AT)
    made = relate(found.relation, found.distance, EVENT, timedelta(hours=6))
    assert made is not None
    start, _, end = window.partition("..")
    assert made[0] == Window(read(start), read(end))


def test_softness_fits_the_relation() -> None:
    def soft(text: str, known: timedelta = timedelta(hours=6)) -> timedelta:
        (found,) = find_anchors(text, AT)
        made = relate(found.relation, found.distance, EVENT, known)
        assert made is not None
        return made[1]

    day, week = soft("the day before my birthday"), soft("the week before my birthday")
    assert soft("on my birthday") == day < soft("since my birthday") < week < soft("around my birthday")
    assert soft("shortly after my birthday") >= timedelta(days=7)
    # what is only vaguely known is soft however sharp the words
    assert soft("the day before my birthday", timedelta(days=20)) == timedelta(days=20)


def test_an_event_without_an_end_has_no_day_after() -> None:
    (after,) = find_anchors("the day after my exam", AT)
    assert relate(after.relation, after.distance, Window(AT, None), timedelta(0)) is None


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Auckland"])
def test_a_day_told_elsewhere_is_a_whole_day_here(name: str) -> None:
    here = in_zone(EVENT, AT.astimezone(ZoneInfo(name)))
    assert here.start is not None
    assert here.end is not None
    assert (here.start.hour, here.end - here.start) == (0, timedelta(days=1))
    assert abs(here.start - read("2023-04-29")) <= timedelta(hours=12)  # type: ignore[operator]  # both are times


@given(st.text(max_size=200), st.sampled_from([row.partition(" = ")[0] for row in (*ANCHORED, *PHRASES)]))
def test_any_text_is_read_without_fail(text: str, phrase: str) -> None:
    for whole in (text, f"{phrase} {text}", f"{text} {phrase}"):
        found = find_anchors(whole, AT)
        assert all(whole[one.start : one.end] == one.text for one in found)
        assert all(one.anchor for one in found)
