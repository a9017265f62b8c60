"""Tokens a second: this machine's processor, and its GPU where there is one (`python -m benchmarks speed`).

    --shape tiny|small|3b    a model of random weights; 3b has the sizes of Qwen2.5-VL 3B (16 GB of disk to build it)
    --gpu-layers N           also with N layers on the GPU (99 for all), pictures encoded there as well
    --threads 1,2,4          each of these numbers of threads; the default of persona is marked
    --keep DIR               build the model there, or take what an earlier run built

Random weights say nothing, but cost what trained ones cost. They are one block of noise repeated, so that a 3B model
is written in a minute. Speeds are the best of three, because others may be at work on the machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from benchmarks.engine import draw
from models import tiny
from persona_cli.model.engines import ImagePart, Message
from persona_cli.model.engines.llama import load_report as report
from persona_cli.model.engines.llama.engine import LlamaEngine
from persona_cli.model.engines.llama.native import Loading, default_threads
from persona_cli.model.export import ExportedPair, export_checkpoint

SHAPES = {
    "tiny": tiny.Shape(),
    "small": tiny.Shape(
        hidden=1024, feed_forward=4096, layers=12, heads=8, sections=(16, 24, 24), vocabulary=32_000, vision_hidden=512
    ),
    "3b": tiny.Shape(
        hidden=2048,
        feed_forward=11_008,
        layers=36,
        heads=16,
        kv_heads=2,
        sections=(16, 24, 24),
        context=128_000,
        vocabulary=151_936,
        vision_hidden=1280,
        vision_feed_forward=3420,
        vision_depth=32,
        vision_heads=16,
        full_attention=(7, 15, 23, 31),
    ),
}
PROMPT, DECODED, CONTEXT = 512, 48, 2048
RUNS = 3
_SHARD = 2**30
_WORDS = ("tea", "milk", "dog", "park", "sunday", "walk", "with", "her", "and", "the", "user", "said", "that", "she")


@dataclass(frozen=True, slots=True)
class Speed:
    """What one way of loading reaches, in tokens a second; seconds for one picture, encoded and evaluated."""

    prompt: float
    decode: float
    picture: float


def main(arguments: Sequence[str] = ()) -> int:
    """Build the model and print a line for each way of loading it."""
    parser = argparse.ArgumentParser(prog="benchmarks speed")
    parser.add_argument("--shape", choices=SHAPES, default="tiny")
    parser.add_argument("--quant", default="Q4_K_M", help="of the text model; the projection is F16")
    parser.add_argument("--gpu-layers", type=int, metavar="N", help="also with N layers on the GPU")
    parser.add_argument("--threads", default="", metavar="N,N", help="numbers of threads; the default if left out")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to keep the model")
    given = parser.parse_args(arguments)
    threads = [int(one) for one in given.threads.split(",") if one] or [default_threads()]
    with _folder(given.keep) as folder:
        pair = build(folder, given.shape, given.quant)
        for fact in report.build_facts():
            print(f"{fact.name}: {fact.finding}")
        print(f"\nshape {given.shape}, {given.quant}, {pair.text.stat().st_size / 2**20:,.0f} MiB\n")
        print("| where | threads | prompt, tokens/s | decode, tokens/s | one picture |\n|---|---:|---:|---:|---:|")
        base = [_show(pair, folder, Loading(context=CONTEXT, threads=count)) for count in threads]
        if given.gpu_layers is not None:
            on_gpu = Loading(context=CONTEXT, gpu_layers=given.gpu_layers, project_on_gpu=given.gpu_layers > 0)
            reached, best = _show(pair, folder, on_gpu), max(base, key=lambda speed: speed.decode)
            print(f"\nAgainst the processor: prompt x {reached.prompt / best.prompt:.1f}, ", end="")
            print(f"decode x {reached.decode / best.decode:.1f}, picture x {best.picture / reached.picture:.1f}")
    return 0


def build(folder: Path, shape: str, quantization: str) -> ExportedPair:
    """Return the pair of a shape, exported from a checkpoint of random weights unless it is there already."""
    text = folder / f"{shape}-{quantization}.gguf"
    if not text.exists():
        checkpoint = folder / shape
        _write_checkpoint(checkpoint, SHAPES[shape])
        export_checkpoint(checkpoint, folder, quantization=quantization, name=shape)
        for shard in checkpoint.glob("*.safetensors"):
            shard.unlink()
    return ExportedPair(text, folder / f"mmproj-{shape}-F16.gguf")


def measure(pair: ExportedPair, folder: Path, loading: Loading) -> Speed:
    """Return the best of several runs."""
    engine = LlamaEngine(pair.text, pair.projection, loading, folder / "cache")
    try:
        runs = [_once(engine, folder, number) for number in range(RUNS)]
    finally:
        engine.close()
    prompts, decodes, pictures = zip(*runs, strict=True)
    return Speed(max(prompts), max(decodes), min(pictures))


def _show(pair: ExportedPair, folder: Path, loading: Loading) -> Speed:
    reached = measure(pair, folder, loading)
    where = f"{loading.gpu_layers} layers on the GPU" if loading.gpu_layers else "processor"
    threads = loading.threads or default_threads()
    mark = " (default)" if threads == default_threads() else ""
    speeds = f"{reached.prompt:,.1f} | {reached.decode:,.1f} | {reached.picture:.2f} s"
    print(f"| {where} | {threads}{mark} | {speeds} |", flush=True)
    return reached


def _once(engine: LlamaEngine, folder: Path, number: int) -> tuple[float, float, float]:
    """Return the speed of a new prompt, of the reply to it, and the seconds of a new picture."""
    noise = np.random.default_rng(number)
    text = " ".join(noise.choice(_WORDS, PROMPT))
    words = text[: len(text) * PROMPT // engine.count(text)]
    before, prompt, decode = engine.counts.evaluated, 0.0, 0.0
    started = time.perf_counter()
    stream = engine.generate(
        [Message("user", (words,))], grammar=None, stop=lambda: False, limit=DECODED, lane=f"text{number}"
    )
    made = engine.counts.generated
    for place, _ in enumerate(stream):
        if place == 0:
            prompt = (engine.counts.evaluated - before) / (time.perf_counter() - started)
            started, made = time.perf_counter(), engine.counts.generated
        decode = (engine.counts.generated - made) / (time.perf_counter() - started)
    part = ImagePart(draw(folder, number), f"{time.time_ns():064x}")
    started = time.perf_counter()
    _drain(engine.generate([Message("user", (part,))], grammar=None, stop=lambda: False, limit=1, lane="picture"))
    return prompt, decode, time.perf_counter() - started


def _drain(stream: Iterator[str]) -> None:
    for _ in stream:
        pass


def _write_checkpoint(directory: Path, shape: tiny.Shape) -> None:
    """Write a checkpoint of the shape; its weights are never all in memory."""
    import torch  # noqa: PLC0415 - five seconds, which who only reads the shapes does not wait for
    from transformers import Qwen2_5_VLForConditionalGeneration  # noqa: PLC0415 - brings torch

    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny.build_tokenizer()
    config = tiny.configure(shape, tokenizer)
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        names = {name: tuple(one.shape) for name, one in Qwen2_5_VLForConditionalGeneration(config).named_parameters()}
    config.save_pretrained(directory)
    tokenizer.chat_template = tiny.CHAT_TEMPLATE
    tokenizer.save_pretrained(directory)
    noise = np.random.default_rng(0).standard_normal(2**20).astype(np.float16)
    shards: dict[str, str] = {}
    waiting: dict[str, NDArray[np.float16]] = {}
    for name, size in names.items():
        waiting[name] = _weights(noise, size)
        if sum(value.nbytes for value in waiting.values()) > _SHARD or name == list(names)[-1]:
            file = f"model-{len(shards):05}.safetensors"
            save_file(waiting, directory / file)
            shards |= dict.fromkeys(waiting, file)
            waiting = {}
    _write_index(directory, shards)


def _weights(noise: NDArray[np.float16], size: tuple[int, ...]) -> NDArray[np.float16]:
    count = int(np.prod(size))
    repeated = np.resize(noise, count).reshape(size)
    scale, centre = (0.1, 1.0) if len(size) == 1 else (0.03, 0.0)
    return (repeated * np.float16(scale) + np.float16(centre)).astype(np.float16)


def _write_index(directory: Path, shards: dict[str, str]) -> None:
    index: dict[str, Any] = {"metadata": {}, "weight_map": shards}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with TemporaryDirectory() as name:
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
