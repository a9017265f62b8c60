"""Measure how retrieval grows with the memory (`python -m benchmarks.scale`, options by `--help`).

For each size that many memories are made up (everyday.py), half of them messages, nearly half facts, the rest
topics, and put into the real store; then a process of its own asks the real index and retriever, as a chat does.
The first 1,500 texts, which is all of 1,000 memories, are embedded for real. The vectors of the others are drawn
around those and normalised: embedding 150,000 texts takes the better part of an hour, and costs no search a
microsecond more.

Measured: warm search and recall, the embedding of the question included; a cold `persona memory search`; import of
turns with their jobs, as `persona import` stores them, nothing embedded; disk and peak memory; and which part of the
exact ten nearest Chroma finds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from subprocess import PIPE, run

import numpy as np
from numpy.typing import NDArray

from benchmarks.everyday import END, PER_SESSION, Said, messages, questions
from benchmarks.growth import Line, draw
from benchmarks.start import measure as time_process
from persona_cli.agent.replay import Exchange, store_exchanges
from persona_cli.config import Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.store import Store, open_store
from persona_cli.memory.vectors.embedding import open_embedder
from persona_cli.memory.vectors.exact import ExactSearch
from persona_cli.memory.vectors.index import open_index
from persona_cli.paths import Places, find_places
from persona_cli.records import EpisodicMemory, Kind, Query, Retrieve, SemanticMemory

SIZES = "1000,10000"
TARGETS = {1_000: 10, 10_000: 20, 100_000: 50}
"""Milliseconds within which 95 of 100 warm searches should be through."""
REAL = 1_500
ASKED = 100
ROUNDS = 3
"""How often each is asked: one pause of the machine in a hundred calls would be the 95th percentile. No vector of a
question is still known at its next turn, 64 are kept."""
IMPORTED = 2_000
COSINE = 0.8
"""Of a drawn vector with the real one it is drawn around."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured at one size; times in milliseconds, sizes in MiB."""

    memories: int
    vectors: int
    search_p50: float
    search_p95: float
    recall_p50: float
    recall_p95: float
    search_cpu_p50: float
    """The same in time of the processor, which says more where other programs are at work."""
    search_cpu_p95: float
    recall_cpu_p50: float
    recall_cpu_p95: float
    cold: float
    turns_per_second: float
    disk: float
    peak: float
    nearest_found: float
    """Of the exact ten nearest, the part that the approximate index finds."""
    backend: str


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table, or JSON; with `--plot`, also draw it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="How retrieval grows.")
    parser.add_argument("--sizes", default=SIZES, help=f"memories, with commas between (default {SIZES})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the growth")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(list(arguments))
    if options.ask is not None:
        print(json.dumps(ask(find_places(env={"PERSONA_HOME": str(options.ask)}))))
        return 0
    rows = [measure(int(size)) for size in options.sizes.split(",")]
    print(json.dumps([asdict(row) for row in rows], indent=2) if options.json else table(rows))
    if options.plot is not None:
        draw(options.plot, "Growth with the number of memories", lines(rows))
    return 0


def measure(size: int) -> Row:
    """Make up a memory of `size` and measure it."""
    with tempfile.TemporaryDirectory(prefix="persona-scale-") as home:
        env = {**os.environ, "PERSONA_HOME": home}
        places = find_places(env=env)
        store = open_store(places.database)
        try:
            fill(store, size)
            vectors = embed(store, places)
        finally:
            store.close()
        command = [sys.executable, "-m", "benchmarks.scale", "--ask", home]
        asked = json.loads(run(command, env=env, check=True, stdout=PIPE, text=True).stdout.splitlines()[-1])
        colds = time_process(["memory", "search", "Where is Anna moving?"], env, runs=3)
        disk = sum(path.stat().st_size for path in places.database.parent.glob(f"{places.database.name}*"))
        speed = import_turns(places)
    return Row(size, vectors, cold=sorted(colds)[1], turns_per_second=speed, disk=disk / 2**20, **asked)


