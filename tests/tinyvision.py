"""Tiny models that see, of further families, with random weights: a text model and its projection, written as GGUF.

Qwen3-VL has states of inner layers beside the picture's own (deepstack) and positions of two dimensions; Gemma 3 sees
each picture as a square, and its tokens see each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from tests.tinytext import WIDTH, write_text_model

SEEN, SEEN_HIDDEN, BLOCKS, HEADS = 64, 128, 2, 4
SQUARE = 112
"""Pixels of the square that the tiny Gemma 3 sees: four tokens a side."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files of a model that sees."""

    text: Path
    projection: Path


def write_qwen3vl(folder: Path) -> Pair:
    """Write a Qwen3-VL."""
    text = write_text_model(folder / "qwen3vl.gguf", "qwen3vl", control=("<|vision_start|>", "<|vision_end|>"))
    writer = _projection(folder / "mmproj-qwen3vl.gguf", gguf.VisionProjectorType.QWEN3VL, patch=16, image=64)
    writer.add_vision_spatial_merge_size(2)
    writer.add_vision_is_deepstack_layers([True, False])
    return Pair(text, _finish(writer, folder / "mmproj-qwen3vl.gguf", _qwen3vl()))


def write_gemma3(folder: Path) -> Pair:
    """Write a Gemma 3."""
    text = write_text_model(folder / "gemma3.gguf", "gemma3", control=("<start_of_image>", "<end_of_image>"))
    writer = _projection(folder / "mmproj-gemma3.gguf", gguf.VisionProjectorType.GEMMA3, patch=14, image=SQUARE)
    writer.add_vision_projector_scale_factor(2)
    return Pair(text, _finish(writer, folder / "mmproj-gemma3.gguf", _gemma3()))


def _projection(path: Path, projector: str, *, patch: int, image: int) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(projector)
    writer.add_vision_projection_dim(WIDTH)
    writer.add_vision_image_size(image)
    writer.add_vision_patch_size(patch)
    writer.add_vision_embedding_length(SEEN)
    writer.add_vision_feed_forward_length(SEEN_HIDDEN)
    writer.add_vision_block_count(BLOCKS)
    writer.add_vision_head_count(HEADS)
    writer.add_vision_attention_layernorm_eps(1e-6)
    writer.add_vision_image_mean([0.5, 0.5, 0.5])
    writer.add_vision_image_std([0.5, 0.5, 0.5])
    writer.add_vision_use_gelu(True)
    return writer


def _finish(writer: gguf.GGUFWriter, path: Path, tensors: Iterator[tuple[str, tuple[int, ...]]]) -> Path:
    random = np.random.default_rng(11)
    for name, shape in tensors:
        scale = 1.0 if name.endswith("norm.weight") or ".ln" in name or "post_ln.weight" in name else 0.0
        writer.add_tensor(name, random.normal(scale, 0.15, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _both(name: str, *shape: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _tower(*, patch: int, places: int, fused: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _both("v.patch_embd", SEEN, 3, patch, patch)
    yield "v.position_embd.weight", (places, SEEN)
    yield from _both("v.post_ln", SEEN)
    for block in range(BLOCKS):
        yield from _both(f"v.blk.{block}.ln1", SEEN)
        yield from _both(f"v.blk.{block}.ln2", SEEN)
        if fused:
            yield from _both(f"v.blk.{block}.attn_qkv", 3 * SEEN, SEEN)
        else:
            for letter in "qkv":
                yield from _both(f"v.blk.{block}.attn_{letter}", SEEN, SEEN)
        yield from _both(f"v.blk.{block}.attn_out", SEEN, SEEN)
        yield from _both(f"v.blk.{block}.ffn_up", SEEN_HIDDEN, SEEN)
        yield from _both(f"v.blk.{block}.ffn_down", SEEN, SEEN_HIDDEN)


def _qwen3vl() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _tower(patch=16, places=16, fused=True)
    yield "v.patch_embd.weight.1", (SEEN, 3, 16, 16)
    yield from _both("mm.0", 4 * SEEN, 4 * SEEN)
    yield from _both("mm.2", WIDTH, 4 * SEEN)
    yield from _both("v.deepstack.0.norm", 4 * SEEN)
    yield from _both("v.deepstack.0.fc1", 4 * SEEN, 4 * SEEN)
    yield from _both("v.deepstack.0.fc2", WIDTH, 4 * SEEN)


def _gemma3() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _tower(patch=14, places=(SQUARE // 14) ** 2, fused=False)
    yield "mm.input_projection.weight", (SEEN, WIDTH)
    yield "mm.soft_emb_norm.weight", (SEEN,)
