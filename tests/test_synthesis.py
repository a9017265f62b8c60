"""Made-up people: the plan is seeded, labels pass the gate, lessons are what the program asks and reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from persona_cli.errors import TransferError
from persona_cli.evaluation.cases import Form
from persona_cli.evaluation.datasets import load
from persona_cli.evaluation.datasets.persona_mme import ASPECTS
from persona_cli.importers.transcript import read_transcript
from persona_cli.memory.store import open_store
from persona_cli.model import parsing
from persona_cli.model.replies import ReplyParser
from persona_cli.paths import find_places
from persona_cli.records import Answer, Retrieve
from persona_cli.synthesis.dialogue import name_window, speak
from persona_cli.synthesis.exam import examine
from persona_cli.synthesis.fact_kinds import fact_kinds
from persona_cli.synthesis.home_writing import Housing
from persona_cli.synthesis.lifeplan import ASKS, Act, Life, plan_life
from persona_cli.synthesis.making import Order, make
from persona_cli.synthesis.picture_folder import all_described, read_pictures
from persona_cli.synthesis.quality import PAPER, PICTURED
from tests.terminal import persona


def life_of(number: int, turns: int = 60) -> Life:
    return plan_life(f"{number:04}", "somebody", turns, "7")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """Return the folder of two people of thirty turns, and of one who is held out."""
    home = tmp_path_factory.mktemp("synth")
    places = find_places(env={"PERSONA_HOME": str(home)})
    places.weights.mkdir(parents=True)
    for file in minilm.iterdir():
        if file.suffix != ".lock":
            (places.weights / file.name).hardlink_to(file)
    make(ordered(home), places, home / "data", on_progress=lambda _done, _all: None)
    return home / "data"


def ordered(home: Path) -> Order:
    """Return the order, with three pictures drawn; of one it is known where the thing in it is."""
    folder = home / "pictures"
    if not folder.exists():
        folder.mkdir()
        for name in ("red-circle", "green-mug", "blue-kite"):
            Image.new("RGB", (120, 90), name.split("-")[0]).save(folder / f"{name}.png")
        (folder / "green-mug.txt").write_text("A mug on a table\nthing: mug\nbox: 12 9 60 45\n", encoding="utf-8")
    return Order(people=2, held=1, turns=30, seed="7", context=1_600, pictures=read_pictures(folder))


def rows(folder: Path, name: str = "sft.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def test_the_same_seed_plans_and_says_the_same() -> None:
    assert life_of(3) == life_of(3)
    assert speak(life_of(3), "7") == speak(life_of(3), "7")
    assert speak(life_of(3), "7") != speak(life_of(4), "7")


def test_a_life_has_every_act_in_an_order_that_makes_sense() -> None:
    acts: Counter[Act] = Counter()
    for number in range(8):
        told: set[tuple[str, str]] = set()
        for turn in speak(life_of(number, 100), "7"):
            acts[turn.beat.act] += 1
            fact = turn.beat.fact
            if fact is not None and turn.beat.act in (Act.TELL, Act.CHANGE):
                told.add(fact.key)
            elif fact is not None and turn.beat.act in ASKS:
                assert fact.key in told, "nothing is asked before it was told"
            assert "{" not in turn.user + turn.answer + turn.label.content + turn.thought
            assert "[" not in turn.user + turn.answer + turn.label.content
    assert set(Act) - {Act.SHOW} == set(acts)


def test_a_long_life_knows_everybody_there_are_words_for_once() -> None:
    # from about 500 turns on there are more people in a life than kinds of relation
    life = life_of(3, 500)
    people = {
        (turn.beat.fact.slots["name"], turn.beat.fact.slots["rel"])
        for turn in speak(life, "7")
        if turn.beat.fact is not None and "rel" in turn.beat.fact.slots
    }
    assert len({name for name, _ in people}) == len({relation for _, relation in people}) == len(people) > 10


def test_every_kind_of_fact_can_be_told_and_asked() -> None:
    names = {turn.beat.fact.kind.name for n in range(8) for turn in speak(life_of(n, 200), "7") if turn.beat.fact}
    assert names == {kind.name for kind in fact_kinds()}


def test_a_thought_knows_no_more_than_the_question_says() -> None:
    asked = [turn for n in range(8) for turn in speak(life_of(n, 200), "7") if turn.asked and turn.asked.window]
    vague = [turn for turn in asked if turn.asked and turn.asked.about_it == "what they told me"]
    assert 0 < len(vague) < len(asked)
    assert all(turn.asked and turn.asked.searches == ("what the user told", "news plans") for turn in vague)
    assert not any(" about my " in turn.user for turn in vague)


def test_a_time_is_named_as_people_do() -> None:
    then, now = datetime(2025, 3, 9, 18, 30, tzinfo=UTC), datetime(2025, 3, 10, 8, 0, tzinfo=UTC)
    said, (start, end) = name_window(then, now, Random(1))
    assert said == "yesterday"
    assert (start, end) == (datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC))


def test_every_reply_of_a_lesson_is_read_by_the_program(made: Path) -> None:
    parsers: dict[str, Callable[[str], object]] = {
        "infer_personality": parsing.parse_traits,
        "extract_semantic": parsing.parse_semantic,
        "summarize_episodes": lambda text: parsing.parse_topics(text, 99),
        "update_procedural": parsing.parse_procedural,
        "update_core": parsing.parse_core,
        "locate_object": json.loads,
        "merge_episodes": parsing.parse_summary,
    }
    tasks = set()
    for row in rows(made):
        messages = row["messages"]
        tasks.add(row["task"])
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        for message in messages[1::2]:
            if row["task"] in ("reason", "answer"):
                parser = ReplyParser(None, answer_only=row["task"] == "answer")
                *_, last = [*parser.feed(message["content"]), *parser.finish()]
                assert isinstance(last, Answer if message is messages[-1] else Retrieve)
            else:
                parsers[row["task"]](message["content"])
    assert tasks == {"reason", "answer", *parsers}


def test_an_answer_after_a_search_rests_on_what_was_found(made: Path) -> None:
    searched = [row for row in rows(made) if row["task"] == "reason" and len(row["messages"]) > 2]
    assert len(searched) >= 4
    shown = [row["messages"][2]["content"] for row in searched]
    assert all("# Retrieved from memory" in text for text in shown)


def test_a_choice_is_searched_for_and_answered_by_the_letter_of_what_was_found(made: Path) -> None:
    chosen = [row for row in rows(made) if "Options:\n  (a)." in row["messages"][0]["content"]]
    searched = [row for row in chosen if row["task"] == "reason"]
    assert searched
    for row in searched:
        *_, search, reply = (said["content"] for said in row["messages"])
        letter = reply.partition("<answer>")[2].partition("</answer>")[0]
        option = row["messages"][0]["content"].partition(f"{letter}. ")[2].partition("\n")[0].rstrip(".")
        thought = reply.partition("</think>")[0]
        assert option in thought
        assert thought.endswith(f"{letter}.") or f"so {letter}." in thought
        assert "# Retrieved from memory" in search


def test_shares_are_the_papers_and_the_gate_refuses_nothing(made: Path) -> None:
    report = json.loads((made / "synth.json").read_text(encoding="utf-8"))
    assert report["shares"] == pytest.approx(PAPER, abs=0.02)
    assert sum(report["counts"]["refused"].values()) <= 1


def test_half_the_readings_find_a_trait(made: Path) -> None:
    readings = [row["messages"][-1]["content"] for row in rows(made) if row["task"] == "infer_personality"]
    telling = [text for text in readings if text.count(": 3") < 5]
    assert len(telling) >= len(readings) // 2


def test_the_other_forms_hold_the_same_lessons(made: Path) -> None:
    own = rows(made)
    llava = json.loads((made / "sft-llava.json").read_text(encoding="utf-8"))
    swift = rows(made, "sft-swift.jsonl")
    for row, other, third in zip(own, llava, swift, strict=True):
        values = [message["content"] for message in row["messages"]]
        assert [part["value"] for part in other["conversations"]] == values
        assert [part["from"] for part in other["conversations"]][:2] == ["human", "gpt"]
        assert third["messages"] == row["messages"]
        assert other.get("image", []) == row["images"] == third.get("images", [])


def test_transcripts_are_read_and_homes_hold_what_was_learnt(made: Path) -> None:
    assert len(read_transcript(made / "transcripts" / "0000.jsonl")) == 30
    store = open_store(made / "users" / "0001" / "persona.db")
    try:
        assert store.turns.count() == 30
        assert store.semantic.list()
        assert store.core.current().get("name")
        assert store.episodes.list()
        assert store.readings.all()
    finally:
        store.close()


def test_the_exam_has_every_task_and_one_right_option_in_four() -> None:
    tasks = set()
    for number in range(6):
        life = life_of(number, 120)
        for question in examine(life, speak(life, "7"), "7"):
            tasks.add(question.task)
            assert len(set(question.options)) == 4, question
            assert (question.options[question.right] and not question.chosen) or question.chosen != question.rejected
            lengths = [len(option) for option in question.options]
            assert max(lengths) <= 3 * min(lengths) + 12, question
    assert tasks == set(ASPECTS) - {"Visual Detail Recall"}


def test_prompts_for_reinforcement_are_asked_of_homes_that_are_there(made: Path) -> None:
    prompts = rows(made, "rl.jsonl")
    assert len(prompts) >= 20
    for row in prompts:
        assert (made / row["user"] / "persona.db").is_file()
        datetime.strptime(row["at"], "%Y-%m-%d %H:%M")
        assert row["answer"] in {"(a)", "(b)", "(c)", "(d)"} if "options" in row else len(row["answer"]) > 4
    homes = json.loads((made / "USER_PATH_DICT.json").read_text(encoding="utf-8"))
    for row, swift in zip(prompts, rows(made, "rl-swift.jsonl"), strict=True):
        first, reference = swift["messages"]
        assert row["query"] in first["content"]
        assert "# How to respond" in first["content"]
        assert reference["content"] == row["answer"]
        assert homes[first["content"]] == row["user"]


def test_the_benchmark_is_read_as_persona_mme_is(made: Path) -> None:
    loaded = load("persona-mme", made / "benchmark")
    (person,) = loaded.people
    assert len(person.history) == 30
    assert {question.form for question in person.questions} >= {Form.CHOICE, Form.FIT}
    assert "Visual Detail Recall" in {question.task for question in person.questions}
    assert any(said.images for said in person.history)
    assert not any(row["person"] == "0002" for row in rows(made)), "of the held-out nothing is trained"


def test_pictures_are_shown_named_and_found_again(made: Path) -> None:
    report = json.loads((made / "synth.json").read_text(encoding="utf-8"))
    assert report["pictured"] > PICTURED
    pictured = [row for row in rows(made) if row["images"]]
    assert {"reason", "extract_semantic", "locate_object"} <= {row["task"] for row in pictured}
    for row in pictured:
        assert sum(message["content"].count("<image>") for message in row["messages"]) == len(row["images"])
        assert all((made / name).is_file() for name in row["images"])
    kept = [row["messages"][-1]["content"] for row in pictured if row["task"] == "extract_semantic"]
    assert any("(Image Object: " in content for content in kept)


def test_a_folder_of_pictures_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="no pictures"):
        read_pictures(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "old_dog-2.png")
    assert read_pictures(tmp_path)[0].thing == "old dog"
    assert read_pictures(tmp_path)[0].caption == "old dog"
    assert read_pictures(tmp_path, lambda path: f"A dog in {path.name}")[0].caption == "A dog in old_dog-2.png"
    assert not all_described(tmp_path)
    (tmp_path / "old_dog-2.txt").write_text("A dog\nbox: 5 5 2 9\n", encoding="utf-8")
    with pytest.raises(TransferError, match="box"):
        read_pictures(tmp_path)


def test_a_folder_goes_on_and_takes_no_other_order(made: Path) -> None:
    before = (made / "sft.jsonl").read_bytes()
    (made / "people" / "0001.json").unlink()
    places = find_places(env={"PERSONA_HOME": str(made.parent)})
    done: list[int] = []
    make(ordered(made.parent), places, made, on_progress=lambda count, _all: done.append(count))
    assert done == [2, 3]
    assert (made / "sft.jsonl").read_bytes() == before
    with pytest.raises(TransferError, match="other options"):
        make(Order(people=3, turns=30, seed="7"), places, made, on_progress=lambda _done, _all: None)


def test_two_processes_keep_houses_in_one_folder(home: Path, tmp_path: Path) -> None:
    first, second = (Housing(find_places(), tmp_path / "users") for _ in range(2))
    with first.open("0000"), second.open("0001"):
        pass
    first.close()
    with second.open("0002") as household:
        assert household.store.empty()
    second.close()
    assert sorted(path.name for path in (tmp_path / "users").iterdir()) == ["0000", "0001", "0002"]


def test_personas_from_a_file(tmp_path: Path) -> None:
    from persona_cli.synthesis.lifeplan import load_personas

    file = tmp_path / "persona.jsonl"
    file.write_text('{"persona": "A diver"}\n\n{"persona": "A  cook"}\n', encoding="utf-8")
    assert load_personas(file) == ("A diver", "A cook")
    file.write_text('{"persona": "A diver"}\n{"who": 1}\n', encoding="utf-8")
    with pytest.raises(TransferError, match="line 2"):
        load_personas(file)


def test_the_command(weights: Path, tmp_path: Path) -> None:
    ran = persona(
        "synth", str(tmp_path / "out"), "--people", "1", "--turns", "8", "--context", "1600", "--workers", "1", "--json"
    )
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["kind"] == "synth"
    assert told["made"]["turns"] == 8
