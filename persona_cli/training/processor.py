"""Qwen2.5-VL's processor without torchvision: its own image processor on Pillow, its tokenizer, and no videos.

The library's processor has a video processor that imports torchvision, and the import fails where torch and torchvision
are of different builds (a processor's torch beside a GPU's torchvision). Pictures and words need none of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import ProcessorMixin
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

LEAST_PIXELS = 3_136
_IMAGE = "<|image_pad|>"


class PictureProcessor(ProcessorMixin):  # type: ignore[misc]
    """Words and pictures to what a Qwen2.5-VL reads: ids, pixels in patches, the grid of each picture."""

    return_mm_token_type_ids = True

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None) -> None:
        self.image_token = _IMAGE
        self.image_token_id = tokenizer.convert_tokens_to_ids(_IMAGE)
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def replace_image_token(self, image_inputs: Any, image_idx: int, **kwargs: Any) -> str:
        """Return as many marks as the picture has tokens: a quarter of its patches."""
        patches = int(torch.as_tensor(image_inputs["image_grid_thw"][image_idx]).prod())
        return _IMAGE * (patches // int(self.image_processor.merge_size) ** 2)


def open_processor(directory: Path, tokenizer: Any, most_pixels: int) -> PictureProcessor:
    """Return the processor of a checkpoint, its pictures at most `most_pixels` large."""
    size = {"shortest_edge": LEAST_PIXELS, "longest_edge": most_pixels}
    pictures = Qwen2VLImageProcessorPil.from_pretrained(directory, size=size)
    pictures.size = size
    return PictureProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
