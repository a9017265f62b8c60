"""Every command with sockets forbidden: nothing but a pull, or a server one has set, reaches out."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.commands import command_names
from tests.terminal import persona

pytestmark = pytest.mark.usefixtures("weights")

RUNS = (
    "chat I live in Leeds.",
    "chat --private Where do I live?",
    "update",
    "memory search Leeds",
    "memory list",
    "memory show m1",
    "memory add I like tea.",
    "memory conflicts",
    "memory diff",
    "memory about user",
    "memory quarantine",
    "memory review --accept-all",
    "memory tidy",
    "memory undo m1 --yes",
    "memory edit m1",
    "profile",
    "profile set openness 4",
    "profile lock openness",
    "profile unlock openness",
    "profile reset --yes",
    "profile quiz",
    "why",
    "export {folder}/away.jsonl",
    "import {folder}/away.jsonl",
    "backup",
    "restore newest --yes",
    "doctor",
    "doctor --fix",
    "model list",
    "model use lite",
    "model add {folder}/nothing.gguf",
    "model export {folder}/nothing",
    "model remove nothing --yes",
    "model check",
    "upcoming --ics {folder}/ahead.ics",
    "report -o {folder}/page.html",
    "synth {folder}/people --people 1 --turns 4 --rows 8",
    "train recipes",
    "train sft {folder}/nothing.jsonl --base {folder}/nothing --dry-run",
    "train grpo {folder}/nothing --base {folder}/nothing --dry-run",
    "eval list",
    "eval run nothing",
    "eval report {folder}/nothing",
    "mcp --print-config claude-code",
    "config show",
    "config get model.name",
    "config set model.name lite",
    "config unset model.name",
    "config edit",
    "config path",
    "memory forget m1 --yes",
)
REACHES_OUT = {"model pull"}
LISTENS = {"serve"}
"""It answers who comes to it, on this machine alone, until it is ended."""


@pytest.fixture(autouse=True)
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Forbid every connection and question of names; return what was tried."""
    tried: list[str] = []

    def refuse(*given: object) -> None:
        tried.append(repr(given))
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("EDITOR", "true")
    return tried


def test_no_command_reaches_out(attempts: list[str], tmp_path: Path) -> None:
    for line in RUNS:
        words = line.split(" ")
        depth = 2 if words[0] in ("memory", "profile", "model", "config", "eval", "train") else 1
        rest = " ".join(words[depth:]).format(folder=tmp_path)
        given = (
            (rest,)
            if words[:2] == ["memory", "add"] or (rest and words[0] == "chat" and "--" not in rest)
            else rest.split()
        )
        ran = persona(*words[:depth], *given)
        assert ran.code != 70, (line, ran.err)
        assert attempts == [], line


def test_every_command_is_run() -> None:
    names = set(command_names())
    run = {line if line in names else " ".join(line.split()[:depth]) for line in RUNS for depth in (1, 2)}
    assert names - run == REACHES_OUT | LISTENS


def test_a_pull_is_one_clear_error() -> None:
    ran = persona("model", "pull", "PersonaVLM-7B")
    assert ran.code not in (0, 70)
