"""Retrieval on LoCoMo: how many of the turns that hold the evidence of a question are among the first k found.

    python -m benchmarks.locomo --data locomo10.json [--only 0,2,3] [--json]

Each conversation is one store, each utterance one message ("Speaker: words", and what a picture shows, if there
is one), imported at its own time; each question is one `Retriever.search` for messages, asked after the last
session. Three baselines stand beside it, on the same vectors and the same full text: closeness in meaning alone,
BM25 alone, and reciprocal rank fusion of both. Questions of category 5 (adversarial) and those whose evidence
names no turn are left out, as is usual.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from statistics import fmean, quantiles

from persona_cli.config import Settings
from persona_cli.evaluation.cases import Person
from persona_cli.evaluation.datasets.locomo import CATEGORIES, load_file
from persona_cli.memory import Memory, open_memory
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.paths import Places
from persona_cli.records import Kind

CUTS = (1, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Question:
    """One question with the turns that hold its evidence."""

    text: str
    category: int
    evidence: frozenset[int]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    method: str
    category: str
    questions: int
    recall: dict[int, float]
    ndcg: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What one method made of one question."""

    method: str
    question: Question
    ranking: tuple[int, ...]
    milliseconds: float


def store_all(person: Person, memory: Memory) -> tuple[tuple[Question, ...], datetime]:
    """Import a conversation into an empty memory; return its questions and the time they are asked at."""
    turns: dict[str, int] = {}
    with memory.store.transaction():
        for _, talk in groupby(person.history, key=lambda said: said.session):
            said = list(talk)
            session = memory.store.sessions.start(said[0].at)
            for one in said:
                turns[one.key] = memory.store.turns.add(session.id, one.at, one.user, "", "import").id
            memory.store.sessions.close(session.id, said[-1].at)
    numbers = {name: number for number, name in CATEGORIES.items()}
    questions = tuple(
        Question(asked.text, numbers[asked.task], frozenset(turns[key] for key in asked.evidence))
        for asked in person.questions
    )
    return questions, person.history[-1].at + timedelta(hours=2)


Method = Callable[[Memory, str, datetime], tuple[int, ...]]


def dense(memory: Memory, text: str, at: datetime) -> tuple[int, ...]:
    """Closeness in meaning alone."""
    vector = memory.embedder.embed_query([text])[0]
    return tuple(row for row, _ in memory.index.search(Kind.MESSAGE, "content", vector, 100))


def bm25(memory: Memory, text: str, at: datetime) -> tuple[int, ...]:
    """Full text alone."""
    return tuple(ref.id for ref, _ in memory.store.texts.search(search_terms(text), {Kind.MESSAGE}, 100))


def fusion(memory: Memory, text: str, at: datetime) -> tuple[int, ...]:
    """Reciprocal rank fusion of the two."""
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in (dense(memory, text, at), bm25(memory, text, at)):
        for place, row in enumerate(ranking, 1):
            scores[row] += 1 / (60 + place)
    return tuple(sorted(scores, key=lambda row: -scores[row]))


def ours(memory: Memory, text: str, at: datetime) -> tuple[int, ...]:
    """What chat and search use."""
    found = memory.retriever.search(text, kinds={Kind.MESSAGE}, limit=max(CUTS), at=at)
    return tuple(hit.ref.id for hit in found.hits)


METHODS: dict[str, Method] = {"dense": dense, "BM25": bm25, "rank fusion": fusion, "persona": ours}


def ask_all(person: Person, settings: Settings, methods: Sequence[str]) -> list[Asked]:
    """Put every question of one conversation to every method."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        weights = Path(tempfile.gettempdir()) / "persona-benchmark-models"
        memory = open_memory(Places(home, home / "config.toml", home / "prompts", weights), settings, _say)
        try:
            questions, at = store_all(person, memory)
            embed_wanted(memory.store, memory.embedder)
            return [_ask(memory, name, question, at) for name in methods for question in questions]
        finally:
            memory.close()


def _ask(memory: Memory, name: str, question: Question, at: datetime) -> Asked:
    began = time.perf_counter()
    ranking = METHODS[name](memory, question.text, at)
    return Asked(name, question, ranking[: max(CUTS)], 1000 * (time.perf_counter() - began))


def tabulate(asked: Sequence[Asked], methods: Sequence[str]) -> list[Row]:
    """Return a row per method and category, and one per method over all."""
    rows = []
    for method in methods:
        mine = [one for one in asked if one.method == method]
        for number, name in CATEGORIES.items():
            rows.append(_row(method, name, [one for one in mine if one.question.category == number]))
        rows.append(_row(method, "all", mine))
    return [row for row in rows if row.questions]


def _row(method: str, category: str, asked: Sequence[Asked]) -> Row:
    if len(asked) < 2:
        return Row(method, category, 0, {}, 0.0, 0.0, 0.0)
    recall = {cut: 100 * fmean(_recall(one, cut) for one in asked) for cut in CUTS}
    times = quantiles([one.milliseconds for one in asked], n=100)
    return Row(method, category, len(asked), recall, 100 * fmean(_ndcg(one) for one in asked), times[49], times[94])


def _recall(asked: Asked, cut: int) -> float:
    return len(asked.question.evidence.intersection(asked.ranking[:cut])) / len(asked.question.evidence)


def _ndcg(asked: Asked, cut: int = 10) -> float:
    gains = (
        1 / math.log2(place + 2) for place, row in enumerate(asked.ranking[:cut]) if row in asked.question.evidence
    )
    return sum(gains) / sum(1 / math.log2(place + 2) for place in range(min(cut, len(asked.question.evidence))))


def render(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| method | category | questions | recall@1 | @5 | @10 | @20 | nDCG@10 | p50 ms | p95 ms |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        recall = " | ".join(f"{row.recall[cut]:.1f}" for cut in CUTS)
        times = f"{row.p50:.1f} | {row.p95:.1f}"
        lines.append(f"| {row.method} | {row.category} | {row.questions} | {recall} | {row.ndcg:.1f} | {times} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.locomo", description="Retrieval on LoCoMo.")
    parser.add_argument("--data", type=Path, required=True, help="the conversations, as LoCoMo's JSON")
    parser.add_argument("--only", help="positions of conversations, comma separated; default all")
    parser.add_argument("--methods", default=",".join(METHODS), help="which to compare, comma separated")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    given = parser.parse_args(arguments)
    conversations = load_file(given.data)
    chosen = [int(one) for one in given.only.split(",")] if given.only else range(len(conversations))
    methods = given.methods.split(",")
    asked = [one for place in chosen for one in ask_all(conversations[place], Settings(), methods)]
    rows = tabulate(asked, methods)
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else render(rows))
    return 0


def _say(note: str) -> None:
    print(note, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
