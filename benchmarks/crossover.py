"""Measure from how many vectors on Chroma answers quicker than exact search (`python -m benchmarks crossover`).

Vectors of 384 dimensions are drawn in tight clusters; both ways look for the nearest of questions near them, turn by
turn, so that a busy machine slows both. What it prints is what `memory/vectors/index.py` takes `CROSSOVER` from: Chroma
has to be clearly quicker, because exact search misses nothing and keeps no second copy.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.scale import drawn_around
from persona_cli.memory.vectors.chroma import Folder
from persona_cli.memory.vectors.exact import FieldVectors
from persona_cli.records import Kind

SIZES = "25000,50000,100000"
DIMENSION = 384
CENTRES = 1_500
ASKED = 100
NEAREST = 90
"""As many as a search asks for."""


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks crossover", description="Exact search or Chroma.")
    parser.add_argument("--sizes", default=SIZES, help=f"vectors of one field, with commas between (default {SIZES})")
    options = parser.parse_args(list(arguments))
    print(
        "| vectors (MB) | exact, ms | Chroma, ms | times | nearest 10 found | filled in, s |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    for size in map(int, options.sizes.split(",")):
        exact, chroma, found, filling = measure(size)
        megabytes = size * DIMENSION * 4 / 1e6
        print(
            f"| {size:,} ({megabytes:.0f}) | {exact:.1f} | {chroma:.1f} | {exact / chroma:.1f}"
            f" | {found:.3f} | {filling:.0f} |",
            flush=True,
        )
    return 0


def measure(size: int) -> tuple[float, float, float, float]:
    """Return the median milliseconds of exact search and of Chroma, the share of the nearest found, and the filling."""
    dice = np.random.default_rng(3)
    centres = dice.standard_normal((CENTRES, DIMENSION), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    block = FieldVectors(np.arange(1, size + 1), drawn_around(centres, size))
    questions = drawn_around(centres, ASKED)
    with tempfile.TemporaryDirectory(prefix="persona-crossover-") as folder:
        chroma = Folder(Path(folder) / "chroma").open()
        began = time.perf_counter()
        for start in range(0, size, 1_000):
            part = slice(start, start + 1_000)
            chroma.upsert(Kind.SEMANTIC, "content", block.ids[part], block.matrix[part])
        filling = time.perf_counter() - began
        ways: tuple[Callable[[np.ndarray], object], ...] = (
            lambda vector: block.nearest(vector, NEAREST),
            lambda vector: chroma.search(Kind.SEMANTIC, "content", vector, NEAREST),
        )
        times: list[list[float]] = [[], []]
        for vector in questions:
            for taken, search in zip(times, ways, strict=True):
                search(vector)  # once to bring it into the caches, as one question searches several times
                began = time.perf_counter()
                search(vector)
                taken.append((time.perf_counter() - began) * 1000)
        shares = []
        for vector in questions:
            right = {row for row, _ in block.nearest(vector, 10)}
            hits = {row for row, _ in chroma.search(Kind.SEMANTIC, "content", vector, NEAREST)[:10]}
            shares.append(len(right & hits) / 10)
        chroma.close()
    return statistics.median(times[0]), statistics.median(times[1]), statistics.mean(shares), filling


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
