"""The lives that the judge is trained on keep their form; a line that breaks it is named with its place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models.answers.lives import CHOOSING, HELD_BACK, HERE, FormatError, read_life, read_lives, renamed

LIFE = """# who: Somebody
# kind: {kind}
1 | 2026-03-02 | i work at the bakery
2 | 2026-05-04{who} | left the bakery, at the mill now
? where | 2 not 1 | where do i work
? yesno | 2 yes | did i change jobs
? none | - | what is my boss called
> 1 ended 2
"""


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_every_life_keeps_the_form(path: Path) -> None:
    life = read_life(path)
    days = [said.day for said in life.told]
    assert days == sorted(days)
    assert len(life.told) >= 50
    assert len(life.inquiries) >= 35
    assert any(inquiry.kind == "none" for inquiry in life.inquiries)
    assert all(bool(said.who) == (life.kind == "pair") for said in life.told)


def test_one_batch_is_there_to_choose_by() -> None:
    batches = {life.name[0] for life in read_lives()}
    assert CHOOSING in batches
    assert len(batches) >= 5


def test_lives_that_are_held_back_are_read_only_when_asked_for() -> None:
    held = read_lives(held_back=True)
    assert [life.name for life in held] == list(HELD_BACK)
    assert not {life.name for life in read_lives()} & set(HELD_BACK)
    assert all(len(life.ended) >= 14 and len(life.standing) >= 10 for life in held)


def test_a_life_names_what_ends_and_what_only_looks_so(tmp_path: Path) -> None:
    path = tmp_path / "x-01.txt"
    text = LIFE.format(kind="diary", who="") + "3 | 2026-06-01 | the mill had a fire, all well\n> 2 stands 3\n"
    path.write_text(text, encoding="utf-8")
    assert (read_life(path).ended, read_life(path).standing) == (((1, 2),), ((2, 3),))


def test_a_question_names_what_answers_and_what_did(tmp_path: Path) -> None:
    path = tmp_path / "x-01.txt"
    path.write_text(LIFE.format(kind="diary", who=""), encoding="utf-8")
    where, changed, boss = read_life(path).inquiries
    assert (where.right, where.outdated, where.verdict) == ((2,), (1,), "")
    assert changed.verdict == "yes"
    assert (boss.kind, boss.right) == ("none", ())


def test_people_of_a_life_get_other_names_and_keep_them() -> None:
    life = next(life for life in read_lives() if any("gary" in said.text.casefold() for said in life.told))
    anew = renamed(life, random.Random(1))
    names = {new.text for old, new in zip(life.told, anew.told, strict=True) if "gary" in old.text.casefold()}
    assert not any("gary" in text.casefold() for text in names)
    assert [question.right for question in anew.inquiries] == [question.right for question in life.inquiries]
    assert anew == renamed(life, random.Random(1))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("? where | 9 | where do i work", "no message 9"),
        ("? yesno | 2 | did i change jobs", "yes, no or unsure"),
        ("? where | 2 yes | where do i work", "yes, no or unsure"),
        ("? whose | 2 | whose is it", "no question"),
        ("2 | 2026-05-05 | again", "twice"),
        ("3 | yesterday | a day that is none", "no message"),
        ("3 | 2026-02-31 | a day that is none", "day"),
        ("> 1 ends 2", "no change"),
        ("> 1 ended 7", "no message 7"),
        ("> 2 ended 1", "said after"),
    ],
)
def test_what_breaks_the_form_is_named(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / "x-01.txt"
    path.write_text(LIFE.format(kind="diary", who="") + line + "\n", encoding="utf-8")
    with pytest.raises(FormatError, match=named) as caught:
        read_life(path)
    assert "x-01.txt:9" in str(caught.value)


def test_a_life_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x-01.txt"
    path.write_text(LIFE.format(kind="novel", who=""), encoding="utf-8")
    with pytest.raises(FormatError, match="diary"):
        read_life(path)
