"""A LoRA adapter of peft to the GGUF file that llama.cpp puts onto a model while it runs.

The names of the tensors are those of the architecture, as for a whole model. Llama's rotary order differs between the
two programs: rows of queries and keys are put into llama.cpp's, and with them those of the adapter's second matrix.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from persona_cli.errors import StorageError, WeightsError

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
_ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen2_5_vl": gguf.MODEL_ARCH.QWEN2VL,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
}
_PERMUTED = frozenset({"llama"})


@dataclass(frozen=True, slots=True)
class _Base:
    """What must be known of the model below the adapter."""

    kind: str
    layers: int
    heads: int
    kv_heads: int


def find_adapter(folder: Path) -> Path | None:
    """Return where an adapter lies: in the folder, or in that of a run's outcome; None where there is none."""
    return next((place for place in (folder, folder / "model") if (place / CONFIG).is_file()), None)


def export_adapter(folder: Path, target: Path) -> Path:
    """Write the adapter in `folder` to `target` in F16 and return it.

    Raises `WeightsError` for what is no LoRA adapter of linear layers, or of an architecture that is not known here.
    """
    from safetensors import SafetensorError

    config = _read(folder / CONFIG)
    base = _base(folder, config)
    try:
        tensors = _loaded(folder / TENSORS)
    except (OSError, SafetensorError) as exc:
        raise WeightsError(f"{folder / TENSORS} cannot be read: {exc}", fix="Train or download it again.") from exc
    names = gguf.get_tensor_name_map(_ARCHITECTURES[base.kind], base.layers)
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_name(target.name + ".part")
        writer = gguf.GGUFWriter(part, gguf.MODEL_ARCH_NAMES[_ARCHITECTURES[base.kind]])
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]))
        for key, tensor in tensors.items():
            name, rows = _placed(key, tensor, base, names)
            writer.add_tensor(name, np.ascontiguousarray(rows.astype(np.float16)))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(target)
    except OSError as exc:
        raise StorageError(f"{target} cannot be written: {exc.strerror or exc}", fix="Check disk and rights.") from exc
    return target


def _placed(
    key: str, tensor: NDArray[np.float32], base: _Base, names: gguf.TensorNameMap
) -> tuple[str, NDArray[np.float32]]:
    """Return a tensor's name in GGUF, and its rows in llama.cpp's order."""
    layer, _, side = key.removesuffix(".weight").rpartition(".lora_")
    layer = layer.removeprefix("base_model.model.").replace("model.language_model.", "model.", 1)
    mapped = names.get_name(f"{layer}.weight", (".weight",))
    if mapped is None or side not in ("A", "B"):
        raise WeightsError(f"the adapter has a part {key} that cannot be put onto a model", fix="Train linear layers.")
    if side == "B" and base.kind in _PERMUTED and layer.endswith((".q_proj", ".k_proj")):
        heads = base.heads if layer.endswith(".q_proj") else base.kv_heads
        tensor = tensor.reshape(heads, 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)
    return f"{mapped}.lora_{side.lower()}", tensor


def _loaded(file: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors in float32; NumPy has no bfloat16, so torch reads them."""
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return {key: opened.get_tensor(key).float().numpy() for key in opened.keys()}  # noqa: SIM118 - no mapping


def _base(folder: Path, config: dict[str, Any]) -> _Base:
    if config.get("peft_type") != "LORA" or config.get("use_dora"):
        raise WeightsError(f"{folder} holds no plain LoRA adapter", fix="Only LoRA can be put onto a model here.")
    checkpoint = Path(str(config.get("base_model_name_or_path")))
    body = _read(checkpoint / "config.json")
    text = {**body, **body.get("text_config", {})}
    kind = str(body.get("model_type"))
    if kind not in _ARCHITECTURES:
        raise WeightsError(f"adapters of {kind} cannot be converted", fix=f"Known: {', '.join(_ARCHITECTURES)}.")
    heads = int(text["num_attention_heads"])
    return _Base(kind, int(text["num_hidden_layers"]), heads, int(text.get("num_key_value_heads", heads)))


def _read(file: Path) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise WeightsError(
            f"{file} cannot be read: {exc}",
            fix="Name the folder of a run; the checkpoint below it must still be there.",
        ) from exc
    return body
