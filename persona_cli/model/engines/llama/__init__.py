"""A model in this process: any GGUF that chats, with or without a projection, on llama.cpp's low-level API.

`engine` is the Engine; below it `sequence` reuses evaluated prompts, `vision` sizes and caches pictures, `sampling`
holds replies to a grammar, `native` owns the pointers. `chat_template` says what stands around a message, `gguf_file`
checks files before they are loaded (`gguf_header` reads them), `offload` decides what goes to the GPU, `probe` tries a
first load in a child process, `report` says what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.model.engines.llama.gguf_file import check_pair, read_projection, read_text
from persona_cli.model.engines.llama.offload import Need, Plan

if TYPE_CHECKING:
    from persona_cli.model.engines.llama.engine import LlamaEngine

__all__ = ["Opened", "Wishes", "open_llama", "plan_pair"]


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """What the user configured; None leaves a choice to the free memory."""

    context: int = 16_384
    gpu_layers: int | None = None
    project_on_gpu: bool | None = None
    threads: int = 0
    flash_attention: bool = True
    kv_type: str = "f16"
    image_pixels: int = 230_400
    cache_bytes: int = 512 * 2**20
    adapter: Path | None = None
    """A LoRA adapter for the text model."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A running engine and what was decided about it."""

    engine: LlamaEngine
    plan: Plan
    identity: str
    """Names the files and how they were loaded; a kept state is good for the same identity only."""


def open_llama(text: Path, projection: Path | None, wishes: LlamaOptions, cache: Path) -> Opened:
    """Check the pair, probe a first load, and open it; `cache` holds picture embeddings and what was probed.

    Raises `WeightsError` for files that are damaged or do not belong together, `EngineError` where llama.cpp crashes
    on them, `ContextError` where the context does not fit memory.
    """
    from persona_cli.model.engines.llama import native
    from persona_cli.model.engines.llama.engine import LlamaEngine
    from persona_cli.model.engines.llama.probe import identify, probe

    plan, context = plan_pair(text, projection, wishes)
    loading = native.Loading(
        context=context,
        gpu_layers=plan.gpu_layers,
        project_on_gpu=plan.project_on_gpu,
        threads=wishes.threads,
        flash_attention=wishes.flash_attention,
        kv_type=wishes.kv_type,
        image_pixels=wishes.image_pixels,
        adapter=str(wishes.adapter or ""),
    )
    identity = identify(text, projection, loading)
    small = replace(loading, context=min(context, 512))
    probe(text, projection, small, cache / "probed.json", keep=wishes.cache_bytes > 0)
    engine = LlamaEngine(text, projection, loading, cache / "pictures", cache_bytes=wishes.cache_bytes, plan=plan)
    return Opened(engine, plan, identity)


def plan_pair(text: Path, projection: Path | None, wishes: LlamaOptions) -> tuple[Plan, int]:
    """Check the files and return what would go to the GPU, and the context in tokens, without loading anything."""
    from persona_cli.model.engines.llama import native
    from persona_cli.model.engines.llama.offload import plan_offload

    model = read_text(text)
    vision = read_projection(projection) if projection is not None else None
    if vision is not None:
        check_pair(model, vision)
    native.start()
    context = min(wishes.context, model.context)
    need = Need(model.layers, model.size, vision.size if vision else 0, model.kv_per_token, context)
    plan = plan_offload(
        need, native.devices(), native.backends(), layers=wishes.gpu_layers, project=wishes.project_on_gpu
    )
    return plan, context
