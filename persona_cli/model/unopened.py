"""A model that could not be opened: it fails when it is asked, and by then what was said to it can be kept."""

from __future__ import annotations

from typing import Any, NoReturn

from persona_cli.errors import ModelError
from persona_cli.model.tasks import Fact


class UnopenedModel:
    """A `Model` of which every task raises why it could not be opened."""

    def __init__(self, name: str, error: ModelError) -> None:
        self.name = name
        self._error = error

    def about(self) -> tuple[Fact, ...]:
        """Return that it could not be opened."""
        return (Fact("model", f"{self.name} could not be opened"),)

    def close(self) -> None:
        """Do nothing: nothing was opened."""

    def _fail(self, *_: Any, **__: Any) -> NoReturn:
        raise self._error

    reason = answer = infer_personality = extract_semantic = _fail
    summarize_episodes = update_procedural = update_core = merge_episodes = _fail
