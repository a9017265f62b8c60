"""A model that could not be opened: it fails when it is asked, and by then what was said to it can be kept."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NoReturn

from persona_cli.errors import ModelError
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Fact,
    ProceduralDraft,
    SemanticDraft,
    Situation,
    Stop,
    SummaryDraft,
)
from persona_cli.personality import Traits
from persona_cli.records import CoreMemory, EpisodicMemory, Piece, ProceduralMemory, Turn


class UnopenedModel:
    """A `Model` of which every task raises why it could not be opened."""

    def __init__(self, name: str, error: ModelError) -> None:
        self.name = name
        self._error = error

    def about(self) -> tuple[Fact, ...]:
        """Return that it could not be opened."""
        return (Fact("model", f"{self.name} could not be opened"),)

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Raise the error."""
        self._fail()

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Raise the error."""
        self._fail()

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Raise the error."""
        self._fail()

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Raise the error."""
        self._fail()

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Raise the error."""
        self._fail()

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Raise the error."""
        self._fail()

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Raise the error."""
        self._fail()

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Raise the error."""
        self._fail()

    def close(self) -> None:
        """Do nothing: nothing was opened."""

    def _fail(self) -> NoReturn:
        raise self._error
