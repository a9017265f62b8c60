"""The benchmark of tokens a second: what it builds is a model that loads and generates."""

from pathlib import Path

import pytest

from benchmarks import speed
from persona_cli.model.engines.llama.gguf_file import check_pair, read_projection, read_text
from persona_cli.model.engines.llama.native import Loading

pytestmark = pytest.mark.gguf


def test_a_shape_is_built_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "RUNS", 1)
    pair = speed.build(tmp_path, "tiny", "Q8_0")
    text = read_text(pair.text)
    check_pair(text, read_projection(pair.projection))
    assert text.layers == speed.SHAPES["tiny"].layers
    assert not list(tmp_path.rglob("*.safetensors"))
    assert speed.build(tmp_path, "tiny", "Q8_0") == pair
    reached = speed.measure(pair, tmp_path, Loading(context=1024, threads=1))
    assert reached.prompt > reached.decode > 0
    assert reached.picture > 0


@pytest.mark.parametrize(("shape", "billions"), [("3b", (3.0, 3.2)), ("small", (0.15, 0.3))])
def test_the_shapes_have_the_size_they_say(shape: str, billions: tuple[float, float]) -> None:
    sizes = speed.SHAPES[shape]
    head = sizes.hidden // sizes.heads
    attention = 2 * sizes.hidden**2 + 2 * sizes.hidden * head * sizes.kv_heads
    layer = attention + 3 * sizes.hidden * sizes.feed_forward
    assert billions[0] < (sizes.layers * layer + sizes.vocabulary * sizes.hidden) / 1e9 < billions[1]
    assert sum(sizes.sections) == head // 2
