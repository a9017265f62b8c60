"""A Hugging Face Qwen2.5-VL checkpoint to the GGUF pair llama.cpp runs: text model and vision projection.

`checkpoint` reads the directory, `pair` writes both files tensor by tensor, `quantize` hands the text model to
llama.cpp's own quantizer. Every file is written under a temporary name and renamed once it is complete, so an
interrupted run leaves nothing under a final name.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from persona_cli.errors import StorageError
from persona_cli.model.export.checkpoint import open_checkpoint
from persona_cli.model.export.pair import StoredPrecision, write_projection, write_text
from persona_cli.model.export.quantize import QUANTIZATIONS, quantize

__all__ = ["QUANTIZATIONS", "ExportedPair", "Progress", "export_checkpoint"]

Progress = Callable[[str, int, int], None]
"""Called with what is being written, and how many of how many bytes are done."""


@dataclass(frozen=True, slots=True)
class ExportedPair:
    """The two files of an export."""

    text: Path
    projection: Path


def export_checkpoint(
    directory: Path,
    target: Path,
    *,
    quantization: str = "Q4_K_M",
    name: str | None = None,
    progress: Progress = lambda _what, _done, _total: None,
) -> ExportedPair:
    """Write `target`/NAME-QUANT.gguf and `target`/mmproj-NAME-F16.gguf from the checkpoint in `directory`.

    Memory stays near the size of the largest tensor, in F32. Raises `WeightsError` for a directory that is no
    complete Qwen2.5-VL checkpoint, and `StorageError` where the disk gives out; both leave `target` as it was.
    """
    checkpoint = open_checkpoint(directory)
    name = name or checkpoint.name
    pair = ExportedPair(target / f"{name}-{quantization}.gguf", target / f"mmproj-{name}-F16.gguf")
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix=".export-", dir=target)))
            precision = StoredPrecision.F32 if quantization == "F32" else StoredPrecision.F16
            whole, projection = scratch / "text.gguf", scratch / "projection.gguf"
            write_projection(checkpoint, projection, precision, progress)
            write_text(checkpoint, whole, precision, progress)
            text = whole
            if quantization not in ("F16", "F32"):
                text = scratch / "quantized.gguf"
                quantize(whole, text, quantization, progress)
            projection.replace(pair.projection)
            text.replace(pair.text)
    except OSError as exc:
        raise StorageError(
            f"the export to {target} failed: {exc.strerror or exc}",
            fix="It needs the checkpoint's size in F16 plus the quantized file as free disk, and write permission.",
        ) from exc
    return pair
