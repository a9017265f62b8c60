"""The commands by name: each is imported and built when it is called, and all of them for `--help`.

Typer builds every option of every command at each start otherwise, which takes as long as a small program.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

_COMMANDS = {
    "chat": ("chat.chat", "Talk, or answer one message."),
    "why": ("why.why", "Explain how an answer came about."),
    "upcoming": ("upcoming.upcoming", "Show what lies ahead, and on this day."),
    "update": ("update.update", "Run the updates still queued."),
    "export": ("transfer.export", "Write everything to a file."),
    "import": ("importing.import_", "Bring in what you said elsewhere, or an export."),
    "backup": ("backup.backup", "Keep a copy of the memory, here or in a file."),
    "restore": ("backup.restore", "Go back to a backup or an archive."),
    "report": ("report.report", "Write your memory as one page to look at."),
    "serve": ("serve.serve", "Serve your memory to the programs on this machine."),
    "mcp": ("mcp.mcp", "Let other programs use your memory, as tools."),
    "doctor": ("doctor.doctor", "Check the installation and the memory."),
    "synth": ("synth.synth", "Make up people and lessons to train a model on."),
}
"""Where the function of a command lies, and its line in `--help`."""
_GROUPS = {
    "memory": "memory.app",
    "profile": "profile.app",
    "model": "model.app",
    "eval": "evaluation.app",
    "train": "train.app",
    "config": "config.app",
}
NAMES = (*_COMMANDS, *_GROUPS)


class Commands(TyperGroup):
    """The group of all commands."""

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """Return every command; this builds them all."""
        return {name: build(name) for name in NAMES}

    @commands.setter
    def commands(self, given: object) -> None:
        """Take nothing: what Typer has found is what stands in this module's table."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of `--help`."""
        return list(NAMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command, None where there is none of that name."""
        return build(cmd_name) if cmd_name in NAMES else None


def new_app(**settings: Any) -> typer.Typer:
    """Return an application with the settings that all commands share."""
    return typer.Typer(
        # plain help: a third quicker than in boxes, and readable on narrow terminals and by screen readers
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


@cache
def build(name: str) -> Any:
    """Import and build the command or group of a name."""
    part = new_app()
    if name in _COMMANDS:
        place, line = _COMMANDS[name]
        part.command(name, short_help=line)(_at(place))
    else:
        part.add_typer(_at(_GROUPS[name]), name=name)
    return typer.main.get_group(part).commands[name]


def _at(place: str) -> Any:
    module, _, name = place.rpartition(".")
    return getattr(import_module(f"persona_cli.cli.{module}"), name)
