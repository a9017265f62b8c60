"""The head of a GGUF file: what is read agrees with the library that writes them, and nothing else ever comes of it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cli.errors import WeightsError
from persona_cli.model.engines.llama.gguf_file import read_text
from persona_cli.model.engines.llama.gguf_header import BLOCKS, Header
from tests.tiny import Tiny
from tests.tinytext import write_text_model

TOKENS = 152_000


def test_it_says_what_the_library_says(tiny: Tiny) -> None:
    for path in (tiny.pair.text, tiny.pair.projection):
        header, reader = Header(path), gguf.GGUFReader(path)
        assert header.tensors == len(reader.tensors)
        for key, field in reader.fields.items():
            if key.startswith("GGUF."):
                continue
            if len(field.types) == 1:
                assert header.get(key) == field.contents()
            elif field.types[1] is not gguf.GGUFValueType.STRING:
                assert list(header.numbers(key)) == field.contents()
    assert header.get("nothing.of.that.name") is None


def test_the_sizes_of_blocks_are_those_of_the_library() -> None:
    known = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: known[kind] for kind in BLOCKS} == BLOCKS


def test_a_real_vocabulary_is_stepped_over(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "large.gguf", "llama")
    writer.add_token_list([f"token{number}" for number in range(TOKENS)])
    writer.add_token_merges([f"token{number} token" for number in range(TOKENS)])
    for add in (writer.add_block_count, writer.add_context_length, writer.add_embedding_length, writer.add_head_count):
        add(4)
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("output_norm.weight", np.zeros(8, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    began = time.process_time()
    assert read_text(tmp_path / "large.gguf").layers == 4
    # 17 s where every entry becomes a string; 0.05 s here, with room for a busy machine
    assert time.process_time() - began < 1


def test_layers_with_a_cache_of_their_own_are_counted(tmp_path: Path) -> None:
    sizes = {
        kind: read_text(write_text_model(tmp_path / kind, kind)).kv_per_token for kind in ("llama", "lfm2", "mamba")
    }
    # two layers of two heads, sixteen numbers of two bytes each, keys and values; one such layer; none
    assert sizes == {"llama": 256, "lfm2": 128, "mamba": 0}


@given(st.data())
def test_a_damaged_file_is_one_clear_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = folder / "whole-tiny.gguf"
    if not whole.exists():
        write_text_model(whole)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, 6000))] = data.draw(st.integers(0, 255))
    damaged = folder / "damaged.gguf"
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(WeightsError):
        assert read_text(damaged).layers >= 0
