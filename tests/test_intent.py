"""Whether a sentence is told, asked or requested: the trained line, and what it puts right."""

from __future__ import annotations

import numpy as np
import pytest

from persona_cli.reading.heads import SENTENCE
from persona_cli.reading.intent import judge, may_ask, meant
from persona_cli.reading.keeping import in_context
from persona_cli.reading.labels import Guess
from persona_cli.reading.reader import Reader

WIDTH = 2 * 384 + 25


def test_the_line_sees_a_sentence_between_its_neighbours() -> None:
    judged = {name: np.full((2, len(labels)), 0.5, dtype=np.float32) for name, labels in SENTENCE.items()}
    chances = judge(in_context([np.ones(WIDTH, dtype=np.float32)] * 2, judged))
    assert chances.shape == (2, 3)
    assert chances.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("act", "chances", "label"),
    [
        ("tell", (0.1, 0.1, 0.8), "request"),
        ("tell", (0.05, 0.95, 0.0), "tell"),
        ("tell", (0.3, 0.1, 0.6), "tell"),
        ("ask", (0.0, 0.3, 0.7), "request"),
        ("request", (0.0, 0.7, 0.3), "ask"),
        ("request", (0.9, 0.1, 0.0), "request"),
        ("ask", (0.95, 0.05, 0.0), "ask"),
        ("forget", (0.0, 0.0, 1.0), "forget"),
    ],
)
def test_an_act_is_put_right_only_where_the_line_is_sure(act: str, chances: tuple[float, ...], label: str) -> None:
    assert meant(Guess(act, 0.9), np.array(chances)).label == label


@pytest.mark.parametrize(("act", "label"), [("ask", "tell"), ("request", "tell"), ("forget", "forget")])
def test_what_is_said_alone_without_a_question_mark_may_be_told_after_all(act: str, label: str) -> None:
    chances = np.array((0.7, 0.2, 0.1))
    assert meant(Guess(act, 0.9), chances, plain=True).label == label
    assert meant(Guess(act, 0.9), chances).label == act


def test_only_what_is_not_surely_told_may_be_a_question() -> None:
    chances = np.array((0.6, 0.4, 0.0))
    assert may_ask(Guess("tell", 0.9), chances) == pytest.approx(0.4)
    assert may_ask(Guess("tell", 0.99), chances) == may_ask(Guess("chat", 0.9), chances) == 0
    assert may_ask(Guess("tell", 0.9), np.array((0.9, 0.1, 0.0))) == 0


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("free saturday, want to go out with the kids, what you advise", "request"),
        ("what can i cook for my brother on sunday", "request"),
        ("where lives my cousin", "ask"),
        ("how much do I earn an hour now", "ask"),
        ("my boss moved the meeting to Monday", "tell"),
        ("allergic to nuts", "tell"),
        ("My cat's name is Milo.", "tell"),
        ("date of the hearing is 4 june", "tell"),
        ("the best thing about the flat is the light", "tell"),
        ("what the plumber quoted for the boiler", "ask"),
    ],
)
def test_what_is_meant_is_read_without_a_question_mark(reader: Reader, text: str, label: str) -> None:
    (statement,) = reader.read(text)
    assert statement.act.label == label


def test_a_fragment_is_told_and_may_be_a_question(reader: Reader) -> None:
    """ "First vet we used" asks, "first vet we had was hopeless" does not; nothing in the form of the first says so."""
    (asks,), (tells,) = reader.read("first vet we used"), reader.read("first vet we had was hopeless, sorry to say")
    assert (asks.act.label, tells.act.label) == ("tell", "tell")
    assert asks.perhaps is not None
    assert tells.perhaps is None


def test_a_question_within_a_diary_is_likely_told(reader: Reader) -> None:
    *_, wondered = reader.read("we walked on the beach all day, so cold. i think she likes me now?? i dont ask.")[:2]
    assert wondered.told > 0.8
