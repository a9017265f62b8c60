"""The tiny Qwen2.5-VL of the tests: built once per run, exported by the real exporter, its twin kept for parity."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from persona_cli.model.export import ExportedPair, export_checkpoint
from persona_cli.paths import shipped


@dataclass(frozen=True)
class Tiny:
    """A checkpoint and the directory its exports go to."""

    checkpoint: Path
    target: Path

    @cached_property
    def pair(self) -> ExportedPair:
        """The pair in F16."""
        return self.export("F16")

    def export(self, quantization: str) -> ExportedPair:
        """Export, or return what was exported before."""
        text = self.target / f"tiny-{quantization}.gguf"
        if not text.exists():
            return export_checkpoint(self.checkpoint, self.target, quantization=quantization, name="tiny")
        return ExportedPair(text, self.target / "mmproj-tiny-F16.gguf")


def build_tiny(directory: Path, **shape: Any) -> Tiny:
    """Build the checkpoint from the recipe in models/."""
    recipe = _recipe()
    return Tiny(recipe.build_checkpoint(directory / "tiny", recipe.Shape(**shape)), directory / "gguf")


def _recipe() -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("persona_tiny_recipe", shipped("tiny.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
