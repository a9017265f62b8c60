"""`persona import`: an export of persona, a transcript, or the conversations that another service gives out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.cli.transfer import contents, report_export, take_archive
from persona_cli.errors import Interrupted, PictureError, TransferError
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.agent.queue import Drained
    from persona_cli.agent.replay import Exchange, Replayed
    from persona_cli.importers.bundle import Bundle
    from persona_cli.importers.correspondence import Format
    from persona_cli.importers.pipeline import ExportContents, Gathered, TakenIn
    from persona_cli.importers.spool import Spool
    from persona_cli.importers.times import DateOrder

ARCHIVE, TRANSCRIPT = "archive", "transcript"
"""What `--as` may say beside the formats of other services."""
PIPE = "-"
"""The path that stands for standard input."""
_VERSION = 1
_NAMED = 10
"""Of what is left out for one reason so many are printed; --json has a hundred."""
_TEXTS = (".json", ".jsonl", ".html", ".txt")
"""Endings of what is read through; pictures are opened one by one, when they are stored."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the person asked for."""

    format: str | None
    me: str
    order: DateOrder | None
    everything: bool
    mine: bool
    dry_run: bool
    as_json: bool


def import_(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A file, a folder or a zip, as it was downloaded; - reads a pipe.")
    ],
    format_: Annotated[
        str | None,
        typer.Option("--as", metavar="FORMAT", help="What it is, where persona does not see that by itself."),
    ] = None,
    me: Annotated[str, typer.Option("--me", metavar="NAME", help="My name in a chat with other people.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is in it, and what would be left out and why.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also conversations that were marked there as not to be remembered.")
    ] = False,
    mine: Annotated[
        bool,
        typer.Option("--mine", help="What was written by hand there, or noted of me by a service, counts as mine."),
    ] = False,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How to read 5/3/2023 where no line of a file tells."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring in what you said elsewhere: the export of another service, a transcript, or an export of persona.

    Only your own lines are learnt from; what others wrote is kept beside them. It may be stopped and started again,
    and nothing is stored twice. An export of persona goes into an empty memory.

    A transcript has one exchange per line: {"time": "2023-04-27 18:30", "user": "...", "assistant": "...",
    "images": ["photo.jpg"]}.
    """
    run = invocation(context)
    ask = ImportOptions(format_, me, _order(day_first), everything, mine, dry_run, as_json)
    if str(path) == PIPE:
        from persona_cli.cli.piped import piped

        with piped() as copy:
            _import(run, copy, ask)
        return
    if not path.exists():
        raise TransferError(f"there is no file {path}", fix="Check the path.")
    if not (path.is_file() or path.is_dir()):
        # a device may never end
        raise TransferError(f"{path} is no ordinary file", fix="Save it to a file first, or pipe it: persona import -")
    _import(run, path, ask)


def _import(run: Invocation, path: Path, ask: ImportOptions) -> None:
    from persona_cli.importers.bundle import Bundle

    if ask.format in (None, ARCHIVE) and path.is_file() and _import_archive(run, path, ask):
        return
    with Bundle(path) as bundle:
        service = _service(bundle, ask.format)
        if service is not None:
            _import_settled(run, bundle, service, ask)
            return
    _import_transcript(run, path, ask)


def _order(day_first: bool | None) -> DateOrder | None:
    from persona_cli.importers.times import DateOrder

    return None if day_first is None else DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST


def _service(bundle: Bundle, name: str | None) -> Format | None:
    """Return the format a bundle is of, or is said to be of; None for a transcript."""
    from persona_cli.importers.formats import named, recognised

    if name is not None:
        return None if name == TRANSCRIPT else named(name)
    found = recognised(bundle)
    if found is None and (bundle.path.is_dir() or len(bundle.names) > 1):
        raise TransferError(f"{bundle.path} has nothing that persona knows", fix="Say what it is with --as.")
    if found is None and bundle.only(".txt", ".md") and not bundle.head(bundle.names[0]).lstrip().startswith(b"{"):
        raise TransferError(
            f"{bundle.path} is no chat and no list that persona knows",
            fix="Say what it is; a list of what an assistant has noted, one memory a line: --as memories",
        )
    return found


def _import_archive(run: Invocation, path: Path, ask: ImportOptions) -> bool:
    """Import an export of persona; False where the file is none."""
    from persona_cli.cli.render import print_json, progress
    from persona_cli.cli.sealed import opened
    from persona_cli.memory.archive import Transferred
    from persona_cli.memory.archive.reading import is_export, read_archive
    from persona_cli.memory.vectors.embedding import embed_wanted

    with opened(path) as file:
        if ask.format is None and not is_export(file):
            return False
        if ask.dry_run:
            with run.store(reading=True) as store, progress(run.err, "checking") as advance:
                archive = read_archive(file, store, advance)
            done = Transferred(archive.rows, archive.pictures)
            run.notice(f"It would bring {contents(done)}.")
        else:
            with run.memory() as memory:
                done = take_archive(run, file, memory.store, memory.media, mine=ask.mine)
                # before what is derived: when the disk ends there, the import itself is done all the same
                report_export(run, done)
                with progress(run.err, "embedding"):
                    embed_wanted(memory.store, memory.embedder)
                    memory.sight.embed_wanted()
    if ask.as_json:
        print_json(done)
    return True


def _import_settled(run: Invocation, bundle: Bundle, service: Format, ask: ImportOptions) -> None:
    """Import what a service gave; what it leaves open the person is asked for, where there is one to ask."""
    from persona_cli.importers.correspondence import UnsettledError
    from persona_cli.importers.times import DateOrder

    while True:
        try:
            _import_service(run, bundle, service, ask)
            return
        except UnsettledError as question:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            # all of it is read before anything is stored
            run.notice(f"{question.message}.")
            if question.names:
                ask = replace(ask, me=str(typer.prompt("Which of these is you?", err=True)))
            else:
                first = typer.confirm("Does the day stand first?", err=True)
                ask = replace(ask, order=DateOrder.DAY_FIRST if first else DateOrder.MONTH_FIRST)


def _import_service(run: Invocation, bundle: Bundle, service: Format, ask: ImportOptions) -> None:
    from persona_cli.importers.pipeline import spool_in, store

    if ask.dry_run:
        _report_service(run, ask, _gathered(run, bundle, service, ask, None).found)
        return
    from persona_cli.cli.render import progress

    with run.assistant() as assistant, spool_in(run.places.home) as spool:
        gathered = _gathered(run, bundle, service, ask, spool)
        try:
            with assistant.updates.paused(), progress(run.err, "storing") as advance:
                done = store(
                    assistant.memory, bundle, gathered, datetime.now().astimezone(), mine=ask.mine, on_stored=advance
                )
            with progress(run.err, "remembering") as advance:
                updates = assistant.updates.run(lambda count, total, _job: advance(count, total))
        except (KeyboardInterrupt, Interrupted) as exc:
            raise Interrupted("the import was stopped", fix="The same command goes on where it was.") from exc
    _report_service(run, ask, gathered.found, done, updates)


def _import_transcript(run: Invocation, path: Path, ask: ImportOptions) -> None:
    from persona_cli.agent.replay import replay
    from persona_cli.cli.render import print_json, progress
    from persona_cli.importers.transcript import read_transcript

    if path.is_dir():
        raise TransferError(f"{path} is a directory", fix="Name a file in it.")
    exchanges = read_transcript(path, ask.order)
    if ask.dry_run:
        _report_service(run, ask, _of_transcript(exchanges))
        return
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
    if ask.as_json:
        print_json(done)
    else:
        _report_replay(run, done)


def _gathered(run: Invocation, bundle: Bundle, service: Format, ask: ImportOptions, spool: Spool | None) -> Gathered:
    """Read all of an export under a progress bar."""
    from persona_cli.cli.render import progress
    from persona_cli.importers.correspondence import Options
    from persona_cli.importers.pipeline import gather

    total = sum(bundle.size(name) for name in bundle.names if service.photos or name.endswith(_TEXTS))
    options = Options(ask.me, ask.order, ask.everything)
    read = 0
    with progress(run.err, "reading", in_bytes=True) as advance:

        def on_read(count: int) -> None:
            nonlocal read
            read += count
            # what is looked at twice is not counted twice
            advance(min(read, total), total)

        bundle.on_read = on_read
        return gather(bundle, service, options, timedelta(minutes=run.settings.session.gap_minutes), spool)


def _of_transcript(exchanges: Sequence[Exchange]) -> ExportContents:
    from persona_cli.importers.pipeline import ExportContents

    times = [exchange.at for exchange in exchanges]
    pictures = sum(len(exchange.images) for exchange in exchanges)
    return ExportContents(TRANSCRIPT, 1, len(exchanges), 0, pictures, 0, min(times), max(times))


def _report_replay(run: Invocation, done: Replayed) -> None:
    from persona_cli.cli.update import report

    run.notice(f"{counted(done.added, 'exchanges')} imported, {done.known} known already.")
    report(run, done.updates)


def _report_service(
    run: Invocation,
    ask: ImportOptions,
    found: ExportContents,
    done: TakenIn | None = None,
    updates: Drained | None = None,
) -> None:
    """Say what was in an export, what of it was left out, and what was stored; the same as JSON."""
    from persona_cli.cli.render import print_json
    from persona_cli.cli.update import report

    if ask.as_json:
        stored = (
            {"added": done.added, "known": done.known, "noted": done.notes, "quarantined": done.quarantined}
            if done
            else {}
        )
        rest = {"found": found, **stored, "updates": updates}
        print_json({"kind": "import", "version": _VERSION, "dry_run": ask.dry_run, **rest})
        return
    run.notice(_described(found))
    for reason, count in found.tally.counts.most_common():
        places = found.tally.places.get(reason, [])
        named = ", ".join(places[:_NAMED]) + (" …" if len(places) > _NAMED else "")
        run.notice(f"Left out: {reason}: {count:,}{f' ({named})' if named else ''}.")
    if done is None:
        run.notice("Nothing was stored.")
        return
    run.notice(f"{done.added + done.notes:,} imported, {done.known:,} known already.")
    if done.quarantined:
        run.notice(f"{done.quarantined} of them read like instructions to a model and will not be recalled.")
    if updates is not None:
        report(run, updates)


def _described(found: ExportContents) -> str:
    counts = (
        (found.conversations, "conversations"),
        (found.turns, "exchanges"),
        (found.context, "others' stretches"),
        (found.pictures, "pictures"),
        (found.notes, "noted memories"),
    )
    parts = [counted(count, noun) for count, noun in counts if count]
    span = f", {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}" if found.first and found.last else ""
    return f"{found.service}: {', '.join(parts) or 'nothing'}{span}."
