"""Settings: precedence, kinds, and the clear refusal of everything unknown."""

from pathlib import Path

import pytest

from persona_cli.config import Settings, check_value, declared, list_entries, load_settings
from persona_cli.errors import ConfigError


def test_defaults_without_a_file(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "config.toml", env={}) == Settings()


def test_file_then_variable_then_option(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[memory]\nsemantic = 6\nepisodic = 3\nimages = 1\n")
    env = {"PERSONA_MEMORY_EPISODIC": "5", "PERSONA_MEMORY_IMAGES": "7", "PERSONA_HOME": "x", "PERSONA_USER": "y"}
    memory = load_settings(file, env=env, options={"memory.images": 9}).memory
    assert (memory.semantic, memory.episodic, memory.images) == (6, 5, 9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[memory]\nsemantik = 6\n", "Did you mean memory.semantic?"),
        ("[memory]\nsemantic = 'six'\n", "memory.semantic takes a whole number from 0 to 50"),
        ("[memory]\nsemantic = 500\n", "from 0 to 50"),
        ("[chat]\nshow_thinking = 1\n", "true or false"),
        ("semantic = 1\n", "memory.semantic"),
        ("[zzz]\nq = 1\n", "Known:"),
        ("[memory\n", "persona config edit"),
    ],
)
def test_what_is_wrong_names_key_file_and_fix(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file, env={})
    assert says in caught.value.fix
    assert str(file) in caught.value.message


def test_unknown_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PERSONA_SESION_GAP_MINUTES"):
        load_settings(tmp_path / "none", env={"PERSONA_SESION_GAP_MINUTES": "3"})
    with pytest.raises(ConfigError, match="PERSONA_MEMORY_SEMANTIK"):
        load_settings(tmp_path / "none", env={"PERSONA_MEMORY_SEMANTIK": "3"})


def test_entries_say_where_a_value_comes_from(tmp_path: Path) -> None:
    entries = {entry.key: entry for entry in list_entries(tmp_path / "none", env={"PERSONA_MODEL_NAME": "other"})}
    assert entries["model.name"].value == "other"
    assert entries["model.name"].source == "PERSONA_MODEL_NAME"
    assert entries["memory.semantic"].source == "default"
    assert len(entries) == len(dict(declared()))


def test_text_is_converted_to_the_kind_of_the_key() -> None:
    assert check_value("chat.show_thinking", "yes", "option") is True
    assert check_value("memory.semantic", "7", "option") == 7


@pytest.mark.parametrize(
    ("text", "value"),
    [("gpu_layers = 20", "20"), ("gpu_layers = 'auto'", "auto"), ("gpu_layers = '0'", "0"), ("threads = 3", 3)],
)
def test_layers_are_a_number_or_left_to_the_memory(tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[model]\n{text}\n")
    settings = load_settings(file, env={}).model
    assert value in (settings.gpu_layers, settings.threads)


@pytest.mark.parametrize("value", ["all", "-1", "1000", ""])
def test_layers_that_are_neither_are_refused(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_value("model.gpu_layers", value, "here")
    assert caught.value.fix == "model.gpu_layers takes auto, or a whole number from 0 to 999."


def test_a_yes_in_toml_is_one_of_the_words(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[model]\nproject_on_gpu = true\n")
    assert load_settings(file, env={}).model.project_on_gpu == "true"


def test_the_key_of_the_server_is_never_listed(tmp_path: Path) -> None:
    env = {"PERSONA_SERVER_KEY": "sk-secret"}
    assert load_settings(tmp_path / "config.toml", env=env).server.key == "sk-secret"
    entries = list_entries(tmp_path / "config.toml", env=env)
    assert not any("sk-secret" in str(entry) for entry in entries)
    assert next(entry for entry in entries if entry.key == "server.key").source == "PERSONA_SERVER_KEY"
