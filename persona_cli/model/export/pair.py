"""Writing the GGUF pair: architecture `qwen2vl` for the text model, `clip` for the vision projection.

Tensors are written one at a time: first all names and shapes, then the weights in the same order, so that memory
holds one tensor. Three differences between the checkpoint and GGUF are bridged here: the patch embedding's Conv3D
becomes two Conv2D, the vision tower's fused qkv becomes q, k and v, and a fourth, empty M-RoPE section is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import WeightsError
from persona_cli.model.export.checkpoint import Checkpoint, Tensor

Progress = Callable[[str, int, int], None]

_TOKEN_TYPES = {
    "normal": gguf.TokenType.NORMAL,
    "control": gguf.TokenType.CONTROL,
    "user": gguf.TokenType.USER_DEFINED,
    "unused": gguf.TokenType.UNUSED,
}


class StoredPrecision(Enum):
    """How matrices are stored; vectors (norms, biases) are always F32, as llama.cpp wants them."""

    F16 = np.float16
    F32 = np.float32


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor of a GGUF file: a name, a shape, and the array behind it."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


def write_text(checkpoint: Checkpoint, path: Path, precision: StoredPrecision, progress: Progress) -> None:
    """Write the text model with tokenizer, chat template and M-RoPE sections."""
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.QWEN2VL])
    writer.add_type(gguf.GGUFType.MODEL)
    _describe(writer, checkpoint, precision)
    _describe_text(writer, checkpoint)
    _describe_tokenizer(writer, checkpoint)
    pieces = [piece for tensor in checkpoint.tensors() for piece in _text_pieces(checkpoint, tensor)]
    _write(writer, pieces, precision, progress, "text model")


def write_projection(checkpoint: Checkpoint, path: Path, precision: StoredPrecision, progress: Progress) -> None:
    """Write the vision tower and merger (mmproj); `projection_dim` ties it to its text model."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type(gguf.GGUFType.MMPROJ)
    _describe(writer, checkpoint, precision)
    _describe_vision(writer, checkpoint)
    pieces = [piece for tensor in checkpoint.tensors() for piece in _vision_pieces(checkpoint, tensor)]
    _write(writer, pieces, precision, progress, "vision projection")


