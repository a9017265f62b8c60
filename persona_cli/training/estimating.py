"""What a run takes, from the shapes alone: memory, steps, hours. Nothing is loaded, and every number is an estimate.

Weights and what the optimizer keeps are counted exactly; activations for each number of a hidden state in a layer: 80
bytes, or 2 where they are computed again; time as operations over what a device does of its peak.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persona_cli.errors import WeightsError
from persona_cli.model.weights import free_memory
from persona_cli.training.recipes import Method, Precision, Recipe, Training
from persona_cli.training.training_rows import read_lines

_LETTERS = 4
"""Of a token."""
_PICTURE = 294
_USE = 0.35
"""What a device does of its peak in training."""
_PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 362e12, "4090": 165e12, "3090": 71e12, "A10": 125e12}
"""Operations a second in bfloat16, by a part of the device's name."""
_CORE = 1.0e11
"""Operations a second of one core with AMX: 200 tokens of a model of 135 million weights by LoRA, as measured."""
_KEPT = 80
"""Bytes of activations for each number of a hidden state in a layer: SmolLM2-135M by LoRA takes 6.9 GiB where the
usual rule, 34, says 3.2; an adapter keeps the inputs of every layer it is on."""
_TURNS = 2.2
"""Calls of a roll-out."""
_STEP = 0.03
"""Seconds of one decoding step at least, however small the model."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that count."""

    layers: int
    hidden: int
    feed_forward: int
    vocabulary: int
    kv: int
    """Width of keys and values."""
    vision: int = 0
    """Weights of the vision tower."""

    @property
    def weights(self) -> int:
        """Return how many weights there are."""
        layer = 2 * self.hidden * (self.hidden + self.kv) + 3 * self.hidden * self.feed_forward
        return self.layers * layer + self.vocabulary * self.hidden + self.vision

    def adapter(self, rank: int) -> int:
        """Return how many weights an adapter on every linear layer has."""
        sides = 4 * self.hidden + 2 * (self.hidden + self.kv) + 3 * (self.hidden + self.feed_forward)
        return self.layers * rank * sides


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run takes on one device of those it is shared out to."""

    weights: int
    learning: int
    rows: int
    tokens: int
    """Of all rows."""
    steps: int
    devices: int
    device: str
    needed: int
    """Bytes on each device."""
    free: int
    """Bytes there are; 0 where that is not known."""
    hours: float

    @property
    def fits(self) -> bool:
        """Tell whether it fits this machine."""
        return self.free == 0 or self.needed <= self.free

    def lines(self) -> tuple[str, ...]:
        """Return it as sentences."""
        verdict = "it fits" if self.fits else "it does NOT fit: take lora or qlora, a smaller batch, or more devices"
        return (
            f"{self.weights / 1e6:,.0f} million weights, {self.learning / 1e6:,.1f} million of them learn.",
            f"{self.rows:,} rows, about {self.tokens:,} tokens, {self.steps:,} steps.",
            f"Memory: about {self.needed / 2**30:,.1f} GiB on each of {self.devices} × {self.device}; "
            f"{self.free / 2**30:,.1f} GiB are free: {verdict}.",
            f"Time: about {self.hours:,.1f} hours. These are estimates from the shapes.",
        )


def estimate(base: Path, data: Path, recipe: Recipe, steps: int | None) -> RunEstimate:
    """Return what a run takes; raises `WeightsError` where `base` is no model, `TransferError` for the data."""
    shape = shape_of(base)
    lengths = [_length(body) for _, body in read_lines(data)]
    devices, name, free, speed = _devices()
    if recipe.launch == "zero3" and devices == 1 and name == "core":
        devices = 8
    learning = shape.adapter(recipe.rank) if recipe.method is not Method.FULL else shape.weights - shape.vision
    group = recipe.group if recipe.stage is Training.GRPO else 1
    planned = steps or max(1, round(len(lengths) * group * recipe.epochs / recipe.batch))
    longest = min(max(lengths, default=0), recipe.most_tokens)
    needed = _memory(shape, recipe, learning, longest, devices)
    mean = sum(lengths) / max(1, len(lengths))
    seconds = planned * _seconds(shape, recipe, mean, speed, devices)
    return RunEstimate(
        shape.weights, learning, len(lengths), sum(lengths), planned, devices, name, needed, free, seconds / 3600
    )


def shape_of(base: Path) -> Shape:
    """Return the sizes in a checkpoint's configuration or in the head of a GGUF file."""
    if base.is_file():
        return _gguf_shape(base)
    try:
        body = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise WeightsError(
            f"{base} holds no checkpoint", fix="Name a folder with config.json, or a GGUF file."
        ) from exc
    text: Mapping[str, Any] = {**body, **body.get("text_config", {})}
    vision = body.get("vision_config") or {}
    wide, depth = int(vision.get("hidden_size", 0)), int(vision.get("depth", 0))
    tower = depth * (4 * wide * wide + 3 * wide * int(vision.get("intermediate_size", 4 * wide)))
    # patches of two frames of 14 pixels square, and the merger of four patches to one
    tower += wide * (2 * 3 * 14 * 14 + 16 * wide + 4 * int(text["hidden_size"]))
    head = int(text["hidden_size"]) // int(text["num_attention_heads"])
    return Shape(
        int(text["num_hidden_layers"]),
        int(text["hidden_size"]),
        int(text["intermediate_size"]),
        int(text["vocab_size"]) * (1 if text.get("tie_word_embeddings") else 2),
        head * int(text.get("num_key_value_heads", text["num_attention_heads"])),
        tower,
    )


