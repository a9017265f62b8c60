"""LoRA adapters: from peft's folder to GGUF and onto a model, with the logits that transformers has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from persona_cli.errors import WeightsError
from persona_cli.model.engines.llama.native import Context, LoadedWeights, Loading
from persona_cli.model.engines.llama.sequence import Lane
from persona_cli.model.export.adapter import export_adapter
from tests.terminal import persona
from tests.tiny import Tiny

# peft asks a model for what transformers is renaming
pytestmark = [pytest.mark.gguf, pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")]

IDS = [5, 17, 42, 8, 99, 120, 7, 64]
LINEAR = r".*(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def with_adapter(model: Any, folder: Path, layers: str) -> Any:
    """Put a random adapter on a model, keep it in a folder, and return the model with it."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=layers, task_type="CAUSAL_LM", init_lora_weights=False)
    adapted = get_peft_model(model, config).eval()
    adapted.save_pretrained(folder)
    return adapted


def logits(text: Path, adapter: Path | None) -> np.ndarray:
    loading = Loading(context=256, sequences=1, kv_type="f32", flash_attention=False, adapter=str(adapter or ""))
    weights = LoadedWeights(text, loading)
    context = Context(weights, loading)
    Lane(0).evaluate(list(IDS), context, None, lambda: False)
    last = context.logits().copy()
    context.close()
    weights.close()
    return last


def cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))


def test_an_adapter_in_gguf_has_the_logits_of_transformers(tiny: Tiny, tmp_path: Path) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    base = Qwen2_5_VLForConditionalGeneration.from_pretrained(tiny.checkpoint, dtype=torch.float32).eval()
    adapted = with_adapter(base, tmp_path / "peft", rf".*language_model{LINEAR}")
    with torch.no_grad():
        theirs = adapted(input_ids=torch.tensor([IDS])).logits[0, -1].numpy()
    made = export_adapter(tmp_path / "peft", tmp_path / "lora.gguf")
    text = tiny.export("F32").text
    assert cosine(logits(text, made), theirs) >= 0.999
    assert cosine(logits(text, None), theirs) < 0.99, "the adapter does something"


def test_rows_of_queries_and_keys_are_put_into_the_order_of_llama(tmp_path: Path) -> None:
    from safetensors.numpy import load_file
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    model = LlamaForCausalLM(shape)
    model.save_pretrained(tmp_path / "base")
    model.config._name_or_path = str(tmp_path / "base")
    model.name_or_path = str(tmp_path / "base")
    with_adapter(model, tmp_path / "peft", LINEAR)
    made = export_adapter(tmp_path / "peft", tmp_path / "lora.gguf")
    from gguf import GGUFReader

    written = {tensor.name: tensor.data for tensor in GGUFReader(made).tensors}
    kept = load_file(tmp_path / "peft" / "adapter_model.safetensors")
    query = kept["base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"]
    # a head of eight: the first halves of the pairs stand before the second ones in one order, beside them in the other
    order = [head * 8 + half * 4 + pair for head in range(4) for pair in range(4) for half in range(2)]
    np.testing.assert_allclose(written["blk.0.attn_q.weight.lora_b"], query[order], atol=1e-3)
    value = kept["base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight"]
    np.testing.assert_allclose(written["blk.0.attn_v.weight.lora_b"], value, atol=1e-3)


def test_an_exported_adapter_is_installed_with_its_base_and_opened(tiny: Tiny, tmp_path: Path) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    run = tmp_path / "run"
    base = Qwen2_5_VLForConditionalGeneration.from_pretrained(tiny.checkpoint, dtype=torch.float32)
    with_adapter(base, run / "model", rf".*language_model{LINEAR}")
    unknown = persona("model", "export", str(run), "--name", "mine")
    assert "which model the adapter is put onto" in unknown.error
    (run / "run.json").write_text(json.dumps({"base": str(tiny.pair.text)}), encoding="utf-8")
    done = persona("model", "export", str(run), "--name", "mine")
    assert done.code == 0, done.err
    (row,) = [row for row in persona("model", "list", "--json").json if row["name"] == "mine"]
    assert row["installed"] is True
    with_it = persona("model", "use", "mine")
    assert with_it.code == 0
    said = persona("chat", "Hello", "--private")
    assert said.code in (0, 4), "random weights break every format, but they are loaded"
    assert "this should not happen" not in said.err


def test_what_is_no_adapter_is_named(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "IA3"}), encoding="utf-8")
    with pytest.raises(WeightsError, match="no plain LoRA"):
        export_adapter(tmp_path, tmp_path / "lora.gguf")
