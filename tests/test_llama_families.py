"""What a picture becomes in Qwen3-VL and Gemma 3, against transformers on the same random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from persona_cli.model.engines.llama.native import Loading, Weights
from persona_cli.model.engines.llama.vision import Vision
from tests.tinytext import WIDTH
from tests.tinyvision import BLOCKS, HEADS, SEEN, SEEN_HIDDEN, SQUARE, Pair, write_gemma3, write_qwen3vl

pytestmark = pytest.mark.gguf


def noise(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / "noise.png"
    pixels = np.random.default_rng(3).integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def embedded(pair: Pair, path: Path, cache: Path) -> NDArray[np.float32]:
    loading = Loading(context=256, sequences=1, threads=1)
    weights = Weights(pair.text, loading)
    vision = Vision(pair.projection, weights, loading, cache, 2**20)
    try:
        return vision._embedding(vision.open(path, "noise")).copy()
    finally:
        vision.close()
        weights.close()


def fill(module: Any, tensors: dict[str, NDArray[Any]]) -> None:
    import torch

    module.load_state_dict({name: torch.from_numpy(np.array(values)) for name, values in tensors.items()})


def tensors_of(path: Path) -> dict[str, NDArray[Any]]:
    return {tensor.name: tensor.data.reshape(tensor.shape[::-1]) for tensor in gguf.GGUFReader(path).tensors}


def renamed(tensors: dict[str, NDArray[Any]], names: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Return the tensors whose names begin like one of `names`, under their names in transformers."""
    found = {}
    for name, values in tensors.items():
        for ours, theirs in names.items():
            if name.startswith(ours + "."):
                found[theirs + name.removeprefix(ours)] = values
    return found


def least_cosine(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    products = (ours * theirs).sum(axis=1)
    return float((products / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)).min())


@pytest.mark.parametrize("size", [(128, 96), (96, 96), (96, 320)])
def test_qwen3_vl_sees_as_in_transformers(size: tuple[int, int], tmp_path: Path) -> None:
    import torch
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLVisionConfig
    from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel

    pair, path = write_qwen3vl(tmp_path), noise(tmp_path, size)
    sizes = {"hidden_size": SEEN, "intermediate_size": SEEN_HIDDEN, "num_heads": HEADS, "depth": BLOCKS}
    places = {"patch_size": 16, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}
    twin: Any = Qwen3VLVisionModel(Qwen3VLVisionConfig(**sizes, **places, out_hidden_size=WIDTH)).eval()
    tensors = tensors_of(pair.projection)
    first, second = tensors.pop("v.patch_embd.weight"), tensors.pop("v.patch_embd.weight.1")
    names = {"v.patch_embd": "patch_embed.proj", "v.position_embd": "pos_embed", "v.post_ln": "merger.norm"}
    names |= {"mm.0": "merger.linear_fc1", "mm.2": "merger.linear_fc2"}
    names |= {f"v.deepstack.0.{ours}": f"deepstack_merger_list.0.{theirs}" for ours, theirs in _DEEP.items()}
    for block in range(BLOCKS):
        names |= {f"v.blk.{block}.{ours}": f"blocks.{block}.{theirs}" for ours, theirs in _BLOCK.items()}
    fill(twin, {**renamed(tensors, names), "patch_embed.proj.weight": np.stack([first, second], axis=2)})

    half = [0.5, 0.5, 0.5]
    processor = Qwen2VLImageProcessorPil(
        patch_size=16, merge_size=2, image_mean=half, image_std=half, min_pixels=1024, max_pixels=230_400
    )
    with Image.open(path) as opened:
        seen = processor(images=[opened], return_tensors="pt")
    with torch.no_grad():
        told = twin(seen["pixel_values"], grid_thw=seen["image_grid_thw"], return_dict=True)
    theirs = torch.cat([told.pooler_output, *told.deepstack_features], dim=1).numpy()
    ours = embedded(pair, path, tmp_path / "cache")
    assert ours.shape == theirs.shape == (size[0] * size[1] // 1024, 2 * WIDTH)
    assert least_cosine(ours, theirs) >= 0.999


_DEEP = {"norm": "norm", "fc1": "linear_fc1", "fc2": "linear_fc2"}
_BLOCK = {
    "ln1": "norm1", "ln2": "norm2", "attn_qkv": "attn.qkv", "attn_out": "attn.proj",
    "ffn_up": "mlp.linear_fc1", "ffn_down": "mlp.linear_fc2",
}  # fmt: skip
_SIGLIP = {
    "ln1": "layer_norm1", "ln2": "layer_norm2", "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_out": "self_attn.out_proj",
}  # fmt: skip


def test_gemma3_sees_as_in_transformers(tmp_path: Path) -> None:
    import torch
    from transformers import Gemma3Config, SiglipVisionConfig, SiglipVisionModel
    from transformers.models.gemma3.modeling_gemma3 import Gemma3MultiModalProjector

    pair, path = write_gemma3(tmp_path), noise(tmp_path, (SQUARE, SQUARE))
    sizes = {"hidden_size": SEEN, "intermediate_size": SEEN_HIDDEN, "num_attention_heads": HEADS}
    seeing = SiglipVisionConfig(
        **sizes, num_hidden_layers=BLOCKS, image_size=SQUARE, patch_size=14, vision_use_head=False
    )
    config = Gemma3Config(
        text_config={"hidden_size": WIDTH, "num_hidden_layers": 1},
        vision_config=seeing.to_dict(),
        mm_tokens_per_image=16,
    )
    tower: Any = SiglipVisionModel(seeing).eval()
    projector: Any = Gemma3MultiModalProjector(config).eval()
    tensors = tensors_of(pair.projection)
    names = {
        "v.patch_embd": "embeddings.patch_embedding",
        "v.position_embd": "embeddings.position_embedding",
        "v.post_ln": "post_layernorm",
    }
    for block in range(BLOCKS):
        names |= {f"v.blk.{block}.{ours}": f"encoder.layers.{block}.{theirs}" for ours, theirs in _SIGLIP.items()}
    start = next(iter(tower.state_dict())).split("embeddings.")[0]
    fill(tower, {start + name: values for name, values in renamed(tensors, names).items()})
    fill(
        projector,
        {
            "mm_input_projection_weight": tensors["mm.input_projection.weight"],
            # written with the one that the norm adds (llama.cpp's converter does the same)
            "mm_soft_emb_norm.weight": tensors["mm.soft_emb_norm.weight"] - 1,
        },
    )
    with Image.open(path) as opened:
        pixels = (np.asarray(opened, dtype=np.float32) / 255 - 0.5) / 0.5
    with torch.no_grad():
        states = tower(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())).last_hidden_state
        theirs = projector(states)[0].numpy()
    ours = embedded(pair, path, tmp_path / "cache")
    assert ours.shape == theirs.shape == (16, WIDTH)
    assert least_cosine(ours, theirs) >= 0.999
