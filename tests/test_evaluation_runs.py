"""Runs end to end: against a server that answers by rule, with scores computed by hand, stopped, resumed, judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from persona_cli.config import ServerSettings, Settings
from persona_cli.errors import EngineError, TransferError, UsageError
from persona_cli.evaluation.cases import Collection
from persona_cli.evaluation.cost import cost_of, judge_calls
from persona_cli.evaluation.datasets import DATASETS, Dataset, load
from persona_cli.evaluation.judging.judge import open_judge
from persona_cli.evaluation.person_run import Work, answer_person
from persona_cli.evaluation.run import answer_all, choose, make_plan
from persona_cli.evaluation.run_files import RunFolder, read_lines
from persona_cli.evaluation.scores import make_report
from persona_cli.evaluation.scores.comparing import published_rows
from persona_cli.evaluation.scores.page import render_page
from persona_cli.evaluation.scores.rendering import markdown
from persona_cli.evaluation.subjects import Bench
from persona_cli.evaluation.subjects.engines import shared_engine
from persona_cli.evaluation.verdicts import compare_all, judge_all
from persona_cli.paths import find_places
from tests.openai_server import Says, as_a_model_would, serving, text_of

pytestmark = pytest.mark.gguf


@pytest.fixture(autouse=True)
def fresh_engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("persona_cli.model.engines.server.RETRIES", 0)
    yield
    shared_engine.cache_clear()


def bench(url: str, **changed: Any) -> Bench:
    settings = Settings(server=ServerSettings(url=url, dialect="plain"))
    settings = replace(settings, model=replace(settings.model, name="server"))
    return replace(Bench(settings, find_places()), **changed)


def run(collection: Collection, subject: str, where: Bench, root: Path, workers: int = 1) -> RunFolder:
    folder = RunFolder(root)
    plan = make_plan(collection, subject, where, limit=0, seed=0)
    answer_all(collection, plan, where, folder, workers=workers, on_progress=lambda *_: None)
    return folder


def answering(collection: Collection, subject: str, says: Says, root: Path) -> tuple[RunFolder, list[dict[str, Any]]]:
    with serving(says) as (url, heard):
        folder = run(collection, subject, bench(url), root)
        shared_engine.cache_clear()
        return folder, heard


def test_persona_mme_by_hand(tmp_path: Path, weights: Path) -> None:
    # the right letters go round a, b, c, d, …: of ten questions the 2nd, 6th and 10th are (b); of a pair of alignment
    # the rejected reply is (b)
    folder, heard = answering(load("persona-mme", None), "profile", lambda _: "(b)", tmp_path)
    report = make_report([folder])
    by_context = {row.context: row for row in report.rows}
    for context, questions in (("32k", 20), ("128k", 10)):
        row = by_context[context]
        assert row.overall is not None
        assert row.alignment is not None
        assert row.total is not None
        assert row.overall.mean == pytest.approx(0.3)
        assert row.overall.count == questions
        assert row.alignment.mean == 0.5
        assert row.total.mean == pytest.approx((0.3 * questions + 0.5 * questions / 5) / (questions * 1.2))
    assert by_context["128k"].tasks["Visual Detail Recall"].mean == 0.0
    assert len(heard) == 36
    written = markdown(report)
    assert "| profile, server default | 32k |" in written
    # made-up people do not stand beside published rows; the whole data set does
    assert "(published)" not in written
    whole = replace(report, published=published_rows("persona-mme", ["128k"]))
    assert "| PersonaVLM-RL, 7B (published) | 128k | 69.3 |" in markdown(whole)
    asked = text_of(heard[0]["messages"][-1])
    assert "Which nuts am I allergic to?\nOptions:\n(a). walnuts\n(b). almonds" in asked
    assert text_of(heard[0]["messages"][0]) == "What is known of the user: Mara, 34, lives in Ghent."


def test_locomo_by_hand(tmp_path: Path, weights: Path) -> None:
    # thirty questions, of which one has the gold answer "walnuts"; its F1 is 1, of no other is there any word
    folder, _ = answering(load("locomo", None), "none", lambda _: "Walnuts.", tmp_path)
    (row,) = make_report([folder]).rows
    assert row.overall is not None
    assert row.overall.mean == pytest.approx(1 / 30)
    assert row.overall.count == 30
    assert row.f1 == pytest.approx(1 / 30)
    assert row.labels == {"right": 1, "wrong": 29}


def test_the_real_loop_on_a_server(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("persona-mme", None, "128k"), 6, 1)
    folder, heard = answering(collection, "persona", as_a_model_would, tmp_path)
    run = folder.read()
    assert not [outcome.reply.failed for outcome in run.outcomes if outcome.reply.failed]
    assert {outcome.reply.text for outcome in run.outcomes} == {"(b)"}
    assert run.learnt == 11
    # the update stage has asked of every turn, and the profile stands in the prompts of the questions
    assert len(heard) > 6 + 11
    assert all(outcome.reply.tokens > 100 for outcome in run.outcomes)
    asked = "\n".join(text_of(message) for message in heard[-1]["messages"])
    assert "Ines, 27, lives in Porto." in asked
    assert "Options:" in asked
    assert "neuroticism: wants to be comforted" not in asked


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_tiny_set_end_to_end(dataset: Dataset, tmp_path: Path, weights: Path) -> None:
    collection = choose(load(dataset.name, None), 5, 0)
    folder, heard = answering(collection, "profile", lambda _: "(a)", tmp_path)
    report = make_report([folder])
    assert sum(sum(row.labels.values()) for row in report.rows) == 5
    assert f"# {dataset.name} (tiny)" in markdown(report)
    assert len(heard) <= 10


def test_what_each_baseline_is_shown(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("locomo", None), 1, 3)
    (person,) = collection.people
    (asked,) = person.questions
    gold = next(said.user for said in person.history if said.key in asked.evidence)
    shown = {}
    for subject in ("full", "rag", "none", "recent", "oracle"):
        _, heard = answering(collection, subject, lambda _: "I don't know.", tmp_path / subject)
        shown[subject] = [text_of(message) for message in heard[0]["messages"]]
    assert len(shown["full"]) == len(person.history) + 1
    assert [len(shown[name]) for name in ("rag", "none", "recent", "oracle")] == [6, 1, 6, 2]
    assert gold in shown["oracle"][0]
    assert shown["oracle"][0].startswith("[2024-")
    assert all(texts[-1].endswith(asked.text) for texts in shown.values())


def test_pictures_go_to_a_model_that_sees_unless_they_are_left_out(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("persona-mme", None, "128k"), 1, 0)
    with serving(lambda _: "(a)") as (url, heard):
        run(collection, "full", bench(url), tmp_path / "with")
        run(collection, "full", bench(url, pictures=False), tmp_path / "without")
    parts = [
        part for message in heard[0]["messages"] if isinstance(message["content"], list) for part in message["content"]
    ]
    assert [part["type"] for part in parts].count("image_url") == 1
    assert not [message for message in heard[1]["messages"] if isinstance(message["content"], list)]


def test_a_history_that_does_not_fit_loses_its_oldest_part(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("locomo", None), 1, 3)
    with serving(lambda _: "no") as (url, heard):
        where = bench(url)
        small = replace(where.settings, model=replace(where.settings.model, context=600))
        folder = run(collection, "full", replace(where, settings=small), tmp_path)
    (outcome,) = folder.read().outcomes
    (person,) = collection.people
    assert 0 < outcome.reply.left_out < len(person.history)
    assert person.history[-1].user in text_of(heard[0]["messages"][-2])
    assert make_report([folder]).rows[0].left_out == 1


def test_the_critic_asks_three_times_and_few_shot_shows_examples(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("p-soups", None, "fit"), 1, 0)
    critic, heard = answering(
        collection, "self-critic", lambda text: "(a)" if "final" in text else "Hm.", tmp_path / "c"
    )
    assert [text_of(body["messages"][-1]).count("It was criticised") for body in heard] == [0, 0, 1]
    assert critic.read().outcomes[0].reply.text == "(a)"
    _, heard = answering(collection, "few-shot", lambda _: "(a)", tmp_path / "f")
    assert sum("preferred the reply" in text_of(message) for message in heard[0]["messages"]) == 4


def test_a_pair_is_asked_in_both_orders(tmp_path: Path, weights: Path) -> None:
    collection = load("p-soups", None, "choice")
    lazy, heard = answering(collection, "none", lambda _: "(a)", tmp_path / "lazy")
    assert len(heard) == 24
    (row,) = make_report([lazy]).rows
    assert row.labels == {"unreadable": 12}

    def knows(text: str) -> str:
        first, second = (part.split("\n")[0] for part in text.split("). ")[1:3])
        return "(a)" if len(first) < len(second) else "(b)"

    shorter, _ = answering(collection, "none", knows, tmp_path / "shorter")
    assert make_report([shorter]).rows[0].tasks["Informativeness"].mean == 1.0


def test_log_probabilities_are_the_engines_own(tmp_path: Path, weights: Path) -> None:
    collection = load("p-soups", None, "logprob")
    with serving(lambda _: "", owner="vllm") as (url, _):
        settings = bench(url).settings
        where = replace(bench(url), settings=replace(settings, server=ServerSettings(url=url)))
        weighed = run(collection, "none", where, tmp_path / "vllm")
    (outcome,) = [one for one in weighed.read().outcomes if one.question.text == "When is Christmas?"]
    chosen, rejected = ([len(word) for word in option.split()] for option in outcome.question.options)
    means = [-sum(lengths) / len(lengths) for lengths in (chosen, rejected)]
    assert outcome.reply.prompt == f"{means[0]:.4f} against {means[1]:.4f}"
    assert outcome.reply.text == ("chosen" if means[0] > means[1] else "rejected")
    # a server that tells none has no part in it
    plain, _ = answering(collection, "none", lambda _: "(a)", tmp_path / "plain")
    assert make_report([plain]).rows[0].labels == {"skipped": 12}


def test_a_question_that_fails_is_named_and_the_run_goes_on(tmp_path: Path, weights: Path) -> None:
    collection = load("locomo", None)
    folder, _ = answering(collection, "none", lambda text: None if "Noor" in text else "Walnuts.", tmp_path)
    (row,) = make_report([folder]).rows
    assert row.labels == {"right": 1, "wrong": 28, "failed": 1}
    assert "out of order" in markdown(make_report([folder]))


def test_a_server_that_goes_down_stops_the_run_and_loses_nothing(tmp_path: Path, weights: Path) -> None:
    collection = load("locomo", None)
    folder = RunFolder(tmp_path)
    with serving(lambda _: "Walnuts.") as (url, _):
        where = bench(url)
        folder.begin(make_plan(collection, "none", where, limit=0, seed=0), {})
        working = answer_person(Work(where, "none", collection.people[0], tmp_path))
        first = [next(working), next(working)]
    with pytest.raises(EngineError):
        list(working)
    kept = folder.answered(collection.people[0].key)
    assert set(first) <= kept
    shared_engine.cache_clear()
    # a killed run leaves half a line: it is cut off, and its question asked again
    file = folder.replies_file(collection.people[0].key)
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with serving(lambda _: "Walnuts.") as (url, heard):
        where = replace(where, settings=replace(where.settings, server=ServerSettings(url=url, dialect="plain")))
        plan = make_plan(collection, "none", where, limit=0, seed=0)
        answer_all(collection, plan, where, folder, workers=1, on_progress=lambda *_: None)
    assert len(heard) == 30 - len(kept) + 1
    assert len(folder.read().outcomes) == 30


@pytest.mark.slow
def test_people_are_worked_through_in_processes(tmp_path: Path, weights: Path) -> None:
    collection = load("locomo", None)
    shown: list[int] = []
    with serving(lambda _: "Walnuts.") as (url, heard):
        where, folder = bench(url), RunFolder(tmp_path)
        plan = make_plan(collection, "none", where, limit=0, seed=0)
        answer_all(collection, plan, where, folder, workers=2, on_progress=lambda done, *_: shown.append(done))
        assert len(heard) == 30
    assert shown[0] == 0
    assert shown[-1] == 30
    assert make_report([folder]).rows[0].labels == {"right": 1, "wrong": 29}


def test_another_plan_in_the_same_folder_is_refused(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("locomo", None), 1, 3)
    folder, _ = answering(collection, "none", lambda _: "no", tmp_path)
    other = make_plan(collection, "full", bench("http://localhost/v1"), limit=0, seed=0)
    with pytest.raises(UsageError, match="holds another run"):
        folder.begin(other, {})
    # another who learns is another run as well; more threads are not
    settings = bench("http://localhost/v1").settings
    for changed, taken in (({"tasks": "none"}, {"model.tasks": "none"}), ({"threads": 3}, {})):
        there = replace(
            bench("http://localhost/v1"), settings=replace(settings, model=replace(settings.model, **changed))
        )
        assert make_plan(collection, "none", there, limit=0, seed=0).settings == taken
    with pytest.raises(TransferError, match="holds no run"):
        RunFolder(tmp_path / "people").read()


def grade(text: str) -> str:
    right = "Walnuts" in text.split("Reply: ")[1] and "walnuts" in text
    return json.dumps({"score": 1 if right else 0, "unknown": False, "why": "as I see it"})


def test_a_judge_marks_free_answers_and_one_that_mumbles_is_no_wrong_answer(tmp_path: Path, weights: Path) -> None:
    folder, _ = answering(load("locomo", None), "none", lambda _: "Walnuts.", tmp_path)
    with serving(lambda text: "Hm." if "Noor" in text or "no line" in text else grade(text)) as (url, heard):
        engine = open_judge(bench(url).settings)
        assert judge_all(folder, engine, workers=4, on_progress=lambda *_: None) == 30
        calls = len(heard)
        # what could not be read is asked again with the same command, nothing else is
        assert judge_all(folder, engine, workers=4, on_progress=lambda *_: None) == 1
        engine.close()
    assert calls == 29 + 3
    (row,) = make_report([folder]).rows
    assert row.labels == {"right": 1, "wrong": 28, "unjudged": 1}
    assert row.overall is not None
    assert row.overall.count == 29
    assert "no judge was asked" not in markdown(make_report([folder]))


def test_a_judge_that_is_down_stops_cleanly_and_goes_on_later(tmp_path: Path, weights: Path) -> None:
    folder, _ = answering(load("locomo", None), "none", lambda _: "Walnuts.", tmp_path)
    count = 0

    def dies(text: str) -> str | None:
        nonlocal count
        count += 1
        return grade(text) if count <= 5 else None

    with serving(dies) as (url, _heard):
        engine = open_judge(bench(url).settings)
        with pytest.raises(EngineError, match="the judge stopped"):
            judge_all(folder, engine, workers=1, on_progress=lambda *_: None)
        engine.close()
    assert len(folder.read().verdicts) == 5
    with serving(grade) as (url, heard):
        engine = open_judge(bench(url).settings)
        judge_all(folder, engine, workers=2, on_progress=lambda *_: None)
        engine.close()
    assert len(heard) == 25
    assert len(folder.read().verdicts) == 30


def test_a_judge_that_is_not_there_is_said_to_be_the_judge() -> None:
    with pytest.raises(EngineError, match=r"the judge: http://localhost:9/v1 cannot be reached") as caught:
        open_judge(bench("http://localhost:9/v1").settings)
    assert "judge.url" in caught.value.fix


def test_two_subjects_are_compared_in_both_orders(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("open-ended", None), 10, 0)
    good, _ = answering(collection, "full", lambda _: "good", tmp_path / "good")
    poor, _ = answering(collection, "none", lambda _: "poor", tmp_path / "poor")

    def prefers(text: str) -> str:
        best = 1 if "Reply 1: good" in text else 2
        # accuracy is said of the first, wherever it stands: no agreement, so a tie
        return json.dumps({"accuracy": 1, "personalization": 0, "overall": best})

    with serving(prefers) as (url, heard):
        engine = open_judge(bench(url).settings)
        assert compare_all(good, poor, engine, workers=2, on_progress=lambda *_: None) == 10
        assert compare_all(good, poor, engine, workers=2, on_progress=lambda *_: None) == 0
        engine.close()
    assert len(heard) == 20
    wins = {win.criterion: (win.won.mean, win.lost.mean) for win in make_report([good, poor]).wins}
    assert wins == {"accuracy": (0.0, 0.0), "personalization": (0.0, 0.0), "overall": (1.0, 0.0)}


def test_a_page_holds_everything_and_escapes_it(tmp_path: Path, weights: Path) -> None:
    collection = choose(load("persona-mme", None, "128k"), 3, 0)
    folder, _ = answering(collection, "full", lambda _: "<script>alert(1)</script>", tmp_path)
    page = render_page(replace(make_report([folder]), published=published_rows("persona-mme", ["128k"])))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") == 2
    assert "PersonaVLM-RL, 7B (published)" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_limits_are_drawn_evenly_and_the_same_way() -> None:
    collection = load("locomo", None)
    few = choose(collection, 6, 1)
    assert [len(person.questions) for person in few.people] == [2, 2, 2]
    assert few.people == choose(collection, 6, 1).people
    assert few.people != choose(collection, 6, 2).people
    assert choose(collection, 0, 0) is collection


def test_the_cost_is_said_before() -> None:
    collection = load("locomo", None)
    full, none, persona, critic = (cost_of(collection, name, 5) for name in ("full", "none", "persona", "self-critic"))
    assert (full.calls, none.calls, critic.calls) == (30, 30, 90)
    assert none.tokens < full.tokens < critic.tokens
    sessions = len({(person.key, said.session) for person in collection.people for said in person.history})
    assert persona.calls == 2 * 68 + 3 * sessions + 2 * 30
    # a criterion is a call; of two subjects each pair is shown in both orders besides
    assert judge_calls(collection, 2) == 2 * 30
    assert judge_calls(load("open-ended", None), 2) == 2 * 30 + 2 * 30
    assert judge_calls(load("persona-mme", None), 2) == 0


def test_rows_are_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n[2]\n{"b"', encoding="utf-8")
    assert list(read_lines(file)) == [{"a": 1}]
