"""Qwen3-VL and Gemma 3 against transformers on the same random weights: what a picture becomes and what follows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from persona_cli.model.engines.llama.native import Context, LoadedWeights, Loading
from persona_cli.model.engines.llama.sequence import Item, Lane
from persona_cli.model.engines.llama.vision import Vision, VisionPicture
from tests import tinytext
from tests.tinytext import HIDDEN, KV_HEADS, LAYERS, WIDTH
from tests.tinyvision import BLOCKS, HEADS, SEEN, SEEN_HIDDEN, SQUARE, Pair, write_gemma3, write_qwen3vl

pytestmark = pytest.mark.gguf

PLACE = 257
"""A token that no text here has: it stands for a part of the picture."""
_HALF = [0.5, 0.5, 0.5]
_TEXT = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}  # fmt: skip
_TEXT_NORMS = {
    "qwen3vl": {"ffn_norm": "post_attention_layernorm"},
    "gemma3": {
        "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
    },
}  # fmt: skip
_QWEN_BLOCK = {
    "ln1": "norm1", "ln2": "norm2", "attn_qkv": "attn.qkv", "attn_out": "attn.proj",
    "ffn_up": "mlp.linear_fc1", "ffn_down": "mlp.linear_fc2",
}  # fmt: skip
_QWEN = {
    "v.patch_embd": "patch_embed.proj", "v.position_embd": "pos_embed", "v.post_ln": "merger.norm",
    "mm.0": "merger.linear_fc1", "mm.2": "merger.linear_fc2", "v.deepstack.0.norm": "deepstack_merger_list.0.norm",
    "v.deepstack.0.fc1": "deepstack_merger_list.0.linear_fc1",
    "v.deepstack.0.fc2": "deepstack_merger_list.0.linear_fc2",
}  # fmt: skip
_SIGLIP_BLOCK = {
    "ln1": "layer_norm1", "ln2": "layer_norm2", "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_out": "self_attn.out_proj",
}  # fmt: skip
_GEMMA = {
    "v.patch_embd": "vision_tower.embeddings.patch_embedding",
    "v.position_embd": "vision_tower.embeddings.position_embedding",
    "v.post_ln": "vision_tower.post_layernorm",
    "mm.soft_emb_norm": "multi_modal_projector.mm_soft_emb_norm",
}


@pytest.mark.parametrize("size", [(128, 96), (96, 96), (96, 320)])
def test_qwen3_vl_sees_and_says_what_it_does_in_transformers(size: tuple[int, int], tmp_path: Path) -> None:
    import torch
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    pair, path = write_qwen3vl(tmp_path), _noise(tmp_path, size)
    twin = _qwen3vl(pair)
    processor = Qwen2VLImageProcessorPil(
        patch_size=16, merge_size=2, image_mean=_HALF, image_std=_HALF, min_pixels=1024, max_pixels=230_400
    )
    with Image.open(path) as opened:
        shown = processor(images=[opened], return_tensors="pt")
    embedding, logits, tokens = _ours(pair, path, tmp_path / "cache")
    with torch.no_grad():
        seen = twin.model.visual(shown["pixel_values"], grid_thw=shown["image_grid_thw"], return_dict=True)
        theirs = torch.cat([seen.pooler_output, *seen.deepstack_features], dim=1).numpy()
        ids = torch.tensor([tokens])
        kinds = (ids == PLACE).int()
        said = twin(
            input_ids=ids,
            pixel_values=shown["pixel_values"],
            image_grid_thw=shown["image_grid_thw"],
            mm_token_type_ids=kinds,
        )
    assert embedding.shape == theirs.shape == (size[0] * size[1] // 1024, 2 * WIDTH)
    assert _cosine(embedding, theirs) >= 0.9999
    assert _cosine(logits, said.logits[0, -1:].numpy()) >= 0.9999


def test_gemma3_sees_and_says_what_it_does_in_transformers(tmp_path: Path) -> None:
    import torch

    pair, path = write_gemma3(tmp_path), _noise(tmp_path, (SQUARE, SQUARE))
    twin = _gemma3(pair)
    with Image.open(path) as opened:
        scaled = (np.asarray(opened, dtype=np.float32) / 255 - 0.5) / 0.5
    pixels = torch.from_numpy(scaled.transpose(2, 0, 1)[None].copy())
    embedding, logits, tokens = _ours(pair, path, tmp_path / "cache")
    with torch.no_grad():
        states = twin.model.vision_tower(pixels).last_hidden_state
        theirs = twin.model.multi_modal_projector(states)[0].numpy()
        ids = torch.tensor([tokens])
        said = twin(input_ids=ids, pixel_values=pixels, token_type_ids=(ids == PLACE).int())
    assert embedding.shape == theirs.shape == (16, WIDTH)
    assert _cosine(embedding, theirs) >= 0.9999
    assert _cosine(logits, said.logits[0, -1:].numpy()) >= 0.9999


def _noise(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / "noise.png"
    pixels = np.random.default_rng(3).integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def _ours(pair: Pair, path: Path, cache: Path) -> tuple[NDArray[np.float32], NDArray[np.float32], list[int]]:
    """Return the picture's embedding, the logits behind words about it, and what was evaluated as tokens."""
    loading = Loading(context=256, sequences=1, threads=1, kv_type="f32", flash_attention=False)
    weights = LoadedWeights(pair.text, loading)
    vision, context = Vision(pair.projection, weights, loading, cache, 2**20), Context(weights, loading)
    try:
        picture = vision.open(path, "noise")
        before, after = (weights.tokenize(words, special=False) for words in ("look: ", " a cup?"))
        items: list[Item] = [*before, *picture.before, picture, *picture.after, *after]
        Lane(0).evaluate(items, context, vision, lambda: False)
        tokens = [
            token for item in items for token in ([PLACE] * item.tokens if isinstance(item, VisionPicture) else [item])
        ]
        return vision._embedding(picture).copy(), context.logits()[None].copy(), tokens
    finally:
        vision.close()
        context.close()
        weights.close()


