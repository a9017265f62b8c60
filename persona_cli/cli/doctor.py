"""`persona doctor`: what is installed, where things are, and whether they are whole; --fix rebuilds what is derived."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from persona_cli import __version__
from persona_cli.cli.invocation import Invocation, invocation
from persona_cli.config import Settings
from persona_cli.errors import PersonaError, UsageError
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory import Memory
    from persona_cli.model.tasks import Fact

_FILLED_ALONG = 2_000
"""Vectors that Chroma may lack and is looked at all the same: they are filled in first, in a second."""


class Health(StrEnum):
    """How a check came out."""

    FINE = "fine"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Health
    finding: str


def doctor(
    context: typer.Context,
    fix: Annotated[
        bool, typer.Option("--fix", help="Rebuild what is derived; save what a damaged database still has.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="With --fix: delete also leftovers that another persona may still be writing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the installation and the memory; the exit code is 1 when something is wrong."""
    from persona_cli.cli.render import print_json

    run = invocation(context)
    if now and not fix:
        raise UsageError("--now says when to fix", fix="Use `persona doctor --fix --now`.")
    checks = [*check_installation(run), *check_home(run), *_check_memory(run, fix=fix, now=now)]
    if as_json:
        print_json(checks)
    else:
        _print(run, checks)
    if any(check.verdict is Health.WRONG for check in checks):
        raise typer.Exit(1)


