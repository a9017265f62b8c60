"""Servers in every manner there is: the person gets the answer or one clear line, and memory its structures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from persona_cli.errors import ContextError, EngineError, FormatError
from persona_cli.model.engines.server import ServerEngine
from persona_cli.model.engines.server_formats import Dialect
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.prompts import load_prompts
from persona_cli.model.tasks import Situation
from persona_cli.personality import Traits
from persona_cli.records import Answer, AnswerDelta, CoreMemory, Image, Piece, Query, Retrieve, Think, Turn
from tests.manners import SAID, Deltas, Manner, called, serve, words

AT = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
TURN = Turn(1, 1, AT, "I have a dog called Max.", "", "m")
ASKS = Situation(Query("What is my dog called?", AT), CoreMemory(), Traits())


def never() -> bool:
    return False


def nowhere(image: Image) -> Path:
    raise AssertionError(image)


@contextmanager
def talking(manner: Manner, **options: object) -> Iterator[PromptedModel]:
    with serve(manner):
        engine = ServerEngine(manner.url, "m", **options)  # type: ignore[arg-type] # a test's
        yield PromptedModel(engine, load_prompts(), nowhere, guided=True)
        engine.close()


def shown(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, AnswerDelta))


@pytest.mark.parametrize(
    ("deltas", "thought"),
    [
        (words(SAID), ""),
        (words(f"<think>They ask about Max.</think>\n\n{SAID}"), "They ask about Max."),
        (words(f"They ask about Max.\n</think>\n\n{SAID}"), "They ask about Max."),
        (words(f"## Thinking\nThey ask about Max.\n\n## Answer\n{SAID}"), "They ask about Max."),
        (words(f'{{"answer": "{SAID}"}}'), ""),
        (
            [{"reasoning_content": "They ask "}, {"reasoning_content": "about Max."}, *words(SAID)],
            "They ask about Max.",
        ),
        ([None, {"role": "assistant"}, {"content": ""}, {"content": None}, *words(SAID), None], ""),
    ],
    ids=["prose", "think", "end of think", "headings", "json", "reasoning", "empty chunks"],
)
def test_whatever_the_manner_the_answer_is_had_in_one_call(deltas: Deltas, thought: str) -> None:
    manner = Manner([deltas])
    with talking(manner, dialect=Dialect.PLAIN) as model:
        pieces = list(model.reason(ASKS, never))
    assert [piece for piece in pieces if isinstance(piece, Think | Answer)] == [Think(thought), Answer(SAID)]
    assert shown(pieces) == SAID
    assert len(manner.asked) == 1


@pytest.mark.parametrize(
    "deltas",
    [called('{"keywords": ', '"my dog"}'), words('"keywords": "my dog"'), words('{"keywords": "my dog"}')],
    ids=["tool call", "lines", "json"],
)
def test_a_retrieval_is_understood_without_its_tags(deltas: Deltas) -> None:
    with talking(Manner([deltas]), dialect=Dialect.PLAIN) as model:
        assert list(model.reason(ASKS, never))[-1] == Retrieve("my dog")


def test_a_placeholder_is_asked_for_again_in_plain_words() -> None:
    manner = Manner([words("<think>x</think><answer>Tuesday at nine, and you wanted to ask about the crown.</answer>"),
                     words(SAID)])  # fmt: skip
    with talking(manner, dialect=Dialect.PLAIN) as model:
        pieces = list(model.reason(ASKS, never))
    assert pieces[-1] == Answer(SAID)
    assert shown(pieces) == SAID
    assert "Format" not in str(manner.asked[1]["messages"])


def test_a_stream_that_ends_early_is_one_clear_line_behind_what_was_said() -> None:
    pieces: list[Piece] = []
    manner, middle = Manner([words(SAID)], ends=False), "in the middle"
    with talking(manner, dialect=Dialect.PLAIN) as model, pytest.raises(EngineError, match=middle) as caught:
        pieces.extend(model.reason(ASKS, never))
    assert shown(pieces) == SAID
    assert caught.value.fix


def test_nothing_at_all_is_one_clear_line() -> None:
    with talking(Manner([[None]]), dialect=Dialect.PLAIN) as model, pytest.raises(FormatError, match="twice"):
        list(model.reason(ASKS, never))


def test_a_context_that_overflows_is_one_clear_line() -> None:
    with talking(Manner(overflows=True), dialect=Dialect.PLAIN) as model, pytest.raises(ContextError) as caught:
        list(model.reason(ASKS, never))
    assert "model.context" in caught.value.fix


def test_words_that_go_round_in_circles_are_cut() -> None:
    round_and_round = words("Max is a good dog. " * 400)
    with talking(Manner([round_and_round]), dialect=Dialect.PLAIN) as model:
        assert len(shown(list(model.reason(ASKS, never)))) < 400


@pytest.mark.parametrize("way", [way for way in Dialect if way is not Dialect.PLAIN])
def test_a_server_is_asked_once_what_it_keeps(way: Dialect, tmp_path: Path) -> None:
    remembered = tmp_path / "cache" / "servers.json"
    manner = Manner([words("<answer>Max.</answer>")], keeps=way.value)
    with serve(manner):
        for _ in range(2):
            engine = ServerEngine(manner.url, "m", remembered=remembered)
            assert engine.dialect is way
            engine.close()
        tries = len(manner.asked)
        assert 1 <= tries <= 4
        assert ServerEngine(manner.url, "m", remembered=remembered).dialect is way
        assert len(manner.asked) == tries


def test_a_server_that_keeps_nothing_gets_no_format(tmp_path: Path) -> None:
    manner = Manner([words('"reason": r\n"decision": true\n"content": The user has a dog.\n"keywords": dog')])
    with talking(manner, remembered=tmp_path / "servers.json") as model:
        (draft,) = model.extract_semantic(TURN, (), never)
    assert draft.content == "The user has a dog."
    assert not manner.asked[-1].keys() & {"grammar", "response_format", "tools"}


def test_what_is_learnt_is_held_to_a_schema_and_answers_are_free() -> None:
    lines = '{"lines": [{"key": "pets", "value": "a dog named Max"}, {"key": "home", "value": "Porto"}]}'
    fact = '{"reason": "r", "decision": true, "content": "The user has a dog.", "keywords": "dog"}'
    manner = Manner(
        [words(lines), words('{"lines": []}'), words(f"<think>Hm.</think>{fact}"), words(SAID)], keeps="json"
    )
    with talking(manner) as model:
        assert [draft.value for draft in model.update_core([TURN], CoreMemory(), never)] == ["a dog named Max", "Porto"]
        assert model.update_procedural([TURN], (), never) == ()
        assert model.extract_semantic(TURN, (), never)[0].content == "The user has a dog."
        assert list(model.reason(ASKS, never))[-1] == Answer(SAID)
    streamed = [body for body in manner.asked if body.get("stream")]
    assert [("response_format" in body) for body in streamed] == [True, True, True, False]


def test_what_is_learnt_comes_as_the_arguments_of_a_tool() -> None:
    scores = '{"openness": 4, "conscientiousness": 3, "extraversion": 3, ', '"agreeableness": 3, "neuroticism": 3}'
    manner = Manner([called(*scores)], keeps="tools")
    with talking(manner) as model:
        assert model.infer_personality(TURN, (), never) == Traits(openness=4)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (
            '"reason": r\n"decision": true\n"content": the fact or null\n"keywords": dog',
            "only repeats the words of the instructions",
        ),
        ('"reason": r\n"decision": true or false\n"content": The user has a dog.\n"keywords": dog', "twice"),
        (
            '"reason": r\n"decision": true\n"content": The user has a dog.\n"keywords": word, word, word or null',
            "only repeats the words of the instructions",
        ),
    ],
)
def test_a_placeholder_is_never_a_value(reply: str, why: str) -> None:
    with talking(Manner([words(reply)]), dialect=Dialect.PLAIN) as model, pytest.raises(FormatError, match=why):
        model.extract_semantic(TURN, (), never)
