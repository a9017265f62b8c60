"""What is told while a model learns: one `StepMark` for each step, kept as lines of JSON beside the checkpoints.

The time a run may take is kept here too: it is asked after each step, so that a run ends with what it has learnt.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

LOG = "log.jsonl"


@dataclass(frozen=True, slots=True)
class StepMark:
    """What one step came to."""

    step: int
    steps: int
    seconds: float
    """Since this run of the program began."""
    loss: float
    rate: float
    tokens: int = 0
    """Read so far, prompts included."""
    accuracy: float | None = None
    """Share of the assistant's tokens that were the likeliest (SFT)."""
    reward: float | None = None
    """Mean over the completions (GRPO)."""
    spread: float | None = None
    """Standard deviation of the reward within a group: without any, nothing is learnt."""
    kl: float | None = None
    length: float | None = None
    """Mean tokens the model wrote."""
    searches: float | None = None
    """Mean searches of a roll-out."""
    format: float | None = None


Watch = Callable[[StepMark], None]


class Following(TrainerCallback):  # type: ignore[misc]
    """Hears of each step from the trainer; stops it when its time is over."""

    def __init__(self, folder: Path, watch: Watch, minutes: float | None = None) -> None:
        self._file = folder / LOG
        self._watch = watch
        self._began = time.monotonic()
        self._most = None if minutes is None else minutes * 60
        self._before: int | None = None
        self._earlier = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note the tokens of the checkpoint that is gone on from."""
        marks = [mark for mark in read_marks(self._file.parent) if mark.step <= state.global_step]
        self._earlier = marks[-1].tokens if marks else 0

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write a mark down and pass it on."""
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        tokens = int(logs.get("num_tokens", 0))
        if self._before is None:
            # in SFT the trainer counts from nothing again, in GRPO it goes on
            self._before = self._earlier if tokens < self._earlier else 0
        mark = StepMark(
            step=state.global_step,
            steps=state.max_steps,
            seconds=round(time.monotonic() - self._began, 1),
            loss=float(logs["loss"]),
            rate=float(logs.get("learning_rate", 0.0)),
            tokens=self._before + tokens,
            accuracy=logs.get("mean_token_accuracy"),
            reward=logs.get("reward"),
            spread=logs.get("reward_std"),
            kl=logs.get("kl"),
            length=logs.get("completions/mean_length"),
            searches=logs.get("searches"),
            format=logs.get("format"),
        )
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(mark)) + "\n")
        self._watch(mark)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for the end when the time is over; what was learnt is saved first."""
        if self._most is not None and time.monotonic() - self._began >= self._most:
            control.should_save = control.should_training_stop = True
        return control


def read_marks(folder: Path) -> tuple[StepMark, ...]:
    """Return the marks of a run, a step that was done again as it was done last."""
    file = folder / LOG
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    marks = {mark.step: mark for mark in (StepMark(**json.loads(line)) for line in lines)}
    return tuple(marks[step] for step in sorted(marks))
