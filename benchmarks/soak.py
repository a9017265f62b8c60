"""Talk for 10,000 turns in one process, every twentieth with a picture, and measure what must not grow.

A row every tenth of the way: milliseconds of one response and of its updates (medians), memory of the process,
open file handles, threads, bytes of the home. `python -m benchmarks.soak [TURNS [FILE.png]]`; the time is that of the
messages, two years long, so that sessions close and topics are summed up as they would be.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image

from benchmarks.everyday import messages, questions
from benchmarks.growth import Line, draw
from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.config import Settings
from persona_cli.paths import Places

ROWS = 10
_EVERY_PICTURE, _EVERY_QUESTION = 20, 5


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured after so many turns."""

    turns: int
    response_ms: float
    update_ms: float
    memory_mb: float
    handles: int
    threads: int
    home_mb: float

    def __str__(self) -> str:
        """Return it as a row of the table."""
        return (
            f"| {self.turns:,} | {self.response_ms:.0f} | {self.update_ms:.0f} | {self.memory_mb:.0f} | {self.handles}"
            f" | {self.threads} | {self.home_mb:.1f} |"
        )


class _Clock:
    def __init__(self) -> None:
        self.now = datetime.now().astimezone()

    def __call__(self) -> datetime:
        return self.now


def soak(home: Path, turns: int, rows: int = ROWS) -> Iterator[Row]:
    """Talk for so many turns in `home`, and yield a row at every `rows`-th part of them."""
    clock = _Clock()
    places = Places(home, home / "config.toml", home / "prompts", home / "models")
    assistant = open_assistant(places, Settings(), clock=clock, notice=lambda _: None)
    asked = iter(questions(turns))
    responses, updates = [], []
    try:
        for number, said in enumerate(messages(turns), 1):
            clock.now = said.at
            text = next(asked) if number % _EVERY_QUESTION == 0 else said.text
            shown = [_picture(home.parent, number)] if number % _EVERY_PICTURE == 0 else []
            started = time.perf_counter()
            deque(assistant.respond(text, shown), maxlen=0)
            answered = time.perf_counter()
            assistant.updates.run(in_passing=True)
            responses.append((answered - started) * 1000)
            updates.append((time.perf_counter() - answered) * 1000)
            if number % max(1, turns // rows) == 0:
                yield _row(number, assistant, responses, updates)
                responses, updates = [], []
    finally:
        assistant.close()


def _row(number: int, assistant: Assistant, responses: list[float], updates: list[float]) -> Row:
    home = assistant.memory.places.home
    return Row(
        number,
        statistics.median(responses),
        statistics.median(updates),
        _resident() / 1e6,
        len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0,
        threading.active_count(),
        sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and "models" not in path.parts) / 1e6,
    )


def _resident() -> int:
    """Return the bytes this process has in memory: now, or where that cannot be known at most so far."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _picture(folder: Path, number: int) -> Path:
    path = folder / "shown.png"
    Image.effect_noise((320 + number % 97, 240), 60).save(path)
    return path


def plot(path: Path, rows: list[Row]) -> None:
    """Draw the rows."""
    draw(
        path,
        "one process, turn by turn",
        [
            Line("response, ms", [(row.turns, row.response_ms) for row in rows]),
            Line("updates, ms", [(row.turns, row.update_ms) for row in rows]),
            Line("memory, MB", [(row.turns, row.memory_mb) for row in rows]),
            Line("file handles", [(row.turns, max(1, row.handles)) for row in rows]),
            Line("home, MB", [(row.turns, row.home_mb) for row in rows]),
        ],
    )


def main() -> None:
    """Print the table, and draw it where a second argument names a file."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print("| turns | response ms | updates ms | memory MB | handles | threads | home MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in soak(Path(folder) / "home", turns):
            print(row, flush=True)
            rows.append(row)
    if len(sys.argv) > 2:
        plot(Path(sys.argv[2]), rows)


if __name__ == "__main__":
    main()
