"""Judging memories for a question: what is judged once is kept, and a search puts its best in order by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from persona_cli.config import MemorySettings, Settings
from persona_cli.english.small_talk import requests
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.retrieval.reranking import LANE, judges, rerank
from persona_cli.memory.tables.turns import MessageLine
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import find_places
from persona_cli.reading.encoder import Part, Passage
from persona_cli.reading.judging import Judge, load_line
from persona_cli.reading.labels import ANSWERS
from persona_cli.reading.reader import Reader
from persona_cli.records import Hit, Kind, Ref

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
QUESTION = "where do I work?"
KNOWN = ["I work at the bakery on Mill Street now.", "We had soup.", "Working out makes me hungry.", ""]


class Counting:
    """An encoder that sees how often a word of the question stands in the memory, and counts its passes."""

    def __init__(self) -> None:
        self.passes = 0

    def encode(self, passages: Sequence[Sequence[str]]) -> tuple[Passage, ...]:
        self.passes += len(passages)
        return tuple(self._passage(*passage) for passage in passages)

    def _passage(self, question: str, memory: str) -> Passage:
        shared = float(len(set(question.split()) & set(memory.split())))
        parts = tuple(
            Part(np.ones((len(text.split()), 1), np.float32), np.zeros((0, 2), np.int64), np.array([0], np.float32))
            for text in (question, memory)
        )
        return Passage(np.array([shared], np.float32), parts)


def counting_judge() -> tuple[Judge, Counting]:
    """Return a judge for whom what shares words answers."""
    encoder = Counting()
    line = np.zeros((7, len(ANSWERS) + 1), np.float32)
    line[0, ANSWERS.index("answers")] = 3.0
    return Judge(encoder, line), encoder


def test_a_pair_is_judged_once_however_the_question_ends() -> None:
    judge, encoder = counting_judge()
    first = judge.bearings("where do I work?", ["I work there", "soup", "soup"])
    assert encoder.passes == 2
    assert judge.bearings("where do I work", ["soup", "I work there"]) == (first[1], first[0])
    assert encoder.passes == 2
    assert first[0].odds > first[1].odds
    assert not judge.bearings("where?", [])


def test_only_the_latest_pairs_are_kept() -> None:
    judge, encoder = counting_judge()
    judge.bearings("where", [f"memory {number}" for number in range(4_097)])
    judge.bearings("where", ["memory 4096"])
    assert encoder.passes == 4_097
    judge.bearings("where", ["memory 0"])
    assert encoder.passes == 4_098


def test_what_ships_tells_an_answer_from_what_only_shares_a_word(reader: Reader) -> None:
    bearings = reader.bearings(QUESTION, KNOWN)
    assert max(range(len(KNOWN)), key=lambda place: bearings[place].odds) == 0
    assert bearings[0].gives > 3 * bearings[1].gives
    assert [sum(bearing.probabilities.values()) for bearing in bearings] == pytest.approx([1] * len(KNOWN), abs=1e-3)


def test_what_ships_fits_its_encoder() -> None:
    assert load_line().shape == (4 * 384 + 2 + 1, len(ANSWERS) + 1)


@pytest.mark.parametrize(
    ("question", "readable"),
    [
        ("who is the vet?", True),
        ("what do I take for my back", True),
        ("can you suggest a restaurant?", False),
        ("wie heißt die Tierärztin", True),
        ("獣医は誰ですか", False),
        ("кто ветеринар", False),
        ("?!", False),
        ("why " * 200, False),
    ],
)
def test_only_short_questions_in_latin_letters_and_no_requests_are_judged(question: str, readable: bool) -> None:
    assert judges(question, request=requests(question)) is readable


def test_what_was_judged_stands_before_what_was_not() -> None:
    judge, _ = counting_judge()
    texts = ["soup and bread", "I work there", "soup", "I work where do"]
    lines = [MessageLine(number, 1, text, NOW.isoformat()) for number, text in enumerate(texts, start=1)]
    hits = [Hit(Ref(Kind.MESSAGE, line.id), line, 1.0, {"dense": 1.0}) for line in lines]
    ordered = rerank(judge, "where do I work", hits, {hit.ref: hit.memory.user for hit in hits[:3]})
    assert [hit.ref.id for hit in ordered] == [2, 1, 3, 4]
    assert ordered[0].lanes[LANE] > ordered[1].lanes[LANE] == ordered[3].lanes[LANE]
    assert all(hit.score == pytest.approx(sum(hit.lanes.values())) for hit in ordered)
    assert rerank(judge, "where do I work", hits, {}) == hits


def lanes_of_search(memory: Memory) -> set[str]:
    session = memory.store.sessions.start(NOW)
    for text in KNOWN[:3]:
        memory.store.turns.add(session.id, NOW, text, "", "lite")
    embed_wanted(memory.store, memory.embedder)
    found = memory.retriever.search(QUESTION, kinds={Kind.MESSAGE}, at=NOW)
    assert found.hits
    return {name for hit in found.hits for name in hit.lanes}


def test_a_search_judges_its_best(memory: Memory) -> None:
    assert LANE in lanes_of_search(memory)


@pytest.mark.usefixtures("weights")
def test_judging_can_be_turned_off() -> None:
    opened = open_memory(find_places(), Settings(memory=MemorySettings(judged=0)), pytest.fail)
    lanes = lanes_of_search(opened)
    opened.close()
    assert LANE not in lanes
