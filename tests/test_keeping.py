"""What of a message becomes memories: the marked messages, and the lines that are fitted to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.keeping.train import HERE, Message, read_messages
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.reading.heads import SENTENCE
from persona_cli.reading.keeping import in_context, open_keeping
from persona_cli.reading.reader import Reader
from persona_cli.reading.statement import Statement
from persona_cli.records import Turn
from tests.readings import listening, read_as
from tests.stories import moment

WIDTH, LABELS = 2 * 384 + 25, sum(map(len, SENTENCE.values()))


def test_marked_messages_begin_what_goes_on() -> None:
    for name in ("messages.txt", "held.txt"):
        for message in read_messages(HERE / name):
            assert len(message.marks) == len(message.sentences)
            assert message.marks.strip("-")[:1] in ("", "="), message


def test_a_line_without_a_mark_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "messages.txt"
    path.write_text("= Ron has died.\n+ In his chair.\n\n- lol\n", encoding="utf-8")
    assert read_messages(path) == [Message(("Ron has died.", "In his chair."), "=+"), Message(("lol",), "-")]
    path.write_text("Ron has died.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="without a mark"):
        read_messages(path)


def test_the_lines_see_a_sentence_between_its_neighbours() -> None:
    judged = {name: np.full((2, len(labels)), 0.5, dtype=np.float32) for name, labels in SENTENCE.items()}
    seen = in_context([np.ones(WIDTH, dtype=np.float32)] * 2, judged)
    assert seen.shape == (2, len(open_keeping().worth) - 1) == (2, WIDTH + 3 * LABELS + 25 + 3)
    assert seen[:, -3:].tolist() == [[0, 1, 0], [pytest.approx(1, abs=1e-5), 0, 0]]
    assert open_keeping().judge(seen).shape == (2, 2)


def test_a_cry_is_kept_with_what_it_is_about_and_a_joke_with_its_question() -> None:
    told = "was in the oilskin the whole time"
    cry = replace(read_as("KNIFE.", "chat", worth=1), keep=0.27)
    assert drafted(cry, read_as(told, start=7, goes_on=True)) == [f"KNIFE. {told}"]
    assert drafted(replace(cry, keep=0.1), read_as(told, start=7, goes_on=True)) == [told]
    joke = replace(read_as("why did the hen cross?", "ask", asked="why"), told=1.0)
    assert drafted(joke, read_as("to prove that it can.", start=23, goes_on=True)) == [
        "why did the hen cross? to prove that it can."
    ]
    asked = replace(joke, told=0.3)
    assert drafted(asked, read_as("to prove that it can.", start=23, goes_on=True)) == ["to prove that it can."]


def drafted(*statements: Statement) -> list[str]:
    text = " ".join(statement.text for statement in statements)
    turn = Turn(1, 1, moment("2026-03-31T19:00"), text, "", "lite")
    return [draft.content for draft in draft_memories(listening(*statements), turn, ())]


@pytest.mark.parametrize(
    ("text", "memories"),
    [
        ("Ron has died. Wednesday, in his chair. 88.", ["Ron has died. Wednesday, in his chair. 88."]),
        ("surgeon list call. 20 february.", ["surgeon list call. 20 february."]),
        ("RING. found it in the tumble dryer of all places", ["RING. found it in the tumble dryer of all places"]),
        ("Hello! I moved to Leeds in May.", ["I moved to Leeds in May."]),
        ("yes. she had the baby, a girl", ["she had the baby, a girl"]),
        ("lol ok", []),
        ("brb, at the bus stop", []),
    ],
)
def test_what_is_told_in_pieces_is_kept_whole(reader: Reader, text: str, memories: list[str]) -> None:
    turn = Turn(1, 1, moment("2026-03-31T19:00"), text, "", "lite")
    assert [draft.content for draft in draft_memories(Listener(lambda: reader), turn, ())] == memories
