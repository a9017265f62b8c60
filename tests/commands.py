"""The commands as they are registered, for the tests of the documentation; `make docs` writes it with this.

Help is taken without rich's boxes, so that the document is plain text and the same under every version of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from unittest.mock import patch

import typer.main

from persona_cli.cli.app import app
from tests.terminal import persona

WIDTH = 100


def command_names() -> tuple[str, ...]:
    """Return every command with its group before it, in the order of `--help`: "memory search"."""
    return tuple(_names(typer.main.get_command(app), ()))


def option_names(command: str) -> tuple[str, ...]:
    """Return the long options of a command, `--help` left out."""
    found = typer.main.get_command(app)
    for part in command.split():
        found = found.commands[part]  # type: ignore[attr-defined] # a group, as the name has a next part
    long = (option for parameter in found.params for option in parameter.opts if option.startswith("--"))
    return tuple(one for one in long if one != "--help")


def help_of(command: str) -> str:
    """Return the plain text of `persona COMMAND --help`."""
    with patch.dict(os.environ, {"TYPER_USE_RICH": "0", "COLUMNS": str(WIDTH), "PERSONA_USER": ""}):
        text = persona(*command.split(), "--help").out
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def document() -> str:
    """Return docs/commands.md as it should be."""
    begin = "# Commands\n\nWhat `--help` says, written by `make docs`.\n"
    sections = (
        f"## {' '.join(('persona', *command.split()))}\n\n```text\n{help_of(command)}\n```\n"
        for command in ("", *command_names())
    )
    return "\n".join((begin, *sections))


def _names(group: object, path: tuple[str, ...]) -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        here = (*path, name)
        if getattr(command, "commands", {}):
            if getattr(command, "invoke_without_command", False):
                yield " ".join(here)
            yield from _names(command, here)
        else:
            yield " ".join(here)


if __name__ == "__main__":
    sys.stdout.write(document())
