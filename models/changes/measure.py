"""How well the judge tells what a message ends: python -m models.changes.measure [--from FOLDER] prints a table.

The lives that are held back are read message by message as the program reads them; each message stands beside the
nearest memories of the ones before it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np

from models.answers.lives import Life, read_lives
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.state_encoder import ADAPTER, StateEncoder
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.paths import shipped
from persona_cli.reading.judging import LINE, Judge, load_line, open_judge
from persona_cli.reading.reader import open_reader
from persona_cli.records import Turn
from persona_cli.remembering.meaning import NEAREST, SHORT, weighed

_RECENT = 3
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Beside:
    """A message beside an old memory: their numbers, how probably the one ends the other, and what is so."""

    life: str
    new: int
    old: int
    ending: float
    ends: bool


def judged(life: Life, judge: Judge, embedder: MiniLM, listener: Listener) -> Iterator[Beside]:
    """Yield each message of a life beside what is nearest of what was told before."""
    recent: list[Turn] = []
    known: list[tuple[int, str]] = []
    vectors = np.zeros((0, 384), dtype=np.float32)
    for said in life.told:
        turn = Turn(said.number, 1, datetime.combine(said.day, time(9), UTC), said.text, "", "")
        drafts = [draft.content for draft in draft_memories(listener, turn, recent)]
        recent = [*recent, turn][-_RECENT:]
        if not drafts:
            continue
        words = said.text if len(said.text) <= SHORT else drafts[0]
        mine = embedder.embed([words, *drafts])
        closeness = (vectors @ mine.T).max(axis=1) if known else np.zeros(0)
        nearest = np.argsort(-closeness)[:NEAREST].tolist()
        endings = judge.endings(words, [known[row][1] for row in nearest]) if nearest else np.zeros(0)
        for row, ending in zip(nearest, endings.tolist(), strict=True):
            old = known[row][0]
            probable = weighed(ending, float(closeness[row]))
            yield Beside(life.name, said.number, old, probable, (old, said.number) in life.ended)
        known += [(said.number, draft) for draft in drafts]
        vectors = np.vstack([vectors, mine[1:]])


def render(beside: list[Beside], changes: int) -> str:
    """Return how many changes are found from each threshold, and how many memories end wrongly, as Markdown."""
    met = {(pair.life, pair.new, pair.old) for pair in beside if pair.ends}
    lines = [f"{len(met)} of {changes} changes are among the nearest.", "| from | found | wrongly |", "|---|---:|---:|"]
    for threshold in _THRESHOLDS:
        some = [pair for pair in beside if pair.ending >= threshold]
        right = {(pair.life, pair.new, pair.old) for pair in some if pair.ends}
        lines.append(f"| {threshold} | {len(right)} | {sum(not pair.ends for pair in some)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of the lives that are held back."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--from", dest="folder", type=Path, default=shipped("answers"))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as weights:
        states, embedder = StateEncoder(Path(weights), print), MiniLM(Path(weights), print)
        judging = StateEncoder(Path(weights), print, given.folder / ADAPTER, folder="answers")
        judge = Judge(judging, load_line(given.folder / LINE))
        listener = Listener(lambda: open_reader(states, open_judge(judging)))
        lives = read_lives(held_back=True)
        beside = [pair for life in lives for pair in judged(life, judge, embedder, listener)]
        print(render(beside, sum(len(life.ended) for life in lives)))
        for encoder in (states, embedder, judging):
            encoder.close()


if __name__ == "__main__":
    main()
