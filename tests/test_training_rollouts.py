"""GRPO's roll-outs: the Response stage over a real memory, token by token, and two steps of training on it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from persona_cli.errors import TransferError
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Situation
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, Query, Recall, Ref, Retrieve
from persona_cli.training.following import read_marks
from persona_cli.training.reinforcing import read_tasks
from persona_cli.training.rollouts import (
    BatchedAnswers,
    LearningEngine,
    Request,
    RollOut,
    Start,
    Words,
    drawn,
    roll_out,
)
from persona_cli.training.templates import training_template
from tests.terminal import persona
from tests.tiny import Tiny

AT = datetime(2027, 3, 4, 10, 0, tzinfo=UTC)
SEARCH = '<think>I look.</think>\n<retrieve>\n"keywords": "home"\n</retrieve>'
ANSWER = "<think>Leeds.</think>\n<answer>(b)</answer>"


@dataclass
class Searched:
    """A search that notes what it was asked."""

    wishes: list[str]

    def __call__(self, query: Query, wish: Retrieve, shown: Collection[Ref]) -> Recall:
        self.wishes.append(wish.keywords)
        return Recall()


@pytest.fixture(scope="module")
def words(tiny: Tiny) -> Words:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny.checkpoint)
    tokenizer.chat_template = training_template(tokenizer)
    return Words(SimpleNamespace(processing=tokenizer, tokenizer=tokenizer, sees=False))


def rolled(words: Words, replies: list[str], *, closed: bool = False) -> tuple[RollOut, list[str], list[list[int]]]:
    """Return a roll-out in which the model says these, what was searched for, and what it was given each time."""
    given: list[list[int]] = []

    def generate(requests: list[Request]) -> list[list[int]]:
        (request,) = requests
        given.append(request.ids)
        return [[*words._plain(replies[len(given) - 1]), words.end]]

    search = Searched([])
    situation = Situation(Query("Where do I live?", AT), CoreMemory(), Traits())
    start = Start(situation, search, closed)
    exchange = BatchedAnswers(generate)
    engine = LearningEngine(words, exchange, start, 16_384)
    model = PromptedModel(engine, load_prompts(Path("nowhere")), lambda image: b"")
    (done,) = exchange.run([lambda: roll_out(engine, model, start, 3)])
    return done, search.wishes, given


def said(words: Words, done: RollOut, kind: int) -> str:
    return words.written([token for token, mask in zip(done.completion, done.mask, strict=True) if mask == kind])


def test_what_memory_brought_has_no_loss_and_stands_where_it_was_said(words: Words) -> None:
    done, wishes, given = rolled(words, [SEARCH, ANSWER])
    assert wishes == ["home"]
    assert said(words, done, 1) == SEARCH + ANSWER
    assert "# Retrieved from memory" in said(words, done, 0)
    assert given[1] == [*given[0], *done.completion[: len(given[1]) - len(given[0])]], "it goes on from its own tokens"
    assert done.prompt == given[0]
    assert done.completion[-1] == words.end
    assert done.last == ANSWER


def test_a_question_with_options_is_searched_for_before_it_is_answered(words: Words) -> None:
    done, wishes, _ = rolled(words, [ANSWER, ANSWER], closed=True)
    assert wishes == ["Where do I live?"]
    assert done.searches == 1
    assert rolled(words, [ANSWER])[1] == []


@pytest.mark.parametrize("broken", ["I do not know", "<retrieve>home</retrieve>", "<answer></answer>", "<think>so"])
def test_a_turn_that_neither_answers_nor_searches_well_searches_with_the_query(words: Words, broken: str) -> None:
    done, wishes, _ = rolled(words, [broken, ANSWER])
    assert wishes == ["Where do I live?"]
    assert said(words, done, 1) == broken + ANSWER


def test_after_three_searches_it_ends_whatever_is_said(words: Words) -> None:
    searches = [SEARCH.replace("home", word) for word in ("one", "two", "three")]
    done, wishes, given = rolled(words, [*searches, "nothing of use"])
    assert wishes == ["one", "two", "three"]
    assert len(given) == 4
    assert done.last == "nothing of use"


def test_the_same_search_again_is_told_that_there_is_none_left(words: Words) -> None:
    done, wishes, _ = rolled(words, [SEARCH, SEARCH, ANSWER])
    assert wishes == ["home"]
    assert "no retrieval left" in said(words, done, 0)
    assert done.last == ANSWER


def test_roll_outs_that_wait_are_answered_together(words: Words) -> None:
    sizes: list[int] = []

    def generate(requests: list[Request]) -> list[list[int]]:
        sizes.append(len(requests))
        return [[number] for number, _ in enumerate(requests)]

    exchange = BatchedAnswers(generate)

    def job(turns: int) -> RollOut:
        for _ in range(turns):
            exchange.ask([1], ())
        return RollOut([], [], [], "", turns)

    done = exchange.run([partial(job, turns) for turns in (1, 3, 2)])
    assert [each.searches for each in done] == [1, 3, 2]
    assert sizes == [3, 2, 1]


def test_how_much_a_search_brings_is_drawn_within_the_published_bounds() -> None:
    rng = Random(0)
    draws = {drawn(rng) for _ in range(500)}
    assert {semantic for semantic, _ in draws} == {3, 4, 5, 6}
    assert {episodic for _, episodic in draws} == {2, 3, 4, 5}


def question(home: Path, **fields: Any) -> dict[str, Any]:
    options = ["Porto", "Leeds", "Oslo", "Cork"]
    return {"query": "Where do I live?", "at": "2027-03-04 10:00", "options": options, "answer": "(b)",
            "user": str(home), **fields}  # fmt: skip


@pytest.mark.gguf
@pytest.mark.slow
def test_two_steps_of_grpo_over_a_real_memory_with_words_and_a_picture(
    tiny: Tiny, home: Path, minilm: Path, tmp_path: Path
) -> None:
    assert persona("memory", "add", "I live in Leeds.").code == 0
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "a.png")
    rows = [question(home), question(home, query="What is this?", images=["a.png"])]
    (tmp_path / "rl.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    run = tmp_path / "run"
    done = persona(
        "train", "grpo", str(tmp_path / "rl.jsonl"), "--base", str(tiny.checkpoint), "--recipe", "small-grpo",
        "--steps", "2", "--new-tokens", "48", "--to", str(run),
    )  # fmt: skip
    assert done.code == 0, done.err
    marks = read_marks(run)
    assert [mark.step for mark in marks] == [1, 2]
    assert all(mark.searches is not None and mark.searches >= 1 for mark in marks), "options are searched for"
    assert all(mark.reward is not None and 0 <= mark.reward <= 1.5 for mark in marks)
    assert (run / "model" / "adapter_model.safetensors").exists()
    assert "rules, closed questions only" in (run / "README.md").read_text(encoding="utf-8")


def test_a_question_without_options_waits_for_a_judge(home: Path, tmp_path: Path) -> None:
    persona("memory", "add", "I live in Leeds.")
    free = question(home, answer="In Leeds.")
    del free["options"]
    (tmp_path / "rl.jsonl").write_text("\n".join(map(json.dumps, [question(home), free])), encoding="utf-8")
    assert len(read_tasks(tmp_path / "rl.jsonl", judged=False)) == 1
    assert len(read_tasks(tmp_path / "rl.jsonl", judged=True)) == 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"at": "soon"}, "is no question"), ({"user": "nobody"}, "which is no home")],
)
def test_a_line_that_is_no_question_is_named(home: Path, tmp_path: Path, fields: dict[str, Any], wrong: str) -> None:
    persona("memory", "add", "I live in Leeds.")
    (tmp_path / "rl.jsonl").write_text(json.dumps(question(home, **fields)), encoding="utf-8")
    with pytest.raises(TransferError, match=f"line 1 .*{wrong}"):
        read_tasks(tmp_path / "rl.jsonl", judged=False)
