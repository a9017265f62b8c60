"""The exported pair against transformers on the same weights: text logits, image logits, quantizations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from persona_cli.model.engines.llama.native import Context, LoadedWeights, Loading
from persona_cli.model.engines.llama.sequence import Item, Lane
from persona_cli.model.engines.llama.vision import Vision
from persona_cli.model.grounding import training_size
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf

WORDS = "<|im_start|>user\nThe user likes tea, 18:30 on Sunday.<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def twin(tiny: Tiny) -> Any:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(0)
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(tiny.checkpoint, dtype=torch.float32).eval()


def cosine(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    return float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))


def last_logits(pair: Path, projection: Path | None, prompt: list[str | Path], cache: Path) -> NDArray[np.float32]:
    loading = Loading(context=1024, sequences=1, kv_type="f32", flash_attention=False)
    weights = LoadedWeights(pair, loading)
    context = Context(weights, loading)
    vision = Vision(projection, weights, loading, cache, 2**20) if projection is not None else None
    items: list[Item] = []
    for part in prompt:
        if isinstance(part, str):
            items += weights.tokenize(part, special=True)
        else:
            assert vision is not None
            picture = vision.open(part, part.name)
            items += [*picture.before, picture, *picture.after]
    Lane(0).evaluate(items, context, vision, lambda: False)
    logits = context.logits().copy()
    for owner in (vision, context, weights):
        if owner is not None:
            owner.close()
    return logits


def test_text_logits_agree_with_transformers(tiny: Tiny, twin: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoTokenizer

    ids = AutoTokenizer.from_pretrained(tiny.checkpoint)(WORDS, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        theirs = twin(input_ids=ids).logits[0, -1].numpy()
    ours = last_logits(tiny.pair.text, None, [WORDS], tmp_path)
    assert cosine(ours, theirs) >= 0.999
    assert ours.argmax() == theirs.argmax()


@pytest.mark.parametrize("size", [(224, 224), (500, 333), (90, 400), (1300, 900)])
def test_image_logits_agree_with_transformers(tiny: Tiny, twin: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    import torch
    from transformers import AutoTokenizer
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    path = tmp_path / f"{size[0]}.png"
    noise = np.random.default_rng(1).integers(0, 255, (size[1] // 20 + 1, size[0] // 20 + 1, 3), dtype=np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(path)

    processor = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=293 * 784)
    with Image.open(path) as opened:
        seen = processor(images=[opened.convert("RGB")], return_tensors="pt")
    grid = seen["image_grid_thw"]
    marks = "<|vision_start|>" + "<|image_pad|>" * int(grid.prod() // 4) + "<|vision_end|>"
    tokenizer = AutoTokenizer.from_pretrained(tiny.checkpoint)
    ids = tokenizer(WORDS.replace("The", marks + "The"), return_tensors="pt")["input_ids"]
    with torch.no_grad():
        theirs = (
            twin(
                input_ids=ids,
                pixel_values=seen["pixel_values"],
                image_grid_thw=grid,
                mm_token_type_ids=(ids == tokenizer.convert_tokens_to_ids("<|image_pad|>")).int(),
            )
            .logits[0, -1]
            .numpy()
        )

    before, after = WORDS.split("The")
    ours = last_logits(tiny.pair.text, tiny.pair.projection, [before, path, "The" + after], tmp_path / "cache")
    assert cosine(ours, theirs) >= 0.999
    assert ours.argmax() == theirs.argmax()


@pytest.mark.parametrize(("quantization", "least"), [("Q8_0", 0.99), ("Q6_K", 0.98), ("Q5_K_M", 0.95), ("Q4_K_M", 0.9)])
def test_quantized_files_load_and_stay_close(tiny: Tiny, tmp_path: Path, quantization: str, least: float) -> None:
    whole = last_logits(tiny.pair.text, None, [WORDS], tmp_path)
    small = tiny.export(quantization).text
    assert small.stat().st_size < tiny.pair.text.stat().st_size
    assert cosine(last_logits(small, None, [WORDS], tmp_path), whole) >= least


@pytest.mark.parametrize(
    ("size", "expected"),
    [((224, 224), (224, 224)), ((1300, 900), (560, 392)), ((20, 20), (56, 56)), ((480, 480), (476, 476))],
)
def test_pictures_get_the_size_of_the_training(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert training_size(*size, 230_400) == expected
