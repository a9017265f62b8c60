"""Measure cold starts: whole processes, as the shell sees them (`python -m benchmarks.start`).

Each command runs in a fresh interpreter on a home with a small store; the first run of each fills the
caches of the disk and is not counted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 7
COMMANDS = {
    "--help": ["--help"],
    "profile": ["profile"],
    "memory list": ["memory", "list"],
    "memory search": ["memory", "search", "what do I like to drink"],
    "chat, one message": ["chat", "what do I like to drink?"],
}
MEMORIES = (
    "I drink green tea every morning.",
    "My sister lives in Lisbon.",
    "I am allergic to peanuts.",
    "I play the cello in an amateur orchestra.",
)


def measure(arguments: list[str], env: dict[str, str], runs: int = RUNS) -> list[float]:
    """Return how many milliseconds each counted run of a command took; raises when a run fails."""
    command = [sys.executable, "-m", "persona_cli", *arguments]
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        times.append((time.perf_counter() - began) * 1000)
    return times[1:]


def main(_arguments: Sequence[str] = ()) -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="persona-start-") as home:
        env = {**os.environ, "PERSONA_HOME": str(Path(home))}
        for memory in MEMORIES:
            measure(["memory", "add", memory], env, runs=0)
        measure(["memory", "search", "tea"], env, runs=0)
        print("| cold start (whole process) | median, ms | slowest of", RUNS, "|\n|---|---:|---:|")
        for name, arguments in COMMANDS.items():
            times = measure(arguments, env)
            print(f"| `persona {name}` | {statistics.median(times):.0f} | {max(times):.0f} |")

    return 0


if __name__ == "__main__":
    sys.exit(main())
