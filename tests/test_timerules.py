"""The tables of time words: each rule reads its examples and no counter-example; a page costs its length."""

import ast
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from persona_cli import timewords
from persona_cli.timewords import anchors, find_anchors, find_times, query_window, settle, unread
from persona_cli.timewords.feasts import feast_names, feast_of
from persona_cli.timewords.patterns import read_table
from persona_cli.timewords.rules import Rule, rules, rules_for
from persona_cli.timewords.surroundings import around
from persona_cli.timewords.tense import pattern

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2023, 5, 17, 15, 30, tzinfo=BERLIN)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_rule_reads_its_examples_and_nothing_else(rule: Rule) -> None:
    assert rule.yes or "(?<=" in rule.source  # what needs a word before it has no example that stands alone
    assert rule.no
    for text in rule.yes:
        assert rule.pattern.fullmatch(text), text
        assert rule in [tried for _, tried in rules_for(f"Was it {text}?")], text
    for text in rule.no:
        assert rule.pattern.search(text) is None, text


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table in ("around", "anchors") for name in read_table(table)["examples"]],
)
def test_a_pattern_finds_its_examples_and_nothing_else(table: str, name: str) -> None:
    examples = read_table(table)["examples"][name]
    if table == "anchors":
        finds = anchors.pattern(name).search if name == "age" else anchors.pattern(name).match
    else:
        finds = around(name).search if name in read_table("around")["around"] else pattern(name).search
    for text in examples["yes"]:
        assert finds(text), text
    for text in examples["no"]:
        assert finds(text) is None, text


@pytest.mark.parametrize("name", sorted(set(feast_names())))
def test_each_feast_has_its_days_in_every_year(name: str) -> None:
    for year in (1970, 2024, 2100):
        window = feast_of(AT, year, name)
        assert window is not None
        assert window.start is not None
        assert window.start.year == year


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("ash wednesday", "2024-02-14"),
        ("August bank holiday", "2024-08-26"),
        ("Thanksgiving", "2024-11-28"),
        ("memorial day", "2024-05-27"),
        ("advent", "2024-12-01"),
        ("St. Patrick’s Day", "2024-03-17"),
        ("mothers day", "2024-05-12"),
        ("Pentecost", "2024-05-19"),
    ],
)
def test_a_feast_is_on_its_day(name: str, day: str) -> None:
    window = feast_of(AT, 2024, name)
    assert window is not None
    assert window.start == datetime.fromisoformat(day).replace(tzinfo=BERLIN)


PAGES = {
    "yesterday": "yesterday ",
    "dates": "on 12 May 2024 ",
    "calendar": "Mon 12 May 2024  09:00-10:30  Dentist\n",
    "anchors": "before my birthday ",
    "clauses": "when I moved to Rome ",
    "spaces": " ",
    "the": "the ",
    "word": "a",
    "Names": "Anna ",
    "digits": "1",
    "years": "2024 ",
    "between": "between ",
    "in": "in the ",
}


@pytest.mark.parametrize("words", PAGES.values(), ids=PAGES.keys())
def test_a_page_is_read_in_no_time(words: str) -> None:
    """With time by the square of the length the worst took minutes, and the suite's limit would end this."""
    text = (words * 20_000)[:20_000]
    phrases = find_times(text, AT)
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in phrases)
    query_window(text, AT)
    find_anchors(text, AT)
    settle(text, phrases)


def test_of_a_page_the_start_and_the_end_are_read() -> None:
    text = "We met on 3 May 2021. " + "It was fine. " * 2_000 + "She left on 4 June 2022."
    assert [phrase.text for phrase in find_times(text, AT)] == ["on 3 May 2021", "on 4 June 2022"]
    assert unread(text) == len(text) - 16_000
    assert unread("yesterday") == 0
    middle = "It was fine. " * 1_000 + "We met on 3 May 2021. " + "It was fine. " * 1_000
    assert find_times(middle, AT) == ()


@pytest.mark.parametrize(
    "text",
    [
        "in 500,000 days",
        "9999 years ago",
        "in 9,999 years",
        "in 999,999,999,999 days",
        "900,000 hours ago today",
        "9,000 summers ago",
        "the next 9000 years",
        "this time 9000 years ago",
        "9000 weeks on Friday ago",
    ],
)
@pytest.mark.parametrize("year", [1, 2, 2023, 9998, 9999])
def test_a_far_date_is_no_window_and_no_error(text: str, year: int) -> None:
    for moment in (
        AT.replace(year=year),
        AT.replace(year=year, month=1, day=1),
        AT.replace(year=year, month=12, day=31),
    ):
        for phrase in find_times(text, moment):
            ends = [end for end in (phrase.window.start, phrase.window.end) if end is not None]
            assert all(abs(end.year - year) <= 500 for end in ends)


def test_no_pattern_in_code_is_long() -> None:
    """A pattern longer than a line is a row of a table, with examples."""
    folder = Path(timewords.__file__).parent
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "re.compile",
                "re.search",
                "re.match",
                "re.sub",
            }:
                words = "".join(
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                assert len(words) <= 200, f"{path.name}:{node.lineno}"