def _gguf_shape(file: Path) -> Shape:
    from gguf import GGUFReader

    fields = GGUFReader(file).fields
    kind = str(fields["general.architecture"].contents())

    def number(name: str) -> int:
        return int(fields[f"{kind}.{name}"].contents())

    hidden, heads = number("embedding_length"), number("attention.head_count")
    return Shape(
        number("block_count"),
        hidden,
        number("feed_forward_length"),
        len(fields["tokenizer.ggml.tokens"].contents()),
        hidden // heads * number("attention.head_count_kv"),
    )


def _length(body: Mapping[str, Any]) -> int:
    words = sum(len(str(said.get("content", ""))) for said in body.get("messages", ())) or len(str(body)) * 4
    return words // _LETTERS + _PICTURE * len(body.get("images") or ())


def _devices() -> tuple[int, str, int, float]:
    """Return how many devices there are, what one is called, its free bytes and its operations a second."""
    import torch

    if not torch.cuda.is_available():
        return 1, "core", free_memory(), _CORE * torch.get_num_threads()
    name = torch.cuda.get_device_name(0)
    peak = next((peak for part, peak in _PEAKS.items() if part in name), 100e12)
    return torch.cuda.device_count(), name, torch.cuda.mem_get_info(0)[0], peak * _USE


def _memory(shape: Shape, recipe: Recipe, learning: int, longest: int, devices: int) -> int:
    each = {Method.FULL: 0.0, Method.LORA: 2.0 if recipe.precision is Precision.BF16 else 4.0, Method.QLORA: 0.6}
    # a weight that learns: itself, its gradient, two moments and a copy, 16 bytes in all
    held = shape.weights * each[recipe.method] + learning * 16
    shared = devices if recipe.launch == "zero3" else 1
    numbers = recipe.per_device * longest * shape.hidden
    kept = numbers * shape.layers * (2 if recipe.checkpoints else _KEPT) + numbers * 34
    logits = min(longest * recipe.per_device, 4096) * shape.vocabulary * 6
    return int(held / shared + kept + logits)


def _seconds(shape: Shape, recipe: Recipe, mean: float, speed: float, devices: int) -> float:
    """Return the seconds of one step: two operations a weight forward, as many or twice as many backward."""
    operations = 6 if recipe.method is Method.FULL else 4
    again = 2 if recipe.checkpoints else 0
    # a roll-out goes on for its thoughts and what was found, and is read once more by the reference
    read = mean * (2.0 if recipe.stage is Training.GRPO else 1.0)
    work = recipe.batch * read * shape.weights * (operations + again + (4 if recipe.stage is Training.GRPO else 0))
    written = 0.0
    if recipe.stage is Training.GRPO:
        at_once = recipe.batch / devices
        written = _TURNS * recipe.new_tokens * 0.2 * max(_STEP, 2 * shape.weights * at_once / speed)
    return work / (speed * devices) + written
