"""Recipes: what a run of training is made of, as data beside this file, and the configurations of several GPUs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from persona_cli.errors import NotFoundError

LAUNCHES = ("zero3", "gpus")
"""Configurations for `accelerate launch`, shipped as YAML."""


class Training(StrEnum):
    """Which of the two trainings it is."""

    SFT = "sft"
    GRPO = "grpo"


class Method(StrEnum):
    """Which weights learn."""

    FULL = "full"
    """Language model and merger; the vision tower stays as it is."""
    LORA = "lora"
    QLORA = "qlora"
    """LoRA over weights in four bits, by bitsandbytes."""


class Precision(StrEnum):
    """What is computed in what."""

    MIXED = "mixed"
    """Weights in float32, products in bfloat16."""
    BF16 = "bf16"
    """Everything in bfloat16 but what the optimizer keeps: on a processor three times as quick."""
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One run; numbers without a unit are counts."""

    name: str
    about: str
    stage: Training
    method: Method
    batch: int
    """What one step sees on all devices together: conversations in SFT, completions in GRPO."""
    per_device: int
    learning_rate: float
    warmup: float
    """Share of the steps in which the rate rises."""
    floor: float = 0.0
    """What is left of the rate at the end of the cosine, as a share of it."""
    epochs: float = 1.0
    precision: Precision = Precision.MIXED
    most_tokens: int = 16_384
    """Longest conversation; longer ones are left out."""
    most_pixels: int = 230_400
    rank: int = 16
    alpha: int = 32
    checkpoints: bool = True
    """Compute activations again in the backward pass instead of keeping them: less memory, a third more time."""
    save_every: int = 200
    launch: str = ""
    """The configuration for several GPUs it is meant for."""
    group: int = 6
    kl: float = 0.01
    temperature: float = 1.0
    top_p: float = 0.9
    top_k: int = 50
    penalty: float = 1.05
    new_tokens: int = 1024
    """Of one reply in a roll-out."""
    retrievals: int = 3


def load_recipes() -> dict[str, Recipe]:
    """Return the shipped recipes by name."""
    body = tomllib.loads((Path(__file__).parent / "recipes.toml").read_text(encoding="utf-8"))
    return {name: _read(name, table) for name, table in body.items()}


def get_recipe(name: str) -> Recipe:
    """Return a shipped recipe; raises `NotFoundError`."""
    recipes = load_recipes()
    if name not in recipes:
        raise NotFoundError(f"there is no recipe {name}", fix=f"Known: {', '.join(recipes)}.")
    return recipes[name]


def launch_file(name: str) -> Path:
    """Return the shipped configuration for `accelerate launch`."""
    return Path(__file__).parent / f"{name}.yaml"


def _read(name: str, table: dict[str, Any]) -> Recipe:
    kinds: dict[str, type[StrEnum]] = {"stage": Training, "method": Method, "precision": Precision}
    fields: dict[str, Any] = {key: kinds[key](value) if key in kinds else value for key, value in table.items()}
    return Recipe(name=name, **fields)
