"""Running the command line in this process, and in one of its own where the process itself is what is tested."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from persona_cli.cli.app import main


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as the one JSON document it must be."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """Return the message of the error: the only line that begins so."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return line.removeprefix("error: ")


def persona(*arguments: str, stdin: str = "") -> Ran:
    """Run the command line here, behind its own error boundary."""
    # a stream of bytes underneath, as a real one has
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", ["persona", *arguments]),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code or 0
    assert isinstance(code, int)
    out.flush()
    written = out.buffer
    assert isinstance(written, io.BytesIO)
    return Ran(code, written.getvalue().decode(), err.getvalue())


def persona_process(*arguments: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Ran:
    """Run the command line in a process of its own: nothing of this one silences a library."""
    words = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "persona_cli", *arguments],
        input=words,
        capture_output=True,
        env={**os.environ, **(env or {})},
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def persona_typed(
    *arguments: str,
    typed: str = "",
    replies: Sequence[tuple[str, str]] = (),
    env: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> tuple[int, str]:
    """Run the command line at a terminal of its own and type; returns the exit code and what was on the screen.

    `replies` are typed each when its question is on the screen: a passphrase is not read from what was typed ahead.
    `size` is the terminal's, lines and columns; without it the terminal does not say.
    """
    ours, theirs = pty.openpty()
    if size is not None:
        termios.tcsetwinsize(theirs, size)
    # what is typed ahead waits in the terminal's own buffer
    os.write(ours, typed.encode())
    waiting, answered = list(replies), 0
    process = subprocess.Popen(
        [sys.executable, "-m", "persona_cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", **(env or {})},
    )
    os.close(theirs)
    seen = b""
    # a terminal whose last user has gone fails to be read
    with suppress(OSError):
        while piece := os.read(ours, 4096):
            seen += piece
            if waiting and (place := seen.find(waiting[0][0].encode(), answered)) >= 0:
                answered = place + len(waiting[0][0])
                os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    os.close(ours)
    return process.wait(timeout=60), seen.decode(errors="replace")


def lines(text: str) -> Sequence[str]:
    """Return the lines that are not blank, without what stands at their ends."""
    return [line.strip() for line in text.splitlines() if line.strip()]
