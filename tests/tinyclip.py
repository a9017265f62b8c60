"""A tiny CLIP, really a CLIP: two layers a side, its own tokenizer, trained for a second to know four colours.

Untrained, every picture resembles every other; with a hundred steps the red ones are alike and "red" finds them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL.Image import Image as Picture

COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (40, 60, 200), "yellow": (220, 200, 50)}
_SIDE = 32
_STEPS = 120


def coloured(colour: str, seed: int, width: int = 160, height: int = 120) -> Picture:
    """Return a picture of one colour with blobs in it, so that no two of a colour are the same."""
    dice = np.random.default_rng([seed, *COLOURS[colour]])
    blobs = dice.integers(-60, 60, (6, 6, 3)) + np.array(COLOURS[colour])
    small = Pillow.fromarray(blobs.clip(0, 255).astype(np.uint8))
    return small.resize((width, height), Pillow.Resampling.BICUBIC)


def build_clip(folder: Path, seed: int = 0) -> Path:
    """Train and save a plain transformers checkpoint, as `CLIPModel.save_pretrained` leaves it."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor

    tokenizer = _tokenizer()
    words, vision = _shape(len(tokenizer))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CLIPModel(CLIPConfig(text_config=words, vision_config=vision, projection_dim=16))
        square = {"height": _SIDE, "width": _SIDE}
        processor = CLIPProcessor(CLIPImageProcessorPil(size={"shortest_edge": _SIDE}, crop_size=square), tokenizer)
        _train(model, processor, seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def classic(plain: Path, folder: Path) -> Path:
    """Lay a checkpoint out as clip-ViT-B-32 lies on the hub: modules.json, and the files of transformers 4."""
    inner = folder / "0_CLIPModel"
    inner.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(plain / name, inner)
    settings = json.loads((plain / "processor_config.json").read_text(encoding="utf-8"))["image_processor"]
    kept = {name: settings[name] for name in ("do_center_crop", "do_normalize", "do_resize", "image_mean", "image_std")}
    kept |= {"crop_size": _SIDE, "size": _SIDE, "resample": 3, "feature_extractor_type": "CLIPFeatureExtractor"}
    words = json.loads((plain / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    ends = dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>") | {"bos_token": "<|startoftext|>"}
    for name, content in (
        ("preprocessor_config.json", kept),
        ("tokenizer_config.json", {**ends, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}),
        ("special_tokens_map.json", ends),
        ("vocab.json", words),
        (
            "../modules.json",
            [{"idx": 0, "name": "0", "path": inner.name, "type": "sentence_transformers.models.CLIPModel"}],
        ),
    ):
        (inner / name).write_text(json.dumps(content), encoding="utf-8")
    (inner / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return folder


def _tokenizer() -> Any:
    from transformers import CLIPTokenizerFast
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizerFast(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[])


def _shape(pieces: int) -> tuple[dict[str, int], dict[str, int]]:
    both = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": pieces - 2, "eos_token_id": pieces - 1, "pad_token_id": pieces - 1}
    return {**both, **ends, "vocab_size": pieces}, {**both, "image_size": _SIDE, "patch_size": 8}


def _train(model: Any, processor: Any, seed: int) -> None:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(
        1
    )  # so small a model waits for its threads most of the time: 96 s against 3 on a busy machine
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    words = processor(text=[f"a {colour} picture" for colour in COLOURS], return_tensors="pt", padding=True)
    for step in range(_STEPS):
        shown = [coloured(colour, 1_000 * (seed + 1) + step) for colour in COLOURS]
        pixels = processor(images=shown, return_tensors="pt")
        loss = model(**words, **pixels, return_loss=True).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    model.eval()
