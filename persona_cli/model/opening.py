"""From settings to a `Model`: the built-in one, installed weights on llama.cpp, or a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.config import ModelSettings, Settings
from persona_cli.errors import ConfigError, NotFoundError, WeightsError
from persona_cli.model.catalog import Purpose, load_catalog
from persona_cli.model.weights import BUILT_IN, SERVED, Installed, Weights
from persona_cli.paths import Places
from persona_cli.records import Image, PictureSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from persona_cli.model.engines.llama import LlamaOptions, Opened
    from persona_cli.model.engines.server import ServerEngine
    from persona_cli.model.prompted import PromptedModel
    from persona_cli.model.tasks import Fact, Model
    from persona_cli.reading.reader import Reader


def open_model(
    places: Places,
    settings: Settings,
    picture: Callable[[Image], PictureSource],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    open_reader: Callable[[], Reader],
    *,
    keep: bool = True,
) -> Model:
    """Open the model the settings name; `picture` says what one is read from, `embed` and reader serve the built-in.

    Without `keep` the engine writes down nothing of what it is shown and asked.

    Raises `WeightsError`, `ConfigError` or `EngineError` with what to do about it.
    """
    if settings.model.name.casefold() == BUILT_IN:
        return _open_built_in(embed, open_reader)
    weights, identity = open_prompted(places, settings, picture, keep=keep)
    from persona_cli.model.readiness import load_verdict
    from persona_cli.model.sharing import SharedModel, parse_tasks

    verdict = load_verdict(checks_file(places), identity)
    reasons = {"on": True, "off": False}.get(settings.model.reasoning)
    if reasons is None and verdict is not None and not verdict.reasons:
        reasons = False
    return SharedModel(
        weights,
        lambda: _open_built_in(embed, open_reader),
        parse_tasks(settings.model.tasks, verdict.tasks if verdict else None),
        reasons=reasons,
        prompt_speed=verdict.prompt_speed if verdict else None,
    )


def checks_file(places: Places) -> Path:
    """Return where the verdicts of `persona model check` are kept: beside the weights."""
    return places.weights / "checks.json"


def learning_fact(places: Places, settings: Settings, identity: str) -> Fact:
    """Return which tasks a model learns by itself, and what its check said of it."""
    from persona_cli.model.readiness import load_verdict
    from persona_cli.model.sharing import parse_tasks, say_tasks
    from persona_cli.model.tasks import Fact

    verdict = load_verdict(checks_file(places), identity)
    tasks = parse_tasks(settings.model.tasks, verdict.tasks if verdict else None)
    checked = f"checked: {verdict.verdict}" if verdict else "not checked yet: persona model check"
    return Fact("learning", f"{say_tasks(tasks)} ({checked})")


def identity_of(model: Installed) -> str:
    """Return what the verdict on installed weights is kept under: the hashes of their files."""
    return " ".join(file.sha256 for file in model.manifest.files)


def open_prompted(
    places: Places, settings: Settings, picture: Callable[[Image], PictureSource], *, keep: bool = True
) -> tuple[PromptedModel, str]:
    """Open weights or a server alone; returns it and what its verdict is kept under."""
    if settings.model.name.casefold() == SERVED:
        return _open_served(places, settings, picture, keep=keep)
    model = find_installed(Weights(places.weights), settings.model.name)
    opened = open_weights(model, settings.model, places.cache, keep=keep)
    # behind the weights, which the system reads meanwhile
    from persona_cli.model.engines.llama.kept import KeptLane
    from persona_cli.model.prompted import PromptedModel
    from persona_cli.model.prompts import load_prompts

    prompts = load_prompts(places.prompts)
    if keep:
        opened.engine.keep("respond", KeptLane(places.kept_prompt[0], opened.identity))
    # whole tokens, as the engine counts them
    form, guided = opened.engine.form, not model.manifest.tuned
    pixels = form.whole(model.manifest.max_pixels)
    prompted = PromptedModel(opened.engine, prompts, picture, guided=guided, most_pixels=pixels, form=form)
    return prompted, identity_of(model)


def _open_served(
    places: Places, settings: Settings, picture: Callable[[Image], PictureSource], *, keep: bool
) -> tuple[PromptedModel, str]:
    from persona_cli.model.prompted import PromptedModel
    from persona_cli.model.prompts import load_prompts

    prompts = load_prompts(places.prompts)
    engine = open_server(settings, places.cache / "servers.json" if keep else None)
    guided, pixels = not is_tuned(engine.name), engine.most_pixels
    served = PromptedModel(engine, prompts, picture, guided=guided, most_pixels=pixels)
    return served, f"{settings.server.url} {engine.name}"


def _open_built_in(embed: Callable[[Sequence[str]], NDArray[np.float32]], open_reader: Callable[[], Reader]) -> Model:
    from persona_cli.model.lite import open_lite

    return open_lite(embed, open_reader)


def find_installed(weights: Weights, name: str) -> Installed:
    """Return an installed chat model; raises `WeightsError` that says how it is had."""
    try:
        model = weights.get(name)
    except NotFoundError as exc:
        known = {entry.name.casefold() for entry in load_catalog().entries if entry.purpose is Purpose.CHAT}
        get_it = f"Pull it with `persona model pull {name}`" if name.casefold() in known else exc.fix.rstrip(".")
        raise WeightsError(f"the model {name} is not installed", fix=f"{get_it}, or `persona model use lite`.") from exc
    if model.manifest.purpose is not Purpose.CHAT:
        raise WeightsError(f"{model.name} does not chat, it embeds {model.manifest.purpose}", fix="Use another model.")
    if model.path("text") is None:
        raise WeightsError(
            f"{model.name} is a checkpoint that is not converted yet",
            fix=f"persona model export {model.folder}",
        )
    return model


def open_weights(model: Installed, settings: ModelSettings, cache: Path, *, keep: bool = True) -> Opened:
    """Open an installed pair on llama.cpp as configured; without `keep` the cache is read and not written."""
    from persona_cli.model.engines.llama import open_llama

    text = model.path("text")
    assert text is not None
    wishes = replace(wishes_of(settings), image_pixels=model.manifest.max_pixels)
    if (adapter := model.path("adapter")) is not None:
        wishes = replace(wishes, adapter=adapter)
    if not keep:
        wishes = replace(wishes, cache_bytes=0)
    return open_llama(text, model.path("projection"), wishes, cache)


def wishes_of(settings: ModelSettings) -> LlamaOptions:
    """Return the settings as the engine takes them."""
    from persona_cli.model.engines.llama import LlamaOptions

    return LlamaOptions(
        context=settings.context,
        gpu_layers=None if settings.gpu_layers == "auto" else int(settings.gpu_layers),
        project_on_gpu=None if settings.project_on_gpu == "auto" else settings.project_on_gpu == "true",
        threads=settings.threads,
        flash_attention=settings.flash_attention,
        kv_type=settings.kv_type,
    )


def open_server(settings: Settings, remembered: Path | None = None) -> ServerEngine:
    """Connect to the configured server; what formats it keeps is read from and written to `remembered`."""
    server = settings.server
    if not server.url:
        raise ConfigError(
            "model.name is server, but no server is configured",
            fix="persona config set server.url http://localhost:8080/v1",
        )
    if not server.url.startswith(("http://", "https://")):
        raise ConfigError(
            f"server.url = {server.url!r} is no address",
            fix="It begins with http:// or https:// and often ends in /v1.",
        )
    from persona_cli.model.engines.server import ServerEngine
    from persona_cli.model.engines.server_formats import Dialect

    dialect = None if server.dialect == "auto" else Dialect(server.dialect)
    return ServerEngine(
        server.url, server.model, server.key, context=settings.model.context, dialect=dialect, remembered=remembered
    )


def is_tuned(name: str) -> bool:
    """Tell from the name a server gives whether the checkpoint knows persona's prompts."""
    return "personavlm" in name.casefold().replace("-", "").replace("_", "")
