"""What `persona model list` shows: one row for each model that is installed or can be pulled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from persona_cli.config import Settings
from persona_cli.errors import UsageError
from persona_cli.paths import Places

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from persona_cli.model.catalog import CatalogEntry
    from persona_cli.model.readiness import Verdict
    from persona_cli.model.weights import Installed

_WORKING = 1.5 * 2**30
"""Bytes beside the weights at most: cache of 16,384 tokens and compute buffers of a 7B model."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One model."""

    name: str
    installed: bool
    in_use: bool
    purpose: str
    quantization: str
    bytes: int
    """On disk; to be downloaded, where it is not installed."""
    memory_bytes: int
    """What it takes to run, roughly."""
    fits: bool | None
    """Whether free memory, of the GPU included, is enough; None where the system does not tell."""
    licence: str
    about: str
    tried: bool = True
    """Whether it was pulled or its files are known by hash; else its size is a published or reckoned one."""


def choices(places: Places, settings: Settings) -> tuple[Choice, ...]:
    """Return every model there is: the built-in one, what is installed, what can be pulled, the server."""
    from persona_cli.model.catalog import load_catalog
    from persona_cli.model.weights import Weights

    used, sees = settings.model.name.casefold(), settings.embedding.pictures.casefold()
    free = free_bytes()
    installed = Weights(places.weights).all()
    names = {model.name.casefold() for model in installed}
    return (
        Choice("lite", True, used == "lite", "chat", "", 0, 0, True, "Apache-2.0", "built in: by rule, no weights"),
        *(_installed(model, {used, sees}, free) for model in installed),
        *(_offered(entry, free) for entry in load_catalog().entries if entry.name.casefold() not in names),
        *([_served(settings, used)] if settings.server.url or used == "server" else []),
    )


def table_of(rows: tuple[Choice, ...]) -> Table:
    """Return the choices as a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "model", "state", "size", "fits", "what it is"):
        table.add_column(column, overflow="fold", no_wrap=column == "model")
    for row in rows:
        offered = "can be pulled" if row.tried else "not tried yet"
        state = f"installed {row.quantization}".strip() if row.installed else offered
        size = ("" if row.tried else "about ") + size_of(row.bytes) if row.bytes else ""
        fits = {True: "yes", False: f"needs {size_of(row.memory_bytes)}", None: "?"}[row.fits]
        mark = Text("*" if row.in_use else "", "bold green")
        table.add_row(mark, row.name, state, size, fits, row.about)
    return table


def print_verdict(out: Console, verdict: Verdict) -> None:
    """Print what a check came to: each prompt, then what follows."""
    from rich.table import Table

    from persona_cli.model.sharing import say_tasks

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("task", "", "asked", "got"):
        table.add_column(column, overflow="fold")
    for tried in verdict.tried:
        table.add_row(tried.task, "right" if tried.right else "wrong", tried.asked, tried.got)
    out.print(table)
    speeds = [f"first word after {verdict.first_token:.1f} s"]
    speeds += [f"{speed:.0f} tokens/s {what}" for speed, what in _speeds(verdict) if speed is not None]
    out.print(f"\n{verdict.model}: {verdict.verdict}; {', '.join(speeds)}.", highlight=False)
    rounds = (
        "It searches when it should." if verdict.reasons else "It is asked in one call, with the search made before."
    )
    out.print(f"Learning: {say_tasks(verdict.tasks)}. {rounds}", highlight=False)


def _speeds(verdict: Verdict) -> tuple[tuple[float | None, str], ...]:
    return (verdict.prompt_speed, "read"), (verdict.reply_speed, "written")


def size_of(count: int) -> str:
    """Return bytes for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**29 else f"{count / 2**20:.0f} MiB"


def free_bytes() -> int:
    """Return the free bytes of main memory and GPUs; 0 where the system does not tell."""
    from persona_cli.model.engines.llama import native
    from persona_cli.model.weights import free_memory

    native.start()
    return free_memory() + sum(device.free for device in native.devices() if device.kind == "gpu")


def quantization_given(text: str) -> str:
    """Return a quantization the exporter knows; raises `UsageError`."""
    from persona_cli.model.export import QUANTIZATIONS

    if text.upper() not in QUANTIZATIONS:
        raise UsageError(f"{text} is no quantization persona writes", fix=f"Use one of {', '.join(QUANTIZATIONS)}.")
    return text.upper()


def _installed(model: Installed, used: set[str], free: int) -> Choice:
    facts = model.manifest
    needed = model.size + int(min(_WORKING, model.size * 0.4))
    return Choice(
        name=model.name,
        installed=True,
        in_use=model.name.casefold() in used,
        purpose=facts.purpose,
        quantization=facts.quantization,
        bytes=model.size,
        memory_bytes=needed,
        fits=_fits(needed, free),
        licence=facts.licence,
        about=facts.source,
    )


def _offered(entry: CatalogEntry, free: int) -> Choice:
    needed = int(entry.memory * 2**30)
    return Choice(
        name=entry.name,
        installed=entry.built_in,
        in_use=False,
        purpose=entry.purpose,
        quantization="",
        bytes=0 if entry.built_in else entry.bytes,
        memory_bytes=needed,
        fits=_fits(needed, free),
        licence=entry.licence,
        about=entry.about,
        tried=entry.tried,
    )


def _served(settings: Settings, used: str) -> Choice:
    about = settings.server.url or "no address yet: persona config set server.url URL"
    return Choice("server", True, used == "server", "chat", "", 0, 0, True, "", about)


def _fits(needed: int, free: int) -> bool | None:
    return None if not free else needed <= free
