"""Run the benchmarks: `python -m benchmarks` runs all that need nothing but this checkout, `... NAME [options]` one.

A benchmark is a module with `main(arguments) -> int`. Those that need data or programs of their own are run by name.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

WITH_DATA = ("lessons", "locomo", "memorybank", "preferences")
"""Need data that is not shipped: run by name."""

WITH_LLAMA_CPP = ("convert", "served")
"""Need llama.cpp's own source tree or programs: run by name, with --llama-cpp or --binary."""

ALONE: tuple[str, ...] = (
    "start",
    "turn",
    "traits",
    "engine",
    "opening",
    "mapping",
    "speed",
    "scale",
    "crossover",
    "length",
    "bringing",
    "synth",
    "replay",
    "sets",
)
"""Need nothing."""


def main(arguments: Sequence[str]) -> int:
    """Run one benchmark by name, or all that stand alone."""
    if arguments and arguments[0] in ALONE + WITH_DATA + WITH_LLAMA_CPP:
        return run(arguments[0], arguments[1:])
    if arguments:
        print(f"Benchmarks: {', '.join(ALONE + WITH_DATA + WITH_LLAMA_CPP)}", file=sys.stderr)
        return 2
    return max(map(run_headed, ALONE), default=0)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one benchmark; what it prints is all there is, so that JSON is JSON."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the program does
    code: int = importlib.import_module(f"benchmarks.{name}").main(arguments)
    return code


def run_headed(name: str) -> int:
    """Run one of several benchmarks under its own heading."""
    print(f"## {name}\n", flush=True)
    code = run(name, ())
    print(flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
