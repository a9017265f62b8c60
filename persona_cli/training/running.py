"""A run from beginning to end: what it was told is kept first, what it has learnt is described last."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persona_cli.errors import UsageError
from persona_cli.model.weights import sha256_of
from persona_cli.training.base import ADAPTER, open_base
from persona_cli.training.cards import TrainingPlan, write_card, write_plan
from persona_cli.training.fine_tuning import Course, fine_tune
from persona_cli.training.reinforcing import World, read_tasks, reinforce
from persona_cli.training.training_rows import read_lessons

__all__ = ["Course", "World", "run_fine_tuning", "run_reinforcement"]


def run_fine_tuning(base: Path, data: Path, course: Course, *, adapter: Path | None = None) -> Path:
    """Fine-tune `base` on the conversations in `data`; returns the folder of what was learnt."""
    lessons = read_lessons(data)
    plan = TrainingPlan(
        course.recipe, str(base), str(data), sha256_of(data), len(lessons), course.seed, str(adapter or "")
    )
    with begun(plan, course.folder):
        opened = open_base(base, course.recipe, course.folder, adapter_of(adapter))
        return fine_tune(opened, lessons, course)


def run_reinforcement(
    base: Path, data: Path, course: Course, world: World, *, adapter: Path | None = None, judge: str = ""
) -> Path:
    """Train `base` by GRPO on the questions in `data`; `judge` names the model that judges, "" for the rules."""
    tasks = read_tasks(data, judged=bool(judge))
    notes = ("Pictures that a search brought were words in the roll-outs.",)
    plan = TrainingPlan(
        course.recipe, str(base), str(data), sha256_of(data), len(tasks), course.seed, str(adapter or ""), judge, notes
    )
    with begun(plan, course.folder):
        opened = open_base(base, course.recipe, course.folder, adapter_of(adapter))
        return reinforce(opened, tasks, course, world)


@contextmanager
def begun(plan: TrainingPlan, folder: Path) -> Iterator[None]:
    """Keep the plan of a run, and at its end, however it comes, the curve and the card."""
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    write_plan(plan, folder)
    transformers.utils.logging.disable_progress_bar()
    with warnings.catch_warnings():
        # the libraries warn each other of what they rename next
        warnings.simplefilter("ignore", FutureWarning)
        try:
            yield
        finally:
            write_card(plan, folder)


def adapter_of(folder: Path | None) -> Path | None:
    """Return the folder of the adapter that an earlier run has learnt."""
    if folder is None:
        return None
    found = next((place for place in (folder, folder / "model") if (place / ADAPTER).exists()), None)
    if found is None:
        raise UsageError(
            f"{folder} holds no adapter", fix="Name the folder of a run that was trained with --method lora."
        )
    return found
