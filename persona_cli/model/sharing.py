"""A model of weights with the built-in one beside it: what the one is weak at, the other does.

Which tasks the weights do is set (`model.tasks`) or known from the readiness check. Of those the built-in one is the
second opinion: on traits it may say no, and a reply that broke its format twice is read by it instead of being lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import TypeVar

from persona_cli.errors import ConfigError, FormatError
from persona_cli.model.prompted import PromptedModel
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Fact,
    Model,
    ProceduralDraft,
    SemanticDraft,
    Stop,
    SummaryDraft,
)
from persona_cli.personality import NEUTRAL, TRAITS, Traits
from persona_cli.records import CoreMemory, EpisodicMemory, ProceduralMemory, Turn

T = TypeVar("T")

TASKS = ("traits", "facts", "topics", "habits", "profile", "summaries")
"""What is learnt, by the names that `model.tasks` takes."""
SLOW = 100.0
"""Prompt tokens a second below which a second round of reasoning (some 500 tokens) takes longer than a person waits."""
_MOST_MOVED = 4
"""Traits from which a reading is a model's habit: a message seldom speaks of so many, and 1, 2, 3, 4, 5 is counting."""


class SharedModel:
    """A `Model`: answers come from the weights, what is learnt from them or from the built-in one, task by task."""

    def __init__(
        self,
        weights: PromptedModel,
        open_built_in: Callable[[], Model],
        tasks: Collection[str] = TASKS,
        *,
        reasons: bool | None = None,
        prompt_speed: float | None = None,
    ) -> None:
        self.weights = weights
        self._open_built_in = open_built_in
        self.tasks = frozenset(tasks)
        self._reasons = reasons
        self._prompt_speed = prompt_speed
        # what nobody but the weights can do
        self.reason, self.answer, self.close = weights.reason, weights.answer, weights.close
        self.locate, self.caption = weights.locate, weights.caption

    @cached_property
    def _built_in(self) -> Model:
        return self._open_built_in()

    @property
    def name(self) -> str:
        """Return the name of the weights."""
        return self.weights.name

    @property
    def sees(self) -> bool:
        """Tell whether the weights can be shown pictures."""
        return self.weights.sees

    @property
    def quick(self) -> bool:
        """Tell whether to answer in one call: as set, or where a second round is slow or the model is weak at it."""
        if self._reasons is not None:
            return not self._reasons
        speed = self.weights.prompt_speed or self._prompt_speed
        return speed is not None and speed < SLOW

    def about(self) -> tuple[Fact, ...]:
        """Return what the weights run on, and which tasks are theirs."""
        return (*self.weights.about(), Fact("learning", say_tasks(self.tasks)))

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the scores of a turn that nothing speaks against."""
        if "traits" not in self.tasks:
            return self._built_in.infer_personality(turn, recent, stop)
        try:
            read = self.weights.infer_personality(turn, recent, stop)
        except FormatError:
            return self._built_in.infer_personality(turn, recent, stop)
        return read if read == Traits() else agreed(read, self._built_in.infer_personality(turn, recent, stop))

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return what is worth remembering of a turn."""
        return self._shared("facts", lambda model: model.extract_semantic(turn, recent, stop))

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics of a session."""
        return self._shared("topics", lambda model: model.summarize_episodes(turns, stop))

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Return habits and goals."""
        return self._shared("habits", lambda model: model.update_procedural(turns, current, stop, history))

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Return what a session adds to the profile."""
        return self._shared("profile", lambda model: model.update_core(turns, current, stop))

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Return what episodes of one topic tell together."""
        return self._shared("summaries", lambda model: model.merge_episodes(episodes, stop))

    def _shared(self, task: str, ask: Callable[[Model], T]) -> T:
        if task in self.tasks:
            try:
                return ask(self.weights)
            except FormatError:
                pass
        return ask(self._built_in)


def agreed(read: Traits, second: Traits) -> Traits:
    """Return a reading without what a second opinion contradicts: that is no evidence.

    A reading that moves nearly all traits is a model's habit and not the user's words: of it counts only what the
    second opinion says as well.
    """
    habit = sum(score != NEUTRAL for _, score in read) >= _MOST_MOVED
    kept = {}
    for name in TRAITS:
        mine, other = getattr(read, name) - NEUTRAL, getattr(second, name) - NEUTRAL
        same = mine * other > 0 if habit else mine * other >= 0
        kept[name] = NEUTRAL + mine if same else NEUTRAL
    return Traits(**kept)


def parse_tasks(text: str, known: Collection[str] | None) -> frozenset[str]:
    """Return the tasks a setting gives to the weights; for `auto` those of the check, all where there was none.

    Raises `ConfigError` for a task there is not.
    """
    if text == "auto":
        return frozenset(TASKS if known is None else known)
    if text in ("all", "none"):
        return frozenset(TASKS if text == "all" else ())
    named = {word.strip() for word in text.split(",") if word.strip()}
    if unknown := named - set(TASKS):
        raise ConfigError(
            f"model.tasks names {min(unknown)}, which is no task",
            fix=f"It takes auto, all, none, or some of {', '.join(TASKS)}.",
        )
    return frozenset(named)


def say_tasks(tasks: Collection[str]) -> str:
    """Return in words who does what."""
    mine = [task for task in TASKS if task in tasks]
    others = [task for task in TASKS if task not in tasks]
    if not others:
        return "all by the model, with the built-in reader as second opinion"
    return f"{', '.join(mine) or 'nothing'} by the model; {', '.join(others)} by the built-in reader"
