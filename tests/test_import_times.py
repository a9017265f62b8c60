"""Times of imported files: read as they are written, decided over the whole file, and never guessed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona_cli.errors import TransferError
from persona_cli.importers.times import DateOrder, order_of, parse_time
from persona_cli.importers.transcript import read_transcript
from tests.terminal import persona


def transcript(path: Path, *times: str) -> Path:
    path.write_text("".join(json.dumps({"time": time, "user": "hi"}) + "\n" for time in times), encoding="utf-8")
    return path


def read(path: Path, *times: str) -> list[str]:
    return [f"{exchange.at:%Y-%m-%d %H:%M}" for exchange in read_transcript(transcript(path / "t.jsonl", *times))]


def test_one_line_tells_the_order_of_all(tmp_path: Path) -> None:
    assert read(tmp_path, "5/3/2023", "28/11/2022 18:30", "03.08.21, 7:05 pm") == [
        "2023-03-05 00:00",
        "2022-11-28 18:30",
        "2021-08-03 19:05",
    ]
    assert read(tmp_path, "5/3/2023", "11/28/2022") == ["2023-05-03 00:00", "2022-11-28 00:00"]


@pytest.mark.parametrize(
    "times",
    [
        ("2023-04-27", "5/3/2023"),
        ("14/2/2023", "5/3/2023", "11/28/2022"),
    ],
    ids=["no line tells", "two lines disagree"],
)
def test_what_the_file_leaves_open_is_an_error_that_names_the_line(times: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=rf"line {len(times)}|line 1 .*line {len(times)}"):
        read(tmp_path, *times)


def test_a_person_says_what_the_file_leaves_open(tmp_path: Path) -> None:
    path = transcript(tmp_path / "t.jsonl", "5/3/2023", "2023-04-27")
    assert "--day-first or --month-first" in persona("import", str(path)).err
    for said, month in ((DateOrder.DAY_FIRST, 3), (DateOrder.MONTH_FIRST, 5)):
        assert read_transcript(path, said)[0].at.month == month
    # the file itself is believed
    told = transcript(tmp_path / "told.jsonl", "5/3/2023", "28/4/2023")
    assert read_transcript(told, DateOrder.DAY_FIRST)[0].at.month == 3
    with pytest.raises(TransferError, match="line 2 does not have the month first"):
        read_transcript(told, DateOrder.MONTH_FIRST)
    ran = persona("import", str(told), "--month-first")
    assert ran.code == 5
    assert "line 2" in ran.error


def test_an_order_is_asked_for_only_where_it_matters() -> None:
    assert order_of([("line 1", "2023-04-27"), ("line 2", "5/5/2023"), ("line 3", "April 27, 2023")]) is None
    assert order_of([("line 1", "27.4.2023")]) is DateOrder.DAY_FIRST


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday",
        "18:30",
        "May 2024",
        "2024",
        "2024-05",
        "12 May",
        "120524",
        "24-05-12",
        "32/13/2023",
        "yesterday",
        "",
        "9" * 5_000,
        "1e400",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "1.1.1.1.1",
        "12" * 40 + "." + "3" * 19,
        "2024-05-12 18:30 EST",
        "2024-05-12 18:30 IST",
        "2024-05-12T18:30[Mars/Olympus]",
        "2024-05-12T18:30 Europe/Atlantis",
    ],
)
def test_what_is_not_said_whole_is_an_error(text: str) -> None:
    with pytest.raises(TransferError, match="line 7"):
        parse_time(text, DateOrder.DAY_FIRST, "line 7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-12T18:30:00+02:00", "2024-05-12 16:30"),
        ("2024-05-12T18:30:00Z", "2024-05-12 18:30"),
        ("20240512T183000Z", "2024-05-12 18:30"),
        ("2024-05-12 18:30 UTC", "2024-05-12 18:30"),
        ("2024-05-12 6:30 pm +0200", "2024-05-12 16:30"),
        ("2024-05-12T18:30 [Europe/Berlin]", "2024-05-12 16:30"),
        ("2024-05-12 18:30 America/New_York", "2024-05-12 22:30"),
        ("12 May 2024 18:30 GMT", "2024-05-12 18:30"),
        ("Sun, 12 May 2024 18:30:00 +0000", "2024-05-12 18:30"),
        ("2024/5/2 18:30 UTC", "2024-05-02 18:30"),
    ],
)
def test_a_zone_is_heeded(text: str, expected: str) -> None:
    assert f"{parse_time(text, DateOrder.DAY_FIRST, 'line 1').astimezone(UTC):%Y-%m-%d %H:%M}" == expected


def test_without_a_zone_it_is_that_of_this_machine() -> None:
    there = parse_time("2024-05-12 18:30", None, "line 1")
    assert there.replace(tzinfo=None) == datetime(2024, 5, 12, 18, 30)
    assert there.utcoffset() is not None


@pytest.mark.parametrize("text", ["9999-12-31 23:59", "0001-01-01", "1e400", "9" * 5_000, "12:00 1e99999999"])
def test_a_time_that_no_calendar_can_count_from_is_an_error(text: str) -> None:
    with pytest.raises(TransferError, match="line 1"):
        parse_time(text, None, "line 1")


@pytest.mark.parametrize("line", ["[" * 100_000, '{"time": "2024-01-01", "user": ' + "9" * 5_000 + "}", "x" * 100_001])
def test_a_line_that_is_too_deep_or_too_long_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('{"time": "2024-01-01", "user": "hello"}\n' + line, encoding="utf-8")
    with pytest.raises(TransferError, match="line 2"):
        read_transcript(file)
