"""Fit the line that tells whose fact a memory is: python -m models.reading.whose; a minute of a core.

A softmax over those a memory may be about, by gradient descent, on 900 memories of sixteen lives that were marked by
hand (whose.txt), and with less weight on the single sentences of the batch that the reader did not learn from. Prints
how many of each life are right when the line is fitted on the others, beside what the first sentence alone says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.answers.lives import HERE as LIVES
from models.answers.lives import read_life
from models.reading.corpus import HERE, Example, read_batch
from persona_cli.english.people import SOMEBODY, USER, kin
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.read import draft_memories
from persona_cli.reading.judging import open_judge
from persona_cli.reading.labels import WHO
from persona_cli.reading.reader import Reader, open_reader
from persona_cli.reading.whose import NAMES, WHOSE, Holder, holders
from persona_cli.records import Turn

CHOOSING = "e"
_WRITTEN = 0.2
"""What a sentence of the corpus weighs beside a memory that was marked."""
_STEPS, _RATE, _PENALTY = 1200, 0.5, 2e-3
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marked:
    """A memory: those it may be about, and which of them are right."""

    life: str
    text: str
    holders: tuple[Holder, ...]
    right: NDArray[np.bool_]
    weight: float = 1.0
    before: bool = False
    """Whether the subject that the first sentence has by itself is right."""


def of_lives(reader: Reader, path: Path = HERE / "whose.txt") -> Iterator[Marked]:
    """Yield the memories that were marked, as the program makes them of each message."""
    marks: dict[str, dict[int, list[tuple[set[str], str]]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            place, names, words = line.split(" | ")
            life, number = place.split()
            marks.setdefault(life, {}).setdefault(int(number), []).append((set(names.split(", ")), words))
    listener = Listener(lambda: reader)
    for life, numbers in marks.items():
        for said in read_life(LIVES / f"{life}.txt").told:
            turn = Turn(said.number, 1, datetime.combine(said.day, time(9), UTC), said.text, "", "")
            for draft in draft_memories(listener, turn, ()) if said.number in numbers else ():
                told = [one for one in listener.read(said.text) if one.text in (draft.quote or draft.content)]
                for who, words in numbers[said.number]:
                    if told and " ".join(draft.content.split()).startswith(words):
                        found = holders(told)
                        right = np.array([_is(holder.key, who) for holder in found])
                        before = _is(_last(draft.subject), who)
                        yield Marked(life, draft.content, found, right, before=before)


def of_corpus(reader: Reader) -> Iterator[Marked]:
    """Yield the sentences of the batch that settings are chosen by, each by itself."""
    for message in read_batch(HERE / CHOOSING).messages:
        examples = {example.text: example for example in message}
        for statement in reader.read(" ".join(examples)):
            if (example := examples.get(statement.text)) is not None and (who := _wanted(example)):
                found = holders([statement])
                yield Marked("", example.text, found, np.array([_is(one.key, {who}) for one in found]), _WRITTEN)


def fit(marked: Sequence[Marked]) -> Floats:
    """Return the line over `NAMES`."""
    some = [one for one in marked if one.right.any()]
    seen = [np.array([holder.seen for holder in one.holders], dtype=np.float64) for one in some]
    line, total = np.zeros(len(NAMES)), sum(one.weight for one in some)
    for _ in range(_STEPS):
        slope = 2 * _PENALTY * line
        for features, one in zip(seen, some, strict=True):
            scores = features @ line
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            wanted = chances * one.right
            slope = slope + one.weight / total * features.T @ (chances - wanted / wanted.sum())
        line = line - _RATE * slope
    return line


def is_right(line: Floats, one: Marked) -> bool:
    """Tell whether a line chooses somebody whom the memory may be said to be about."""
    return bool(one.right[int((np.array([holder.seen for holder in one.holders]) @ line).argmax())])


def _wanted(example: Example) -> str:
    if example.subject in ("me", "we"):
        return USER
    return "" if not example.subject or example.subject in WHO else _last(example.subject)


def _last(name: str) -> str:
    return kin(name.casefold().split()[-1])


def _is(key: str, who: set[str]) -> bool:
    return key in {kin(name) for name in who} or key.removesuffix("s") in who


def main() -> None:
    """Fit, print and write the line."""
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print)
        reader = open_reader(encoder, open_judge(encoder))
        marked, written = list(of_lives(reader)), list(of_corpus(reader))
        encoder.close()
    for life in sorted({one.life for one in marked}):
        line = fit([one for one in (*marked, *written) if one.life != life])
        those = [one for one in marked if one.life == life]
        right, known = sum(is_right(line, one) for one in those), sum(bool(one.right.any()) for one in those)
        print(f"{life}: {right} of {len(those)} right, {known} among those it may be about; "
              f"{sum(one.before for one in those)} by what the program says")  # fmt: skip
    line = fit([*marked, *written])
    for name, weight in zip(NAMES, line, strict=True):
        print(f"{weight:+.2f}  {name}")
    print(f"{sum(is_right(line, one) for one in written)} of {len(written)} sentences; {USER}, {SOMEBODY} or a name")
    np.savez(HERE / WHOSE, line=line.astype(np.float32))


if __name__ == "__main__":
    main()
