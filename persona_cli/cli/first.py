"""The first start: which model shall answer, asked once, of a person at a terminal who has said nothing yet.

A number chooses; anything else is the first message already, so that nobody who only wants to talk is held up.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass

from persona_cli.cli.invocation import Invocation

_OFFERED = ("Qwen2.5-1.5B", "Qwen2.5-VL-3B", "PersonaVLM-7B")
"""From small to large: words alone, pictures too, and the one persona was made for."""
_PORTS = {11434: "Ollama", 8080: "llama-server", 1234: "LM Studio"}
"""Where servers listen on this machine; no other machine is ever looked at."""
_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """A server found on this machine."""

    name: str
    url: str
    model: str


def is_first(run: Invocation) -> bool:
    """Tell whether nothing was said and no model chosen yet, and there is a person to ask."""
    from persona_cli.config import list_entries

    if run.places.database.exists() or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return any(
        entry.key == "model.name" and entry.source == "default" for entry in list_entries(run.places.config_file)
    )


def ask_model(run: Invocation) -> str:
    """Ask which model shall answer, and get it; returns what the person said instead, "" for nothing.

    Raises EOFError where the person leaves.
    """
    for line in _offer():
        run.err.print(line, highlight=False)
    said = input("› ").strip()
    if not said.isdecimal() or not 1 <= int(said) <= len(_OFFERED) + 2:
        return said
    if int(said) <= len(_OFFERED):
        _get(run, _OFFERED[int(said) - 1])
    elif int(said) == len(_OFFERED) + 1:
        _connect(run)
    return ""


def find_running(ports: dict[int, str] | None = None) -> Running | None:
    """Return a server that answers on the loopback of this machine, with the first of its models."""
    for port, name in (_PORTS if ports is None else ports).items():
        url = f"http://127.0.0.1:{port}/v1"
        try:
            with urllib.request.urlopen(f"{url}/models", timeout=_PATIENCE) as answer:  # noqa: S310 - loopback alone
                models = json.load(answer)["data"]
            return Running(name, url, str(models[0]["id"]))
        except (urllib.error.URLError, OSError, ValueError, KeyError, IndexError, TypeError):
            continue
    return None


def _offer() -> list[str]:
    from persona_cli.cli.model_views import size_of
    from persona_cli.model.catalog import load_catalog
    from persona_cli.model.weights import free_memory

    free, catalog = free_memory(), load_catalog()
    lines = ["Which model shall answer? Type a number, or just begin to talk: the built-in one needs nothing."]
    for number, name in enumerate(_OFFERED, 1):
        entry = catalog.get(name)
        needed = int(entry.memory * 2**30)
        fits = "" if not free else "; fits this machine" if needed <= free else f"; needs {size_of(needed)} of memory"
        lines.append(f"  {number}  {name}, {size_of(entry.bytes)} to download{fits}: {entry.about}")
    lines.append(
        f"  {len(_OFFERED) + 1}  an Ollama, llama-server or LM Studio that runs on this machine (looked for now)"
    )
    return [*lines, f"  {len(_OFFERED) + 2}  none for now"]


def _get(run: Invocation, name: str) -> None:
    from persona_cli.cli.model import get_model

    get_model(run, name, None, use_it=True)
    _reload(run)


def _connect(run: Invocation) -> None:
    from persona_cli.cli.config import put_setting

    found = find_running()
    if found is None:
        run.notice("None answers on this machine. With one elsewhere: persona config set server.url URL")
        return
    put_setting(run, "server.url", found.url)
    put_setting(run, "server.model", found.model)
    put_setting(run, "model.name", "server")
    run.notice(f"{found.name} answers, with {found.model}. `persona model check` tells what it is good for.")
    _reload(run)


def _reload(run: Invocation) -> None:
    """Read the settings again: one was changed."""
    run.__dict__.pop("settings", None)