def check_installation(run: Invocation) -> Iterator[Check]:
    """Look at versions, the model in use and what llama.cpp was built with."""
    from importlib.metadata import version

    yield Check("persona", Health.FINE, f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    names = ("llama-cpp-python", "onnxruntime", "chromadb", "sentence-transformers", "torch", "sqlite-utils", "pillow")
    yield Check("libraries", Health.FINE, ", ".join(f"{name} {version(name)}" for name in names))
    settings = _guarded(
        "settings", lambda: f"model {run.settings.model.name}, embedding {run.settings.embedding.model}"
    )
    yield settings
    if settings.verdict is Health.FINE:
        yield from _model_in_use(run)


def check_home(run: Invocation) -> Iterator[Check]:
    """Look at the places and who can read them."""
    places = run.places
    for name, path in (("data", places.home), ("config", places.config_file), ("weights", places.weights)):
        yield Check(name, Health.FINE, f"{path}{'' if path.exists() else ' (not there yet)'}")
    there = next(path for path in (places.home, *places.home.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Check("permissions", Health.WRONG, f"{there} is not yours to write: nothing can be remembered")
    for path, verdict in (
        # a directory somebody made beforehand: what is in it has modes of its own
        (places.home, Health.NOTE),
        (places.database, Health.WRONG),
        (places.media, Health.WRONG),
    ):
        if path.exists() and os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Check("permissions", verdict, f"others can read {path}: chmod go= {path}")


def _check_memory(run: Invocation, *, fix: bool, now: bool) -> Iterator[Check]:
    from persona_cli.memory.salvage import unreadable
    from persona_cli.memory.store import is_new
    from persona_cli.memory.tables.copying import damage

    try:
        if is_new(run.places.database):
            yield Check("memory", Health.NOTE, "nothing is remembered yet")
            return
        if found := damage(run.places.database) or unreadable(run.places.database):
            yield _mend(run, found, fix=fix)
            if not fix:
                return
        with run.memory(reading=not fix) as memory:
            if fix:
                yield _rebuild(memory, now=now)
            yield from _look_inside(memory, run.settings)
    except PersonaError as exc:
        yield Check("memory", Health.WRONG, f"{exc.message} {exc.fix}")


def _mend(run: Invocation, found: str, *, fix: bool) -> Check:
    """Save what can be read of a damaged database, or say what there is to go back to."""
    from datetime import UTC, datetime

    from persona_cli.memory.backup import Backups
    from persona_cli.memory.salvage import salvage

    backups = [backup for backup in Backups(run.places.database).all() if backup.messages >= 0]
    way = ""
    if backups:
        newest = backups[0]
        messages = counted(newest.messages, "messages")
        way = f"; `persona restore {newest.name}` goes back to {newest.at:%Y-%m-%d %H:%M}, {messages}"
    if not fix:
        saves = "`persona doctor --fix` saves what can be read and keeps the damaged file"
        return Check("database", Health.WRONG, f"it is damaged ({found}): {saves}{way}")
    done = salvage(run.places.database, datetime.now(UTC))
    if done.backup is not None:
        return Check(
            "salvaged", Health.NOTE, f"nothing could be read: gone back to {done.backup.name}; see {done.aside}"
        )
    lost = f"; {counted(done.lost, 'rows')} could not be" if done.lost else ""
    kept = f"saved: {counted(done.kept, 'rows')}, among them {counted(done.messages, 'messages')}{lost}"
    return Check("salvaged", Health.NOTE, f"{kept}; the damaged database is in {done.aside}{way}")


def _look_inside(memory: Memory, settings: Settings) -> Iterator[Check]:
    from persona_cli.agent.update import REVIEWED
    from persona_cli.memory.orphans import GRACE, find_orphans, names_of

    store = memory.store
    counts = ", ".join(f"{count} {table}" for table, count in store.tables().items() if count)
    yield Check("memory", Health.FINE, counts or "empty")
    yield _verified("database", store.verify())
    yield _verified("pictures", memory.media.verify(memory.in_backups()))
    if left := names_of(find_orphans(memory)):
        more = f" (and {len(left) - 3} more)" if len(left) > 3 else ""
        old, minutes = len(find_orphans(memory, GRACE)), GRACE.total_seconds() / 60
        young = f"younger than {minutes:.0f} minutes, `persona doctor --fix --now` deletes them where nothing else runs"
        way = "`persona doctor --fix` deletes what a run that was killed has left" if old else young
        yield Check("leftovers", Health.NOTE, f"{'; '.join(left[:3])}{more}: {way}")
    yield _guarded("embedding", lambda: _embedding(memory))
    wanted = store.vectors.count_wanted(memory.embedder.name)
    others = sum(count for name, count in store.vectors.counts().items() if name != memory.embedder.name)
    unused = (
        f"; {counted(others, 'vectors')} of other embedding models: `persona doctor --fix` deletes those"
        if others
        else ""
    )
    verdict = Health.NOTE if wanted or others else Health.FINE
    yield Check("vectors", verdict, f"to be embedded: {counted(wanted, 'texts')}{unused}")
    yield _guarded("looks", lambda: _sight(memory))
    captioned, waiting = store.images.count_captions()
    if captioned or waiting:
        found = f"described: {counted(captioned, 'pictures')}; waiting for a model that sees them: {waiting}"
        yield Check("captions", Health.FINE, found)
    yield _check_index(memory, settings.chroma.url)
    failed = store.jobs.failed()
    verdict = Health.WRONG if failed else Health.FINE
    held = len(store.jobs.waiting(REVIEWED)) if settings.memory.review else 0
    unseen = f", {held} waiting for `persona memory review`" if held else ""
    yield Check("updates", verdict, f"{store.jobs.pending() - held} queued, {len(failed)} failed{unseen}")
    for job in failed:
        yield Check("update", Health.WRONG, f"{job.task.value} of turn {job.turn_id}: {job.error}")


def _embedding(memory: Memory) -> str:
    """Say which model embeds; it is put to work, to see that it is whole."""
    embedder = memory.embedder
    embedder.embed_query(["?"])
    return f"{embedder.name}, {embedder.dimension} dimensions"


def _sight(memory: Memory) -> str:
    """Say how pictures are compared; a CLIP that is installed is opened, to see that it is whole."""
    clip = memory.sight.open()
    if clip is None:
        return (
            "pictures are known again in any size, by the perceptual match; "
            "`persona model pull clip-ViT-B-32` also finds what looks like them"
        )
    seen, waiting = memory.store.looks.count(clip.name), memory.sight.waiting()
    return f"pictures are compared by CLIP, {clip.name}: {seen} embedded, {waiting} wait"


def _check_index(memory: Memory, url: str) -> Check:
    if not (memory.places.chroma.exists() or url):
        return Check("index", Health.NOTE, "not built yet: searches go through the vectors themselves")
    if not memory.lasting:
        return Check("index", Health.NOTE, "not looked at: its folder cannot be written")
    try:
        # what little is lacking is filled in by the look itself
        if (lacking := memory.index.lacking()) > _FILLED_ALONG:
            found = (
                f"to be filled in: {counted(lacking, 'vectors')}; a chat does it while it is idle, or `persona update`"
            )
            return Check("index", Health.NOTE, found)
        return _verified("index", memory.index.verify())
    except PersonaError as exc:
        return Check("index", Health.WRONG, f"{exc.message} {exc.fix}")


def _rebuild(memory: Memory, *, now: bool) -> Check:
    from datetime import timedelta

    from persona_cli.memory.orphans import GRACE, remove_orphans
    from persona_cli.memory.vectors.embedding import embed_wanted

    left = remove_orphans(memory, timedelta(0) if now else GRACE)
    texts = memory.store.rebuild_texts()
    memory.store.vectors.look_again()
    embedded = embed_wanted(memory.store, memory.embedder)
    seen = memory.sight.embed_wanted()
    dropped = memory.store.vectors.drop_others(memory.embedder.name)
    made = (
        f"embedded: {counted(embedded, 'texts')}, {counted(seen, 'pictures')}; in the index: {memory.index.rebuild():,}"
    )
    if dropped:
        made += f"; deleted, of embedding models no longer in use: {counted(dropped, 'vectors')}"
    if left:
        made += f"; deleted: {counted(left, 'leftovers')}"
    if texts:
        made += "; the full text written anew"
    return Check("rebuilt", Health.FINE, made)


def _verified(name: str, faults: tuple[str, ...]) -> Check:
    if not faults:
        return Check(name, Health.FINE, "whole")
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return Check(name, Health.WRONG, "; ".join(faults[:3]) + more)


def _guarded(name: str, find: Callable[[], str]) -> Check:
    try:
        return Check(name, Health.FINE, find())
    except PersonaError as exc:
        return Check(name, Health.WRONG, f"{exc.message} {exc.fix}")


def _model_in_use(run: Invocation) -> Iterator[Check]:
    """Look at what answers: its files, what llama.cpp can do here, and what would go to the GPU and why not more.

    With --verbose the model is loaded, and what came of it is told instead of the plan.
    """
    from persona_cli.model.engines.llama.load_report import build_facts
    from persona_cli.model.weights import BUILT_IN, SERVED

    name = run.settings.model.name.casefold()
    if name == SERVED:
        yield from _facts("model", lambda: _server(run))
    elif name == BUILT_IN:
        yield Check("model", Health.FINE, "the built-in one; `persona model list` shows others")
    else:
        yield from _facts("model", lambda: _installed(run))
        if run.verbose:
            return
    yield from _facts("llama.cpp", build_facts)


def _server(run: Invocation) -> tuple[Fact, ...]:
    from persona_cli.model.opening import learning_fact, open_server
    from persona_cli.model.tasks import Fact

    server = open_server(run.settings, run.places.cache / "servers.json")
    try:
        known = server.about() if run.verbose else ()
        where = f"{server.name} on {run.settings.server.url}, replies {server.dialect.about}"
        learning = learning_fact(run.places, run.settings, f"{run.settings.server.url} {server.name}")
        return Fact("model", where), learning, *known
    finally:
        server.close()


def _installed(run: Invocation) -> tuple[Fact, ...]:
    """Return what is installed under the name, then the plan for it, or what loading it came to."""
    from persona_cli.model.engines.llama import plan_pair
    from persona_cli.model.engines.llama.load_report import plan_facts
    from persona_cli.model.opening import find_installed, identity_of, learning_fact, open_weights, wishes_of
    from persona_cli.model.tasks import Fact
    from persona_cli.model.weights import Weights

    model = find_installed(Weights(run.places.weights), run.settings.model.name)
    text, projection = model.path("text"), model.path("projection")
    assert text is not None
    sees = "sees pictures" if projection else "without mmproj: sees no pictures"
    found = Fact("model", f"{model.name} {model.manifest.quantization}, {sees}".replace("  ", " "))
    learning = learning_fact(run.places, run.settings, identity_of(model))
    if not run.verbose:
        return found, learning, *plan_facts(*plan_pair(text, projection, wishes_of(run.settings.model)))
    engine = open_weights(model, run.settings.model, run.places.cache).engine
    try:
        return found, learning, *engine.about()
    finally:
        engine.close()


def _facts(name: str, find: Callable[[], tuple[Fact, ...]]) -> Iterator[Check]:
    """Yield what was found, or the one error that kept it from being found, under `name`."""
    try:
        yield from (Check(fact.name, Health.FINE, fact.finding) for fact in find())
    except PersonaError as exc:
        yield Check(name, Health.WRONG, f"{exc.message} {exc.fix}")


def _print(run: Invocation, checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    signs = {
        Health.FINE: Text("✓", "green"),
        Health.NOTE: Text("·", "yellow"),
        Health.WRONG: Text("✗", "bold red"),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(width=1)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(signs[check.verdict], check.name, Text(check.finding))
    run.out.print(table)
    if any(check.verdict is Health.WRONG for check in checks):
        run.notice("`persona doctor --fix` rebuilds vectors and index; the rest says what to do.")