def _qwen3vl(pair: Pair) -> Any:
    import transformers

    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [3, 3, 2], "mrope_interleaved": True}
    config = transformers.Qwen3VLConfig(
        text_config={**_sizes(pair), "rope_parameters": rope},
        vision_config={
            "hidden_size": SEEN, "intermediate_size": SEEN_HIDDEN, "num_heads": HEADS, "depth": BLOCKS,
            "patch_size": 16, "num_position_embeddings": 16, "deepstack_visual_indexes": [0], "out_hidden_size": WIDTH,
        },
        image_token_id=PLACE, video_token_id=259, vision_start_token_id=260, tie_word_embeddings=True,
    )  # fmt: skip
    tensors = _tensors(pair.projection)
    halves = tensors.pop("v.patch_embd.weight"), tensors.pop("v.patch_embd.weight.1")
    tensors["v.patch_embd.weight"] = np.stack(halves, axis=2)
    names = {f"v.blk.{block}.{ours}": f"blocks.{block}.{theirs}"
             for block in range(BLOCKS) for ours, theirs in _QWEN_BLOCK.items()}  # fmt: skip
    seen = _renamed(tensors, _QWEN | names, "model.visual.")
    return _filled(transformers.Qwen3VLForConditionalGeneration(config), {**seen, **_words(pair, "qwen3vl")})


def _gemma3(pair: Pair) -> Any:
    import transformers

    config = transformers.Gemma3Config(
        text_config={**_sizes(pair), "sliding_window": 32, "query_pre_attn_scalar": WIDTH // tinytext.HEADS},
        vision_config={
            "hidden_size": SEEN, "intermediate_size": SEEN_HIDDEN, "num_attention_heads": HEADS,
            "num_hidden_layers": BLOCKS, "image_size": SQUARE, "patch_size": 14, "vision_use_head": False,
            "model_type": "siglip_vision_model",
        },
        mm_tokens_per_image=16, image_token_id=PLACE, tie_word_embeddings=True,
    )  # fmt: skip
    tensors = _tensors(pair.projection)
    projection = tensors.pop("mm.input_projection.weight")
    tensors["mm.soft_emb_norm.weight"] = tensors["mm.soft_emb_norm.weight"] - 1
    names = {f"v.blk.{block}.{ours}": f"vision_tower.encoder.layers.{block}.{theirs}"
             for block in range(BLOCKS) for ours, theirs in _SIGLIP_BLOCK.items()}  # fmt: skip
    seen = _renamed(tensors, _GEMMA | names, "model.")
    seen["model.multi_modal_projector.mm_input_projection_weight"] = projection
    return _filled(transformers.Gemma3ForConditionalGeneration(config), {**seen, **_words(pair, "gemma3")})


def _sizes(pair: Pair) -> dict[str, Any]:
    return {
        "hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_hidden_layers": LAYERS, "rms_norm_eps": 1e-6,
        "head_dim": WIDTH // tinytext.HEADS, "num_attention_heads": tinytext.HEADS, "num_key_value_heads": KV_HEADS,
        "vocab_size": len(_tensors(pair.text)["token_embd.weight"]), "tie_word_embeddings": True,
    }  # fmt: skip


def _words(pair: Pair, family: str) -> dict[str, NDArray[Any]]:
    """Return the weights of the text model; Gemma's norms add one, which stands in the file already."""
    added = 1 if family == "gemma3" else 0
    tensors = {name: values - added if "norm" in name else values for name, values in _tensors(pair.text).items()}
    names = {"token_embd": "embed_tokens", "output_norm": "norm"}
    for layer in range(LAYERS):
        known = _TEXT | _TEXT_NORMS[family]
        names |= {f"blk.{layer}.{ours}": f"layers.{layer}.{theirs}" for ours, theirs in known.items()}
    found = _renamed(tensors, names, "model.language_model.")
    return {**found, "lm_head.weight": found["model.language_model.embed_tokens.weight"]}


def _tensors(path: Path) -> dict[str, NDArray[Any]]:
    return {tensor.name: tensor.data.reshape(tensor.shape[::-1]) for tensor in gguf.GGUFReader(path).tensors}


def _renamed(tensors: Mapping[str, NDArray[Any]], names: Mapping[str, str], where: str) -> dict[str, NDArray[Any]]:
    split = ((*name.rpartition("."), values) for name, values in tensors.items())
    return {f"{where}{names[name]}.{kind}": values for name, _, kind, values in split}


def _filled(twin: Any, tensors: Mapping[str, NDArray[Any]]) -> Any:
    import torch

    twin.load_state_dict({name: torch.from_numpy(np.array(values)) for name, values in tensors.items()})
    return twin.eval()


def _cosine(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Return the least of the rows' cosines."""
    products = (ours * theirs).sum(axis=1)
    return float((products / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)).min())
