"""What a chat costs before the weights are mapped: the processor's time of a whole start up to that call.

The file has the shape of a 7B model and a vocabulary of real size (`--vocabulary` names a folder with vocab.json and
merges.txt), and no weights: its holes take no room on the disk, and nothing reads them, so that any machine has the
memory for it. A child process opens `persona chat` on it and ends where llama.cpp would be asked to load; beside it
stand a trivial Typer program, and that one with the libraries. Bytecode is kept, as an installation keeps it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import gguf
import numpy as np

from benchmarks.opening import TOKENS, invented, read_vocabulary
from benchmarks.start import TRIVIAL
from persona_cli.model.weights import Manifest, WeightFile, Weights, now, write_manifest
from persona_cli.paths import find_places
from tests.tinytext import CHATML

WIDTH, HIDDEN, LAYERS, KV = 3584, 18_944, 28, 512
ROUNDS = 5
_TELL = "import sys, time; print(time.process_time(), file=sys.stderr)"
_TRIVIAL = TRIVIAL.replace("app()\n", f"import atexit; atexit.register(lambda: exec({_TELL!r}))\napp()\n")
_LIBRARIES = f"import numpy, llama_cpp\n{_TRIVIAL}"
_CHAT = """
import importlib.abc, os, subprocess, sys, time, types

class Ending(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "persona_cli.model.engines.llama.engine":
            import llama_cpp
            llama_cpp.llama_model_load_from_file = end
        return None

def end(*given):
    print(time.process_time(), file=sys.stderr, flush=True)
    os._exit(0)

# a first load is tried in a child: as if it had been tried before
subprocess.run = lambda *given, **more: types.SimpleNamespace(returncode=0)
sys.meta_path.insert(0, Ending())
sys.argv = ["persona", "chat", "hello there"]
from persona_cli.cli.app import main
main()
"""


def main(arguments: Sequence[str] = ()) -> int:
    """Print the medians, in seconds and as multiples of the trivial program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mapping")
    parser.add_argument("--vocabulary", type=Path, help="a folder with vocab.json and merges.txt")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "PERSONA_HOME": folder, "PYTHONDONTWRITEBYTECODE": ""}
        _install(write_shape(Path(folder) / "seven.gguf", options.vocabulary), environment)
        programs = {
            "a trivial Typer program": _TRIVIAL,
            "the same with NumPy and llama-cpp-python": _LIBRARIES,
            "chat, up to the weights": _CHAT,
        }
        taken: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(ROUNDS + 1):
            for name, program in programs.items():
                taken[name].append(_seconds(program, environment))
    medians = {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}
    least = medians["a trivial Typer program"]
    print("| processor's time | s | times a trivial program |\n|---|---:|---:|")
    for name, seconds in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / least:.1f} |")
    return 0


def _install(path: Path, environment: dict[str, str]) -> None:
    """Note the file as installed and in use, without the hash of its gigabytes of nothing."""
    weights = Weights(find_places(env=environment).weights)
    file = WeightFile("text", str(path), path.stat().st_size, "0" * 64)
    with weights.prepare("seven") as folder:
        write_manifest(folder, Manifest("seven", "a shape", "", "Q4_K", now(), (file,)))
    subprocess.run([sys.executable, "-m", "persona_cli", "model", "use", "seven"], env=environment, check=True)


def write_shape(path: Path, vocabulary: Path | None) -> Path:
    """Write a file that has the head of a 7B model in Q4_K and holes for its weights."""
    tokens, merges = read_vocabulary(vocabulary) if vocabulary is not None else invented()
    tokens += [f"<|extra {number}|>" for number in range(TOKENS - len(tokens))]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(32_768)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(28)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_chat_template(CHATML)
    size = 0
    for name, shape in _shapes():
        block = np.dtype(np.uint8 if len(shape) > 1 else np.float32)
        raw = (shape[0], shape[1] // 256 * 144) if len(shape) > 1 else shape
        kind = gguf.GGMLQuantizationType.Q4_K if len(shape) > 1 else None
        taken = int(np.prod(raw)) * block.itemsize
        writer.add_tensor_info(name, raw, block, taken, raw_dtype=kind)
        size += -(-taken // 32) * 32
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    os.truncate(path, path.stat().st_size + size + 64)
    return path


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (TOKENS, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    yield "output.weight", (TOKENS, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (WIDTH,)
        for letter, rows in (("q", WIDTH), ("k", KV), ("v", KV)):
            yield f"{block}attn_{letter}.weight", (rows, WIDTH)
            yield f"{block}attn_{letter}.bias", (rows,)
        yield block + "attn_output.weight", (WIDTH, WIDTH)
        yield block + "ffn_norm.weight", (WIDTH,)
        yield block + "ffn_gate.weight", (HIDDEN, WIDTH)
        yield block + "ffn_up.weight", (HIDDEN, WIDTH)
        yield block + "ffn_down.weight", (WIDTH, HIDDEN)


def _seconds(program: str, environment: dict[str, str]) -> float:
    """Return what a program says last: the processor's seconds it has taken."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return float(done.stderr.split()[-1])
