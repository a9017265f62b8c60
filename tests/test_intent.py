"""Whether a sentence is told, asked or requested: the trained line, and what it puts right."""

from __future__ import annotations

import numpy as np
import pytest

from persona_cli.reading.heads import SENTENCE
from persona_cli.reading.intent import judge, meant
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
    ],
)
def test_what_is_meant_is_read_without_a_question_mark(reader: Reader, text: str, label: str) -> None:
    (statement,) = reader.read(text)
    assert statement.act.label == label


def test_a_question_within_a_diary_is_likely_told(reader: Reader) -> None:
    *_, wondered = reader.read("we walked on the beach all day, so cold. i think she likes me now?? i dont ask.")[:2]
    assert wondered.told > 0.8
