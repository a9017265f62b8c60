"""Starting is cheap: a fresh interpreter that parses a command has loaded nothing heavy."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from persona_cli.memory.store import open_store
from persona_cli.paths import find_places

HEAVY = (
    "PIL",
    "chromadb",
    "gguf",
    "imagehash",
    "jinja2",
    "llama_cpp",
    "mcp",
    "numpy",
    "onnx",
    "onnxruntime",
    "openai",
    "persona_cli.memory.archive.shapes",  # typer loads pydantic itself; what is built with it waits for an import
    "pyrage",
    "sentence_transformers",
    "sqlite3",
    "sqlite_utils",
    "starlette",
    "tokenizers",
    "torch",
    "transformers",
    "uvicorn",
)

COMMAND = """
import sys
from persona_cli.cli.app import main
sys.argv = ["persona", *{words!r}]
try:
    main()
except SystemExit as left:
    assert not left.code, left.code
"""


def loaded_after(script: str) -> set[str]:
    """Return the heavy modules a fresh interpreter has loaded after `script`."""
    code = f"{script}\nimport sys\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    # above it may stand notices of the command
    return set(done.stderr.splitlines()[-1].split())


def test_importing_the_application_loads_nothing_heavy() -> None:
    assert loaded_after("import persona_cli.cli.app") == set()
    every = "from persona_cli.cli.commands import NAMES, build; [build(name) for name in NAMES]"
    assert loaded_after(every) == set()


def test_a_command_is_built_alone() -> None:
    code = COMMAND.format(words=["config", "path"]) + "\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("persona_cli.cli.")}
    assert "persona_cli.cli.config" in loaded
    assert loaded.isdisjoint({"persona_cli.cli.chat", "persona_cli.cli.doctor", "persona_cli.cli.memory"})


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "--version",
        "chat --help",
        "memory search --help",
        "config path",
        "config show",
        "config get model.name",
    ],
)
def test_help_and_configuration_load_nothing_heavy(command: str) -> None:
    assert loaded_after(COMMAND.format(words=command.split())) == set()


@pytest.mark.parametrize("words", [["profile"], ["memory", "list"]])
def test_what_is_only_read_from_the_store_needs_sqlite_alone(words: list[str]) -> None:
    with closing(open_store(find_places().database)):
        pass
    assert loaded_after(COMMAND.format(words=words)) == {"sqlite3"}


@pytest.mark.gguf
@pytest.mark.parametrize("words", [["chat", "I drink green tea."], ["memory", "search", "tea"]])
def test_one_message_and_one_search_do_without_chroma(weights: Path, words: list[str]) -> None:
    assert weights.is_dir()
    with closing(open_store(find_places().database)):
        pass
    loaded = loaded_after(COMMAND.format(words=words))
    assert not loaded & {"chromadb", "llama_cpp", "onnx", "sqlite_utils", "torch"}
    assert "onnxruntime" in loaded


def test_the_guard_would_notice() -> None:
    assert loaded_after("import sqlite3") == {"sqlite3"}
