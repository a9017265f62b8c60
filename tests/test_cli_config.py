"""`persona config`: what it shows, what it writes, and what it refuses to write."""

import stat
import sys
import tomllib
from pathlib import Path

import pytest

from persona_cli.config import declared
from tests.terminal import persona

KEYS = [key for key, _ in declared()]


def test_every_setting_is_shown_with_where_it_comes_from(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    persona("config", "set", "memory.semantic", "7")
    monkeypatch.setenv("PERSONA_MEMORY_EPISODIC", "3")
    shown = {row["key"]: row for row in persona("config", "show", "--json").json}
    assert list(shown) == KEYS
    assert (shown["memory.semantic"]["value"], shown["memory.semantic"]["source"]) == (7, str(home / "config.toml"))
    assert (shown["memory.episodic"]["value"], shown["memory.episodic"]["source"]) == (3, "PERSONA_MEMORY_EPISODIC")
    assert shown["model.name"]["source"] == "default"


@pytest.mark.parametrize("key", KEYS)
def test_what_show_lists_get_prints(key: str) -> None:
    ran = persona("config", "get", key)
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1
    assert key in persona("config", "show").out


def test_set_writes_a_private_file(home: Path) -> None:
    assert persona("config", "set", "chat.show_thinking", "yes").code == 0
    file = home / "config.toml"
    assert tomllib.loads(file.read_text(encoding="utf-8")) == {"chat": {"show_thinking": True}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert persona("config", "get", "chat.show_thinking").out == "true\n"


def test_set_keeps_the_other_settings() -> None:
    persona("config", "set", "memory.semantic", "7")
    persona("config", "set", "memory.images", "1")
    assert persona("config", "get", "memory.semantic").out == "7\n"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("memory.semntic", "3", "memory.semntic"),
        ("memory.semantic", "many", "memory.semantic"),
        ("memory.semantic", "-1", "memory.semantic"),
        ("chat.show_thinking", "perhaps", "chat.show_thinking"),
        ("memory", "3", "memory"),
    ],
)
def test_what_is_not_allowed_is_not_written(home: Path, key: str, value: str, says: str) -> None:
    ran = persona("config", "set", "--", key, value)
    assert ran.code == 2
    assert says in ran.error
    assert not (home / "config.toml").exists()


def test_a_typo_in_the_file_names_key_and_file(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[memory]\nsemntic = 3\n", encoding="utf-8")
    for command in (["config", "show"], ["memory", "list"], ["profile"], ["chat", "hello"]):
        ran = persona(*command)
        assert ran.code == 2, command
        assert "memory.semntic" in ran.error
        assert str(home / "config.toml") in ran.error
        assert "memory.semantic" in ran.err


def test_path_is_where_set_writes(home: Path) -> None:
    assert persona("config", "path").out.strip() == str(home / "config.toml")


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaces: str, by: str) -> None:
    """Make an editor of the person's: it replaces one text by another."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys, pathlib\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "before = file.read_text(encoding='utf-8')\n"
        f"assert {replaces!r} in before, before\n"
        f"file.write_text(before.replace({replaces!r}, {by!r}), encoding='utf-8')\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")


def test_edit_starts_from_every_default_and_writes_what_is_right(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, monkeypatch, "# semantic = 4", "semantic = 9")
    assert persona("config", "edit").code == 0
    assert persona("config", "get", "memory.semantic").out == "9\n"
    text = (home / "config.toml").read_text(encoding="utf-8")
    for key in KEYS:
        assert f"{key.split('.')[1]} = " in text


def test_edit_refuses_what_is_wrong_and_keeps_the_text(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, monkeypatch, "# semantic = 4", "semantic = 999")
    ran = persona("config", "edit")
    assert ran.code == 2
    assert "memory.semantic" in ran.error
    assert not (home / "config.toml").exists()
    assert "semantic = 999" in (home / "config.toml.draft").read_text(encoding="utf-8")


def test_edit_repairs_a_broken_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[memory]\nsemntic = 3\n", encoding="utf-8")
    editor(tmp_path, monkeypatch, "semntic", "semantic")
    assert persona("config", "edit").code == 0
    assert persona("config", "get", "memory.semantic").out == "3\n"


def test_without_an_editor_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/nowhere/editor")
    ran = persona("config", "edit")
    assert ran.code == 2
    assert "/nowhere/editor" in ran.error
