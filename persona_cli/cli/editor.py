"""Opening a text in the person's own editor ($VISUAL, then $EDITOR)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from persona_cli.errors import UsageError

_USUAL = ("nano", "vim", "vi", "notepad")


def edit_text(text: str, suffix: str = ".txt") -> str | None:
    """Return the text as it was saved, or None where the editor was left without saving a change.

    Raises `UsageError` where there is no editor or it reports a failure.
    """
    with TemporaryDirectory(prefix="persona-") as folder:
        file = Path(folder) / f"edit{suffix}"
        file.write_text(text, encoding="utf-8")
        command = [*_editor(), str(file)]
        try:
            code = subprocess.run(command, check=False).returncode
        except OSError as exc:
            raise UsageError(
                f"{command[0]} cannot be started: {exc.strerror}", fix="Set EDITOR to your editor."
            ) from exc
        if code:
            raise UsageError(f"{command[0]} ended with {code}; nothing was changed", fix="Try again, or set EDITOR.")
        saved = file.read_text(encoding="utf-8")
    return None if saved == text else saved


def _editor() -> list[str]:
    if chosen := os.environ.get("VISUAL") or os.environ.get("EDITOR"):
        return shlex.split(chosen)
    for name in _USUAL:
        if found := shutil.which(name):
            return [found]
    raise UsageError("no editor was found", fix="Set EDITOR to your editor.")
