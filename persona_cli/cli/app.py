"""The command line application: the options its commands share, and the one error boundary.

Nothing heavy is imported here or in the modules of the commands (`commands` names them); what a command needs it
imports in its body.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from persona_cli import __version__
from persona_cli.cli.commands import Commands, new_app
from persona_cli.cli.ending import end_in_order
from persona_cli.cli.invocation import Invocation
from persona_cli.cli.writer import write, write_error
from persona_cli.errors import PersonaError, UsageError

app = new_app(
    name="persona",
    help="A personal assistant that remembers you, on your own machine.",
    no_args_is_help=True,
    cls=Commands,
)

UNEXPECTED = 70
"""Exit code of a fault in persona itself (sysexits' EX_SOFTWARE)."""


def _print_version(wanted: bool) -> None:
    if wanted:
        write(f"persona {__version__}")
        raise typer.Exit


@app.callback()
def prepare(
    context: typer.Context,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Whose memory to use; also PERSONA_USER.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say what the model runs on, and why not more on the GPU.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A personal assistant that remembers you, on your own machine."""
    context.obj = Invocation(user, verbose)


def main() -> None:
    """Run the command line; every expected error is one clear line, its fix, and its own exit code."""
    end_in_order()
    # read when llama.cpp is loaded: threads that wait for each other sleep instead of spinning, because on a busy
    # machine the spinning ones keep the working one off its core (measured: 27 against 1,300 tokens a second)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        _check_text(sys.argv[1:])
        code = app(prog_name="persona", standalone_mode=False) or 0
        # here, where a reader that has left can still be told from a fault; at exit it is a traceback
        sys.stdout.flush()
    except typer.TyperException as exc:
        code = _explain_usage(exc)
    except typer.Abort:
        write_error("Stopped; nothing was changed.")
        code = PersonaError.exit_code
    except PersonaError as exc:
        _tell(exc)
        code = exc.exit_code
    except BrokenPipeError:
        # whoever read our output has left; the interpreter must not complain about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PersonaError.exit_code
    except OSError as exc:
        code = _explain_name(exc)
    except Exception as exc:  # noqa: BLE001 - the one boundary, raised again under PERSONA_DEBUG
        code = _explain_fault(exc)
    sys.exit(code)


def _check_text(arguments: Sequence[str]) -> None:
    """Raise `UsageError` for bytes that are no text, where they name no file."""
    for argument in arguments:
        if any("\ud800" <= char <= "\udfff" for char in argument) and not Path(argument).exists():
            raise UsageError(
                f"{argument!r} is no text in UTF-8", fix="Set your terminal to UTF-8, or pass the text through a pipe."
            )


def _explain_name(exc: OSError) -> int:
    """Say that a file's name is too long, which every way of looking at a file can find; else it is a fault."""
    if exc.errno != errno.ENAMETOOLONG:
        return _explain_fault(exc)
    _tell(UsageError("a file's name is too long", fix="Most systems allow 255 bytes; check what you named."))
    return UsageError.exit_code


def _explain_fault(exc: Exception) -> int:
    """Say what should not happen: the one boundary, so that no fault throws a traceback at a person."""
    if os.environ.get("PERSONA_DEBUG"):
        raise exc
    write_error(f"error: this should not happen: {type(exc).__name__}: {exc}")
    write_error("Run it again with PERSONA_DEBUG=1 to see where, and please report it.")
    return UNEXPECTED


def _explain_usage(exc: typer.TyperException) -> int:
    """Say what is wrong with the command line; a group without a command is answered with its help."""
    message = exc.format_message()
    if message.startswith("Usage:"):
        write(message)
        return 0
    write_error(f"error: {' '.join(message.split())}")
    write_error("`persona --help` lists the commands, `persona COMMAND --help` their options.")
    return exc.exit_code


def _tell(exc: PersonaError) -> None:
    if os.environ.get("PERSONA_DEBUG"):
        import traceback

        traceback.print_exception(exc)
    write_error(f"error: {exc.message}")
    if exc.fix:
        write_error(f"{exc.fix}")
