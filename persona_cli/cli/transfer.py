"""`persona export`: everything out; and how archives are taken in again, by `import` and `restore`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory.archive import Transferred
    from persona_cli.memory.media import Media
    from persona_cli.memory.store import Store

Encrypt = Annotated[
    bool, typer.Option("--encrypt", help="Seal it with a passphrase (age): asked for twice, or PERSONA_PASSPHRASE.")
]


class ExportFormat(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"
    PAM = "pam"
    COGX = "cogx"


_NAMES = {".md": ExportFormat.MARKDOWN, ".pam.json": ExportFormat.PAM, ".cogx.tar.gz": ExportFormat.COGX}
"""How the names of files end that say their format."""


def export(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to write; standard output if left out. Only you can read the file."),
    ] = None,
    kind: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="jsonl loses nothing and can be imported; markdown is for reading; pam (Portable AI Memory 1.0) and "
            "cogx (COGX 0.1, a .tar.gz) are for other programs.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    encrypt: Encrypt = False,
) -> None:
    """Write everything persona knows to a file: memories, turns, pictures, traits and their history."""
    run = invocation(context)
    name = "" if file is None else file.name
    kind = kind or next((kind for end, kind in _NAMES.items() if name.endswith(end)), ExportFormat.JSONL)
    if kind is ExportFormat.JSONL:
        write_archive(run, file, force=force, encrypt=encrypt)
        return
    from persona_cli.cli.sealed import written

    with run.store(reading=True) as store, written(file, force=force, encrypt=encrypt) as out:
        said = _write_as(run, kind, store, out)
    note_where(run, file, sealed=encrypt)
    run.notice(f"{said} to {file}." if file else f"{said}.")


def _write_as(run: Invocation, kind: ExportFormat, store: Store, out: BinaryIO) -> str:
    """Write memory in a format that is not our own; return what a person is told, but for where it went."""
    from persona_cli.cli.markdown import write_markdown

    if kind is ExportFormat.MARKDOWN:
        with _text(out) as text:
            write_markdown(store, text)
        return "Written as Markdown"
    from datetime import UTC, datetime

    from persona_cli.exporters.cogx import write_cogx
    from persona_cli.exporters.holdings import owner_id
    from persona_cli.exporters.pam import write_pam
    from persona_cli.memory.archive.signing import open_key

    owner, now = owner_id(open_key(run.places.archive_key)), datetime.now(UTC)
    if kind is ExportFormat.PAM:
        with _text(out) as text:
            done = write_pam(store, text, owner, now)
    else:
        done = write_cogx(store, out, owner, now)
    if done.left_out:
        run.notice(f"{counted(done.left_out, 'memories')} in quarantine or taken back stayed here.")
    said = ", ".join(counted(count, name) for name, count in done.counts.items() if count)
    return f"Written as {kind.value.upper()} ({said or 'nothing is remembered yet'})"


@contextmanager
def _text(out: BinaryIO) -> Iterator[TextIOWrapper]:
    text = TextIOWrapper(out, encoding="utf-8")
    try:
        yield text
        text.flush()
    finally:
        # the bytes below are not ours to close
        text.detach()


def write_archive(run: Invocation, file: Path | None, *, force: bool, encrypt: bool) -> None:
    """Write everything to a file, or to standard output, and note where it went."""
    from persona_cli.cli.render import progress
    from persona_cli.cli.sealed import written
    from persona_cli.memory.archive.signing import open_key
    from persona_cli.memory.archive.writing import export_memory
    from persona_cli.memory.media import Media

    with run.store(reading=True) as store, written(file, force=force, encrypt=encrypt) as out:
        key = open_key(run.places.archive_key)
        with progress(run.err, "exporting") as advance:
            done = export_memory(store, Media(run.places.media, store), out, advance, key)
    note_where(run, file, sealed=encrypt)
    run.notice(f"{contents(done)} exported{f' to {file}' if file else ''}.")


def note_where(run: Invocation, file: Path | None, *, sealed: bool) -> None:
    """Keep where a copy went, so that `memory forget` can name it; standard output goes where nobody knows."""
    if file is None:
        return
    from datetime import UTC, datetime

    from persona_cli.memory.copies import Copy, note_copy

    # a read-only home is no reason to have no export
    with suppress(OSError):
        note_copy(run.places.home, Copy(str(file.absolute()), datetime.now(UTC).isoformat(), sealed))


def take_archive(run: Invocation, file: BinaryIO, store: Store, media: Media, *, mine: bool) -> Transferred:
    """Check a whole archive, find out whose it is, and write it into an empty memory."""
    from persona_cli.cli.render import progress
    from persona_cli.memory.archive.reading import read_archive
    from persona_cli.memory.archive.signing import open_key
    from persona_cli.memory.archive.taking import import_memory
    from persona_cli.remembering.instructions import is_instruction

    with progress(run.err, "checking") as advance:
        archive = read_archive(file, store, advance)
    signed = archive.signed_by(open_key(run.places.archive_key))
    mine = mine or (not signed and is_own(run))
    with progress(run.err, "importing") as advance:
        return import_memory(store, media, archive, is_instruction, advance, signed=signed, mine=mine)


def is_own(run: Invocation) -> bool:
    """Ask whether an archive that was not signed here is the person's own; where nobody can be asked it is not."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    run.notice("This export was not made here. What its writer wrote by hand, no model may change.")
    return typer.confirm("Is it your own, from another machine?", err=True)


def report_export(run: Invocation, done: Transferred) -> None:
    """Say what was taken over, and as what."""
    run.notice(f"{contents(done)} imported.")
    if done.quarantined:
        run.notice(f"{done.quarantined} of them read like instructions to a model and will not be recalled.")
    if done.disowned:
        run.notice(
            f"{done.disowned} were written by hand elsewhere and count as a model's; --mine keeps your own as yours."
        )


def contents(done: Transferred) -> str:
    """Say how much an archive holds."""
    messages, rows = counted(done.rows.get("turn", 0), "messages"), counted(sum(done.rows.values()), "rows")
    return f"{messages} and {counted(done.pictures, 'pictures')} ({rows})"
