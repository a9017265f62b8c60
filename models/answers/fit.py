"""Fit the line of persona_cli/model/lite/matching: python -m models.answers.fit; some minutes.

The lives of the batch that the judge was not trained on are told to the program; for each question the line puts the
things it then knows in such an order that what answers comes first (a softmax over them, with a ridge). A second line
says how probable it is that the first answers; it stays as it is but with `--chance`: fitted on long lives alone it
counts being ahead of the next for nothing, which tells most where little is known (benchmarks/LOG.md).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import CHOOSING, Inquiry, Life, read_lives
from persona_cli.agent import open_assistant
from persona_cli.agent.assistant import Assistant
from persona_cli.agent.replay import Exchange, replay
from persona_cli.config import Settings
from persona_cli.model.lite.answer import candidates_for
from persona_cli.model.lite.knowledge import gather
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.matching import COEFFICIENTS, NAMES, evidence, features, understand
from persona_cli.model.lite.searches import LOOKED_AT
from persona_cli.model.tasks import SearchRound, Situation
from persona_cli.paths import find_places
from persona_cli.personality import Traits
from persona_cli.reading.inquiry import question_of
from persona_cli.records import Query, Retrieve

HERE = Path(__file__).parent
RIDGE = 0.01
_STEPS, _RATE = 3_000, 0.3
_LATER = timedelta(days=40)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counted:
    """A question: the features of what is known for it (n, features), and which of that answers (n,)."""

    life: str
    seen: Floats
    right: NDArray[np.bool_]


def told(life: Life) -> Iterator[Counted]:
    """Tell a life to the program in a home of its own, and yield its questions."""
    times: dict[int, datetime] = {}
    last = datetime.min.replace(tzinfo=UTC)
    for said in life.told:
        last = max(datetime.combine(said.day, time(9), tzinfo=UTC), last + timedelta(minutes=7))
        times[said.number] = last
    with tempfile.TemporaryDirectory() as home:
        places = find_places(env={"PERSONA_HOME": home})
        assistant = open_assistant(places, Settings(), clock=lambda: last + _LATER, notice=print)
        replay(assistant, [Exchange(times[said.number], said.text, "") for said in life.told])
        turns = assistant.memory.store.turns
        found = {said.number: turns.find_same(times[said.number], said.text) for said in life.told}
        number_of = {turn.id: number for number, turn in found.items() if turn is not None}
        for inquiry in life.inquiries:
            if inquiry.kind != "request":
                yield from _counted(life.name, inquiry, assistant, number_of, last + _LATER)
        assistant.close()


def _counted(
    life: str, inquiry: Inquiry, assistant: Assistant, number_of: dict[int, int], at: datetime
) -> Iterator[Counted]:
    listener = Listener(lambda: assistant.memory.reader)
    statements = listener.read(inquiry.text)
    question = question_of(statements[0]) if statements else None
    if question is None:
        return
    memory, query, retrieve = assistant.memory, Query(inquiry.text, at), Retrieve(inquiry.text, most=LOOKED_AT)
    looked = SearchRound("", retrieve, memory.retriever.recall(query, retrieve))
    every = gather(Situation(query, memory.store.core.current(), Traits(), exchanges=(looked,)), listener)
    asked = understand(question, statements[0], None, {})
    candidates = candidates_for(asked, every, listener, lambda texts: memory.embedder.embed_query(list(texts)))
    if candidates:
        right = [number_of.get(one.known.turn) in inquiry.right for one in candidates]
        yield Counted(life, features(candidates), np.array(right))


def fit(counted: Sequence[Counted], ridge: float = RIDGE) -> Floats:
    """Return the line without its intercept, by gradient descent on standardized features."""
    some = [one for one in counted if one.right.any()]
    every = np.vstack([one.seen for one in some])
    middle, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
    line = np.zeros(every.shape[1])
    for _ in range(_STEPS):
        slope = 2 * ridge * line
        for one in some:
            seen = (one.seen - middle) / spread
            chances = _softmax(seen @ line)
            wanted = chances * one.right
            slope = slope + seen.T @ (chances - wanted / max(wanted.sum(), 1e-12)) / len(some)
        line = line - _RATE * slope
        if np.abs(slope).max() < 1e-4:
            break
    return np.asarray(line / spread)


def best_of(one: Counted, line: Floats) -> tuple[Floats, bool]:
    """Return what tells whether that which a line puts first answers, (2,), and whether it does."""
    weighed, told = evidence(one.seen, line)
    first = int(weighed.argmax())
    return told[first], bool(one.right[first])


def fit_chance(bests: Sequence[tuple[Floats, bool]]) -> Floats:
    """Return the line from what tells whether the first answers to the log-odds that it does, the intercept last."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=10).fit([told for told, _ in bests], [right for _, right in bests])
    return np.append(fitted.coef_[0], fitted.intercept_)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum())


def main() -> None:
    """Fit and write the line; print its weights, and how it does on each life when fitted on the others."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--chance", action="store_true", help="fit also how probable it is that the first answers")
    given = options.parse_args()
    counted = [one for life in read_lives() if life.name[0] == CHOOSING and life.kind == "diary" for one in told(life)]
    line = fit(counted)
    for name, weight in zip(NAMES, line, strict=True):
        print(f"{weight:+.3f}  {name}")
    lives = sorted({one.life for one in counted})
    parted = {life: fit([one for one in counted if one.life != life]) for life in lives}
    bests = [(best_of(one, parted[one.life]), bool(one.right.any())) for one in counted]
    held = [right for (_, right), known in bests if known]
    print(f"first in a life it was not fitted on: {np.mean(held):.3f} of {len(held)}")
    with np.load(HERE / COEFFICIENTS) as stored:
        chance = stored["chance"]
    if given.chance:
        chance = fit_chance([best for best, _ in bests])
    np.savez(HERE / COEFFICIENTS, line=line.astype(np.float32), chance=chance.astype(np.float32))


if __name__ == "__main__":
    main()
