"""Train what tells how a message is meant: python -m models.stances.train (part of `make train`); a minute.

Looks at the lines as the reader does, fits the network (`models.pooled`) and writes coefficients.npz beside this
script. It stands on the reader's adapter, so a new adapter wants this run again. `--held` prints first how well it
does on a fifth of the lines that it was not fitted on.
"""

from __future__ import annotations

import argparse
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.pooled import fit
from persona_cli.memory.vectors.state_encoder import StateEncoder
from persona_cli.reading.encoder import Encoder, Passage
from persona_cli.reading.heads import open_heads
from persona_cli.reading.labels import STANCES
from persona_cli.reading.reader import locate
from persona_cli.reading.stance import COEFFICIENTS, Stance, StanceHead, judgements, scaled

HERE = Path(__file__).parent
EPOCHS = 10
SMOOTHING = 0.1
LONGEST = 120
"""Pieces of a message that are looked at."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Line:
    """A message with how it is meant, and whether strongly."""

    text: str
    stance: str
    strong: bool


def read_lines(path: Path = HERE / "lines.txt") -> list[Line]:
    """Return the examples; a line `# grief strong` says how those under it are meant."""
    lines: list[Line] = []
    stance, strong = "", False
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("# "):
            stance, *more = row[2:].split()
            strong = bool(more)
            if stance not in STANCES or more not in ([], ["strong"]):
                raise ValueError(f"no such stance: {row}")
        elif row:
            lines.append(Line(row, stance, strong))
    return lines


@dataclass(frozen=True, slots=True)
class Looked:
    """What the encoder makes of lines."""

    passages: list[Passage]
    sentences: list[list[str]]
    states: list[Floats]
    judged: Floats

    @classmethod
    def at(cls, texts: Sequence[str], encoder: Encoder) -> Looked:
        """Look at each text as a message."""
        from persona_cli.reading.pooling import all_states

        sentences = [[sentence for sentence, _ in locate(text)] or [text] for text in texts]
        passages = list(encoder.encode(sentences))
        judged = [judgements(open_heads(), *each) for each in zip(passages, sentences, strict=True)]
        states = [all_states(passage)[:LONGEST] for passage in passages]
        return cls(passages, sentences, states, np.array(judged))


def train(lines: Sequence[Line], looked: Looked, rows: Sequence[int]) -> StanceHead:
    """Return the head fitted on some of the lines."""
    stances = torch.tensor([STANCES.index(lines[row].stance) for row in rows])
    strong = torch.tensor([float(lines[row].strong) for row in rows])
    judged = looked.judged[list(rows)]
    scale = np.array([judged.mean(axis=0), judged.std(axis=0) + 1e-2], dtype=np.float32)

    def loss(scores: Tensor, at: NDArray[np.int64]) -> Tensor:
        chosen = functional.cross_entropy(scores[:, :-1], stances[at], label_smoothing=SMOOTHING)
        return chosen + 0.3 * functional.binary_cross_entropy_with_logits(scores[:, -1], strong[at])

    head = fit([looked.states[row] for row in rows], scaled(judged, scale), len(STANCES) + 1, loss, EPOCHS)
    return StanceHead(head, scale)


def judge(head: StanceHead, looked: Looked, row: int) -> Stance:
    """Return how a head takes one of the lines."""
    return head.judge(open_heads(), looked.passages[row], looked.sentences[row])


def print_held(lines: Sequence[Line], looked: Looked) -> None:
    """Fit on four fifths and print how the last is read, with what was sure and wrong."""
    held = [row for row, line in enumerate(lines) if zlib.crc32(line.text.encode()) % 5 == 0]
    head = train(lines, looked, [row for row in range(len(lines)) if row not in set(held)])
    read = [(judge(head, looked, row), lines[row]) for row in held]
    for least in (0.0, 0.5, 0.7):
        sure = [stance.label == line.stance for stance, line in read if stance.of(stance.label) >= least]
        print(f"from {least}: {len(sure)} of {len(held)}, right {np.mean(sure):.3f}")
    for stance, line in sorted(read, key=lambda each: -each[0].of(each[0].label)):
        if stance.label != line.stance and stance.of(stance.label) >= 0.5:
            print(f"  {stance.label} {stance.of(stance.label):.2f}, is {line.stance}: {line.text}")


def main() -> None:
    """Train and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--held", action="store_true", help="print how lines are read that were not fitted on")
    given = options.parse_args()
    lines = read_lines()
    with tempfile.TemporaryDirectory() as folder:
        encoder = StateEncoder(Path(folder), print)
        looked = Looked.at([line.text for line in lines], encoder)
        encoder.close()
    if given.held:
        print_held(lines, looked)
    train(lines, looked, range(len(lines))).save(HERE / COEFFICIENTS)
    print(f"trained on {len(lines)} lines")


if __name__ == "__main__":
    main()