def _describe(writer: gguf.GGUFWriter, checkpoint: Checkpoint, precision: StoredPrecision) -> None:
    whole = gguf.LlamaFileType.ALL_F32 if precision is StoredPrecision.F32 else gguf.LlamaFileType.MOSTLY_F16
    writer.add_name(checkpoint.name)
    writer.add_file_type(whole)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _describe_text(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    text, rope = checkpoint.text, checkpoint.rope
    sections = [*rope.get("mrope_section", ())]
    half_head = int(text["hidden_size"]) // int(text["num_attention_heads"]) // 2
    if len(sections) != 3 or sum(sections) != half_head:
        raise WeightsError(
            f"the M-RoPE sections {sections} do not add up to half a head ({half_head})",
            fix="config.json is not that of a Qwen2.5-VL; download it again.",
        )
    writer.add_block_count(text["num_hidden_layers"])
    writer.add_context_length(text["max_position_embeddings"])
    writer.add_embedding_length(text["hidden_size"])
    writer.add_feed_forward_length(text["intermediate_size"])
    writer.add_head_count(text["num_attention_heads"])
    writer.add_head_count_kv(text["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(text["rms_norm_eps"])
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_sections([*sections, 0])


def _describe_tokenizer(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    tokens = checkpoint.tokens()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([token.text for token in tokens])
    writer.add_token_types([_TOKEN_TYPES[token.kind] for token in tokens])
    special = gguf.SpecialVocab(checkpoint.directory, load_merges=True, n_vocab=len(tokens))
    if special.chat_template is None:
        raise WeightsError(
            f"{checkpoint.directory} has no chat template",
            fix="Download tokenizer_config.json or chat_template.jinja of the checkpoint as well.",
        )
    special.add_to_gguf(writer, quiet=True)


def _describe_vision(writer: gguf.GGUFWriter, checkpoint: Checkpoint) -> None:
    vision = checkpoint.vision
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.QWEN25VL)
    writer.add_vision_projection_dim(checkpoint.text["hidden_size"])
    writer.add_vision_image_size(vision.get("image_size", 560))
    writer.add_vision_patch_size(vision["patch_size"])
    writer.add_vision_embedding_length(vision["hidden_size"])
    writer.add_vision_feed_forward_length(vision["intermediate_size"])
    writer.add_vision_block_count(vision["depth"])
    writer.add_vision_head_count(vision["num_heads"])
    writer.add_vision_image_mean(checkpoint.image_mean)
    writer.add_vision_image_std(checkpoint.image_std)
    writer.add_vision_use_silu(True)
    writer.add_vision_n_wa_pattern(_window_pattern(vision["fullatt_block_indexes"]))
    writer.add_vision_attention_layernorm_eps(checkpoint.text.get("rms_norm_eps", 1e-6))


def _window_pattern(full: Sequence[int]) -> int:
    """Return n where every n-th block attends to the whole picture; llama.cpp knows no other pattern."""
    pattern = full[0] + 1
    if pattern < 2 or any(second - first != pattern for first, second in pairwise(full)):
        raise WeightsError(
            f"the full-attention blocks {list(full)} are not evenly spaced", fix="llama.cpp cannot run such a model."
        )
    return pattern


def _text_pieces(checkpoint: Checkpoint, tensor: Tensor) -> Iterator[Piece]:
    if tensor.name.startswith("visual."):
        return
    if tensor.name == "lm_head.weight" and checkpoint.text.get("tie_word_embeddings"):
        return
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2VL, checkpoint.text["num_hidden_layers"])
    yield Piece(_mapped(names, tensor.name), tensor.shape, tensor.read)


def _vision_pieces(checkpoint: Checkpoint, tensor: Tensor) -> Iterator[Piece]:
    if not tensor.name.startswith("visual."):
        return
    # "merger.mlp.2" is mapped as if 2 were a block, so the map must hold at least 3 blocks
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.MMPROJ, max(checkpoint.vision["depth"], 3))
    if tensor.name == "visual.patch_embed.proj.weight":
        out, channels, frames, height, width = tensor.shape
        if frames != 2:
            raise WeightsError(f"the patch embedding spans {frames} frames, not 2", fix="This is no Qwen2.5-VL.")
        for frame, suffix in enumerate(("", ".1")):
            yield Piece(f"v.patch_embd.weight{suffix}", (out, channels, height, width), _frame(tensor, frame))
    elif ".qkv." in tensor.name:
        third = (tensor.shape[0] // 3, *tensor.shape[1:])
        for position, letter in enumerate("qkv"):
            yield Piece(_mapped(names, tensor.name.replace("qkv", letter)), third, _third(tensor, position))
    else:
        yield Piece(_mapped(names, tensor.name), tensor.shape, tensor.read)


def _frame(tensor: Tensor, frame: int) -> Callable[[], NDArray[np.float32]]:
    return lambda: tensor.read()[:, :, frame]


def _third(tensor: Tensor, position: int) -> Callable[[], NDArray[np.float32]]:
    return lambda: np.split(tensor.read(), 3, axis=0)[position]


def _mapped(names: gguf.TensorNameMap, name: str) -> str:
    mapped = names.get_name(name, (".weight", ".bias"))
    if mapped is None:
        raise WeightsError(f"the checkpoint has a tensor {name} that no Qwen2.5-VL has", fix="Use an unmodified model.")
    return str(mapped)


def _write(
    writer: gguf.GGUFWriter, pieces: Sequence[Piece], precision: StoredPrecision, progress: Progress, what: str
) -> None:
    kinds = [np.dtype(precision.value if len(piece.shape) > 1 else np.float32) for piece in pieces]
    sizes = [int(np.prod(piece.shape)) * kind.itemsize for piece, kind in zip(pieces, kinds, strict=True)]
    for piece, kind, size in zip(pieces, kinds, sizes, strict=True):
        writer.add_tensor_info(piece.name, piece.shape, kind, size)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        done = 0
        for piece, kind, size in zip(pieces, kinds, sizes, strict=True):
            progress(what, done, sum(sizes))
            writer.write_tensor_data(np.ascontiguousarray(piece.read().astype(kind)))
            done += size
        progress(what, done, sum(sizes))
    finally:
        writer.close()
