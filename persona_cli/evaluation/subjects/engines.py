"""The engine of the baselines: opened once for each process and shared by all people it works through."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.model.weights import BUILT_IN, SERVED, Weights

if TYPE_CHECKING:
    from persona_cli.model.engines import Engine


def is_built_in(settings: Settings) -> bool:
    """Tell whether the model is the built-in one, which is no engine."""
    return settings.model.name.casefold() == BUILT_IN


def is_served(settings: Settings) -> bool:
    """Tell whether the model answers behind a URL, several questions at once."""
    return settings.model.name.casefold() == SERVED


@lru_cache(maxsize=2)
def shared_engine(settings: Settings, weights: Path) -> Engine:
    """Return the engine that the settings name, opened at its first use in this process."""
    from persona_cli.model.opening import find_installed, open_server, open_weights

    if is_served(settings):
        return open_server(settings)
    # nothing of a benchmark is kept in the person's own cache
    cache = weights.parent / "cache"
    return open_weights(find_installed(Weights(weights), settings.model.name), settings.model, cache, keep=False).engine
