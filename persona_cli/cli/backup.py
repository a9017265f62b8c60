"""`persona backup` and `persona restore`: copies of the memory in the home, archives outside it, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.transfer import Encrypt, report_export, take_archive, write_archive
from persona_cli.cli.writer import write
from persona_cli.errors import StorageError, TransferError, UsageError
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory.backup import Backup, Backups


def backup(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="An archive with pictures outside the home; left out, a copy in it."),
    ] = None,
    encrypt: Encrypt = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    shown: Annotated[bool, typer.Option("--list", help="Show the backups in the home.")] = False,
) -> None:
    """Keep a copy of the memory as it is now: in the home, or with FILE as an archive for another place.

    In the home one is made each day on which you use persona, and before each change of the database's form; the last
    few are kept. Your pictures never change and are not copied there. What you forget is forgotten in these too.
    """
    from persona_cli.memory.backup import Backups, Reason

    run = invocation(context)
    backups = Backups(run.places.database)
    if shown:
        for kept in backups.all():
            write(f"{kept.name}  {_day(kept.at)}  {_messages(kept.messages)}")
        return
    if file is not None:
        write_archive(run, file, force=force, encrypt=encrypt)
        return
    if encrypt:
        raise UsageError("a backup in the home is not sealed", fix="Name a file: persona backup --encrypt FILE")
    with run.store():
        made = backups.add(Reason.ASKED, datetime.now(UTC))
    write(made.name)


def restore(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help='A backup (`persona backup --list`), "newest", or an archive.')
    ],
    mine: Annotated[bool, typer.Option("--mine", help="The archive is my own, from another machine.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put a backup or an archive in the place of the memory; what is there now is kept as a backup first.

    A damaged database is set aside as it is. Forgotten memories do not come back from a backup in the home.
    """
    from persona_cli.memory.backup import Backups

    run = invocation(context)
    backups = Backups(run.places.database)
    archive = Path(source) if Path(source).is_file() else None
    chosen = archive or backups.find(source).name
    if archive is None:
        _check_readable(backups.find(source))
    if not yes:
        run.notice(f"The memory in {run.places.home} will be as in {chosen}.")
        if not typer.confirm("Go back to it?", err=True):
            run.notice("Nothing was changed.")
            raise typer.Exit(1)
    if archive is not None:
        kept = _restore_archive(run, backups, archive, mine=mine)
    else:
        kept = backups.put_back(backups.find(source).path, datetime.now(UTC))
    run.notice(f"What was there is kept as {kept.name}." if kept else "Nothing was there before.")
    _finish(run)


def _check_readable(backup: Backup) -> None:
    """Raise `StorageError` for a backup whose pages are whole and whose values are not: nothing to go back to."""
    from persona_cli.memory.salvage import unreadable

    if wrong := unreadable(backup.path):
        raise StorageError(f"{backup.name} is damaged: {wrong}", fix="`persona backup --list` shows others.")


def _restore_archive(run: Invocation, backups: Backups, file: Path, *, mine: bool) -> Backup | Path | None:
    """Read an archive into a database of its own beside the other, which it then takes the place of."""
    from persona_cli.cli.sealed import opened
    from persona_cli.memory.archive.reading import is_export
    from persona_cli.memory.media import Media
    from persona_cli.memory.store import open_store

    with opened(file) as archive, backups.unfinished() as place:
        if not is_export(archive):
            raise TransferError(f"{file} is no archive of persona", fix="Name one that `persona backup FILE` wrote.")
        store = open_store(place)
        try:
            done = take_archive(run, archive, store, Media(run.places.media, store), mine=mine)
        finally:
            store.close()
        kept = backups.put_back(place, datetime.now(UTC))
    report_export(run, done)
    return kept


def _finish(run: Invocation) -> None:
    """Bring what is derived in step with what was put back."""
    from persona_cli.cli.render import progress
    from persona_cli.memory.vectors.embedding import embed_wanted

    with run.memory() as memory, progress(run.err, "embedding"):
        memory.drop_prompt()
        embed_wanted(memory.store, memory.embedder)
        memory.index.rebuild()
        run.notice(f"Messages here: {memory.store.turns.count():,}.")


def _day(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def _messages(count: int) -> str:
    return "damaged" if count < 0 else counted(count, "messages")
