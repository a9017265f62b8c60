"""Installed weights: added after a check, found again, changed files noticed, removed."""

import os
from pathlib import Path

import pytest

from persona_cli.errors import NotFoundError, PersonaError, UsageError, WeightsError
from persona_cli.model.weights import Placing, Weights, free_memory, quantization_of, sha256_of, sort_pair
from tests.tiny import Tiny

pytestmark = pytest.mark.gguf


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return Weights(tmp_path / "models")


def test_a_pair_of_ones_own_is_linked_and_found_again(weights: Weights, tiny: Tiny) -> None:
    added = weights.add(tiny.pair.text, tiny.pair.projection, name="mine")
    assert weights.get("MINE") == added
    assert added.path("text") == tiny.pair.text
    assert added.manifest.quantization == "F16"
    assert added.size == tiny.pair.text.stat().st_size + tiny.pair.projection.stat().st_size
    assert not added.manifest.tuned
    weights.remove("mine")
    assert tiny.pair.text.exists()
    assert weights.all() == ()


def test_a_copied_pair_stands_alone(weights: Weights, tiny: Tiny) -> None:
    added = weights.add(tiny.pair.text, tiny.pair.projection, keeping=Placing.COPY)
    text = added.path("text")
    assert text is not None
    assert added.name == "tiny"
    assert text.parent == added.folder
    assert sha256_of(text) == added.manifest.files[0].sha256


def test_a_file_that_changed_or_went_is_noticed(weights: Weights, tiny: Tiny) -> None:
    added = weights.add(tiny.pair.text, tiny.pair.projection, keeping=Placing.COPY)
    file = added.folder / tiny.pair.text.name
    with file.open("r+b") as opened:
        opened.truncate(1000)
    with pytest.raises(WeightsError, match="has 1,000 bytes"):
        added.path("text")
    file.unlink()
    with pytest.raises(WeightsError, match="is gone"):
        added.path("text")


def test_what_is_no_pair_is_refused_and_leaves_nothing(weights: Weights, tiny: Tiny, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.pair.text.read_bytes()[:100_000])
    prose = tmp_path / "prose.gguf"
    prose.write_text("once upon a time")
    for text, projection in (
        (cut, tiny.pair.projection),
        (prose, None),
        (tiny.pair.projection, None),
        (tiny.pair.text, tiny.pair.text),
        (tmp_path / "nowhere.gguf", None),
    ):
        with pytest.raises(WeightsError):
            weights.add(text, projection, name="bad")
    assert weights.all() == ()
    assert not list(weights.root.glob("*")) if weights.root.exists() else True


@pytest.mark.parametrize("name", ["Server", "LITE", "lite", "server", "../up", ".hidden", "a b"])
def test_names_that_mean_something_else_are_refused(weights: Weights, tiny: Tiny, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        weights.add(tiny.pair.text, None, name=name)


def test_the_same_name_twice_is_refused(weights: Weights, tiny: Tiny) -> None:
    weights.add(tiny.pair.text, None, name="mine")
    with pytest.raises(UsageError, match="installed already"):
        weights.add(tiny.pair.text, None, name="Mine")


def test_a_model_that_is_not_there_is_named_with_what_is(weights: Weights, tiny: Tiny) -> None:
    weights.add(tiny.pair.text, None, name="mine")
    with pytest.raises(NotFoundError) as raised:
        weights.get("yours")
    assert "mine" in raised.value.fix


def test_a_damaged_manifest_is_one_clear_error(weights: Weights, tiny: Tiny) -> None:
    added = weights.add(tiny.pair.text, None, name="mine")
    (added.folder / "manifest.toml").write_text("name = ")
    with pytest.raises(PersonaError, match=r"manifest\.toml cannot be read"):
        weights.all()


def test_text_and_projection_are_told_apart_in_any_order(tiny: Tiny, tmp_path: Path) -> None:
    pair = (tiny.pair.text, tiny.pair.projection)
    assert sort_pair(pair) == pair
    assert sort_pair(pair[::-1]) == pair
    assert sort_pair([tiny.pair.text]) == (tiny.pair.text, None)
    # people rename what they download; the content tells
    folder = tmp_path / "renamed"
    folder.mkdir()
    renamed = folder / "mmproj-of-all-names.gguf", folder / "vision.gguf"
    for name, path in zip(renamed, pair, strict=True):
        os.link(path, name)
    assert sort_pair([folder]) == renamed
    with pytest.raises(UsageError, match="one text model and one mmproj file are wanted, not mmproj-of"):
        sort_pair([*renamed, tiny.pair.text])
    with pytest.raises(UsageError, match="no GGUF file"):
        sort_pair([tmp_path])


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("PersonaVLM.i1-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen2.5-VL-7B-Instruct-Q8_0.gguf", "Q8_0"),
        ("m.IQ3_XS.gguf", "IQ3_XS"),
        ("tiny-F16.gguf", "F16"),
        ("Qwen2.5-VL-3B.gguf", ""),
    ],
)
def test_the_quantization_is_read_from_the_name(name: str, quantization: str) -> None:
    assert quantization_of(Path(name)) == quantization


def test_free_memory_is_known_here() -> None:
    assert free_memory() > 2**28
