"""How well a batch of lives is answered: python -m models.answers.measure BATCH [--from FOLDER] prints a table.

Each question stands against the messages of its life; a message counts by its best sentence. Beside the judge stands
closeness in meaning alone, and both together as a search has them. The pairs of the same batch of models/reading stand
below.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import ASKED, Inquiry, Life, read_lives
from models.answers.train import HERE
from models.reading.corpus import HERE as READING
from models.reading.corpus import read_batch
from models.reading.measure import print_table, scored
from persona_cli.english.sentences import sentences
from persona_cli.memory.retrieval.reranking import WEIGHT
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.state_encoder import ADAPTER, StateEncoder
from persona_cli.reading.judging import LINE, Judge, load_line
from persona_cli.reading.labels import ANSWERS

JUDGED = 24
"""Messages that are judged for a question, the closest in meaning."""
CUTS = (1, 5, 10)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what each method makes of the messages of its life."""

    inquiry: Inquiry
    right: frozenset[int]
    scores: Mapping[str, Floats]
    """By method, a score for each message."""

    def recall(self, method: str, cut: int) -> float:
        """Return the share of what answers among the first `cut`; of the first alone, whether it answers."""
        best = np.argsort(-self.scores[method], kind="stable")[:cut].tolist()
        return len(self.right.intersection(best)) / (1 if cut == 1 else len(self.right))


def answer_all(life: Life, judge: Judge, embedder: MiniLM) -> Iterator[Answered]:
    """Yield every question of a life."""
    texts = [_with_parts(said.line, said.who, said.text) for said in life.told]
    vectors = [embedder.embed_query(some) for some in texts]
    place_of = {said.number: place for place, said in enumerate(life.told)}
    for inquiry in life.inquiries:
        vector = embedder.embed_query([inquiry.text])[0]
        close = np.array([float((some @ vector).max()) for some in vectors])
        judged = np.full(len(texts), -20.0)
        for place in np.argsort(-close)[:JUDGED].tolist():
            judged[place] = max(bearing.odds for bearing in judge.bearings(inquiry.text, texts[place]))
        right = frozenset(place_of[number] for number in inquiry.right)
        yield Answered(inquiry, right, {"close": close, "judged": judged, "both": close + WEIGHT * judged})


def render(answered: Sequence[Answered]) -> str:
    """Return the table by kind of question, as Markdown."""
    methods = ("close", "judged", "both")
    head = " | ".join(f"{method} @{cut}" for method in methods for cut in CUTS)
    lines = [f"| asked | n | {head} |", f"|---|---:|{'---:|' * (len(methods) * len(CUTS))}"]
    by_kind: defaultdict[str, list[Answered]] = defaultdict(list)
    for one in answered:
        if one.right:
            by_kind[one.inquiry.kind].append(one)
            by_kind["all"].append(one)
    for kind in (*ASKED, "all"):
        if some := by_kind.get(kind):
            means = (100 * np.mean([one.recall(method, cut) for one in some]) for method in methods for cut in CUTS)
            lines.append(f"| {kind} | {len(some)} | {' | '.join(f'{mean:.0f}' for mean in means)} |")
    return "\n".join(lines)


def told_apart(answered: Sequence[Answered], method: str) -> float:
    """Return how often the best of a question that has an answer scores above the best of one that has none."""
    has, none = ([one.scores[method].max() for one in answered if bool(one.right) is there] for there in (True, False))
    return float(np.mean([[one > other for other in none] for one in has]))


def _with_parts(line: str, who: str, text: str) -> list[str]:
    parts = sentences(text)
    return [line, *(f"{who}: {part}" if who else part for part in parts)] if len(parts) > 1 else [line]


def main() -> None:
    """Print the table of one batch."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("batch")
    options.add_argument("--from", dest="folder", type=Path, default=HERE)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print, given.folder / ADAPTER, folder="answers")
        judge, embedder = Judge(encoder, load_line(given.folder / LINE)), MiniLM(Path(weights), print)
        lives = [life for life in read_lives() if life.name[0] == given.batch]
        answered = [one for life in lives for one in answer_all(life, judge, embedder)]
        pairs = read_batch(READING / given.batch).answers
        judged = [(pair.label, judge.bearings(pair.first, [pair.second])[0].best.label) for pair in pairs]
        encoder.close()
        embedder.close()
    print(render(answered))
    apart = ", ".join(f"{method} {100 * told_apart(answered, method):.0f}" for method in ("close", "judged", "both"))
    print_table("pairs", scored(judged, ANSWERS))
    print(f"\nBest of an answered question above the best of an unanswered one, in per cent: {apart}.")


if __name__ == "__main__":
    main()
