"""`persona synth --from-memory`: lessons from the person's own memory, shown to them before a file is written."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from persona_cli.cli.invocation import Invocation
from persona_cli.errors import NotFoundError, TransferError, UsageError

if TYPE_CHECKING:
    from persona_cli.synthesis.lessons import Lesson

_SHOWN = 2
"""Lessons of each task that are shown whole; all of them are in the file."""
_LONGEST = 400


def write_own_lessons(run: Invocation, folder: Path, tokens: int, seed: str, *, yes: bool, as_json: bool) -> None:
    """Make the lessons, show what they are, ask, and write them."""
    from persona_cli.cli.render import print_json
    from persona_cli.memory import Keeping, open_memory
    from persona_cli.model.prompts import load_prompts
    from persona_cli.synthesis.own_memory import OwnMemory, write_own

    if folder.exists():
        raise TransferError(f"{folder} is there already", fix="Name a new folder.")
    gap = timedelta(minutes=run.settings.session.gap_minutes)
    # as it is: what is read here changes nothing there
    memory = open_memory(run.places, run.settings, run.notice, Keeping.PRIVATE)
    try:
        lessons = OwnMemory(memory, load_prompts(run.places.prompts), tokens, gap, seed).lessons()
        if not lessons:
            raise NotFoundError("there is nothing to learn from yet", fix="Talk for a session, and let it end.")
        _show(run, lessons)
        _confirm(folder, yes=yes)
        rows = write_own(lessons, folder)
    finally:
        memory.close()
    run.notice(f"{len(rows):,} lessons written to {folder}; only you can read them, and nothing was sent anywhere.")
    if as_json:
        counts = Counter(row.task for row in rows)
        print_json({"kind": "synth-own", "version": 1, "rows": len(rows), "tasks": counts, "folder": str(folder)})


def _show(run: Invocation, lessons: list[Lesson]) -> None:
    """Show on standard error how many lessons of each task there are, and the first of each."""
    by_task: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        by_task.setdefault(lesson.stage.value, []).append(lesson)
    for task, mine in by_task.items():
        run.err.print(f"{task}: {len(mine):,}", markup=False, highlight=False)
        for lesson in mine[:_SHOWN]:
            run.err.print(f"  you: {_short(lesson.said)}", markup=False, highlight=False)
            run.err.print(f"  to learn: {_short(lesson.reply)}", markup=False, highlight=False)


def _short(text: str) -> str:
    line = " / ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _confirm(folder: Path, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("your own words would be written without anybody asked", fix="Say --yes, or run it yourself.")
    typer.confirm(f"Write these, your own words among them, to {folder}?", err=True, abort=True)
