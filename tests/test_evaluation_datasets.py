"""The readers of published data sets on the tiny sets, and on folders that are not what they should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models.evaluation.tiny_sets import write_all
from persona_cli.errors import NotFoundError, TransferError, UsageError
from persona_cli.evaluation.cases import MEMORY_FORMS, Collection, Form
from persona_cli.evaluation.datasets import DATASETS, TINY, find_dataset, load
from persona_cli.evaluation.datasets.persona_mme import ALIGNMENT
from persona_cli.evaluation.datasets.personamem import parse_options
from persona_cli.evaluation.datasets.published_files import pair_messages, parse_time

NAMES = [dataset.name for dataset in DATASETS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the tiny sets that a test may spoil."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def test_the_tiny_sets_are_what_their_recipe_writes(tmp_path: Path) -> None:
    write_all(tmp_path)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    shipped = {path.relative_to(TINY): path.read_bytes() for path in TINY.rglob("*") if path.is_file()}
    pictures = {path for path in written if path.suffix == ".png"}
    assert pictures
    assert written.keys() == shipped.keys()
    # how a picture is compressed is Pillow's affair
    assert not [path for path in written.keys() - pictures if written[path] != shipped[path]]


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_is_read(name: str) -> None:
    collection = load(name, TINY / find_dataset(name).tiny)
    questions = [question for person in collection.people for question in person.questions]
    assert len([question for question in questions if question.form not in MEMORY_FORMS]) >= 10
    assert len({question.key for question in questions}) == len(questions) == collection.questions
    assert collection.inputs
    assert all(len(digest) == 64 for digest in collection.inputs.values())
    for person in collection.people:
        keys = {said.key for said in person.history}
        assert len(keys) == len(person.history)
        assert list(person.history) == sorted(person.history, key=lambda said: said.at)
        for question in person.questions:
            assert question.evidence <= keys
            assert question.seen is None or question.seen <= len(person.history)
            if question.form is Form.CHOICE:
                assert question.answer in "abcd"[: len(question.options)]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_hidden_reaches_no_subject(name: str) -> None:
    for person in load(name, TINY / find_dataset(name).tiny).people:
        if person.hidden:
            shown = [person.profile, *(f"{said.user} {said.assistant}" for said in person.history)]
            asked = [f"{question.text} {question.options} {question.reply}" for question in person.questions]
            assert not [text for text in (*shown, *asked) if person.hidden in text]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_something_else_is_named_with_the_source(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    with pytest.raises(TransferError) as caught:
        load(name, tmp_path)
    assert "https://" in caught.value.fix
    with pytest.raises(TransferError, match="is no folder"):
        load(name, tmp_path / "missing")


def of(name: str) -> Collection:
    return load(name, None)


def test_persona_mme_has_its_tasks_pictures_and_pairs() -> None:
    people = of("persona-mme").people
    mara = people[0]
    assert [person.context for person in people] == ["32k", "32k", "128k"]
    assert mara.hidden.startswith("High in openness")
    pictures = [said.images for said in mara.history if said.images]
    assert [path.name for shown in pictures for path in shown] == ["0.png", "1.png"]
    assert "<img>" not in "".join(said.user for said in mara.history)
    fits = [question for question in mara.questions if question.form is Form.FIT]
    assert [(question.answer, question.task) for question in fits] == [("a", ALIGNMENT), ("b", ALIGNMENT)]
    assert not [question.task for person in people for question in person.questions if question.task.startswith("*")]
    assert [person.key for person in load("persona-mme", None, "128k").people] == ["200/2"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda user: user["imgs"].pop(), "2 places for pictures, and 1 pictures"),
        (lambda user: user["imgs"].__setitem__(0, "./gone.png"), "gone.png is missing"),
        (lambda user: user.pop("sessions"), "sessions: Field required"),
        (lambda user: user["sessions"][0][0].update(time="yesterday-ish"), "is no time"),
    ],
)
def test_persona_mme_says_what_is_wrong_with_a_user(folder: Path, spoil: object, says: str) -> None:
    file = folder / "persona-mme" / "samples" / "50" / "0" / "user_data.json"
    user = json.loads(file.read_text(encoding="utf-8"))
    assert callable(spoil)
    spoil(user)
    file.write_text(json.dumps(user), encoding="utf-8")
    with pytest.raises(TransferError, match=says):
        load("persona-mme", folder / "persona-mme")


def test_other_counts_than_published_are_noted_and_half_a_file_is_an_error(folder: Path) -> None:
    file = folder / "locomo" / "locomo3.json"
    notes = load("locomo", folder / "locomo").notes
    assert notes == ("3 conversations, where 10 are published",)
    file.write_text(file.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(TransferError, match="is no JSON"):
        load("locomo", folder / "locomo")


def test_personamem_asks_in_the_middle_unless_it_is_told_not_to() -> None:
    cut, whole = of("personamem").people[0], load("personamem", None, "32k-uncut").people[0]
    assert len({question.seen for question in cut.questions}) == 2
    assert {question.seen for question in whole.questions} == {len(whole.history)}
    early = next(question for question in cut.questions if question.seen != len(cut.history))
    assert early.seen is not None
    assert early.at < cut.history[early.seen].at


@pytest.mark.parametrize("text", ["['(a) tea', '(b) milk']", '["(a) tea", "(b) milk"]', "(a) tea\n(b) milk"])
def test_options_come_in_several_spellings(text: str) -> None:
    assert parse_options(text) == ("tea", "milk")


def test_personamem_two_shuffles_the_same_way_every_time() -> None:
    first, second = of("personamem-v2"), of("personamem-v2")
    assert first.people == second.people
    assert len({question.answer for person in first.people for question in person.questions}) > 2
    assert all(question.evidence for person in first.people for question in person.questions)


def test_p_soups_has_three_protocols() -> None:
    forms = {
        protocol: {question.form for person in load("p-soups", None, protocol).people for question in person.questions}
        for protocol in ("choice", "fit", "logprob")
    }
    assert forms == {"choice": {Form.PAIR}, "fit": {Form.FIT}, "logprob": {Form.PAIR}}


def test_the_open_ended_questions_are_the_same_each_time_and_have_no_options() -> None:
    asked = [question for person in of("open-ended").people for question in person.questions]
    assert {question.form for question in asked} == {Form.OPEN}
    assert not any(question.options for question in asked)
    assert [question.key for question in asked] == [
        q.key for person in of("open-ended").people for q in person.questions
    ]


def test_prefeval_has_three_forms_of_the_same_pairs() -> None:
    explicit, choice = (load("prefeval", None, form) for form in ("explicit", "choice-3"))
    assert [person.key for person in explicit.people] == [person.key for person in choice.people]
    assert [len(person.history) for person in (explicit.people[0], choice.people[0])] == [7, 5]
    assert len({person.questions[0].answer for person in explicit.people}) > 2


def test_halumem_keeps_points_updates_and_inventions_apart() -> None:
    questions = [question for person in of("halumem").people for question in person.questions]
    counted = {form: sum(question.form is form for question in questions) for form in Form}
    assert (counted[Form.UPDATED], counted[Form.STORED], counted[Form.OPEN]) == (6, 12, 33)
    invented = [q for q in questions if q.form is Form.EXTRACTED and q.unanswerable]
    assert [q.answer for q in invented] == ["Mara moves to Antwerp.", "Emil sold his car.", "Ines buys a house."]
    assert all(q.former for q in questions if q.form is Form.UPDATED)


def test_beam_cuts_the_generators_marks_off() -> None:
    person = of("beam").people[0]
    assert not [said.user for said in person.history if "->->" in said.user]
    assert person.history[0].key == "0/1"
    assert person.questions[0].criteria == ("LLM response should state: walnuts",)


def test_unknown_names_and_variants_are_said_with_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="no data set lokomo"):
        load("lokomo", None)
    with pytest.raises(UsageError, match="no variant 64k"):
        load("personamem", None, "64k")


def test_messages_of_one_side_in_a_row_are_one() -> None:
    said = [("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d"), ("user", "e")]
    assert list(pair_messages({"role": role, "content": text} for role, text in said)) == [("a\nb", "c\nd"), ("e", "")]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2023/05/20 (Sat) 02:21", "2023-05-20T02:21"),
        ("1:56 pm on 8 May, 2023", "2023-05-08T13:56"),
        ("2024-01-31 20:00 (Wednesday)", "2024-01-31T20:00"),
        ("Dec 15, 2025, 06:11:23", "2025-12-15T06:11"),
        ("March-15-2024", "2024-03-15T00:00"),
    ],
)
def test_times_as_data_sets_write_them(text: str, iso: str) -> None:
    assert parse_time(text).isoformat().startswith(iso)
