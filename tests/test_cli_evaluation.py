"""`persona eval`: list, run, report, with the built-in model, the tiny Qwen2.5-VL and the real loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cli.config import Settings
from persona_cli.evaluation.datasets import DATASETS, load
from persona_cli.evaluation.person_run import Work, answer_person
from persona_cli.evaluation.run import make_plan
from persona_cli.evaluation.run_files import RunFolder, read_lines
from persona_cli.evaluation.subjects import SUBJECTS, Bench
from persona_cli.evaluation.subjects.engines import shared_engine
from persona_cli.paths import find_places
from tests.openai_server import serving
from tests.terminal import persona
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_data_set_is_listed_with_where_to_get_it() -> None:
    ran = persona("eval", "list")
    assert ran.code == 0
    for dataset in DATASETS:
        assert f"{dataset.name}: " in ran.out
        assert dataset.source in ran.out
    listed = persona("eval", "list", "--json").json
    assert (listed["kind"], listed["version"]) == ("eval-list", 1)
    assert [row["name"] for row in listed["datasets"]] == [dataset.name for dataset in DATASETS]
    assert listed["subjects"] == list(SUBJECTS)


def test_the_cost_is_said_and_nothing_done(tmp_path: Path) -> None:
    ran = persona("eval", "run", "locomo", "--dry-run", "--subject", "full", "--subject", "none")
    assert ran.code == 0
    assert "full: 30 questions, 68 exchanges, about 30 calls" in ran.out
    costs = persona("eval", "run", "locomo", "--dry-run", "--json").json["costs"]
    assert costs[0]["subject"] == "persona"
    assert not (tmp_path / "persona-eval").exists()


def test_the_built_in_model_learns_and_answers(weights: Path, tmp_path: Path) -> None:
    told = ("eval", "run", "halumem", "--limit", "12", "--seed", "4", "--workers", "1")
    ran = persona(*told)
    assert ran.code == 0, ran.err
    assert "# halumem (tiny) medium" in ran.out
    (run,) = (tmp_path / "persona-eval").glob("*/*")
    read = RunFolder(run).read()
    assert len(read.outcomes) == 12
    assert read.learnt == 34
    assert not [outcome for outcome in read.outcomes if outcome.reply.failed]
    assert not list((run / "homes").iterdir())
    # the same command asks nothing again
    before = {file: file.read_bytes() for file in run.rglob("*.jsonl")}
    assert persona(*told).code == 0
    assert {file: file.read_bytes() for file in run.rglob("*.jsonl")} == before
    page, text = tmp_path / "page.html", tmp_path / "report.md"
    assert persona("eval", "report", str(run), "--html", str(page), "--markdown", str(text)).out == ""
    assert "<svg" in page.read_text(encoding="utf-8")
    assert "## Misses" in text.read_text(encoding="utf-8")
    nowhere = persona("eval", "report", str(run), "--html", str(tmp_path / "no" / "page.html"))
    assert (nowhere.code, nowhere.error.endswith("page.html cannot be written: No such file or directory")) == (5, True)
    made = persona("eval", "report", str(run), "--strict", "--json").json
    assert (made["kind"], made["version"], made["parse"]) == ("eval-report", 1, "strict")
    assert set(made["inputs"]) == {"HaluMem-Medium.jsonl"}


def test_a_stopped_loop_goes_on_with_the_memory_it_has(weights: Path, tmp_path: Path) -> None:
    collection, where = load("beam", None), Bench(Settings(), find_places())
    person = collection.people[0]
    folder = RunFolder(tmp_path / "run")
    folder.begin(make_plan(collection, "persona", where, limit=0, seed=0), {})
    working = answer_person(Work(where, "persona", person, folder.root))
    first = next(working)
    working.close()
    database = folder.home(person.key) / "persona.db"
    assert database.exists()
    rest = list(answer_person(Work(where, "persona", person, folder.root)))
    assert [first, *rest] == [question.key for question in person.questions]
    assert not database.exists()
    learnt = [row["learnt"] for row in read_lines(folder.replies_file(person.key)) if "learnt" in row]
    assert learnt == [len(person.history)] * 2


def test_nothing_of_a_benchmark_reaches_the_persons_own_memory(weights: Path) -> None:
    assert persona("eval", "run", "beam", "--limit", "2", "--workers", "1").code == 0
    assert persona("memory", "list", "--json").json == []


def test_an_installed_model_answers(weights: Path, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # random weights never end a reply by themselves
    monkeypatch.setattr("persona_cli.evaluation.subjects.histories.LIMIT", 16)
    pair = [str(tiny.pair.text), str(tiny.pair.projection)]
    assert persona("model", "add", *pair, "--name", "tiny").code == 0
    told = ("--limit", "1", "--workers", "1", "--model", "tiny")
    try:
        ran = persona("eval", "run", "persona-mme", "--variant", "128k", *told, "--subject", "rag")
    finally:
        shared_engine.cache_clear()
    assert ran.code == 0, ran.err
    assert "| rag, tiny | 128k |" in ran.out
    outcomes = RunFolder(next(tmp_path.glob("persona-eval/*/rag-tiny*"))).read().outcomes
    assert all(outcome.reply.tokens > 0 and outcome.reply.prompt for outcome in outcomes)


def test_a_server_answers_and_judges(weights: Path) -> None:
    with serving(lambda text: '{"score": 1}' if "Criterion" in text else "Walnuts.") as (url, _):
        for key, value in (("server.url", url), ("server.dialect", "plain"), ("judge.url", url)):
            assert persona("config", "set", key, value).code == 0
        ran = persona(
            "eval",
            "run",
            "locomo",
            "--model",
            "server",
            "--subject",
            "none",
            "--limit",
            "3",
            "--workers",
            "1",
            "--json",
        )
        shared_engine.cache_clear()
    assert ran.code == 0, ran.err
    (row,) = ran.json["rows"]
    assert (row["overall"]["mean"], row["labels"]) == (1.0, {"right": 3})


def test_a_model_that_is_not_there_leaves_no_run(weights: Path, tmp_path: Path) -> None:
    ran = persona("eval", "run", "locomo", "--model", "nothere", "--subject", "none", "--workers", "1")
    assert (ran.code, ran.error) == (4, "the model nothere is not installed")
    assert not list(tmp_path.rglob("run.json"))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "lokomo"], 2, "no data set lokomo"),
        (["run", "locomo", "--subject", "mind"], 2, "no subject mind"),
        (["run", "locomo", "--data", "/nowhere"], 5, "is no folder"),
        (["run", "locomo", "--data", "."], 5, "has no locomo*.json"),
        (["run", "beam", "--variant", "7"], 2, "no variant 7"),
        (["report", "."], 5, "holds no run"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], code: int, says: str) -> None:
    ran = persona("eval", *arguments)
    assert ran.code == code
    assert says in ran.error
