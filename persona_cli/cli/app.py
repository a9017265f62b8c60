"""The command line application: its commands, the options they share, and the one error boundary.

Nothing heavy is imported here or in the modules of the commands; what a command needs it imports in its body.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from persona_cli import __version__
from persona_cli.cli import chat, config, doctor, memory, profile, transfer, update, why
from persona_cli.cli.invocation import Invocation
from persona_cli.errors import PersonaError

app = typer.Typer(
    name="persona",
    help="A personal assistant that remembers you, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("chat")(chat.chat)
app.add_typer(memory.app, name="memory")
app.add_typer(profile.app, name="profile")
app.command("why")(why.why)
app.command("update")(update.update)
app.command("export")(transfer.export)
app.command("import")(transfer.import_)
app.command("doctor")(doctor.doctor)
app.add_typer(config.app, name="config")

UNEXPECTED = 70
"""Exit code of a fault in persona itself (sysexits' EX_SOFTWARE)."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"persona {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Whose memory to use; also PERSONA_USER.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A personal assistant that remembers you, on your own machine."""
    context.obj = Invocation(user)


def main() -> None:
    """Run the command line; every expected error is one clear line and its own exit code."""
    try:
        app()
    except PersonaError as exc:
        _tell(exc)
        sys.exit(exc.exit_code)
    except BrokenPipeError:
        # whoever read our output has left; the interpreter must not complain about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as exc:
        if os.environ.get("PERSONA_DEBUG"):
            raise
        sys.stderr.write(f"error: this should not happen: {type(exc).__name__}: {exc}\n")
        sys.stderr.write("Run it again with PERSONA_DEBUG=1 to see where, and please report it.\n")
        sys.exit(UNEXPECTED)


def _tell(exc: PersonaError) -> None:
    if os.environ.get("PERSONA_DEBUG"):
        import traceback

        traceback.print_exception(exc)
    sys.stderr.write(f"error: {exc.message}\n")
    if exc.fix:
        sys.stderr.write(f"{exc.fix}\n")
