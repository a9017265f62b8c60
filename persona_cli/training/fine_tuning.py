"""Supervised fine-tuning: TRL's trainer over conversations, the loss on the assistant's turns and nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from persona_cli.errors import UsageError
from persona_cli.training.base import Base
from persona_cli.training.following import Following, Watch
from persona_cli.training.optimizing import MasterAdamW
from persona_cli.training.ordering import LikeLengths
from persona_cli.training.recipes import Precision, Recipe
from persona_cli.training.training_rows import TrainingRow, talks

MODEL, CHECKPOINTS = "model", "checkpoints"


@dataclass(frozen=True, slots=True)
class Course:
    """How and where a run goes, and who follows it."""

    recipe: Recipe
    folder: Path
    watch: Watch
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0


def fine_tune(base: Base, lessons: Sequence[TrainingRow], course: Course) -> Path:
    """Train, going on from the last checkpoint in the folder, and return the folder of what was learnt."""
    import datasets
    from trl import SFTConfig, SFTTrainer

    datasets.disable_progress_bars()
    recipe = course.recipe
    fitting = [lesson for lesson in lessons if tokens_of(base, lesson) <= recipe.most_tokens]
    if not fitting:
        raise UsageError(f"no conversation has {recipe.most_tokens:,} tokens or fewer", fix="Raise --max-tokens.")
    kind = SFTTrainer if torch.cuda.is_available() else _on_processor()
    trainer = kind(
        model=base.model,
        args=SFTConfig(
            **settings(course),
            assistant_only_loss=True,
            # a picture's tokens must not be cut: what is too long was left out
            max_length=None,
            train_sampling_strategy="random" if base.sees else "group_by_length",
        ),
        train_dataset=talks(fitting, sees=base.sees),
        processing_class=base.processing,
        callbacks=[Following(course.folder, course.watch, course.minutes)],
        optimizer_cls_and_kwargs=optimizer(recipe),
    )
    return run(trainer, base, course.folder)


def settings(course: Course) -> dict[str, Any]:
    """Return what both trainers are told."""
    recipe = course.recipe
    gpu = torch.cuda.is_available()
    devices = int(os.environ.get("WORLD_SIZE", "1"))
    once, rest = divmod(recipe.batch, recipe.per_device * devices)
    if rest or not once:
        raise UsageError(
            f"a batch of {recipe.batch} cannot be shared out to {devices} times {recipe.per_device}",
            fix="Give a --batch that is a multiple of --per-device times the devices.",
        )
    return {
        "output_dir": str(course.folder / CHECKPOINTS),
        "per_device_train_batch_size": recipe.per_device,
        "gradient_accumulation_steps": once,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": recipe.floor},
        "warmup_steps": recipe.warmup,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "num_train_epochs": recipe.epochs,
        "max_steps": course.steps or -1,
        "bf16": recipe.precision is Precision.MIXED and gpu,
        "use_cpu": not gpu,
        "dataloader_pin_memory": gpu,
        "activation_checkpointing": recipe.checkpoints,
        "logging_steps": 1,
        "save_steps": recipe.save_every,
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "seed": course.seed,
    }


def optimizer(recipe: Recipe) -> tuple[type[torch.optim.Optimizer], dict[str, Any]] | None:
    """Return the optimizer of weights in bfloat16; None: the trainer's own."""
    return (MasterAdamW, {"lr": recipe.learning_rate}) if recipe.precision is Precision.BF16 else None


def run(trainer: Any, base: Base, folder: Path) -> Path:
    """Train to the end or the last minute, and save what was learnt with what reads its words."""
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    trainer.remove_callback(PrinterCallback)
    last = get_last_checkpoint(str(folder / CHECKPOINTS)) if (folder / CHECKPOINTS).is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    trainer.save_model(str(folder / MODEL))
    if trainer.accelerator.is_main_process:
        base.processing.save_pretrained(folder / MODEL)
    return folder / MODEL


def _on_processor() -> type[Any]:
    """Return TRL's trainer with the loss worked out where there is one to work out, and batches of like length mixed.

    TRL multiplies every position by the vocabulary unless it has a GPU's kernel. Prompts are nine tenths of what is
    read here: without them a step of SmolLM2-135M takes two thirds of the time (165 against 260 tokens a CPU second).
    """
    from trl import SFTTrainer

    class ProcessorSFTTrainer(SFTTrainer):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            if self.args.train_sampling_strategy != "group_by_length":
                return super()._get_train_sampler(train_dataset)
            rows = self.train_dataset if train_dataset is None else train_dataset
            lengths = [len(ids) for ids in rows["input_ids"]]
            return LikeLengths(lengths, self.args.per_device_train_batch_size, self.args.seed)

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            labels = inputs.pop("labels")[:, 1:]
            whole = self.accelerator.unwrap_model(model)
            whole = whole.get_base_model() if hasattr(whole, "get_base_model") else whole
            states = whole.model(**inputs, use_cache=False).last_hidden_state[:, :-1]
            said = labels != -100
            logits = whole.get_output_embeddings()(states[said]).float()
            total = torch.nn.functional.cross_entropy(logits, labels[said], reduction="sum")
            kept = self._metrics["train" if model.training else "eval"]
            kept["mean_token_accuracy"].append((logits.argmax(-1) == labels[said]).float().mean().item())
            self._total_train_tokens += int(inputs["attention_mask"].sum())
            kept["num_tokens"] = [self._total_train_tokens]
            loss = total / (said.sum() if num_items_in_batch is None else num_items_in_batch)
            return (loss, None) if return_outputs else loss

    return ProcessorSFTTrainer


def tokens_of(base: Base, lesson: TrainingRow) -> int:
    """Return about how many tokens a conversation has, its pictures at their largest."""
    words = sum(len(base.tokenizer(said.content).input_ids) + 5 for said in lesson.messages)
    return words + len(lesson.images) * 294
