"""Model texts, good and broken, recorded in data/outputs, and anything at all (hypothesis)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persona_cli.errors import FormatError
from persona_cli.model.parsing import (
    keyed_lines,
    parse_core,
    parse_keywords,
    parse_procedural,
    parse_retrieve,
    parse_semantic,
    parse_summary,
    parse_time,
    parse_topics,
    parse_traits,
)
from persona_cli.model.replies import ReplyParser
from persona_cli.model.tasks import CoreDraft, EpisodeDraft, ProceduralDraft, SummaryDraft
from persona_cli.personality import Traits
from persona_cli.records import Answer, AnswerDelta, Aspect, Piece, Retrieve, Think, ThinkDelta

OUTPUTS = Path(__file__).parent / "data" / "outputs"

PARSERS: dict[str, Callable[[str], object]] = {
    "traits": parse_traits,
    "semantic": parse_semantic,
    "topics": lambda text: parse_topics(text, 4),
    "procedural": parse_procedural,
    "core": parse_core,
    "summary": parse_summary,
    "retrieve": lambda text: parse_retrieve(text, UTC),
}


def recorded(pattern: str) -> list[Path]:
    return sorted(path for path in OUTPUTS.glob(pattern) if pattern.endswith("broken.txt") or "broken" not in path.name)


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.mark.parametrize("path", recorded("summary.*.txt"), ids=names(recorded("summary.*.txt")))
def test_a_summary_is_read(path: Path) -> None:
    told = "The user planned a trip to Rome: booked a hotel near the station, and came back in 2024."
    assert parse_summary(path.read_text()) == SummaryDraft(told, ("Rome", "hotel"))


@pytest.mark.parametrize("path", recorded("traits.*.txt"), ids=names(recorded("traits.*.txt")))
def test_traits_are_read(path: Path) -> None:
    assert parse_traits(path.read_text()) == Traits(4, 3, 2, 5, 1)


@pytest.mark.parametrize(
    "path", [OUTPUTS / f"semantic.{kind}.txt" for kind in ("good", "json", "quotes")], ids=lambda path: path.stem
)
def test_four_lines_are_read_with_the_colons_in_their_values(path: Path) -> None:
    (draft,) = parse_semantic(path.read_text())
    assert draft.content == "The user goes to the gym at 18:30: always with Ola."
    assert draft.keywords == ("gym", "18:30", "Ola")
    assert draft.reason == "a lasting habit"


def test_a_false_decision_remembers_nothing() -> None:
    assert parse_semantic((OUTPUTS / "semantic.nothing.txt").read_text()) == ()


def test_several_blocks_are_several_memories() -> None:
    good = (OUTPUTS / "semantic.good.txt").read_text()
    assert len(parse_semantic(good + "\n" + good)) == 2


@pytest.mark.parametrize("path", recorded("topics.*.txt"), ids=names(recorded("topics.*.txt")))
def test_topics_are_read_and_indices_outside_dropped(path: Path) -> None:
    assert parse_topics(path.read_text(), 4) == (
        EpisodeDraft("The user planned a trip: Oslo at 9:15.", ("trip", "Oslo"), (0, 2)),
        EpisodeDraft("The dog was ill.", ("dog",), (1,)),
    )


def test_a_span_of_indices_is_every_index_in_it() -> None:
    (topic,) = parse_topics('"topic_summary": Tea\n"source_dialog_indices": 1-3, 6', 8)
    assert topic.turns == (1, 2, 3, 6)


@pytest.mark.parametrize("kind", ["good", "bullets"])
def test_habits_are_read(kind: str) -> None:
    assert parse_procedural((OUTPUTS / f"procedural.{kind}.txt").read_text()) == (
        ProceduralDraft("gym", "The user goes to the gym at 18:30 on Mondays."),
        ProceduralDraft("call: mother", "The user calls their mother: every Sunday."),
    )


def test_null_is_no_habit() -> None:
    assert parse_procedural((OUTPUTS / "procedural.nothing.txt").read_text()) == ()


def test_at_most_five_habits() -> None:
    assert len(parse_procedural("\n".join(f'"habit {n}": The user does {n}.' for n in range(9)))) == 5


@pytest.mark.parametrize("path", recorded("core.*.txt"), ids=names(recorded("core.*.txt")))
def test_core_is_read_by_aspect_and_null_is_no_value(path: Path) -> None:
    assert parse_core(path.read_text()) == (
        CoreDraft("name", "Ines", Aspect.HUMAN),
        CoreDraft("likes", 'tea, chess, "Nights: a novel"', Aspect.HUMAN),
        CoreDraft("occupation", "nurse", Aspect.PERSONA),
    )


@pytest.mark.parametrize("path", recorded("*.broken.txt"), ids=names(recorded("*.broken.txt")))
def test_a_broken_text_says_what_is_wrong(path: Path) -> None:
    with pytest.raises(FormatError, match=r'"|times'):
        PARSERS[path.name.split(".")[0]](path.read_text())


@given(st.text())
@example('"')
@example("{")
@example('[[["a"]]]')
@example('{"a": {"b": {"c": [1, {"d": null}]}}}')
def test_any_text_parses_or_breaks_the_format(text: str) -> None:
    for parse in PARSERS.values():
        with suppress(FormatError):
            parse(text)


LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z]{1,12}", fullmatch=True), LINE), max_size=5, unique_by=lambda one: one[0])
)
def test_what_was_written_as_lines_is_read_back(lines: list[tuple[str, str]]) -> None:
    written = "\n".join(f'"{key}": x{value}x' for key, value in lines)
    assert keyed_lines(written) == [(key, f"x{value}x") for key, value in lines]


@given(st.lists(st.integers(1, 5), min_size=5, max_size=5))
def test_every_reading_is_read_back(scores: list[int]) -> None:
    vector = Traits(*map(float, scores))
    assert parse_traits("\n".join(f'"{name}": {score:.0f}' for name, score in vector)) == vector


def test_keywords_lose_quotes_brackets_and_repetition() -> None:
    assert parse_keywords('["tea", tea; “Max”, null]') == ("tea", "Max")


@pytest.mark.parametrize(
    ("text", "closing", "moment"),
    [
        ("2024-05-12 10:30", False, datetime(2024, 5, 12, 10, 30, tzinfo=UTC)),
        ('"2024-05-12 10:30 (Sunday)"', False, datetime(2024, 5, 12, 10, 30, tzinfo=UTC)),
        ("2024-05-12", False, datetime(2024, 5, 12, tzinfo=UTC)),
        ("2024-05-12", True, datetime(2024, 5, 13, tzinfo=UTC)),
        ("null", False, None),
        ("", False, None),
    ],
)
def test_times(text: str, closing: bool, moment: datetime | None) -> None:
    assert parse_time(text, UTC, closing=closing) == moment


@pytest.mark.parametrize("text", ["last week", "2024-13-01 10:00", "2023-02-29", "2024-05-12 25:00", "9999-12-31"])
def test_what_is_no_time_breaks_the_format(text: str) -> None:
    with pytest.raises(FormatError):
        parse_time(text, UTC, closing=True)


def test_a_retrieval_that_ends_before_it_starts_is_one_of_all_times() -> None:
    assert parse_retrieve('"keywords": "x"\n"start_time": "2024-05-12"\n"end_time": "2024-05-01"', UTC) == Retrieve("x")


def streamed(text: str, size: int, *, answer_only: bool = False) -> list[Piece]:
    parser = ReplyParser(UTC, answer_only=answer_only)
    shown: list[Piece] = []
    for at in range(0, len(text), size):
        shown += parser.feed(text[at : at + size])
    return shown + parser.finish()


def joined(pieces: list[Piece], kind: type[ThinkDelta] | type[AnswerDelta]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, kind))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_thinking_and_answer_stream_without_their_tags(size: int) -> None:
    pieces = streamed("<think>\nIs 3 < 4? </thin\n</think>\n<answer> Yes, 3 < 4.\n\nOf course. </answer>\n", size)
    assert joined(pieces, ThinkDelta) == "Is 3 < 4? </thin"
    assert joined(pieces, AnswerDelta) == "Yes, 3 < 4.\n\nOf course."
    whole = [piece for piece in pieces if not isinstance(piece, ThinkDelta | AnswerDelta)]
    assert whole == [Think("Is 3 < 4? </thin"), Answer("Yes, 3 < 4.\n\nOf course.")]
    assert pieces.index(whole[0]) < min(place for place, one in enumerate(pieces) if isinstance(one, AnswerDelta))


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_retrieval_is_the_last_piece(size: int) -> None:
    text = (
        '<think>When was it?</think>\n<retrieve>\n"keywords": "trip: Oslo"\n'
        '"start_time": "2024-05-01 00:00"\n"end_time": "null"\n</retrieve>'
    )
    assert streamed(text, size)[-2:] == [
        Think("When was it?"),
        Retrieve("trip: Oslo", datetime(2024, 5, 1, tzinfo=UTC), None),
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>x</think><answer>cut off in the mid", "cut off in the mid"),
        ("<think>x</think><answer>cut in its tag</answ", "cut in its tag"),
        ("<answer>without a thought</answer>", "without a thought"),
        ('<answer>this</answer><retrieve>"keywords": "x"</retrieve>', "this"),
    ],
)
def test_what_is_still_an_answer(text: str, answer: str) -> None:
    pieces = streamed(text, 4)
    assert pieces[-1] == Answer(answer)
    assert joined(pieces, AnswerDelta) == answer


def test_where_only_an_answer_is_left_plain_text_is_one() -> None:
    assert streamed("Just so.", 3, answer_only=True) == [AnswerDelta("Just so."), Answer("Just so.")]
    assert streamed("<think>h</think><answer>So</answer>", 3, answer_only=True)[-1] == Answer("So")


LONG = "Your dog is called Max, and he is a beagle."


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        (LONG, "", LONG),
        ("Max.", "", "Max."),
        (f"<think>Known.</think>\n\n{LONG}", "Known.", LONG),
        (f"It is known.\n</think>\n{LONG}", "It is known.", LONG),
        (f"Sure, here it is:\n<answer>{LONG}</answer>", "", LONG),
        (f"## Thinking\nKnown.\n\n## Answer\n{LONG}", "Known.", LONG),
        (f"**Thought:** Known.\n**Final answer:** {LONG}", "Known.", LONG),
        (f"# Walks\n{LONG}\n# Answer\nMax", "", f"# Walks\n{LONG}\n# Answer\nMax"),
        (f'{{"think": "Known.", "answer": "{LONG}"}}', "Known.", LONG),
        (f'```json\n{{"response": "{LONG}"}}\n```', "", LONG),
        ("[1, 2] and no more", "", "[1, 2] and no more"),
    ],
)
def test_prose_headings_and_json_are_answers(text: str, thought: str, answer: str, size: int) -> None:
    pieces = streamed(text, size)
    assert [piece for piece in pieces if not isinstance(piece, ThinkDelta | AnswerDelta)] == [
        Think(thought), Answer(answer),
    ]  # fmt: skip
    assert joined(pieces, AnswerDelta) == answer


def test_prose_is_shown_while_it_is_written() -> None:
    parser = ReplyParser(UTC)
    assert joined(parser.feed(LONG[:40]), AnswerDelta) == LONG[:40]
    assert parser.feed(LONG[40:]) == [AnswerDelta(LONG[40:])]


@pytest.mark.parametrize(
    "text",
    [
        '"keywords": "my dog"\n"start_time": "null"\n"end_time": "null"',
        "keywords: my dog",
        '{"keywords": "my dog", "start_time": null}',
        '{"name": "retrieve", "arguments": {"keywords": "my dog"}}',
        "### Retrieve\n- keywords: my dog",
        "I am going to look for what I know of it.\n<retrieve>\nkeywords: my dog</retrieve>",
    ],
)
def test_a_retrieval_without_its_tags_is_understood(text: str) -> None:
    assert streamed(text, 5)[-1] == Retrieve("my dog")


@pytest.mark.parametrize("text", ["<answer>Your answer to the user.</answer>", "your answer to the user"])
def test_the_placeholder_of_the_prompt_is_no_answer_and_is_never_shown(text: str) -> None:
    parser = ReplyParser(UTC, echoes={"your answer to the user"})
    shown = [piece for letter in text for piece in parser.feed(letter)]
    assert joined(shown, AnswerDelta) == ""
    with pytest.raises(FormatError, match="repeats"):
        parser.finish()
    more = ReplyParser(UTC, echoes={"your answer to the user"})
    assert joined(more.feed(f"<answer>Your answer: {LONG}"), AnswerDelta) == f"Your answer: {LONG}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<think>on and on",
        "<think>x</think>",
        "<think>x</think><answer> </answer>",
        "<retrieve></retrieve>",
    ],
)
def test_a_reply_without_a_decision_breaks_the_format(text: str) -> None:
    with pytest.raises(FormatError):
        streamed(text, 3)


def test_a_retrieval_where_none_is_left_breaks_the_format() -> None:
    with pytest.raises(FormatError, match="no retrieval left"):
        streamed('<retrieve>"keywords": "x"</retrieve>', 3, answer_only=True)


@given(st.text(), st.integers(1, 9))
@example("</retrieve><retrieve>", 1)
def test_any_stream_ends_in_a_decision_or_breaks_the_format(text: str, size: int) -> None:
    try:
        pieces = streamed(f"<think>{text}", size)
    except FormatError:
        return
    assert isinstance(pieces[-1], Answer | Retrieve)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "<retrieve>", "hm", " ", "<", "/"])))
def test_deltas_joined_are_the_whole(parts: list[str]) -> None:
    try:
        pieces = streamed("".join(parts), 2)
    except FormatError:
        return
    if isinstance(pieces[-1], Answer):
        assert joined(pieces, AnswerDelta) == pieces[-1].text
    assert [piece.text for piece in pieces if isinstance(piece, Think)] == [joined(pieces, ThinkDelta)]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"content": ' + "9" * 5_000 + "}", '{"decision": 1e400}'])
def test_json_that_cannot_be_read_is_a_broken_format(text: str) -> None:
    with pytest.raises(FormatError):
        parse_semantic(text)
