"""The first start: one question of a person at a terminal, a number or the first message, and never again."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cli.cli.first import Running, find_running
from tests.manners import SAID, Manner, serve, words
from tests.terminal import persona, persona_typed

QUESTION = "Which model shall answer?"


def test_who_just_talks_is_not_held_up_and_not_asked_again(weights: Path) -> None:
    code, screen = persona_typed("chat", typed="I have a parrot.\n/quit\n")
    assert code == 0, screen
    assert QUESTION in screen
    assert "GiB to download" in screen
    assert [row["record"]["user"] for row in persona("memory", "list", "--kind", "message", "--json").json] == [
        "I have a parrot."
    ]
    _, screen = persona_typed("chat", typed="/quit\n")
    assert QUESTION not in screen


def test_who_has_chosen_is_not_asked(weights: Path) -> None:
    persona("config", "set", "model.name", "lite")
    _, screen = persona_typed("chat", typed="/quit\n")
    assert QUESTION not in screen


def test_a_server_on_this_machine_is_found_by_its_port() -> None:
    assert find_running({}) is None
    with serve(Manner([words(SAID)])) as manner:
        port = int(manner.url.split(":")[2].split("/")[0])
        assert find_running({port: "Ollama"}) == Running("Ollama", manner.url, "m")


def test_an_installed_model_is_not_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.tinytext import write_text_model

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    persona("model", "add", str(write_text_model(tmp_path / "tiny.gguf")), "--name", "Qwen2.5-1.5B")
    done = persona("model", "pull", "qwen2.5-1.5b", "--use")
    assert done.code == 0, done.err
    assert "installed already" in done.err
    assert persona("config", "get", "model.name").out.strip() == "Qwen2.5-1.5B"
