"""`persona memory quarantine`: what reads like an instruction to a model, to be looked at, released or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli.cli import memory_forget
from persona_cli.cli.arguments import find
from persona_cli.cli.invocation import Invocation, embed_new, invocation
from persona_cli.cli.writer import write
from persona_cli.errors import NotFoundError, UsageError
from persona_cli.records import Ref

if TYPE_CHECKING:
    from persona_cli.memory.store import Store


def quarantine(
    context: typer.Context,
    release: Annotated[
        str | None, typer.Option("--release", metavar="ID", help="Let this one be recalled like any other memory.")
    ] = None,
    delete: Annotated[str | None, typer.Option("--delete", metavar="ID", help="Delete this one for good.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what was learnt or imported and reads like an instruction to a model; none of it is ever recalled."""
    run = invocation(context)
    if release is not None and delete is not None:
        raise UsageError("release or delete, not both", fix="Give one of --release and --delete.")
    if release is not None:
        _release(run, release)
    elif delete is not None:
        with run.memory() as memory:
            memory_forget.forget_refs(run, memory, [_held_back(memory.store, delete)], yes=yes)
    else:
        _list(run, as_json=as_json)


def _list(run: Invocation, *, as_json: bool) -> None:
    from persona_cli.cli import memory_views
    from persona_cli.cli.render import print_json

    with run.store(reading=True) as store:
        refs = store.quarantine.refs()
        records = store.find(refs)
        if as_json:
            print_json([memory_views.as_entry(ref, records[ref]) for ref in refs])
        elif not refs:
            run.notice("Nothing is in quarantine.")
        else:
            memory_views.print_records(run, [(ref, records[ref]) for ref in refs])
            run.notice("`persona memory quarantine --release ID` lets one be recalled, --delete ID deletes it.")


def _release(run: Invocation, name: str) -> None:
    from datetime import UTC, datetime

    with run.memory() as memory:
        ref = _held_back(memory.store, name)
        memory.store.quarantine.release(ref, datetime.now(UTC))
        embed_new(memory)
    write(ref)


def _held_back(store: Store, name: str) -> Ref:
    ref, _ = find(store, name)
    if ref not in store.quarantine.refs():
        raise NotFoundError(f"{ref} is not in quarantine", fix="`persona memory quarantine` shows what is.")
    return ref
