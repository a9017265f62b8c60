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


def plan_offload(
    need: Need, devices: Sequence[Device], *, layers: int | None = None, project: bool | None = None
) -> Plan:
    """Return what to offload; `layers` and `project` are the user's wishes, None leaves them to the free memory.

    The output layer counts as one more than the model's layers, as llama.cpp counts.
    """
    graphics = [device for device in devices if device.kind == "gpu"]
    if not graphics:
        wanted = " (model.gpu_layers asks for one)" if layers else ""
        return Plan(0, False, f"llama.cpp found no GPU or was built without one{wanted}")
    free = sum(device.free for device in graphics)
    if layers is not None:
        return Plan(layers, bool(project), "as configured")
    if not free:
        return Plan(need.layers + 1, project is not False, "the driver does not tell how much memory is free")
    room = free - RESERVE
    on_gpu = project if project is not None else room >= need.projection
    if on_gpu:
        room -= need.projection
    each = (need.weights + need.kv_per_token * need.context) / (need.layers + 1)
    fitting = max(0, min(need.layers + 1, int(room // each)))
    if fitting == need.layers + 1:
        return Plan(fitting, on_gpu, f"everything fits {free / 2**30:.1f} GiB of free GPU memory")
    return Plan(
        fitting, on_gpu, f"{free / 2**30:.1f} GiB of GPU memory are free, {fitting} of {need.layers + 1} layers fit"
    )
