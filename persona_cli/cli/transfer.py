"""`persona export` and `persona import`: everything out and in again, and transcripts of other assistants in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.errors import Interrupted, PictureError, StorageError, TransferError, UsageError

if TYPE_CHECKING:
    from persona_cli.agent.replay import Replayed


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"


def export(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to write; standard output if left out. Only you can read the file."),
    ] = None,
    kind: Annotated[
        Format | None,
        typer.Option(
            "--format", metavar="FORMAT", help="jsonl loses nothing and can be imported; markdown is for reading."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write everything persona knows to a file: memories, turns, pictures, traits and their history."""
    from persona_cli.cli.render import progress
    from persona_cli.memory.media import Media
    from persona_cli.memory.transfer import export_memory

    run = invocation(context)
    kind = kind or (Format.MARKDOWN if file is not None and file.suffix == ".md" else Format.JSONL)
    if file is not None and file.is_dir():
        raise UsageError(f"{file} is a directory", fix="Name a file in it.")
    if file is not None and file.exists() and not force:
        raise UsageError(f"{file} exists already", fix="Choose another name, or overwrite it with --force.")
    with run.store() as store, _written(file) as out:
        if kind is Format.MARKDOWN:
            from persona_cli.cli.markdown import write_markdown

            write_markdown(store, out)
            run.notice(f"Written as Markdown to {file}." if file else "Written as Markdown.")
            return
        with progress(run.err, "exporting") as advance:
            done = export_memory(store, Media(run.places.media, store), out, advance)
    rows = sum(done.rows.values())
    run.notice(f"{rows} rows and {done.pictures} pictures exported{f' to {file}' if file else ''}.")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export of persona, or a transcript.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read an export into an empty memory, or replay a transcript through the update stage.

    A transcript has one exchange per line: {"time": "2023-04-27 18:30", "user": "...", "assistant": "...",
    "images": ["photo.jpg"]}. It may be stopped and started again; nothing is stored twice.
    """
    from persona_cli.memory.transfer import is_export

    run = invocation(context)
    if file.is_dir():
        raise TransferError(f"{file} is a directory", fix="Name a file in it.")
    if not file.is_file():
        raise TransferError(f"there is no file {file}", fix="Check the path.")
    if is_export(file):
        _import_export(run, file, as_json=as_json)
    else:
        _import_transcript(run, file, as_json=as_json)


def _import_export(run: Invocation, file: Path, *, as_json: bool) -> None:
    from persona_cli.cli.render import print_json, progress
    from persona_cli.memory.transfer import import_memory
    from persona_cli.memory.vectors.index import embed_wanted

    with run.memory() as memory:
        with progress(run.err, "importing") as advance:
            done = import_memory(memory.store, memory.media, file, advance)
        # before what is derived: when the disk ends there, the import itself is done all the same
        run.notice(f"{sum(done.rows.values())} rows and {done.pictures} pictures imported.")
        with progress(run.err, "embedding"):
            embed_wanted(memory.store, memory.embedder)
            memory.sight.embed_wanted()
    if as_json:
        print_json(done)


def _import_transcript(run: Invocation, file: Path, *, as_json: bool) -> None:
    from persona_cli.agent.replay import replay
    from persona_cli.cli.render import print_json, progress
    from persona_cli.importers.transcript import read_transcript

    exchanges = read_transcript(file)
    with run.assistant() as assistant, progress(run.err, "reading") as advance:
        try:
            done = replay(
                assistant,
                exchanges,
                lambda count, total, _job: advance(count, total, "remembering"),
                on_stored=lambda count, total: advance(count, total, "storing"),
            )
        except (KeyboardInterrupt, Interrupted) as exc:
            raise Interrupted("the import was stopped", fix="The same command goes on where it was.") from exc
        except PictureError as exc:
            raise TransferError(exc.message, fix="Replace or leave out the picture; the same command goes on.") from exc
    if as_json:
        print_json(done)
    else:
        _report(run, done)


def _report(run: Invocation, done: Replayed) -> None:
    from persona_cli.cli.update import report

    run.notice(f"{done.added} exchanges imported, {done.known} were known already.")
    report(run, done.updates)


@contextmanager
def _written(file: Path | None) -> Iterator[TextIO]:
    """Yield a text file that gets its name only when it is complete, readable by nobody else."""
    if file is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    part = file.with_name(f".{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            yield out
        part.replace(file)
    except OSError as exc:
        raise StorageError(
            f"{file} cannot be written: {exc.strerror or exc}",
            fix="Check the directory, its permissions and the free disk.",
        ) from exc
    finally:
        part.unlink(missing_ok=True)
