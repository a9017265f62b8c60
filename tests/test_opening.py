"""From settings to a model, and one clear error for each setting that leads nowhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from persona_cli.config import ModelSettings, ServerSettings, Settings
from persona_cli.errors import ConfigError, EngineError, PersonaError, WeightsError
from persona_cli.model.catalog import Purpose
from persona_cli.model.engines.llama import LlamaOptions
from persona_cli.model.opening import is_tuned, open_model, wishes_of
from persona_cli.model.tasks import Model
from persona_cli.model.weights import Placing, Weights, write_manifest
from persona_cli.paths import Places, find_places
from persona_cli.reading.reader import Reader
from persona_cli.records import Image
from tests.tiny import Tiny


def nowhere(image: Image) -> Path:
    raise AssertionError(image)


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError(texts)


def unread() -> Reader:
    raise AssertionError


def choose(places: Places, server: ServerSettings | None = None, **model: object) -> Model:
    given = replace(ModelSettings(), **model)  # type: ignore[arg-type]  # whatever the test names
    return open_model(places, Settings(model=given, server=server or ServerSettings()), nowhere, embed, unread)


@pytest.fixture
def places(home: Path) -> Places:
    return find_places(env={"PERSONA_HOME": str(home)})


def test_the_built_in_model_needs_nothing(places: Places) -> None:
    assert choose(places).name == "lite"


@pytest.mark.parametrize(
    ("name", "says"),
    [("PersonaVLM-7B", "persona model pull PersonaVLM-7B"), ("nonsense", "persona model list")],
)
def test_weights_that_are_not_there(places: Places, name: str, says: str) -> None:
    with pytest.raises(WeightsError, match="is not installed") as raised:
        choose(places, name=name)
    assert says in raised.value.fix


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("", ConfigError, "no server is configured"),
        ("localhost:8080", ConfigError, "is no address"),
        ("http://127.0.0.1:1/v1", EngineError, "cannot be reached"),
    ],
)
def test_a_server_that_is_not_there(places: Places, url: str, error: type[PersonaError], says: str) -> None:
    with pytest.raises(error, match=says):
        choose(places, ServerSettings(url=url), name="server")


@pytest.mark.gguf
def test_installed_weights_answer(places: Places, tiny: Tiny) -> None:
    Weights(places.weights).add(tiny.pair.text, tiny.pair.projection, name="mine")
    model = choose(places, name="Mine", context=4096)
    assert model.name == "tiny-F16"
    model.close()


@pytest.mark.gguf
def test_a_model_that_does_not_chat_is_not_opened(places: Places, tiny: Tiny) -> None:
    weights = Weights(places.weights)
    added = weights.add(tiny.pair.text, tiny.pair.projection, name="mine")
    write_manifest(added.folder, replace(added.manifest, purpose=Purpose.PICTURES))
    with pytest.raises(WeightsError, match="does not chat"):
        choose(places, name="mine")
    files = tuple(replace(file, role="checkpoint") for file in added.manifest.files)
    write_manifest(added.folder, replace(added.manifest, files=files))
    with pytest.raises(WeightsError, match="not converted") as raised:
        choose(places, name="mine")
    assert "persona model export" in raised.value.fix


@pytest.mark.gguf
def test_weights_that_went_away_after_they_were_added(places: Places, tiny: Tiny) -> None:
    added = Weights(places.weights).add(tiny.pair.text, tiny.pair.projection, name="mine", keeping=Placing.COPY)
    (added.folder / tiny.pair.projection.name).unlink()
    with pytest.raises(WeightsError, match="is gone"):
        choose(places, name="mine")


def test_the_settings_reach_the_engine() -> None:
    assert wishes_of(ModelSettings()) == LlamaOptions()
    given = ModelSettings(gpu_layers="12", project_on_gpu="false", threads=3, flash_attention=False, kv_type="q8_0")
    assert wishes_of(given) == LlamaOptions(
        gpu_layers=12, project_on_gpu=False, threads=3, flash_attention=False, kv_type="q8_0"
    )


def test_a_server_with_personavlm_needs_no_guide() -> None:
    assert is_tuned("ClareNie/PersonaVLM")
    assert is_tuned("persona_vlm-7b-q4")
    assert not is_tuned("Qwen2.5-VL-7B-Instruct")
