"""Measure how the reading of a message grows with its length (`python -m benchmarks length`).

Each pattern is what somebody pastes, or what looks for the square of the length: a page of dates, of one word, of
nothing but a letter. It is said once with 2,500 characters and once with 20,000 to the built-in model, each in a home
of its own; answering it and learning from it count together, in processor time. Eight times as long may take eight
times, and at most what five one-shot chats (`persona chat "…"`, the whole process) take.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.start import time_once
from persona_cli.agent import open_assistant
from persona_cli.config import Settings
from persona_cli.paths import find_places

PATTERNS = {
    "yesterday": "yesterday ",
    "dates": "on 12 May 2024 ",
    "calendar": "Mon 12 May 2024  09:00-10:30  Dentist with Ada\n",
    "married to": "married to ",
    "I like": "I like ",
    "and": "and ",
    "one word": "a",
    "sentences": "I saw my sister in Lisbon and we had tea. ",
    "anchors": "before my birthday I moved to Rome ",
}
SHORT, LONG = 2_500, 20_000
LIMIT = 600
"""Seconds after which a measurement is given up."""


def seconds(pattern: str, length: int) -> float:
    """Return the processor time one message takes, said to a new memory that has everything opened."""
    text = (PATTERNS[pattern] * (length // len(PATTERNS[pattern]) + 1))[:length]
    with tempfile.TemporaryDirectory(prefix="persona-length-") as home:
        places = find_places(env={"PERSONA_HOME": home})
        clock = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
        assistant = open_assistant(places, Settings(), clock=lambda: clock, notice=lambda _: None)
        try:
            list(assistant.respond("I have a red bicycle. What did I do yesterday?"))
            assistant.updates.run()
            began = time.process_time()
            list(assistant.respond(text))
            assistant.updates.run()
            return time.process_time() - began
        finally:
            assistant.close()


def one_shot() -> float:
    """Return the processor time, in seconds, of one whole `persona chat "…"` in a home that is not new."""
    with tempfile.TemporaryDirectory(prefix="persona-length-") as home:
        command = [sys.executable, "-m", "persona_cli", "chat", "I have a red bicycle."]
        env = os.environ | {"PERSONA_HOME": home}
        return [time_once(command, env)[1] for _ in range(2)][-1] / 1000


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table; each measurement in a process of its own."""
    options = argparse.ArgumentParser(prog="python -m benchmarks length")
    options.add_argument("--only", choices=PATTERNS, action="append", help="measure this pattern")
    options.add_argument("--one", nargs=2, metavar=("PATTERN", "LENGTH"), help=argparse.SUPPRESS)
    chosen = options.parse_args(arguments)
    if chosen.one:
        print(seconds(chosen.one[0], int(chosen.one[1])))
        return 0
    start = one_shot()
    print(f"A one-shot chat: {_shown(start)} ms\n")
    print(
        f"| a message of nothing but | {SHORT:,} characters, ms | {LONG:,} characters, ms | growth | one-shot chats |",
        "|---|---:|---:|---:|---:|",
        sep="\n",
    )
    for pattern in chosen.only or PATTERNS:
        short, long = (_apart(pattern, length) for length in (SHORT, LONG))
        growth = f"{long / short:.1f}" if short and long else "-"
        chats = f"{long / start:.1f}" if long else "-"
        print(f"| {pattern} | {_shown(short)} | {_shown(long)} | {growth} | {chats} |", flush=True)
    return 0


def _apart(pattern: str, length: int) -> float | None:
    command = [sys.executable, "-m", "benchmarks.length", "--one", pattern, str(length)]
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=LIMIT, cwd=Path(__file__).parents[1]
        )
    except subprocess.TimeoutExpired:
        return None
    return float(done.stdout.splitlines()[-1])


def _shown(took: float | None) -> str:
    return f"over {LIMIT} s" if took is None else f"{took * 1000:,.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
