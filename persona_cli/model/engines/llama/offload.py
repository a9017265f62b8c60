"""How much of a model goes to the GPU: decided from free memory, and said in words.

The estimate is deliberately simple and on the safe side: each layer takes its share of the weights and of the
key-value cache; a fixed reserve stays for the compute buffers and the vision tower's activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persona_cli.model.engines.llama.native import Device

RESERVE = 1_200 * 2**20
"""Bytes left free on the device: compute buffers of a 7B model at batch 512, and one picture in the vision tower."""
_PROCESSORS = frozenset({"CPU", "BLAS", "RPC"})
"""Backends that are no GPU."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a model asks of memory, in bytes."""

    layers: int
    weights: int
    projection: int
    kv_per_token: int
    context: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes to the GPU, and why not more."""

    gpu_layers: int
    project_on_gpu: bool
    reason: str
    layers: int = 0
    """Layers there are, the output layer as one more, as llama.cpp counts."""


def plan_offload(
    need: Need,
    devices: Sequence[Device],
    backends: Sequence[str] = (),
    *,
    layers: int | None = None,
    project: bool | None = None,
) -> Plan:
    """Return what to offload; `layers` and `project` are the user's wishes, None leaves them to the free memory.

    The output layer counts as one more than the model's layers, as llama.cpp counts. `backends` are what llama.cpp
    was built for; they tell a missing driver from a build without a GPU.
    """
    total = need.layers + 1
    graphics = [device for device in devices if device.kind == "gpu"]
    if not graphics:
        wanted = "; model.gpu_layers asks for one" if layers else ""
        return Plan(0, False, _no_gpu(backends) + wanted, total)
    free = sum(device.free for device in graphics)
    if layers is not None:
        return Plan(min(layers, total), bool(project), "as configured by model.gpu_layers", total)
    if not free:
        return Plan(total, project is not False, "the driver does not tell how much memory is free", total)
    room = free - RESERVE
    on_gpu = project if project is not None else room >= need.projection
    if on_gpu:
        room -= need.projection
    each = (need.weights + need.kv_per_token * need.context) / total
    fitting = max(0, min(total, int(room // each)))
    if fitting == total:
        return Plan(fitting, on_gpu, f"everything fits {_gib(free)} of free GPU memory", total)
    return Plan(fitting, on_gpu, f"{fitting} fit {_gib(free)} of free GPU memory: {_shortage(need)}", total)


def _no_gpu(backends: Sequence[str]) -> str:
    built = [name for name in backends if name not in _PROCESSORS]
    if built:
        return f"llama.cpp was built with {', '.join(built)}, but finds no such device: is its driver installed?"
    return "llama.cpp was built without a GPU (CMAKE_ARGS=-DGGML_CUDA=on builds it with CUDA)"


def _shortage(need: Need) -> str:
    cache = need.kv_per_token * need.context
    whole = need.weights + cache + need.projection + RESERVE
    return (
        f"all would need {_gib(whole)} (weights {_gib(need.weights)}, cache of {need.context:,} tokens {_gib(cache)}, "
        f"pictures {_gib(need.projection)}, computing {_gib(RESERVE)})"
    )


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
