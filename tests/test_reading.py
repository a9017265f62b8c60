"""Reading: sentences found and judged, spans that can be spans, pairs judged, and an encoder that keeps its places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from persona_cli.errors import EngineError, WeightsError
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.reading.heads import TAGS
from persona_cli.reading.inquiry import question_of
from persona_cli.reading.labels import ANSWERS
from persona_cli.reading.reader import Reader, locate
from persona_cli.reading.statement import Span
from persona_cli.reading.tagging import grouped, likeliest, named_whole

pytestmark = pytest.mark.gguf

LONG = "and then we went on to the next village where nobody knew us at all " * 30


@pytest.fixture(scope="module")
def encoder(minilm: Path) -> Iterator[StateEncoder]:
    opened = StateEncoder(minilm, pytest.fail)
    yield opened
    opened.close()


def test_every_piece_knows_its_place(encoder: StateEncoder) -> None:
    text = "café Róisín ☕ \udc80 isn't here"
    part = encoder.encode([[text]])[0].parts[0]
    words = {text[start:end] for start, end in part.places}
    assert {"café", "☕", "\udc80", "isn", "here"} <= words
    assert part.states.shape == (len(part.places), 384)


def test_a_passage_of_any_length_has_a_part_for_each_sentence(encoder: StateEncoder) -> None:
    for passage in ([""], ["a"], [LONG, LONG], [LONG, "short", LONG], ["one"] * 200):
        read = encoder.encode([passage])[0]
        assert len(read.parts) == len(passage)
        assert read.start.shape == (384,)
        assert all(np.isfinite(part.mean()).all() for part in read.parts)


def test_a_passage_has_the_same_states_whatever_is_read_beside_it(encoder: StateEncoder, minilm: Path) -> None:
    alone = encoder.encode([["My cat is called Nilo."]])[0]
    other = StateEncoder(minilm, pytest.fail)
    beside = other.encode([[LONG], ["My cat is called Nilo."]])[1]
    other.close()
    assert (alone.parts[0].states == beside.parts[0].states).all()


def test_a_message_is_looked_at_once_and_a_page_is_not_kept(encoder: StateEncoder) -> None:
    assert encoder.encode([["My cat is called Nilo."]])[0] is encoder.encode([["My cat is called Nilo."]])[0]
    assert encoder.encode([[LONG, LONG]])[0] is not encoder.encode([[LONG, LONG]])[0]


def test_a_closed_encoder_says_so(minilm: Path) -> None:
    opened = StateEncoder(minilm, pytest.fail)
    opened.close()
    with pytest.raises(EngineError, match="closed"):
        opened.encode([["a"]])


def test_an_adapter_that_is_not_there_is_named(minilm: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"adapter\.npz"):
        StateEncoder(minilm, pytest.fail, tmp_path / "adapter.npz").encode([["a"]])


@pytest.mark.parametrize(
    "message", ["", "   \n ", "...", "?!", "\udc80", LONG, "a\n\n\nb", "Dr. Moss said no. 3.5 is ok"]
)
def test_sentences_stand_in_the_message_as_they_are(reader: Reader, message: str) -> None:
    read = reader.read(message)
    assert [statement.text for statement in read] == [message[read.start : read.end] for read in read]
    assert [(statement.text, statement.start) for statement in read] == locate(message)
    for statement in read:
        assert sum(statement.worth) == pytest.approx(1, abs=1e-3)
        for span in statement.spans:
            assert statement.text[span.start : span.end] == span.text


def test_what_was_read_before_does_not_change(reader: Reader) -> None:
    first = reader.read("My sister Ada lives in Ghent.")
    assert reader.read_all(["My sister Ada lives in Ghent.", LONG])[0] == first


def test_inside_a_span_stands_only_what_began_it() -> None:
    scores = np.full((4, len(TAGS)), -5.0, dtype=np.float32)
    scores[0, TAGS.index("I-person")] = scores[1, TAGS.index("B-person")] = 0.0
    scores[2, TAGS.index("I-place")] = 0.0
    scores[2, TAGS.index("I-person")] = -0.5
    scores[3, TAGS.index("O")] = 0.0
    tags = likeliest(scores)
    assert TAGS[tags[2]] == "I-person"
    assert (1, 3, "person") in grouped(tags)


def test_questions_say_what_they_ask(reader: Reader) -> None:
    asked = question_of(reader.read("When is my sister's birthday?")[0])
    assert asked is not None
    assert asked.of_a_life
    assert question_of(reader.read("My sister lives in Ghent now.")[0]) is None


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("do i still have that tablet for my pressure", "ask"),
        ("dads tablets?", "ask"),
        ("which school does the little one go to these days", "ask"),
        ("ideas for a rainy saturday with the twins", "request"),
        ("what could i bring when we eat at the neighbours", "request"),
        ("allergic to nuts", "tell"),
        ("my cat is called Milo", "tell"),
        ("forget what i just said", "forget"),
    ],
)
def test_what_is_asked_in_haste_is_known_as_asked(reader: Reader, text: str, act: str) -> None:
    assert reader.read(text)[0].act.label == act


def test_questions_and_memories_are_judged_with_probabilities(reader: Reader) -> None:
    bearings = reader.bearings("where do I work?", ["I work at Halifax.", "We had soup."])
    assert [set(bearing.probabilities) for bearing in bearings] == [set(ANSWERS)] * 2
    assert bearings[0].gives > bearings[1].gives
    assert not reader.bearings("x", [])


def test_what_is_said_is_judged_beside_each_of_some_memories(reader: Reader) -> None:
    assert reader.endings("I quit.", ["I work at Halifax.", "My cat is called Nilo."]).shape == (2,)
    assert reader.endings("I quit.", []).shape == (0,)


@pytest.mark.parametrize(
    ("messages", "whom"),
    [
        (("My mum has her operation in May. Kofi is my boyfriend.", "She takes ramipril."), "mum"),
        (("My sister Ada called. Tom was here too.", "He starts on Monday."), "Tom"),
        (("Sana lives with us. Gerald has new leaves.", "She can't have peanuts."), "Sana"),
    ],
)
def test_she_and_he_go_with_the_name(reader: Reader, messages: tuple[str, str], whom: str) -> None:
    before = reader.read(messages[0])
    assert reader.read(messages[1], before)[0].subject.name == whom


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("i'm Jenny btw", "Jenny"),
        ("it's Emre here", "Emre"),
        ("Hello, I'm Eleanor.", "Eleanor"),
        ("Call me Bea.", "Bea"),
        ("you can call me jojo btw", "jojo"),
        ("im skint", ""),
        ("I'm grateful for that.", ""),
        ("im tash", "tash"),
        ("I'm Scottish.", ""),
        ("im peckish", ""),
        ("call me later", ""),
        ("it's freezing here", ""),
        ("Hi, this is Ada.", "Ada"),
        ("This is Max, my dog.", ""),
        ("This is Tom, my husband.", ""),
        ("This is Anna from work.", ""),
        # with a picture, more often than not
        ("This is Bram.", ""),
    ],
)
def test_a_name_is_told_from_what_else_one_may_be(reader: Reader, message: str, name: str) -> None:
    (statement,) = reader.read(message)
    named = [span.text for span in statement.spans if span.slot in ("name", "nickname") and span.probability > 0.9]
    assert named == ([name] if name else [])


@pytest.mark.parametrize(
    ("text", "word", "name"),
    [
        ("Dr Okafor is a nice lass", "Dr", "Dr Okafor"),
        ("Mrs. Pickering has the key", "Mrs", "Mrs. Pickering"),
        ("Doctor is called van Rijn like the painter", "van", "van Rijn"),
        ("van acting up.", "van", None),
        ("Ada has a van", "Ada", "Ada"),
    ],
)
def test_nobody_is_called_by_a_title_alone(text: str, word: str, name: str | None) -> None:
    start = text.index(word)
    found = named_whole(text, [Span(word, start, start + len(word), "person", 0.9)])
    assert [span.text for span in found] == ([] if name is None else [name])
    assert all(text[span.start : span.end] == span.text for span in found)
