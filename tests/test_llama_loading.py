"""Loading a model: what is checked before, what goes to a GPU, what llama.cpp says of it, every way a file is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from persona_cli.errors import WeightsError
from persona_cli.model.engines.llama import LlamaOptions, open_llama
from persona_cli.model.engines.llama.engine import LlamaEngine
from persona_cli.model.engines.llama.gguf_file import check_pair, read_projection, read_text
from persona_cli.model.engines.llama.load_report import read_load
from persona_cli.model.engines.llama.native import Device, Loading, _whole_cores, default_threads, usable_cores
from persona_cli.model.engines.llama.offload import RESERVE, Need, plan_offload
from persona_cli.model.engines.llama.probe import probe
from tests.tiny import Tiny, build_tiny

pytestmark = pytest.mark.gguf


def test_opening_checks_probes_and_remembers(tiny: Tiny, tmp_path: Path) -> None:
    opened = open_llama(tiny.pair.text, tiny.pair.projection, LlamaOptions(context=512), tmp_path)
    assert "without a GPU" in opened.plan.reason or opened.plan.gpu_layers
    assert opened.engine.context == 512
    opened.engine.close()
    assert (tmp_path / "probed.json").exists()


def test_a_loading_that_ends_without_a_word_is_told(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(WeightsError, match=r"without a word \(exit code 3\)"):
        probe(tiny.pair.text, None, Loading(context=512), tmp_path / "probed.json")


def test_wrong_files_are_named(tiny: Tiny, tmp_path: Path) -> None:
    half = tmp_path / "half.gguf"
    half.write_bytes(tiny.pair.text.read_bytes()[:500_000])
    text = tmp_path / "text.gguf"
    text.write_text("hello")
    for path, says in [
        (half, "truncated"),
        (text, "no GGUF"),
        (tmp_path / "none.gguf", "cannot be read"),
        (tiny.pair.projection, "a vision projection, not"),
    ]:
        with pytest.raises(WeightsError, match=says):
            read_text(path)
    with pytest.raises(WeightsError, match="no vision projection"):
        read_projection(tiny.pair.text)


def test_the_projection_of_another_model_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    wide = build_tiny(tmp_path, hidden=512, heads=8, kv_heads=4)
    with pytest.raises(WeightsError, match="512"):
        check_pair(read_text(tiny.pair.text), read_projection(wide.pair.projection))


@pytest.mark.parametrize(
    ("free", "layers", "on_gpu"), [(0.0, 29, True), (24.0, 29, True), (4.0, 11, True), (1.5, 1, False), (1.0, 0, False)]
)
def test_offload_follows_the_free_memory(free: float, layers: int, on_gpu: bool) -> None:
    need = Need(28, 4_683_072_032, 853_119_712, 57_344, 16_384)
    gpu = Device("CUDA0", "a card", "gpu", int(free * 2**30), 24 * 2**30)
    plan = plan_offload(need, [gpu])
    assert (plan.gpu_layers, plan.project_on_gpu) == (layers, on_gpu)
    assert plan.reason
    assert plan_offload(need, []).gpu_layers == 0
    assert RESERVE > 0


@pytest.mark.parametrize(
    ("free", "backends", "says"),
    [
        (
            4.0,
            ("CUDA", "CPU"),
            ("11 fit 4.0 GiB", "all would need 7.2 GiB", "weights 4.4 GiB", "16,384 tokens 0.9 GiB"),
        ),
        (0.0, ("CUDA", "CPU"), ("does not tell",)),
        (None, ("CUDA", "CPU"), ("built with CUDA, but finds no such device",)),
        (None, ("BLAS", "CPU"), ("built without a GPU",)),
    ],
)
def test_the_plan_says_why_not_more(free: float | None, backends: tuple[str, ...], says: tuple[str, ...]) -> None:
    need = Need(28, 4_683_072_032, 853_119_712, 57_344, 16_384)
    gpu = [Device("CUDA0", "a card", "gpu", int(free * 2**30), 24 * 2**30)] if free is not None else []
    plan = plan_offload(need, gpu, backends)
    assert plan.layers == 29
    for words in says:
        assert words in plan.reason


def test_what_llama_cpp_says_of_a_load_is_read() -> None:
    heard = read_load(
        [
            "load_tensors: layer   0 assigned to device CPU, is_swa = 0\n",
            "load_tensors: layer   1 assigned to device CUDA0, is_swa = 0\n",
            "load_tensors: layer   2 assigned to device CUDA0, is_swa = 0\n",
            "load_tensors:        CUDA0 model buffer size =  1834.83 MiB\n",
            "llama_kv_cache:      CUDA0 KV buffer size =   576.00 MiB\n",
            "llama_context: flash_attn            = auto\n",
            "resolve_fused_ops: Flash Attention not supported, set to disabled\n",
            "clip_ctx: CLIP using CUDA0 backend\n",
        ]
    )
    assert heard.layers == (("CPU", 1), ("CUDA0", 2))
    assert heard.buffers == (("model", "CUDA0", 1834.83), ("KV", "CUDA0", 576.0))
    assert heard.flash_attention is False
    assert heard.tower == "CUDA0"
    assert read_load([]).flash_attention is None


def test_a_load_without_flash_attention_says_so(tiny: Tiny, tmp_path: Path) -> None:
    for wished in (True, False):
        loading = Loading(context=512, flash_attention=wished)
        engine = LlamaEngine(tiny.pair.text, tiny.pair.projection, loading, tmp_path)
        assert engine.loaded.flash_attention is wished
        assert engine.loaded.layers == (("CPU", 3),)
        assert engine.loaded.tower == "CPU"
        engine.close()


def test_one_thread_for_each_core_not_for_each_half(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    for number in allowed:
        place = tmp_path / f"cpu{number}" / "topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(f"{number // 2 * 2},{number // 2 * 2 + 1}\n")
    assert _whole_cores(tmp_path) == len({number // 2 for number in allowed})
    assert _whole_cores(tmp_path / "none") == 0
    assert 1 <= default_threads() <= usable_cores()
