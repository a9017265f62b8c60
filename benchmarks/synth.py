"""What it takes to make up people: seconds, rows and what the checks refused, for 50 people of 100 turns by default.

python -m benchmarks synth [--people N] [--turns N] [--workers N]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from persona_cli.paths import find_places
from persona_cli.synthesis.making import Order, make


def main(arguments: Sequence[str]) -> int:
    """Make the people in a folder that is deleted again, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks synth")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        places = find_places(env={"PERSONA_HOME": str(Path(folder) / "home")})
        began, used = time.perf_counter(), os.times()
        made = make(
            Order(options.people, options.turns, seed="1"), places, Path(folder) / "data", workers=options.workers,
            on_progress=lambda _done, _all: None,
        )  # fmt: skip
        seconds, now = time.perf_counter() - began, os.times()
    processor = sum(now[:4]) - sum(used[:4])
    refused, lost = (sum(made.counts.get(name, {}).values()) for name in ("refused", "answers not found"))
    print("| people | turns | seconds | of the processor | rows | prompts | twins | refused | not found |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {made.people} | {made.turns:,} | {seconds:.0f} | {processor:.0f} | {made.rows:,} | {made.prompts:,} "
        f"| {made.twins:,} | {refused} | {lost} |"
    )
    return 0
