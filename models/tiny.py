"""The recipe of a tiny Qwen2.5-VL with random weights, for tests: a whole Hugging Face checkpoint in seconds.

It has every part of the real one (M-RoPE, grouped attention, window attention in the vision tower, merger, tied or
untied embeddings, byte-level BPE with Qwen's special tokens and chat template), only small: 5 million parameters,
sharded files. The hidden size is a multiple of 256, which llama.cpp's k-quantizations want.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

CORPUS = (
    "the user said that she likes walking with her dog in the park every sunday morning and tea with milk",
    '"openness": 3 "reason": "a fact" "decision": true "content": "The user likes tea." "keywords": "tea, milk"',
    "<think>I look for what was said about the dog.</think><answer>Your dog is called Max.</answer>",
    "<retrieve> start_time end_time null 2024-05-12 18:30 (Sunday) topic_summary source_dialog_indices 0 1 2",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Qwen2.5-VL; the defaults are tiny."""

    hidden: int = 256
    feed_forward: int = 512
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    sections: tuple[int, int, int] = (8, 12, 12)
    context: int = 32_768
    tied: bool = True
    vocabulary: int = 0
    """Rows of the embedding; 0 for those of the tokenizer and three more."""
    vision_hidden: int = 128
    vision_feed_forward: int = 256
    vision_depth: int = 4
    vision_heads: int = 4
    full_attention: tuple[int, ...] = (1, 3)
    seed: int = 0


def build_checkpoint(directory: Path, shape: Shape | None = None) -> Path:
    """Write the checkpoint of a tiny Qwen2.5-VL into `directory` and return it; the same shape, the same bytes."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    shape = shape or Shape()
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer()
    torch.manual_seed(shape.seed)
    model = Qwen2_5_VLForConditionalGeneration(configure(shape, tokenizer)).eval()
    _randomize(model, shape.seed)
    model.save_pretrained(directory, max_shard_size="6MB")
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(directory)
    (directory / "preprocessor_config.json").write_text(
        '{"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}'
    )
    return directory


def build_tokenizer() -> Any:
    """Return a byte-level tokenizer that splits as Qwen2's does, with its special tokens and few others."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    # Qwen2's own splitting: contractions, words, single digits, punctuation, white space
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = Tokenizer(models.BPE(byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": list(SPECIALS)})
    return fast


def configure(shape: Shape, tokenizer: Any) -> Any:
    """Return the configuration of a Qwen2.5-VL of this shape."""
    from transformers import Qwen2_5_VLConfig

    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIALS}
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": shape.vocabulary or len(tokenizer) + 3,  # the real matrix has unused rows as well
            "hidden_size": shape.hidden,
            "intermediate_size": shape.feed_forward,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "max_position_embeddings": shape.context,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": shape.tied,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": list(shape.sections)},
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": shape.vision_depth,
            "hidden_size": shape.vision_hidden,
            "intermediate_size": shape.vision_feed_forward,
            "num_heads": shape.vision_heads,
            "in_channels": 3,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "out_hidden_size": shape.hidden,
            "fullatt_block_indexes": list(shape.full_attention),
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=shape.tied,
    )


def _randomize(model: Any, seed: int) -> None:
    """Give every weight a spread wide enough that logits differ clearly; the default initialisation is too flat."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            if weight.ndim == 1:
                weight.copy_(0.1 * noise if name.endswith("bias") else 1 + 0.1 * noise)
            else:
                weight.copy_(noise * (0.5 if "embed_tokens" in name else 0.08))
