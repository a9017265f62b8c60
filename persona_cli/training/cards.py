"""What a run leaves beside the weights: the curve as SVG, and the model card that says how they came about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from persona_cli import __version__
from persona_cli.report.charts import Points, chart, smoothed
from persona_cli.training.following import StepMark, read_marks
from persona_cli.training.recipes import Recipe, Training

CARD, CURVE, PLAN = "README.md", "curve.svg", "run.json"


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What a run was told; kept beside it, so that going on is going on with the same."""

    recipe: Recipe
    base: str
    data: str
    sha256: str
    """Of the file of data."""
    rows: int
    seed: int = 0
    adapter: str = ""
    judge: str = ""
    """The model that judged answers; "" for the rules."""
    notes: tuple[str, ...] = ()


def write_plan(plan: TrainingPlan, folder: Path) -> None:
    """Keep the plan of a run in its folder."""
    (folder / PLAN).write_text(json.dumps({**asdict(plan), "version": __version__}, indent=1) + "\n", encoding="utf-8")


def write_card(plan: TrainingPlan, folder: Path) -> None:
    """Write the curve and the card of what was learnt so far."""
    marks = read_marks(folder)
    if not marks:
        return
    (folder / CURVE).write_text(draw(marks), encoding="utf-8")
    (folder / CARD).write_text(_card(plan, marks), encoding="utf-8")


def draw(marks: Sequence[StepMark]) -> str:
    """Return loss and reward over the steps as SVG."""

    def lines(name: str) -> dict[str, Points]:
        points = [(float(mark.step), float(value)) for mark in marks if (value := getattr(mark, name)) is not None]
        return {"each step": points, "running mean": smoothed(points)} if points else {}

    named = {"loss": "loss", "reward": "reward", "searches": "searches of a roll-out", "format": "format kept"}
    panels = {label: found for name, label in named.items() if (found := lines(name))}
    return chart("Training, by step", panels)


def _card(plan: TrainingPlan, marks: Sequence[StepMark]) -> str:
    recipe, last = plan.recipe, marks[-1]
    tenth = max(1, len(marks) // 10)
    ends = f"{_mean(marks[:tenth]):.3f} over the first tenth of the steps, {_mean(marks[-tenth:]):.3f} over the last"
    facts = [
        ("base", plan.base),
        ("goes on from", plan.adapter or "the base itself"),
        ("stage, method", f"{recipe.stage}, {recipe.method}"),
        ("data", f"{plan.data} ({plan.rows:,} rows, SHA-256 {plan.sha256[:16]}…)"),
        ("steps", f"{last.step:,} of {last.steps:,}, {recipe.batch} a step"),
        ("tokens read", f"{last.tokens:,}"),
        ("learning rate", f"{recipe.learning_rate:g}, cosine to {recipe.floor:g} of it, warm-up {recipe.warmup:g}"),
        ("precision", str(recipe.precision)),
        ("reward" if recipe.stage is Training.GRPO else "loss", ends),
    ]
    if recipe.stage is Training.GRPO:
        facts.append(("judge", plan.judge or "rules, closed questions only"))
    table = "\n".join(f"| {name} | {finding} |" for name, finding in facts)
    notes = "".join(f"\n- {note}" for note in plan.notes)
    return (
        f"# {recipe.stage.upper()} of {Path(plan.base).stem}\n\n"
        f"Trained by persona {__version__} on its own prompts: the Response stage (think, then retrieve or answer) and "
        f"the updates of memory.\n\n| | |\n|---|---|\n{table}\n\n![curve]({CURVE})\n{notes}\n\n"
        "Make it ready to answer: `persona model export .`\n\n"
        "Its licence is that of the base. It says what its data says.\n"
    )


def _mean(marks: Sequence[StepMark]) -> float:
    values = [mark.loss if mark.reward is None else mark.reward for mark in marks]
    return sum(values) / len(values)
