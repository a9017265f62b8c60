"""Measure cold starts: whole processes, as the shell sees them (`python -m benchmarks start`, options by `--help`).

Each command runs in a fresh interpreter on a home with a small store, round by round with a trivial Typer program's
`--help` (one command, one option), and is given as a multiple of that one: a slow or busy machine slows both. The
first round fills the caches of the disk and is not counted. Bytecode is kept, as an installation keeps it, also where
the environment forbids it: compiling 200 modules at each start takes longer than most commands.
`--goals` fails where a multiple is above its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROUNDS = 7
TRIVIAL = """
import typer

app = typer.Typer()


@app.command()
def greet(name: str = "you") -> None:
    print("Hello", name)


app()
"""
COMMANDS = {
    "--help": ["--help"],
    "profile": ["profile"],
    "memory list": ["memory", "list"],
    "memory search": ["memory", "search", "what do I like to drink"],
    "chat, one message": ["chat", "what do I like to drink?"],
}
GOALS = {"profile": 2.5, "memory search": 4.0, "chat, one message": 6.0}
"""Times a trivial program's `--help`, at most."""
MEMORIES = (
    "I drink green tea every morning.",
    "My sister lives in Lisbon.",
    "I am allergic to peanuts.",
    "I play the cello in an amateur orchestra.",
)


@dataclass(frozen=True, slots=True)
class Start:
    """How one command starts; times in milliseconds."""

    command: str
    clock: float
    """Median by the clock."""
    processor: float
    """Median of the processor's time."""
    ratio: float
    """Of the clock's medians: this command over the trivial program."""
    processor_ratio: float


def measure(arguments: list[str], env: dict[str, str], runs: int = ROUNDS) -> list[float]:
    """Return how many milliseconds each counted run of a command took; raises when a run fails."""
    command = [sys.executable, "-m", "persona_cli", *arguments]
    return [time_once(command, env)[0] for _ in range(runs + 1)][1:]


def time_once(command: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    """Run a process and return its milliseconds by the clock and of the processor; raises when it fails."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    clock, after = time.perf_counter() - began, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return clock * 1000, processor * 1000


def compare(env: dict[str, str], rounds: int) -> list[Start]:
    """Measure the trivial program and every command, one after the other, so many rounds; the trivial one is first."""
    commands = {"a trivial program's --help": [sys.executable, "-c", TRIVIAL, "--help"]}
    commands |= {
        f"persona {name}": [sys.executable, "-m", "persona_cli", *arguments] for name, arguments in COMMANDS.items()
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            taken = time_once(command, env)
            if number:
                times[name].append(taken)
    medians = {
        name: (statistics.median(clock for clock, _ in taken), statistics.median(busy for _, busy in taken))
        for name, taken in times.items()
    }
    clock, busy = next(iter(medians.values()))
    return [Start(name, *median, median[0] / clock, median[1] / busy) for name, median in medians.items()]


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks start", description="How long commands take to start.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs of each command (default {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--goals", action="store_true", help="fail where a command takes longer than its goal")
    options = parser.parse_args(list(arguments))
    with tempfile.TemporaryDirectory(prefix="persona-start-") as home:
        env = {**os.environ, "PERSONA_HOME": str(Path(home)), "PYTHONDONTWRITEBYTECODE": ""}
        for memory in MEMORIES:
            measure(["memory", "add", memory], env, runs=0)
        measure(["memory", "search", "tea"], env, runs=0)
        starts = compare(env, options.rounds)
    print(json.dumps([asdict(start) for start in starts], indent=2) if options.json else table(starts))
    late = [start for start in starts if start.ratio > goal_of(start)]
    return int(options.goals and bool(late))


def goal_of(start: Start) -> float:
    """Return how many times the trivial program's start this one may take."""
    return GOALS.get(start.command.removeprefix("persona "), float("inf"))


def table(starts: Sequence[Start]) -> str:
    """Return the starts as a table, with the goals there are."""
    written = [
        "| cold start (whole process) | times the trivial one | goal | by the clock, ms | of CPU, ms | times, of CPU |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for start in starts:
        goal = goal_of(start)
        written.append(
            f"| `{start.command}` | {start.ratio:.1f} | {'' if goal == float('inf') else f'{goal:g}'}"
            f" | {start.clock:.0f} | {start.processor:.0f} | {start.processor_ratio:.1f} |"
        )
    return "\n".join(written)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
