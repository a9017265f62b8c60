"""`persona report`: the memory as one page to look at, to print, or to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_cli.cli.invocation import invocation
from persona_cli.cli.transfer import note_where


def report(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write the page.")] = Path(
        "persona.html"
    ),
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Show them small.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write one page with everything persona remembers, for a browser or a printer: a single file that loads nothing.

    Who you are and on which words that rests, your personality and what moved it, people, plans, habits, topics,
    pictures, what changed and when, what contradicts, what was held back.
    """
    from datetime import datetime

    from persona_cli.memory.private_file import check_free, private_file

    run = invocation(context)
    check_free(file, overwrite=force)
    from persona_cli.report.life_page import write_page

    with run.memory(reading=True) as memory:
        page = write_page(memory, datetime.now().astimezone(), pictures=pictures)
    content = page.encode("utf-8")
    with private_file(file, overwrite=force) as out:
        out.write(content)
    note_where(run, file, sealed=False)
    run.notice(f"Written to {file} ({len(content) / 1000:,.0f} kB), readable by you alone. Open it in a browser.")
