"""The MemoryBank benchmark on conversations of our own, in MemoryBank's form."""

import json
from pathlib import Path

import pytest

from benchmarks import memorybank
from benchmarks.memorybank import Outcome, Question

EXAMPLE = Path(__file__).parent / "data" / "memorybank"
QUESTIONS = EXAMPLE / "questions.json"


def test_an_exchange_is_named_by_its_day_and_place() -> None:
    told = list(memorybank.exchanges(memorybank.load(EXAMPLE), "ada"))
    assert [name for name, _ in told[:3]] == ["2024-03-02/1", "2024-03-02/2", "2024-03-03/1"]
    assert told[1][1].at - told[0][1].at == memorybank.PACE


def test_the_benchmark_finds_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert memorybank.main(["--data", str(EXAMPLE), "--questions", str(QUESTIONS), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["kind"]: row for row in found["rows"]}
    assert list(rows) == ["fact", "person", "preference", "time", "habit", "all"]
    assert rows["all"]["questions"] == 6
    assert rows["all"]["messages_5"] == rows["all"]["everything_5"] == rows["all"]["shown"] == 5
    places = {one["question"]["question"]: one["messages"] for one in found["questions"]}
    assert places["What is my canoe called?"] == 1
    assert places["How tall is the church tower in Reykjavik?"] is None


def test_a_transcript_is_written_for_one_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert memorybank.main(["--data", str(EXAMPLE / "memory_bank_example.json"), "--user", "Ben"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["user"] for line in lines][1] == "My knee hurts since the marathon."
    assert memorybank.main(["--data", str(EXAMPLE), "--user", "Zoe"]) == 2
    assert "the users are Ada, Ben" in capsys.readouterr().err


def test_counts_are_by_kind_and_over_all() -> None:
    asked = Question("Ada", "fact", "Who?", ("2024-03-02/1",))
    outcomes = [Outcome(asked, 1, 6, shown=True), Outcome(asked, None, 5, shown=False)]
    rows = memorybank.tabulate(outcomes)
    assert rows[0] == memorybank.Row("fact", 2, 1, 1, 0, 1, 1)
    text = memorybank.render(outcomes)
    assert "| all | 2 | 1 | 1 | 0 | 1 | 1 |" in text
    assert "missed: Ada, Who? (place None)" in text
