"""What replaying made-up people costs `persona eval` with the built-in model (`python -m benchmarks replay`).

    --people N --turns N     one person of 500 turns by default; --people 50 --turns 20 shows whether memory grows
    --profile FILE           write where the time of the processor goes

Each person is a row: exchanges, seconds of the processor, exchanges a second of it, and what the process holds in
memory after the person is closed. The clock of the wall is left out: it says who else was at work on the machine. So
does the last column a little, one pass of the encoder over a fixed sentence: where cores are shared, it takes longer.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from persona_cli.config import Settings
from persona_cli.evaluation.cases import Person, Recorded
from persona_cli.evaluation.subjects import Bench
from persona_cli.evaluation.subjects.loop import LoopSubject
from persona_cli.memory.vectors.embedding import open_embedder
from persona_cli.paths import find_places
from persona_cli.synthesis.dialogue import speak
from persona_cli.synthesis.lifeplan import load_personas, plan_life

_PAGE = 4096
_PASSES = 100
_SENTENCE = "My sister Mara moved to Ghent last spring and plays the accordion."
_SHOWN = 60
"""Lines of a profile."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person replayed."""

    person: str
    exchanges: int
    seconds: float
    """Of the processor."""
    mebibytes: float
    """Held by the process afterwards."""
    memories: int
    """Facts that are kept."""
    milliseconds: float
    """Of the processor for one pass of the encoder, the best of `_PASSES`."""

    def __str__(self) -> str:
        """Return it as a row of the table."""
        rate = self.exchanges / self.seconds
        return (
            f"| {self.person} | {self.exchanges} | {self.seconds:.1f} | {rate:.1f} | {self.memories} "
            f"| {self.mebibytes:.0f} | {self.milliseconds:.2f} |"
        )


def person(key: str, turns: int, seed: str) -> Person:
    """Return a made-up person with so many exchanges, words by the grammar; the same for the same seed."""
    personas = load_personas()
    life = plan_life(key, personas[int(key) % len(personas)], turns, seed)
    history = tuple(
        Recorded(str(place), said.at, said.user, said.answer, session=said.session)
        for place, said in enumerate(speak(life, seed))
    )
    return Person(key, history, ())


def replayed(people: Sequence[Person], settings: Settings) -> Iterator[Row]:
    """Replay each person in a home of its own, and yield what it cost."""
    bench = Bench(settings, find_places())
    for replaying in people:
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            subject = LoopSubject(bench, replaying, Path(folder))
            try:
                subject.learn(replaying.history, lambda _: None)
                seconds = time.process_time() - began
                kept = len(subject.new)
            finally:
                subject.close()
        yield Row(replaying.key, len(replaying.history), seconds, _resident() / 2**20, kept, _pass(bench))


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks replay")
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--profile", type=Path)
    options = parser.parse_args(arguments)
    people = [person(f"{number:04}", options.turns, options.seed) for number in range(options.people)]
    print("| person | exchanges | processor s | exchanges a second | kept | resident MiB | a pass, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    profile = cProfile.Profile(time.process_time) if options.profile else None
    with profile or nullcontext():
        for row in replayed(people, Settings()):
            print(row, flush=True)
    if profile is not None:
        with options.profile.open("w", encoding="utf-8") as out:
            pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(_SHOWN).sort_stats(
                "cumulative"
            ).print_stats(2 * _SHOWN)
    return 0


def _pass(bench: Bench) -> float:
    embedder = open_embedder(bench.settings, bench.places, lambda _: None)
    embedder.embed([_SENTENCE])
    passes = []
    for _ in range(_PASSES):
        began = time.process_time()
        embedder.embed([_SENTENCE])
        passes.append(time.process_time() - began)
    embedder.close()
    return 1000 * min(passes)


def _resident() -> int:
    """Return the bytes this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
