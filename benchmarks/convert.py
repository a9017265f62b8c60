"""Our export beside llama.cpp's own converter, on one checkpoint (`python -m benchmarks convert --llama-cpp DIR`).

DIR is a llama.cpp source tree with `convert_hf_to_gguf.py`: a clone, or `vendor/llama.cpp` of llama-cpp-python's sdist
(`pip download --no-deps --no-binary llama-cpp-python llama-cpp-python`). Without --checkpoint two tiny Qwen2.5-VL are
built. Both pairs are compared: keys and values of the metadata; names, shapes, types and values of the tensors.

The converter knows tokenizers by a hash of what they make of a text, so it cannot know the tiny vocabulary; there, and
only there, it is told that it is Qwen2's. Keys that tell people what a model is called are listed, not judged.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import numpy as np

from persona_cli.model.export import export_checkpoint
from tests.tiny import build_tiny

_CONVERT = """
import importlib.util, sys
folder, told, *rest = sys.argv[1:]
sys.path.insert(0, folder)
sys.argv = [folder + "/convert_hf_to_gguf.py", *rest]
import convert_hf_to_gguf
from conversion import base
def absent(self):
    raise FileNotFoundError("a Qwen2.5-VL has no sentencepiece tokenizer")
if importlib.util.find_spec("sentencepiece") is None:
    # it is tried first, and not there to find that out
    base.TextModel._set_vocab_sentencepiece = absent
if told:
    base.TextModel.get_vocab_base_pre = lambda self, tokenizer: told
convert_hf_to_gguf.main()
"""
_FOR_PEOPLE = ("general.",)
"""Keys that describe; two of them are read by llama.cpp and are judged."""
_JUDGED = frozenset({"general.architecture", "general.type", "general.file_type", "general.quantization_version"})


@dataclass(slots=True)
class Difference:
    """What two files of one kind disagree in, and how much they agree in."""

    agreed_keys: int = 0
    agreed_tensors: int = 0
    faults: list[str] = field(default_factory=list)
    described: list[str] = field(default_factory=list)
    """Keys for people that only one has, or that differ."""


def main(arguments: Sequence[str] = ()) -> int:
    """Convert both ways and compare; 1 when something differs that llama.cpp reads."""
    parser = argparse.ArgumentParser(prog="benchmarks convert")
    parser.add_argument("--llama-cpp", type=Path, required=True, metavar="DIR", help="a llama.cpp source tree")
    parser.add_argument("--checkpoint", type=Path, metavar="DIR", help="a Qwen2.5-VL checkpoint of yours")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as name:
        folder = Path(name)
        if given.checkpoint:
            return _report(given.llama_cpp, given.checkpoint, folder, "")
        # the 3B shape ties its embeddings to its output, the 7B shape does not
        shapes = [_tiny(folder / kind, tied=kind == "tied") for kind in ("tied", "untied")]
        return max(_report(given.llama_cpp, shape, shape.parent, "qwen2") for shape in shapes)


def _report(llama_cpp: Path, checkpoint: Path, folder: Path, told: str) -> int:
    ours = export_checkpoint(checkpoint, folder / "ours", quantization="F16")
    theirs = [convert(llama_cpp, checkpoint, folder, told, vision=vision) for vision in (False, True)]
    found = [compare(one, other) for one, other in zip((ours.text, ours.projection), theirs, strict=True)]
    for kind, one in zip(("text model", "vision projection"), found, strict=True):
        print(f"{folder.name}, {kind}: {one.agreed_keys} keys and {one.agreed_tensors} tensors agree, ", end="")
        print(f"{len(one.faults)} differ")
        for line in (*one.faults, *(f"(for people) {line}" for line in one.described)):
            print(f"  {line}")
    return 1 if any(one.faults for one in found) else 0


def convert(llama_cpp: Path, checkpoint: Path, folder: Path, told: str, *, vision: bool) -> Path:
    """Run llama.cpp's converter in F16 and return the file it wrote."""
    path = folder / f"theirs-{'mmproj' if vision else 'text'}.gguf"
    options = [str(checkpoint), "--outfile", str(path), "--outtype", "f16", *(["--mmproj"] if vision else [])]
    child = [sys.executable, "-c", _CONVERT, str(llama_cpp), told, *options]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the converter failed: {done.stderr.strip().splitlines()[-1]}")
    return path


def compare(ours: Path, theirs: Path) -> Difference:
    """Return what two GGUF files of one kind differ in."""
    one, other = gguf.GGUFReader(ours), gguf.GGUFReader(theirs)
    found = Difference()
    for line in _keys(one, other, found):
        key = line.split(" ")[0]
        described = key.startswith(_FOR_PEOPLE) and key not in _JUDGED
        (found.described if described else found.faults).append(line)
    found.faults += _tensors(one, other, found)
    return found


def _keys(one: Any, other: Any, found: Difference) -> Iterator[str]:
    mine, theirs = _fields(one), _fields(other)
    for key in sorted(mine.keys() | theirs.keys()):
        if key not in theirs:
            yield f"{key} only in ours: {_short(mine[key])}"
        elif key not in mine:
            yield f"{key} only in theirs: {_short(theirs[key])}"
        elif mine[key] != theirs[key]:
            yield f"{key} ours {_short(mine[key])}, theirs {_short(theirs[key])}"
        else:
            found.agreed_keys += 1


def _tensors(one: Any, other: Any, found: Difference) -> Iterator[str]:
    mine, theirs = ({tensor.name: tensor for tensor in reader.tensors} for reader in (one, other))
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs:
            yield f"tensor {name} only in {'ours' if name in mine else 'theirs'}"
            continue
        a, b = mine[name], theirs[name]
        if (a.tensor_type, list(a.shape)) != (b.tensor_type, list(b.shape)):
            kinds = [f"{tensor.tensor_type.name} {tensor.shape.tolist()}" for tensor in (a, b)]
            yield f"tensor {name} ours {kinds[0]}, theirs {kinds[1]}"
        elif not np.array_equal(a.data, b.data):
            apart = np.abs(a.data.astype(np.float64) - b.data.astype(np.float64)).max()
            yield f"tensor {name} differs by up to {apart:.3g}"
        else:
            found.agreed_tensors += 1


def _fields(reader: Any) -> dict[str, Any]:
    return {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:60]}… ({len(text)} characters)"


def _tiny(folder: Path, *, tied: bool) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers' own, while it builds
        return build_tiny(folder, tied=tied).checkpoint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
