"""Requests against preferences: whether what somebody likes or cannot stand is found by a request that it bears on.

    python -m benchmarks.preferences --data FILE [--as facts] [--together] [--json]

A line of the file is a preference, a tab and a request; lines that begin with # are none. All preferences lie in one
store, as messages or as facts; each request is one search for that kind. Beside it stands closeness in meaning alone,
on the same vectors.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

from persona_cli.config import Settings
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import Places
from persona_cli.records import Kind, SemanticMemory

CUTS = (1, 5, 10)
_FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference and a request that it bears on."""

    preference: str
    request: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: per cent of the requests whose preference is among the first k."""

    method: str
    requests: int
    hits: dict[int, float]


def load(path: Path) -> tuple[Pair, ...]:
    """Read the pairs of a file."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#")
    return tuple(Pair(*(part.strip() for part in line.split("\t")[:2])) for line in lines)


def store_all(memory: Memory, pairs: Sequence[Pair], kind: Kind, *, together: bool) -> tuple[int, ...]:
    """Store the preferences, a day apart or all in one talk, and return their ids in order."""
    ids, session = [], None
    with memory.store.transaction():
        for number, pair in enumerate(pairs):
            at = _FIRST + (timedelta(minutes=number) if together else timedelta(days=number))
            if kind is Kind.SEMANTIC:
                fact = SemanticMemory(0, pair.preference, (), "user", pair.preference, at, at)
                ids.append(memory.store.semantic.add(fact).id)
                continue
            if session is None or not together:
                session = memory.store.sessions.start(at)
            ids.append(memory.store.turns.add(session.id, at, pair.preference, "", "import").id)
    embed_wanted(memory.store, memory.embedder)
    return tuple(ids)


def measure(pairs: Sequence[Pair], kind: Kind, *, together: bool = False) -> tuple[Row, Row]:
    """Return the rows of closeness alone and of what chat and search use."""
    with tempfile.TemporaryDirectory() as folder:
        home, weights = Path(folder), Path(tempfile.gettempdir()) / "persona-benchmark-models"
        memory = open_memory(Places(home, home / "config.toml", home / "prompts", weights), Settings(), _say)
        try:
            ids = store_all(memory, pairs, kind, together=together)
            at = _FIRST + timedelta(days=len(pairs) + 1)

            def dense(text: str) -> list[int]:
                vector = memory.embedder.embed_query([text])[0]
                return [row for row, _ in memory.index.search(kind, "content", vector, max(CUTS))]

            def ours(text: str) -> list[int]:
                found = memory.retriever.search(text, kinds={kind}, limit=max(CUTS), at=at)
                return [hit.ref.id for hit in found.hits]

            return _row("dense", dense, pairs, ids), _row("persona", ours, pairs, ids)
        finally:
            memory.close()


def _row(method: str, find: Callable[[str], list[int]], pairs: Sequence[Pair], ids: Sequence[int]) -> Row:
    rankings = [find(pair.request) for pair in pairs]
    hits = {
        cut: 100 * fmean(wanted in ranking[:cut] for wanted, ranking in zip(ids, rankings, strict=True)) for cut in CUTS
    }
    return Row(method, len(pairs), hits)


def render(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    head = ["| method | requests | hit@1 | @5 | @10 |", "|---|--:|--:|--:|--:|"]
    hits = (" | ".join(f"{row.hits[cut]:.1f}" for cut in CUTS) for row in rows)
    lines = [f"| {row.method} | {row.requests} | {part} |" for row, part in zip(rows, hits, strict=True)]
    return "\n".join([*head, *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preferences", description="Requests and preferences.")
    parser.add_argument("--data", type=Path, required=True, help="a preference, a tab and a request in each line")
    parser.add_argument("--as", dest="kind", choices=("messages", "facts"), default="messages", help="what they are")
    parser.add_argument("--together", action="store_true", help="all said in one talk, not on days of their own")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    given = parser.parse_args(arguments)
    kind = Kind.MESSAGE if given.kind == "messages" else Kind.SEMANTIC
    rows = measure(load(given.data), kind, together=given.together)
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else render(rows))
    return 0


def _say(note: str) -> None:
    print(note, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
