"""Pictures in the llama engine: told apart, kept open, cached on disk; and every family that is shown them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_cli.errors import EngineError, WeightsError
from persona_cli.model.engines import Message
from persona_cli.model.engines.llama.engine import LlamaEngine
from persona_cli.model.engines.llama.gguf_file import check_pair, read_projection, read_text
from persona_cli.model.engines.llama.native import Loading
from persona_cli.model.engines.llama.vision import KEPT_OPEN
from persona_cli.model.grounding import PIXELS, THOUSANDTHS, PictureForm
from tests.engine_talk import picture, say
from tests.tiny import Tiny
from tests.tinyvision import SQUARE, write_gemma3, write_qwen3vl

pytestmark = pytest.mark.gguf

FAMILIES = {"qwen3vl": write_qwen3vl, "gemma3": write_gemma3}


@pytest.fixture
def engine(tiny: Tiny, tmp_path: Path) -> Iterator[LlamaEngine]:
    opened = LlamaEngine(tiny.pair.text, tiny.pair.projection, Loading(context=2048, batch=128), tmp_path / "cache")
    yield opened
    opened.close()


@pytest.fixture(params=FAMILIES)
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LlamaEngine]:
    pair = FAMILIES[request.param](tmp_path)
    check_pair(read_text(pair.text), read_projection(pair.projection))
    opened = LlamaEngine(pair.text, pair.projection, Loading(context=2048, batch=128), tmp_path / "cache")
    yield opened
    opened.close()


def test_another_picture_under_the_same_words_is_not_taken_for_the_first(engine: LlamaEngine, tmp_path: Path) -> None:
    for seed in (1, 2):
        say(engine, Message("user", ("look: ", picture(tmp_path, seed))))
    assert engine.counts.encoded == 2


def test_a_prompt_with_more_pictures_than_stay_open_holds_them_all(engine: LlamaEngine, tmp_path: Path) -> None:
    many = [picture(tmp_path, seed, (56, 56)) for seed in range(KEPT_OPEN + 8)]
    whole = say(engine, Message("user", tuple(many)))
    assert engine.counts.encoded == len(many)
    engine.forget("respond")
    assert say(engine, Message("user", tuple(many))) == whole
    assert engine.counts.encoded == len(many)


@pytest.mark.parametrize("size", [(300, 1), (2048, 8), (3, 1000)])
def test_a_picture_however_narrow_can_be_shown(engine: LlamaEngine, tmp_path: Path, size: tuple[int, int]) -> None:
    assert say(engine, Message("user", (picture(tmp_path, 9, size), "what?")))
    assert engine.counts.encoded == 1


def test_pictures_are_cached_on_disk_across_engines(tiny: Tiny, tmp_path: Path) -> None:
    part = picture(tmp_path, 3)
    replies = []
    for expected in (1, 0):
        engine = LlamaEngine(tiny.pair.text, tiny.pair.projection, Loading(context=1024), tmp_path / "cache")
        replies.append(say(engine, Message("user", (part, "what?"))))
        assert engine.counts.encoded == expected
        engine.close()
    assert replies[0] == replies[1]


def test_a_damaged_cached_embedding_is_made_again(tiny: Tiny, tmp_path: Path) -> None:
    part = picture(tmp_path, 3)
    for _ in range(2):
        engine = LlamaEngine(tiny.pair.text, tiny.pair.projection, Loading(context=1024), tmp_path / "cache")
        say(engine, Message("user", (part,)))
        assert engine.counts.encoded == 1
        engine.close()
        for file in (tmp_path / "cache").rglob("*.npy"):
            file.write_bytes(file.read_bytes()[:100])


def test_the_cache_of_embeddings_stays_within_its_limit(tiny: Tiny, tmp_path: Path) -> None:
    limit = 200_000
    engine = LlamaEngine(
        tiny.pair.text, tiny.pair.projection, Loading(context=2048), tmp_path / "cache", cache_bytes=limit
    )
    for seed in range(6):
        say(engine, Message("user", (picture(tmp_path, seed),)), limit=1)
    engine.close()
    kept = [file.stat().st_size for file in (tmp_path / "cache").rglob("*.npy")]
    assert 0 < sum(kept) <= limit


def test_a_picture_without_a_projection_is_an_error(tiny: Tiny, tmp_path: Path) -> None:
    engine = LlamaEngine(tiny.pair.text, None, Loading(context=512), tmp_path)
    with pytest.raises(EngineError, match="mmproj"):
        say(engine, Message("user", (picture(tmp_path, 1),)))
    engine.close()


def test_another_family_sees_a_picture_as_one_piece_of_the_size_that_was_counted(
    other: LlamaEngine, tmp_path: Path
) -> None:
    bare = other.count([Message("user", ("what?",))])
    for size in ((300, 200), (64, 640), (640, 480)):
        shown = other.count([Message("user", (picture(tmp_path, 1, size), "what?"))])
        assert shown - bare == other.form.tokens(*other.form.size(*size, 230_400))


def test_what_another_family_would_say_hangs_on_the_picture_and_not_on_what_is_reused(
    other: LlamaEngine, tmp_path: Path
) -> None:
    def weigh(seed: int, *more: Message) -> float:
        shown = Message("user", ("look at this: ", picture(tmp_path, seed), " what is it?" * 3))
        return other.likelihood([shown, *more], "some tea") or 0.0

    assert abs(weigh(1) - weigh(2)) > 0.001
    evaluated = other.counts.evaluated
    more = Message("assistant", ("a cup",)), Message("user", ("and now?",))
    reused = weigh(2, *more)
    assert other.counts.evaluated - evaluated < 90
    other.forget("likelihood")
    assert weigh(2, Message("assistant", ("a cup",)), Message("user", ("and now?",))) == pytest.approx(
        reused, abs=0.001
    )
    assert other.counts.encoded == 2


def test_each_family_has_its_sizes_and_counts_boxes_its_own_way(tmp_path: Path, tiny: Tiny) -> None:
    first, second = (
        read_projection(write_qwen3vl(tmp_path).projection),
        read_projection(write_gemma3(tmp_path).projection),
    )
    assert read_projection(tiny.pair.projection).form == PictureForm(28, counted=PIXELS)
    assert first.form == PictureForm(32, counted=THOUSANDTHS)
    assert first.form.size(1600, 1200, 230_400) == (544, 384)
    assert (second.form.side, second.form.square, second.form.counted) == (28, SQUARE, "")
    assert second.form.size(1600, 1200, 230_400) == (SQUARE, SQUARE)
    with pytest.raises(WeightsError, match="does not go with a gemma3 model"):
        check_pair(read_text(tmp_path / "gemma3.gguf"), first)
