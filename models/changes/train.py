"""Fit the line of persona_cli/remembering/meaning: python -m models.changes.train; some minutes of one core.

Three kinds of examples, for none is enough alone. Pairs that were written to be hard (models/reading/*/pairs.txt) teach
that "I gave them back the badge" ends a job, plain sentences (domains.txt) that "I've switched to golf" ends tennis;
but fitted on these alone a line takes half of what is said in a whole life for an ending. Lives (models/answers/lives)
teach what mostly stands beside each other: of the nearest statements of one person only those end that a question
names as outdated. Batch `e` of pairs and lives is left out and printed.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import Life, read_lives
from models.reading.corpus import HELD_BACK, Pair, batches
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.reading.judging import open_judge
from persona_cli.reading.reader import Reader, open_reader
from persona_cli.records import Turn
from persona_cli.remembering.meaning import COEFFICIENTS, PLAIN, Line, plain_signs

HERE = Path(__file__).parent
CHOOSING = "e"
"""The batch that settings are chosen by."""
ENDING, STANDING = ("ends", "corrects"), ("same", "adds", "unrelated", "returns")
STRENGTH, PLAINLY = 3e-4, 10.0
"""How freely the line may bend (scikit-learn's C, of features brought to a variance of one), and by how much more over
the plain signs: of 1, 3, 4 and 10 the last ranked lives best (0.861 of 1)."""
CHANGE, NEIGHBOUR = 3.0, 0.3
"""What a change in a life weighs, and what merely stands near, beside a pair; of 0.1 and 1, 0.3 and 3 chosen."""
PLAIN_PAIR = 0.3
"""What a pair of plain sentences weighs, and how many changes and remarks each state of a matter is set beside."""
_EACH = 3
NEAR = 6
"""Statements before a new one that it is set beside."""
ALONE, ASKED = 0.95, 0.4
"""The thresholds (benchmarks/LOG.md)."""
_RECENT = 3
_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.93, 0.95)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """A new statement beside an old one: what the line sees, and which messages of a life they are of."""

    features: Floats
    messages: tuple[str, int, int] = ("", 0, 0)
    """Name of the life, the new message and the old one."""


@dataclass(frozen=True, slots=True)
class Material:
    """Pairs with whether they end, and what stands beside each other in lives, with what has changed there."""

    pairs: tuple[tuple[Beside, bool], ...]
    plain: tuple[tuple[Beside, bool], ...]
    beside: tuple[Beside, ...]
    changes: frozenset[tuple[str, int, int]]
    statements: int


class Examples:
    """Makes the examples with the encoders that run in the program."""

    def __init__(self, reader: Reader, embedder: MiniLM) -> None:
        self._reader = reader
        self._embedder = embedder
        self._listener = Listener(lambda: reader)

    def material(self, pairs: Sequence[Pair], lives: Sequence[Life], plain: Sequence[Pair] = ()) -> Material:
        """Return what some batches hold; pairs where a fair person would ask teach nothing either way."""
        decided = [pair for pair in pairs if pair.label in (*ENDING, *STANDING)]
        seen, plainly = (
            tuple((self._beside([pair.first], pair.second)[0], pair.label in ENDING) for pair in some)
            for some in (decided, plain)
        )
        told = [list(self._drafts(life)) for life in lives]
        beside = [
            pair for life, drafts in zip(lives, told, strict=True) for pair in self._within(life, drafts)
        ]  # what ends and what only stands near
        changes = frozenset(change for life in lives for change in changes_of(life))
        return Material(seen, plainly, tuple(beside), changes, sum(map(len, told)))

    def _drafts(self, life: Life) -> Iterator[tuple[int, str]]:
        """Yield what is worth keeping of a life, each with the number of its message."""
        recent: list[Turn] = []
        for said in life.told:
            turn = Turn(said.number, 1, datetime.combine(said.day, time(9), UTC), said.text, "", "")
            yield from ((said.number, draft.content) for draft in draft_memories(self._listener, turn, recent))
            recent = [*recent, turn][-_RECENT:]

    def _within(self, life: Life, drafts: Sequence[tuple[int, str]]) -> Iterator[Beside]:
        vectors = self._embedder.embed([content for _, content in drafts])
        for place, (number, content) in enumerate(drafts):
            older = [row for row in range(place) if drafts[row][0] < number]
            cosines = vectors[older] @ vectors[place] if older else np.zeros(0)
            chosen = [older[row] for row in np.argsort(-cosines)[:NEAR]]
            for row, seen in zip(chosen, self._beside([drafts[row][1] for row in chosen], content), strict=True):
                yield replace(seen, messages=(life.name, number, drafts[row][0]))

    def _beside(self, old: Sequence[str], new: str) -> list[Beside]:
        if not old:
            return []
        vectors = self._embedder.embed([new, *old])
        signs = [
            plain_signs(text, new, float(vectors[0] @ vector)) for text, vector in zip(old, vectors[1:], strict=True)
        ]
        return [Beside(features) for features in np.hstack([self._reader.relate(old, new), np.array(signs)])]


def changes_of(life: Life) -> Iterator[tuple[str, int, int]]:
    """Yield each change of a life: its name, the message that tells of it, the one that it made outdated."""
    for inquiry in life.inquiries:
        yield from ((life.name, new, old) for new in inquiry.right for old in inquiry.outdated if new > old)


def plain_pairs(path: Path = HERE / "domains.txt") -> Iterator[Pair]:
    """Yield pairs of plain sentences about one matter of a life: how it stands ("o"), then a change or a remark."""
    states: list[str] = []
    others: dict[str, list[str]] = {"c": [], "k": []}
    for line in [*path.read_text(encoding="utf-8").splitlines(), "@"]:
        if line.startswith("@"):
            for place, state in enumerate(states):
                for label, texts in (("ends", others["c"]), ("adds", others["k"])):
                    yield from (Pair(label, state, texts[(place + 5 * step) % len(texts)]) for step in range(_EACH))
            states, others = [], {"c": [], "k": []}
        elif line.startswith("o "):
            states.append(line[2:])
        elif line[:2] in ("c ", "k "):
            others[line[0]].append(line[2:])


def fit(material: Material) -> Line:
    """Return the line, fitted twice: of a message with a change only its likeliest statement ends anything."""
    line = _fitted(material, {id(seen): float(seen.features[-PLAIN]) for seen in material.beside})
    return _fitted(material, {id(seen): scored(line, [seen])[0] for seen in material.beside})


def scored(line: Line, beside: Sequence[Beside]) -> list[float]:
    """Return the probability of an ending for each."""
    return [float(ending) for ending in line.endings(np.array([seen.features for seen in beside]))] if beside else []


def _fitted(material: Material, likely: dict[int, float]) -> Line:
    from sklearn.linear_model import LogisticRegression

    best: dict[tuple[str, int, int], Beside] = {}
    for seen in material.beside:
        if seen.messages in material.changes:
            before = best.get(seen.messages)
            best[seen.messages] = seen if before is None or likely[id(seen)] > likely[id(before)] else before
    near = [seen for seen in material.beside if seen.messages not in material.changes]
    pairs = (*material.pairs, *material.plain)
    rows = [seen for seen, _ in pairs] + list(best.values()) + near
    ends = [ends for _, ends in pairs] + [True] * len(best) + [False] * len(near)
    weights = [1.0] * len(material.pairs) + [PLAIN_PAIR] * len(material.plain)
    weights += [CHANGE] * len(best) + [NEIGHBOUR] * len(near)
    inputs = np.array([seen.features for seen in rows])
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    spread[-PLAIN:] /= PLAINLY
    fitted = LogisticRegression(C=STRENGTH, max_iter=500).fit((inputs - middle) / spread, ends, sample_weight=weights)
    slope = fitted.coef_[0] / spread
    return Line(np.append(slope, fitted.intercept_[0] - slope @ middle).astype(np.float32), ALONE, ASKED)


def report(line: Line, left_out: Material) -> Iterator[str]:
    """Yield how well a batch is judged that was left out, a row for each threshold."""
    ends = np.array([ending for _, ending in left_out.pairs])
    pairs = np.array(scored(line, [seen for seen, _ in left_out.pairs]))
    best: dict[tuple[str, int, int], tuple[float, Beside]] = {}
    for place, (ending, seen) in enumerate(zip(scored(line, left_out.beside), left_out.beside, strict=True)):
        name, new, _ = seen.messages
        best[name, new, place // NEAR] = max(
            best.get((name, new, place // NEAR), (0.0, seen)), (ending, seen), key=_first
        )
    yield "| from | pairs ended | pairs wrongly | changes of lives | beside these |\n|---|---:|---:|---:|---:|"
    for threshold in _THRESHOLDS:
        met = [seen.messages for ending, seen in best.values() if ending >= threshold]
        right = {messages for messages in met if messages in left_out.changes}
        beside = sum(messages not in left_out.changes for messages in met)
        found, wrong = (pairs[ends] >= threshold).sum(), (pairs[~ends] >= threshold).sum()
        yield (
            f"| {threshold} | {found} of {ends.sum()} | {wrong} of {(~ends).sum()} |"
            f" {len(right)} of {len(left_out.changes)} | {beside} of {left_out.statements} |"
        )


def _first(pair: tuple[float, Beside]) -> float:
    return pair[0]


def main() -> None:
    """Fit, print what the batch that was left out gives, and write the line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--into", type=Path, default=HERE)
    options.add_argument("--keep", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as weights:
        encoder, embedder = StateEncoder(Path(weights), print), MiniLM(Path(weights), print)
        examples = Examples(open_reader(encoder, open_judge(encoder)), embedder)
        written = [batch for batch in batches() if batch.name != HELD_BACK]
        lives = [life for life in read_lives() if life.kind == "diary"]
        fitted_on, left_out = (
            examples.material(
                [pair for batch in written if (batch.name == CHOOSING) is chosen for pair in batch.pairs],
                [life for life in lives if (life.name[0] == CHOOSING) is chosen],
                () if chosen else tuple(plain_pairs()),
            )
            for chosen in (False, True)
        )
        if given.keep is not None:
            given.keep.write_bytes(pickle.dumps((fitted_on, left_out)))
        line = fit(fitted_on)
        print(*report(line, left_out), sep="\n")
        line.save(given.into / COEFFICIENTS)
        encoder.close()
        embedder.close()


if __name__ == "__main__":
    main()
