"""The documentation says what the program does: every command is in it, and what it shows exists."""

import re
from pathlib import Path

import pytest

from persona_cli import errors
from persona_cli.cli.app import UNEXPECTED
from persona_cli.config import declared
from tests.commands import command_names, document, option_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
COMMANDS = command_names()
SERVE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
TEXTS = README + REFERENCE + MODELS + SERVE
SHOWN = re.findall(r"(?:^\s{4}(?:\$ )?|`)(?:echo [^|`\n]*\| )?persona ([a-z][^`\n|]*)", TEXTS, re.MULTILINE)


def test_the_commands_document_is_what_help_says() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == document(), "run `make docs`"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    group, _, name = command.partition(" ")
    assert re.search(rf"`persona {group}\b[^`]*\b{name}", REFERENCE), f"the table of commands lacks {command}"


def test_the_documents_show_commands() -> None:
    assert len(SHOWN) > 10


@pytest.mark.parametrize("shown", SHOWN)
def test_what_the_documents_show_exists(shown: str) -> None:
    words = [word for word in re.sub(r'"[^"]*"', "WORDS", shown).split() if word not in {"[MESSAGE]"}]
    command = next((name for name in (" ".join(words[:2]), words[0]) if name in COMMANDS), None)
    if command is None:
        assert any(name.startswith(words[0] + " ") for name in COMMANDS), f"there is no command {shown}"
        return
    for option in (word.strip("[],.…").split("=")[0] for word in words if word.strip("[").startswith("--")):
        assert option in option_names(command), f"{command} has no {option}"


def test_every_exit_code_is_in_the_reference() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PersonaError)]
    for code in {0, UNEXPECTED, *(kind.exit_code for kind in kinds)}:
        assert re.search(rf"^\| {code} \|", REFERENCE, re.MULTILINE), f"exit code {code} is not explained"


def test_every_setting_is_in_the_reference() -> None:
    for key, _ in declared():
        assert f"`{key}`" in REFERENCE, f"the table of settings lacks {key}"


def test_the_readme_stays_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) <= 130
    for link in re.findall(r"\]\(([^):#]+)\)", README):
        assert (ROOT / link).exists(), f"the README links to {link}"


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"make ([a-z]+)\b", texts)) <= targets


def test_the_rooms_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = re.findall(r"`((?:persona_cli|models|benchmarks|tests|docs)/[\w./]*)`", text)
    assert len(rooms) > 40
    assert [room for room in rooms if not (ROOT / room).exists()] == []
