"""What llama.cpp was built with, where a model really went, and why not more of it to the GPU: for a person to read.

`persona doctor` shows the build and the plan without loading anything; `--verbose` shows what loading came to. That is
read from llama.cpp's own log, because it alone says where each layer and each buffer is; what it did not say is
called unknown, never assumed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import llama_cpp

from persona_cli.model.engines.llama import native
from persona_cli.model.engines.llama.offload import Plan
from persona_cli.model.tasks import Fact

_LAYER = re.compile(r"layer +\d+ assigned to device (\S+?),? ")
_BUFFER = re.compile(r"(\S+) (model|KV|compute) buffer size = +([\d.]+) MiB")
_FLASH = re.compile(r"(?:flash_attn += |Flash Attention )(enabled|disabled|not supported)")
_TOWER = re.compile(r"CLIP using (\S+) backend")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What llama.cpp said while it loaded a pair."""

    layers: tuple[tuple[str, int], ...] = ()
    """(device, layers on it); the output layer counts as one, as llama.cpp counts."""
    buffers: tuple[tuple[str, str, float], ...] = ()
    """(what is in it, where it is, MiB)."""
    flash_attention: bool | None = None
    """None where it did not say."""
    tower: str = ""
    """Where pictures are encoded; "" where it did not say, or there is no projection."""


def read_load(lines: Sequence[str]) -> Loaded:
    """Return what the log lines of a load say."""
    text = "".join(lines)
    flash = _FLASH.findall(text)
    towers = _TOWER.findall(text)
    return Loaded(
        layers=tuple(Counter(_LAYER.findall(text)).items()),
        buffers=tuple((kind, where, float(size)) for where, kind, size in _BUFFER.findall(text)),
        flash_attention=flash[-1] == "enabled" if flash else None,
        tower=towers[-1] if towers else "",
    )


def build_facts() -> tuple[Fact, ...]:
    """Return what was compiled in, and the devices seen."""
    native.start()
    features = re.findall(r"(\w+) = 1", native.build_features())
    return (
        Fact("llama.cpp", f"{llama_cpp.__version__} for {', '.join(native.backends())}; with {', '.join(features)}"),
        Fact("devices", "; ".join(map(_device, native.devices()))),
    )


def plan_facts(plan: Plan, context: int) -> tuple[Fact, ...]:
    """Return what would go to the GPU, and why not more."""
    pictures = "pictures on the GPU" if plan.project_on_gpu else "pictures on the CPU"
    layers = f"{plan.gpu_layers} of {plan.layers} layers on the GPU, {pictures}: {plan.reason}"
    return Fact("offload", layers), Fact("context", f"{context:,} tokens")


def load_facts(loaded: Loaded, loading: native.Loading, plan: Plan | None, *, projection: bool) -> tuple[Fact, ...]:
    """Return what loading came to: layers, buffers, pictures, cache, attention, threads."""
    return tuple(_load_facts(loaded, loading, plan, projection=projection))


def _load_facts(loaded: Loaded, loading: native.Loading, plan: Plan | None, *, projection: bool) -> Iterator[Fact]:
    why = f"; {plan.reason}" if plan is not None else ""
    total = sum(count for _, count in loaded.layers)
    away = sum(count for device, count in loaded.layers if device != "CPU")
    shares = ", ".join(f"{count} on {device}" for device, count in loaded.layers)
    yield Fact("offload", f"{away} of {total} layers on the GPU ({shares}){why}" if total else f"unknown{why}")
    yield Fact("tensors", _sizes(loaded, "model"))
    yield Fact("vision", _pictures(loaded, loading, projection=projection))
    flash = {True: "on", False: "off", None: "unknown"}[loaded.flash_attention]
    cache = f"{loading.context:,} tokens in {loading.kv_type}, {_sizes(loaded, 'KV')}"
    yield Fact("cache", f"{cache}; flash attention {flash}; {_sizes(loaded, 'compute')} for computing")
    threads, cores = loading.threads or native.default_threads(), native.usable_cores()
    yield Fact("threads", f"{threads}; this process may use {cores} cores; batches of {loading.batch} tokens")


def _pictures(loaded: Loaded, loading: native.Loading, *, projection: bool) -> str:
    if not projection:
        return "not seen: there is no mmproj"
    return f"encoded on {loaded.tower or 'unknown'}, at most {loading.image_pixels:,} pixels each"


def _sizes(loaded: Loaded, wanted: str) -> str:
    found = [f"{size:,.0f} MiB on {where}" for kind, where, size in loaded.buffers if kind == wanted]
    return ", ".join(found) or "unknown"


def _device(device: native.Device) -> str:
    memory = f", {device.free / 2**30:.1f} of {device.total / 2**30:.1f} GiB free" if device.total else ""
    return f"{device.name} ({device.description}{memory})"
