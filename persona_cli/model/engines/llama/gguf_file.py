"""What a GGUF file is, known without loading it: architecture, sizes, and whether two files belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from persona_cli.errors import WeightsError
from persona_cli.model.engines.llama.gguf_header import Header
from persona_cli.model.grounding import THOUSANDTHS, PictureForm

PROJECTION = "clip"
QWEN = "qwen2vl"
FAMILIES = {"qwen2.5vl_merger": QWEN, "qwen3vl_merger": "qwen3vl", "gemma3": "gemma3"}
"""The vision projections persona shows pictures through, each with the architecture of its text models.

Each is proven on tiny weights of its own; all of them take a picture as one piece.
"""
_NO_CHAT = {
    "bert": "an embedding model",
    "modern-bert": "an embedding model",
    "nomic-bert": "an embedding model",
    "nomic-bert-moe": "an embedding model",
    "neo-bert": "an embedding model",
    "jina-bert-v2": "an embedding model",
    "jina-bert-v3": "an embedding model",
    "eurobert": "an embedding model",
    "gemma-embedding": "an embedding model",
    "t5encoder": "an encoder",
    "t5": "an encoder with a decoder",
    "wavtokenizer-dec": "a voice",
    "dream": "a diffusion model",
    "llada": "a diffusion model",
    "llada-moe": "a diffusion model",
    PROJECTION: "a vision projection",
}
"""What llama.cpp loads, and cannot be talked to."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text model on disk."""

    path: Path
    architecture: str
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
    projector: str
    width: int
    size: int
    form: PictureForm


def is_projection(path: Path) -> bool:
    """Tell by what is in a GGUF file, whatever its name, whether it is a vision projection; raises `WeightsError`."""
    return Header(path).get("general.architecture") == PROJECTION


def read_text(path: Path) -> TextFile:
    """Return what `path` holds; raises `WeightsError` for anything but a whole text model that can be talked to."""
    header = Header(path)
    architecture = header.text("general.architecture")
    _check_chat(header, architecture)
    layers = header.number(f"{architecture}.block_count")
    return TextFile(
        path=path,
        architecture=architecture,
        layers=layers,
        width=header.number(f"{architecture}.embedding_length"),
        context=header.number(f"{architecture}.context_length"),
        kv_per_token=_kv_per_token(header, architecture, layers),
        size=path.stat().st_size,
    )


def read_projection(path: Path) -> ProjectionFile:
    """Return what `path` holds; raises `WeightsError` for anything but a projection persona shows pictures through."""
    header = Header(path)
    if header.get("general.architecture") != PROJECTION:
        raise WeightsError(f"{path.name} is no vision projection", fix="Name the mmproj file that came with the model.")
    projector = header.text("clip.projector_type") or header.text("clip.vision.projector_type") or "of no name"
    if projector not in FAMILIES:
        raise WeightsError(
            f"{path.name} is a projection ({projector}) whose pictures persona is not proven with",
            fix=f"Add the text model alone, which then sees no pictures; proven are {', '.join(FAMILIES)}.",
        )
    width = header.number("clip.vision.projection_dim")
    return ProjectionFile(path, projector, width, path.stat().st_size, _form(header, projector))


def check_pair(text: TextFile, projection: ProjectionFile) -> None:
    """Raise `WeightsError` where the projection belongs to a model of another kind or width."""
    if text.architecture != FAMILIES[projection.projector]:
        raise WeightsError(
            f"{projection.path.name} ({projection.projector}) does not go with a {text.architecture} model",
            fix="Use the mmproj file that was published with the text model, or add the text model alone.",
        )
    if text.width != projection.width:
        raise WeightsError(
            f"{projection.path.name} projects to {projection.width} dimensions, {text.path.name} has {text.width}",
            fix="Use the mmproj file that was published with the text model.",
        )


def _form(header: Header, projector: str) -> PictureForm:
    if projector == "gemma3":
        # four by four patches are one token, where the file says nothing else
        merged = int((header.numbers("clip.vision.projector.scale_factor") or (4,))[0])
        side = merged * header.number("clip.vision.patch_size")
        square = header.number("clip.vision.image_size")
        return PictureForm(side, square, counted="", resampling="BILINEAR")
    if projector == "qwen3vl_merger":
        return PictureForm(side=2 * header.number("clip.vision.patch_size"), counted=THOUSANDTHS)
    return PictureForm()


def _check_chat(header: Header, architecture: str) -> None:
    name = header.path.name
    kind = "an adapter" if header.get("general.type") == "adapter" else _NO_CHAT.get(architecture)
    if kind is not None:
        raise WeightsError(f"{name} is {kind}, not a text model", fix="Name the text model's GGUF file.")
    if architecture == QWEN and not header.numbers(f"{QWEN}.rope.dimension_sections"):
        raise WeightsError(f"{name} has no M-RoPE sections", fix="Export it again with `persona model export`.")
    if architecture != QWEN and not header.text("tokenizer.chat_template"):
        raise WeightsError(
            f"{name} has no chat template, so it is no model to talk to", fix="Use its instruct or chat version."
        )


def _kv_per_token(header: Header, architecture: str, layers: int) -> int:
    """Return the bytes of cache a token takes; layers without attention (a recurrent model's) have no heads."""
    heads = header.numbers(f"{architecture}.attention.head_count") or (0,)
    kv_heads = header.numbers(f"{architecture}.attention.head_count_kv") or heads
    whole = header.number(f"{architecture}.embedding_length") // max(int(max(heads)), 1)
    sizes = [
        int((header.numbers(f"{architecture}.attention.{side}_length") or (whole,))[0]) for side in ("key", "value")
    ]
    count = sum(kv_heads) if len(kv_heads) > 1 else layers * kv_heads[0]
    return 2 * int(count) * sum(sizes)
