"""The model that is trained: a Hugging Face checkpoint, or a GGUF file unpacked into one, with what reads its words.

Qwen2.5-VL gets the processor of this package, every other model its tokenizer alone. What learns is decided here: in
full training the language model and the merger, with an adapter the linear layers of the language model.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from persona_cli.errors import UsageError, WeightsError
from persona_cli.training.recipes import Method, Precision, Recipe
from persona_cli.training.templates import training_template

SEEING = "qwen2_5_vl"
ADAPTER = "adapter_config.json"
_LINEAR = "(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


@dataclass(frozen=True, slots=True)
class Base:
    """A model with what reads its words and pictures."""

    model: Any
    processing: Any
    """A tokenizer, or for a model that sees a processor; its template has the marks of training."""
    sees: bool
    checkpoint: Path

    @property
    def tokenizer(self) -> Any:
        """Return the tokenizer alone."""
        return self.processing.tokenizer if self.sees else self.processing


def open_base(path: Path, recipe: Recipe, scratch: Path, adapter: Path | None = None) -> Base:
    """Open what `path` names, ready to learn as the recipe says, going on from `adapter` where there is one.

    A GGUF file is unpacked once, into `scratch`. Raises `WeightsError` for what is no model that can be trained.
    """
    # an adapter names its base by this path, from wherever it is converted
    checkpoint = (unpack(path, scratch) if path.is_file() else path).resolve()
    kind = kind_of(checkpoint)
    tokenizer = _tokenizer(checkpoint)
    tokenizer.chat_template = training_template(tokenizer)
    processing: Any = tokenizer
    if kind == SEEING:
        from persona_cli.training.processor import open_processor

        processing = open_processor(checkpoint, tokenizer, recipe.most_pixels)
    model = _load(checkpoint, recipe, sees=kind == SEEING)
    model.config.use_cache = False
    return Base(_learning(model, recipe, kind, adapter), processing, kind == SEEING, checkpoint)


def kind_of(checkpoint: Path) -> str:
    """Return the architecture a checkpoint names."""
    try:
        return str(json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError) as exc:
        raise WeightsError(
            f"{checkpoint} holds no checkpoint", fix="Name a Hugging Face folder with config.json, or a GGUF file."
        ) from exc


def unpack(file: Path, scratch: Path) -> Path:
    """Write a GGUF file as a checkpoint in bfloat16 and return its folder; what is there already is taken."""
    target = scratch / f"{file.stem}-unpacked"
    if (target / "config.json").exists():
        return target
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        model = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
        )
    except (OSError, ValueError, KeyError) as exc:
        raise WeightsError(f"{file} cannot be unpacked: {exc}", fix="Name a GGUF of a language model.") from exc
    tokenizer.save_pretrained(target)
    model.save_pretrained(target)
    return target


def trained(model: Any) -> list[Any]:
    """Return the weights that learn."""
    return [weight for weight in model.parameters() if weight.requires_grad]


def _tokenizer(checkpoint: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoint, padding_side="left")


def _load(checkpoint: Path, recipe: Recipe, *, sees: bool) -> Any:
    import transformers

    kind = transformers.Qwen2_5_VLForConditionalGeneration if sees else transformers.AutoModelForCausalLM
    # DeepSpeed keeps float32 copies itself and wants the model as it is computed
    halved = recipe.precision is Precision.BF16 or os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true"
    if recipe.method is Method.QLORA:
        return kind.from_pretrained(checkpoint, quantization_config=_four_bits(), dtype=torch.bfloat16)
    return kind.from_pretrained(checkpoint, dtype=torch.bfloat16 if halved else torch.float32)


def _four_bits() -> Any:
    from importlib.util import find_spec

    if find_spec("bitsandbytes") is None:
        raise UsageError("QLoRA needs bitsandbytes", fix="pip install bitsandbytes, or train with --method lora.")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _learning(model: Any, recipe: Recipe, kind: str, adapter: Path | None) -> Any:
    """Return the model with the weights that learn marked, or wrapped in an adapter."""
    if recipe.method is Method.FULL:
        if adapter is not None:
            raise UsageError("an adapter cannot be trained in full", fix="Merge it first, or use --method lora.")
        for name, weight in model.named_parameters():
            weight.requires_grad_(".visual." not in f".{name}" or ".merger." in name)
        return model
    from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training

    if recipe.method is Method.QLORA:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.checkpoints)
    exact = recipe.precision is not Precision.BF16
    if adapter is not None:
        return PeftModel.from_pretrained(model, adapter, is_trainable=True, autocast_adapter_dtype=exact)
    layers = rf".*language_model.*\.{_LINEAR}" if kind == SEEING else rf".*\.{_LINEAR}"
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=0.0, target_modules=layers, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config, autocast_adapter_dtype=exact)
