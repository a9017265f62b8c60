"""Tiny text models of several architectures with random weights, written straight as GGUF: a token is a byte.

They say nothing of sense. They have what matters to the engine: the kinds of cache (full, sliding window, recurrent,
both) and a chat template with control tokens in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|begin|>", "<|im_start|>", "<|im_end|>")
WIDTH, LAYERS, HEADS, KV_HEADS, HIDDEN = 64, 2, 4, 2, 128
ARCHITECTURES = ("llama", "qwen3", "gemma3", "mamba", "lfm2")


def write_text_model(
    path: Path, architecture: str = "llama", *, template: str = CHATML, begins: bool = False, context: int = 4096,
    control: tuple[str, ...] = (), vocabulary: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Path:  # fmt: skip
    """Write a model; `begins` lets every text begin with a token of its own, `control` are further control tokens.

    A `vocabulary` of Qwen2's, tokens and merges, stands for one of which a token is a byte.
    """
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(f"tiny {architecture}")
    writer.add_block_count(LAYERS)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    tokens = _describe_tokenizer(writer, template, (*CONTROL, *control), vocabulary, begins=begins)
    random = np.random.default_rng(7)
    for name, shape in _tensors(writer, architecture, tokens):
        vector = len(shape) == 1
        weights = random.normal(1.0 if vector else 0.0, 0.1 if vector else 0.4, shape)
        # the decay of a recurrent state is negative, and near nothing
        writer.add_tensor(name, (-np.abs(weights) if name.endswith("ssm_a") else weights).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe_tokenizer(
    writer: gguf.GGUFWriter, template: str, control: tuple[str, ...],
    vocabulary: tuple[Sequence[str], Sequence[str]] | None, *, begins: bool,
) -> int:  # fmt: skip
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    words, merges = vocabulary or ([*bytes_to_unicode().values(), "th"], ["t h"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2" if vocabulary else "gpt-2")
    writer.add_token_list([*words, *control])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(words) + [gguf.TokenType.CONTROL] * len(control))
    writer.add_token_merges(list(merges))
    writer.add_bos_token_id(len(words))
    writer.add_eos_token_id(len(words) + 2)
    writer.add_add_bos_token(begins)
    if template:
        writer.add_chat_template(template)
    return len(words) + len(control)


def _tensors(writer: gguf.GGUFWriter, architecture: str, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (tokens, WIDTH)
    yield ("token_embd_norm.weight" if architecture == "lfm2" else "output_norm.weight"), (WIDTH,)
    if architecture == "mamba":
        yield from _mamba(writer)
        return
    size = WIDTH // HEADS
    hybrid = architecture == "lfm2"
    writer.add_head_count(HEADS)
    writer.add_head_count_kv([0, KV_HEADS] if hybrid else KV_HEADS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_vocab_size(tokens)
    _describe(writer, architecture, size)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (WIDTH,)
        if hybrid and layer == 0:
            yield block + "shortconv.conv.weight", (WIDTH, 3)
            yield block + "shortconv.in_proj.weight", (3 * WIDTH, WIDTH)
            yield block + "shortconv.out_proj.weight", (WIDTH, WIDTH)
        else:
            yield from _attention(block, architecture, size)
        yield block + "ffn_norm.weight", (WIDTH,)
        yield block + "ffn_gate.weight", (HIDDEN, WIDTH)
        yield block + "ffn_up.weight", (HIDDEN, WIDTH)
        yield block + "ffn_down.weight", (WIDTH, HIDDEN)


def _attention(block: str, architecture: str, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield block + "attn_q.weight", (WIDTH, WIDTH)
    yield block + "attn_k.weight", (KV_HEADS * size, WIDTH)
    yield block + "attn_v.weight", (KV_HEADS * size, WIDTH)
    yield block + "attn_output.weight", (WIDTH, WIDTH)
    if architecture != "llama":
        yield block + "attn_q_norm.weight", (size,)
        yield block + "attn_k_norm.weight", (size,)
    if architecture == "gemma3":
        yield block + "post_attention_norm.weight", (WIDTH,)
        yield block + "post_ffw_norm.weight", (WIDTH,)


def _describe(writer: gguf.GGUFWriter, architecture: str, size: int) -> None:
    more: dict[str, Any] = {
        "llama": lambda: writer.add_rope_dimension_count(size),
        "qwen3": lambda: None,
        "gemma3": lambda: writer.add_sliding_window(32),
        "qwen3vl": lambda: _describe_places(writer),
        "lfm2": lambda: writer.add_shortconv_l_cache(3),
    }
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_rope_freq_base(10_000.0)
    more[architecture]()


def _describe_places(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_dimension_sections([3, 3, 2, 0])
    writer.add_num_deepstack_layers(1)


def _mamba(writer: gguf.GGUFWriter) -> Iterator[tuple[str, tuple[int, ...]]]:
    inner, state, rank = 2 * WIDTH, 8, 4
    writer.add_head_count(0)
    writer.add_feed_forward_length(0)
    writer.add_ssm_conv_kernel(4)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (WIDTH,)
        yield block + "ssm_in.weight", (2 * inner, WIDTH)
        yield block + "ssm_conv1d.weight", (inner, 4)
        yield block + "ssm_conv1d.bias", (inner,)
        yield block + "ssm_x.weight", (rank + 2 * state, inner)
        yield block + "ssm_dt.weight", (inner, rank)
        yield block + "ssm_dt.bias", (inner,)
        yield block + "ssm_a", (inner, state)
        yield block + "ssm_d", (inner,)
        yield block + "ssm_out.weight", (WIDTH, inner)
