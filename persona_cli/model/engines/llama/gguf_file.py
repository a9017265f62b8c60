"""What a GGUF file is, read without loading it: magic, architecture, sizes, and whether two files belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_cli.errors import WeightsError

TEXT, PROJECTION = "qwen2vl", "clip"
PROJECTOR = "qwen2.5vl_merger"


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text model on disk."""

    path: Path
    name: str
    layers: int
    width: int
    context: int
    kv_per_token: int
    """Bytes of key-value cache one token takes, in F16."""
    size: int


@dataclass(frozen=True, slots=True)
class ProjectionFile:
    """A vision projection on disk; `width` must be that of its text model."""

    path: Path
    width: int
    size: int


def is_projection(path: Path) -> bool:
    """Tell by what is in a GGUF file, whatever its name, whether it is a vision projection; raises `WeightsError`."""
    return bool(_value(_open(path), "general.architecture") == PROJECTION)


def read_text(path: Path) -> TextFile:
    """Return what `path` holds; raises `WeightsError` for anything but a whole Qwen2.5-VL text model."""
    reader = _open(path)
    architecture = _value(reader, "general.architecture")
    if architecture != TEXT:
        kind = "a vision projection" if architecture == PROJECTION else f"a {architecture} model"
        raise WeightsError(
            f"{path.name} is {kind}, not a Qwen2.5-VL text model", fix="Name the text model's GGUF file."
        )
    if _value(reader, f"{TEXT}.rope.dimension_sections") is None:
        raise WeightsError(f"{path.name} has no M-RoPE sections", fix="Export it again with `persona model export`.")
    layers, width = _number(reader, f"{TEXT}.block_count"), _number(reader, f"{TEXT}.embedding_length")
    heads, kv_heads = (
        _number(reader, f"{TEXT}.attention.head_count"),
        _number(reader, f"{TEXT}.attention.head_count_kv"),
    )
    return TextFile(
        path=path,
        name=str(_value(reader, "general.name") or path.stem),
        layers=layers,
        width=width,
        context=_number(reader, f"{TEXT}.context_length"),
        kv_per_token=2 * 2 * layers * width // heads * kv_heads,
        size=path.stat().st_size,
    )


def read_projection(path: Path) -> ProjectionFile:
    """Return what `path` holds; raises `WeightsError` for anything but the projection of a Qwen2.5-VL."""
    reader = _open(path)
    projector = _value(reader, "clip.projector_type") or _value(reader, "clip.vision.projector_type")
    if _value(reader, "general.architecture") != PROJECTION or projector != PROJECTOR:
        raise WeightsError(
            f"{path.name} is no vision projection of a Qwen2.5-VL", fix="Name the mmproj file that came with the model."
        )
    return ProjectionFile(path, _number(reader, "clip.vision.projection_dim"), path.stat().st_size)


def check_pair(text: TextFile, projection: ProjectionFile) -> None:
    """Raise `WeightsError` where the projection belongs to a model of another width."""
    if text.width != projection.width:
        raise WeightsError(
            f"{projection.path.name} projects to {projection.width} dimensions, {text.path.name} has {text.width}",
            fix="Use the mmproj file that was published with the text model.",
        )


def _open(path: Path) -> Any:
    import gguf

    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as exc:
        raise WeightsError(f"{path} cannot be read: {exc.strerror}", fix="Check the path and its permissions.") from exc
    if magic != b"GGUF":
        raise WeightsError(
            f"{path.name} is no GGUF file", fix="Name a file that ends in .gguf, or export a checkpoint."
        )
    try:
        reader = gguf.GGUFReader(path)
        ends = [int(tensor.data_offset) + int(tensor.n_bytes) for tensor in reader.tensors]
    except (ValueError, IndexError, KeyError, OSError, OverflowError) as exc:
        raise _truncated(path) from exc
    if not ends or max(ends) > path.stat().st_size:
        raise _truncated(path)
    return reader


def _truncated(path: Path) -> WeightsError:
    return WeightsError(f"{path.name} is truncated or damaged", fix="Download or export it again.")


def _value(reader: Any, key: str) -> Any:
    field = reader.get_field(key)
    return None if field is None else field.contents()


def _number(reader: Any, key: str) -> int:
    value = _value(reader, key)
    if value is None:
        raise WeightsError(f"{reader.data.filename} has no {key}", fix="Download or export it again.")
    return int(value)
