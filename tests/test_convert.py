"""The comparison with llama.cpp's converter sees what differs; the converter itself needs a source tree."""

from pathlib import Path

import pytest

from benchmarks.convert import compare
from persona_cli.model.export import export_checkpoint
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf


def test_a_file_agrees_with_itself(tiny: Tiny) -> None:
    found = compare(tiny.pair.text, tiny.pair.text)
    assert (found.faults, found.described) == ([], [])
    assert found.agreed_keys > 20
    assert found.agreed_tensors > 20


def test_another_precision_and_another_name_are_told_apart(tiny: Tiny, tmp_path: Path) -> None:
    other = export_checkpoint(tiny.checkpoint, tmp_path, quantization="F32")
    found = compare(tiny.pair.projection, other.projection)
    assert any(line.startswith("general.file_type ours 1, theirs 0") for line in found.faults)
    assert any("v.patch_embd.weight ours F16 [14, 14, 3, 128], theirs F32" in line for line in found.faults)
    assert any("only in ours" in line for line in compare(tiny.pair.text, tiny.pair.projection).faults)