def fill(store: Store, size: int) -> None:
    """Store messages, one topic for each of their sessions, and facts for the rest."""
    topics = size // (2 * PER_SESSION)
    with store.transaction():
        for number, (_, group) in enumerate(groupby(messages(size // 2), key=lambda one: one.session)):
            said = list(group)
            session = store.sessions.start(said[0].at)
            turns = [store.turns.add(session.id, one.at, one.text, one.answer, "none").id for one in said]
            for one, turn_id in zip(said, turns, strict=True):
                fact = SemanticMemory(0, one.fact, one.keywords, one.subject, one.text, one.at, one.at, turn_id)
                if turn_id <= size - size // 2 - topics:
                    store.semantic.add(fact)
            if number < topics:
                store.episodes.add(topic(session.id, said, tuple(turns)))
            store.sessions.close(session.id, said[-1].at)


def topic(session_id: int, said: Sequence[Said], turns: tuple[int, ...]) -> EpisodicMemory:
    """Sum a session up by its first words."""
    summary = f"The user talks about: {said[0].text} {said[-1].text}"
    began, ended = said[0].at, said[-1].at
    return EpisodicMemory(0, session_id, summary, said[0].keywords, turns, began, ended, ended)


def embed(store: Store, places: Places) -> int:
    """Give every text a vector, the first ones by embedding them; return how many."""
    embedder = open_embedder(Settings(), places, print)
    wanted = store.vectors.wanted(embedder.name, sys.maxsize)
    fields = sorted({(ref.kind, field) for ref, field, _ in wanted})
    for kind, name in fields:
        mine = [(ref, text) for ref, field, text in wanted if (ref.kind, field) == (kind, name)]
        real = embedder.embed([text for _, text in mine[: REAL * len(mine) // len(wanted) + 64]])
        vectors = np.concatenate([real, drawn_around(real, len(mine) - len(real))])
        with store.transaction():
            for (ref, _), vector in zip(mine, vectors, strict=True):
                store.vectors.put(ref, name, embedder.name, vector)
    embedder.close()
    return len(wanted)


def drawn_around(real: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return unit vectors, each at the same angle in any direction from one of the real ones."""
    dice = np.random.default_rng(6)
    centres = real[dice.integers(len(real), size=count)]
    noise = dice.standard_normal(centres.shape, dtype=np.float32)
    noise -= (noise * centres).sum(axis=1, keepdims=True) * centres
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return np.float32(COSINE) * centres + np.float32((1 - COSINE**2) ** 0.5) * noise


def ask(places: Places) -> dict[str, float | str]:
    """Ask like a chat that has been running; in a process of its own, whose peak is then the memory's alone."""
    memory = open_memory(places, Settings(), lambda _: None)
    at = END + timedelta(days=1)
    # each of them once, as the embedder keeps the vectors of the last ones
    asked = list(dict.fromkeys(questions(2 * ASKED)))[:ASKED]
    memory.index.sync()
    searches = percentiles(lambda text: memory.retriever.search(text, at=at), asked)
    recalls = percentiles(lambda text: memory.retriever.recall(Query(text, at), Retrieve(text[:-1])), asked)
    backend = memory.index.backend
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    vectors = memory.embedder.embed_query(asked)
    found = nearest_found(memory, places, vectors)
    memory.close()
    return {
        "search_p50": searches[0],
        "search_p95": searches[1],
        "recall_p50": recalls[0],
        "recall_p95": recalls[1],
        "search_cpu_p50": searches[2],
        "search_cpu_p95": searches[3],
        "recall_cpu_p50": recalls[2],
        "recall_cpu_p95": recalls[3],
        "backend": backend,
        "peak": peak,
        "nearest_found": found,
    }


def percentiles(call: Callable[[str], object], asked: Sequence[str]) -> list[float]:
    """Return median and 95th percentile in milliseconds, by the clock, then of CPU; five calls more do not count."""
    times = []
    for text in [*asked[-5:], *(list(asked) * ROUNDS)]:
        began = time.perf_counter(), time.process_time()
        call(text)
        times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    percents = np.percentile(np.array(times[5:]) * 1000, [50, 95], axis=0)
    return [float(one) for one in percents.T.flatten()]


def nearest_found(memory: Memory, places: Places, vectors: NDArray[np.float32]) -> float:
    """Return which part of the exact ten nearest facts and messages Chroma finds, whatever the size."""
    memory.index.close()
    name, dimension = memory.embedder.name, memory.embedder.dimension
    exact = ExactSearch(memory.store, name)
    index = open_index(places, memory.store, name, dimension, print, crossover=0)
    index.sync()
    parts = []
    for kind in (Kind.SEMANTIC, Kind.MESSAGE):
        for vector in vectors:
            right = {row for row, _ in exact.search(kind, "content", vector, 10, None)}
            parts.append(len(right & {row for row, _ in index.search(kind, "content", vector, 10)}) / len(right))
    assert index.backend.startswith("Chroma"), index.backend
    index.close()
    return sum(parts) / len(parts)


def import_turns(places: Places) -> float:
    """Return how many turns per second an import stores with their jobs, before any is embedded or learnt from."""
    memory = open_memory(places, Settings(), lambda _: None)
    exchanges = [Exchange(message.at, message.text, message.answer) for message in messages(IMPORTED, seed=7)]
    try:
        began = time.perf_counter()
        added = store_exchanges(memory, timedelta(minutes=Settings().session.gap_minutes), exchanges)
        return added / (time.perf_counter() - began)
    finally:
        memory.close()


def table(rows: Sequence[Row]) -> str:
    """Return the measurements as a table, what misses its target marked."""
    head = "| memories (vectors) | search p50 / p95, ms | of CPU | recall p50 / p95, ms | of CPU | cold search, ms |"
    head += " turns/s imported | disk, MiB | peak memory, MiB | nearest found by Chroma | searched by |"
    written = [head, "|---" * 11 + "|"]
    for row in rows:
        goal = TARGETS.get(row.memories)
        late = "" if goal is None or max(row.search_p95, row.recall_p95) < goal else f" (target {goal})"
        written.append(
            f"| {row.memories:,} ({row.vectors:,}) | {row.search_p50:.1f} / {row.search_p95:.1f}"
            f" | {row.search_cpu_p50:.1f} / {row.search_cpu_p95:.1f}"
            f" | {row.recall_p50:.1f} / {row.recall_p95:.1f}{late}"
            f" | {row.recall_cpu_p50:.1f} / {row.recall_cpu_p95:.1f} | {row.cold:.0f} | {row.turns_per_second:,.0f}"
            f" | {row.disk:.0f} | {row.peak:.0f} | {row.nearest_found:.3f} | {row.backend} |"
        )
    return "\n".join(written)


def lines(rows: Sequence[Row]) -> list[Line]:
    """Return what is drawn."""
    return [
        Line("search p95, ms of CPU", [(row.memories, row.search_cpu_p95) for row in rows]),
        Line("recall p95, ms of CPU", [(row.memories, row.recall_cpu_p95) for row in rows]),
        Line("cold search, ms", [(row.memories, row.cold) for row in rows]),
        Line("disk, MiB", [(row.memories, row.disk) for row in rows]),
        Line("peak memory, MiB", [(row.memories, row.peak) for row in rows]),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
