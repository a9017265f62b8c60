"""The models of the subjects: an engine is opened once for each process and shared by all people it works through."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.model.weights import BUILT_IN, SERVED, Weights
from persona_cli.paths import Places
from persona_cli.records import Image, PictureSource

if TYPE_CHECKING:
    from persona_cli.model.engines import Engine
    from persona_cli.model.tasks import Model


def is_built_in(settings: Settings) -> bool:
    """Tell whether the model is the built-in one, which is no engine."""
    return settings.model.name.casefold() == BUILT_IN


@lru_cache(maxsize=2)
def shared_engine(settings: Settings, weights: Path) -> Engine:
    """Return the engine that the settings name, opened at its first use in this process."""
    from persona_cli.model.opening import find_installed, open_server, open_weights

    if settings.model.name.casefold() == SERVED:
        return open_server(settings)
    # nothing of a benchmark is kept in the person's own cache
    cache = weights.parent / "cache"
    return open_weights(find_installed(Weights(weights), settings.model.name), settings.model, cache, keep=False).engine


def prompted_model(settings: Settings, places: Places, picture: Callable[[Image], PictureSource]) -> Model:
    """Return the loop's model on the shared engine, as `open_model` would make it."""
    from persona_cli.model.opening import is_tuned
    from persona_cli.model.prompted import PromptedModel
    from persona_cli.model.prompts import load_prompts

    engine = shared_engine(settings, places.weights)
    if settings.model.name.casefold() == SERVED:
        tuned = is_tuned(engine.name)
    else:
        tuned = Weights(places.weights).get(settings.model.name).manifest.tuned
    return PromptedModel(engine, load_prompts(places.prompts), picture, guided=not tuned)
