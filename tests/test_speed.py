"""The benchmark of tokens a second: what it builds is a model that loads and generates."""

import shutil
import subprocess
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


def test_the_script_for_a_gpu_says_what_it_needs(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = Path(speed.__file__).with_name("gpu.sh")
    done = subprocess.run(
        [bash, str(script)], env={"PATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.startswith("there is no nvidia-smi")) == (1, True)
