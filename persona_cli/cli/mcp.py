"""`persona mcp`: the memory as tools for other programs, over standard input and output."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.writer import write
from persona_cli.errors import UsageError

PORT = 8765
"""Where `persona serve` listens unless told otherwise."""


def mcp(
    context: typer.Context,
    write_: Annotated[
        bool, typer.Option("--write", help="Also let the client remember, correct and delete memories.")
    ] = False,
    print_config: Annotated[
        str | None,
        typer.Option(
            "--print-config",
            metavar="CLIENT",
            help="Print the block for claude-desktop, claude-code, lm-studio, vscode or open-webui, and leave.",
        ),
    ] = None,
) -> None:
    """Let a program use your memory by the Model Context Protocol: it starts this itself and talks through the pipe.

    Read only unless you say --write: without it the tools that write do not exist.
    """
    run = invocation(context)
    if print_config is not None:
        _print_block(run, print_config, writing=write_)
        return
    if sys.stdin.isatty():
        run.notice(
            "A client starts this and speaks JSON to it; `persona mcp --print-config CLIENT` says how. Ctrl-D ends it."
        )
    check_installed()
    from persona_cli.serve.household import Household
    from persona_cli.serve.model_context import build_server

    household = Household(run.settings, run.notice, run.user)
    try:
        build_server(household, write=write_).run()
    finally:
        household.close()


def check_installed() -> None:
    """Raise `UsageError` where the parts of the server are not installed."""
    from importlib.util import find_spec

    if find_spec("mcp") is None or find_spec("uvicorn") is None:
        raise UsageError("the server's parts are not installed", fix="pip install 'persona-cli[serve]'")


def _print_block(run: Invocation, name: str, *, writing: bool) -> None:
    from persona_cli.serve.access import read_token
    from persona_cli.serve.clients import Client, block_for

    try:
        client = Client(name)
    except ValueError as exc:
        raise UsageError(f"there is no block for {name}", fix=f"Known are {', '.join(Client)}.") from exc
    user = ["--user", run.user] if run.user else []
    command = [_program(), *user, "mcp", *(["--write"] if writing else [])]
    env = {"PERSONA_HOME": home} if (home := os.environ.get("PERSONA_HOME")) else {}
    token = read_token(run.places.token) if client is Client.OPEN_WEBUI else ""
    block = block_for(client, command, env, f"http://127.0.0.1:{PORT}", token)
    run.notice(f"Put it into {block.where}.")
    write(block.text)


def _program() -> str:
    """Return where this program is: a client has its own PATH, and not every one expands `~`."""
    beside = Path(sys.executable).with_name("persona")
    return str(beside) if beside.exists() else shutil.which("persona") or sys.argv[0]
