"""Train the reader: python -m models.reading.train (`make train`); some minutes of one core.

Reads every batch but the one that is held back, fits the heads (`lines`) over the adapter that is there and writes
coefficients.npz beside this script: new examples need no more. With `--adapter` it fits the adapter first (`network`,
a quarter of an hour of one core to itself) and writes adapter.npz too. With `--without BATCH --into FOLDER` that batch
is left out and another folder written: what rates, strengths and thresholds were chosen by; `models.reading.measure`
then prints its tables. The same corpus gives the same coefficients on the same machine.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from models.answers.lives import CHOOSING, read_lives
from models.reading.completion import completed
from models.reading.corpus import HELD_BACK, HERE, Batch, batches
from models.reading.lines import fit_lines
from models.reading.network import Network
from models.reading.prepared import (
    NONE,
    Prepared,
    PreparedPair,
    collated,
    passages_of,
    prepare,
    prepare_pair,
)
from persona_cli.memory.vectors.state_encoder import ADAPTER, StateEncoder
from persona_cli.reading.heads import COEFFICIENTS
from persona_cli.reading.labels import ANSWERS, RELATIONS

EPOCHS = 5
RATE, HEAD_RATE, DECAY = 1e-3, 2e-3, 0.01
WARM_UP = 60
MESSAGES, PAIRS = 16, 24
"""Passages and pairs of one step."""
SMOOTHING = 0.05
STRANGERS = 6
"""To so many written pairs comes one of two texts that have nothing to do with each other: writers give near ones."""
UNRELATED, OFF = RELATIONS.index("unrelated"), ANSWERS.index("off")
_LAYERS = 6
_FAR = 40  # lines: those of one person stand together


@dataclass(frozen=True, slots=True)
class Step:
    """What one step is made on: passages, or pairs of one of the two kinds."""

    passages: tuple[list[Prepared], ...] = ()
    pairs: tuple[PreparedPair, ...] = ()
    head: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is trained on."""

    messages: list[list[Prepared]]
    relations: list[PreparedPair]
    answers: list[PreparedPair]

    @classmethod
    def of(cls, chosen: Sequence[Batch]) -> Material:
        """Return what some batches hold."""
        return cls(
            [prepare(message) for batch in chosen for message in batch.messages],
            [prepare_pair(pair, RELATIONS) for batch in chosen for pair in batch.pairs],
            [prepare_pair(pair, ANSWERS) for batch in chosen for pair in batch.answers],
        )

    def steps(self, dice: random.Random) -> list[Step]:
        """Return the steps of one epoch in a random order; texts of like length stand together."""
        passages = [cut for message in self.messages for whole in passages_of(message) for cut in _varied(whole, dice)]
        dice.shuffle(passages)
        passages.sort(key=lambda passage: sum(len(sentence.pieces) for sentence in passage) // 40 + dice.random())
        steps = [Step(tuple(passages[at : at + MESSAGES])) for at in range(0, len(passages), MESSAGES)]
        for written, foreign, head in ((self.relations, UNRELATED, "relation"), (self.answers, OFF, "answer")):
            pairs = [*written, *strangers(written, foreign, len(written) // STRANGERS, dice)]
            mixed = sorted(pairs, key=lambda pair: (len(pair.first) + len(pair.second)) // 20 + dice.random())
            steps += [Step(pairs=tuple(mixed[at : at + PAIRS]), head=head) for at in range(0, len(mixed), PAIRS)]
        dice.shuffle(steps)
        return steps


def fit(material: Material, epochs: int = EPOCHS) -> Network:
    """Return the network after so many epochs; prints the mean loss of each."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    dice, network = random.Random(1), Network()
    adapter = [weight for weight in network.bert.parameters() if weight.requires_grad]
    heads = [weight for name, weight in network.named_parameters() if not name.startswith("bert.")]
    rates = (RATE, HEAD_RATE)
    groups = [{"params": weights, "lr": rate} for weights, rate in zip((adapter, heads), rates, strict=True)]
    optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
    done, total, began = 0, 0, time.monotonic()
    network.train()
    for epoch in range(epochs):
        steps = material.steps(dice)
        total = total or len(steps) * epochs
        losses = []
        for step in steps:
            share = min(1.0, done / WARM_UP) * max(0.02, 1 - done / total)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            loss = _loss(network, step)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            clip_grad_norm_([*adapter, *heads], 1.0)
            optimizer.step()
            losses.append(loss.item())
            done += 1
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


def write_adapter(network: Network, folder: Path) -> None:
    """Write the adapter into a folder."""
    adapter: dict[str, Any] = {"layers": np.int64(_LAYERS), **network.adapter()}
    np.savez_compressed(folder / ADAPTER, **adapter)


def write_heads(chosen: Sequence[Batch], folder: Path) -> None:
    """Fit the heads over the adapter in a folder, in 8 bits as it runs, and write them beside it.

    The lives of the batch that settings are chosen by are left out, as the judge leaves them out.
    """
    lives = [life for life in read_lives() if life.name[0] != CHOOSING]
    with tempfile.TemporaryDirectory() as weights:
        encoder = StateEncoder(Path(weights), print, folder / ADAPTER)
        fit_lines(chosen, lives, encoder).save(folder / COEFFICIENTS)
        encoder.close()


def strangers(pairs: Sequence[PreparedPair], label: int, count: int, dice: random.Random) -> Iterator[PreparedPair]:
    """Yield pairs of a first text and the second of another one, far enough away to be of another matter."""
    for _ in range(count):
        place = dice.randrange(len(pairs))
        other = (place + dice.randrange(_FAR, max(_FAR + 1, len(pairs) - _FAR))) % len(pairs)
        yield PreparedPair(pairs[place].first, pairs[other].second, label)


def _varied(passage: list[Prepared], dice: random.Random) -> list[list[Prepared]]:
    """Return a passage as it is, or cut in two, or beside one of its sentences alone: memories stand alone."""
    chance = dice.random()
    if len(passage) > 1 and chance < 0.15:
        return [passage, [dice.choice(passage)]]
    if len(passage) > 2 and chance < 0.35:
        place = dice.randrange(1, len(passage))
        return [passage[:place], passage[place:]]
    return [passage]


def _loss(network: Network, step: Step) -> Tensor:
    if step.pairs:
        compared = network.compare([(pair.first, pair.second) for pair in step.pairs], getattr(network, step.head))
        labels = torch.tensor([pair.label for pair in step.pairs])
        return 2 * functional.cross_entropy(compared, labels, label_smoothing=SMOOTHING)
    every = [sentence for passage in step.passages for sentence in passage]
    scores = network.read(collated(step.passages))
    act, asked, speaker, unsure, negative, worth, kinds, who = scores.sentences
    loss = _classes(act, [sentence.act for sentence in every])
    loss = loss + 0.5 * _classes(asked, [sentence.asked for sentence in every])
    loss = loss + _classes(speaker, [sentence.speaker for sentence in every])
    loss = loss + _flags(unsure[:, 0], [sentence.unsure for sentence in every])
    loss = loss + _flags(negative[:, 0], [sentence.negative for sentence in every])
    loss = loss + _classes(worth, [sentence.worth for sentence in every])
    loss = loss + 4 * _flags(kinds, [sentence.kinds for sentence in every])
    loss = loss + 0.5 * _classes(who, [sentence.who for sentence in every])
    loss = loss + 4 * _classes(scores.words, [tag for sentence in every for tag in sentence.tags])
    return loss + 0.5 * _classes(scores.slots, [slot for sentence in every for *_, slot in sentence.spans])


def _classes(scores: Tensor, labels: Sequence[int]) -> Tensor:
    if all(label == NONE for label in labels):
        return torch.zeros(())
    return functional.cross_entropy(scores, torch.tensor(labels), ignore_index=NONE)


def _flags(scores: Tensor, labels: Sequence[float] | Sequence[list[float]]) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores, torch.tensor(labels))


def main() -> None:
    """Train and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--without", default="", help="a batch to leave out")
    options.add_argument("--into", type=Path, default=HERE)
    options.add_argument("--adapter", action="store_true", help="fit the adapter of the encoder too")
    options.add_argument("--epochs", type=int, default=EPOCHS)
    given = options.parse_args()
    chosen = [completed(batch) for batch in batches() if batch.name not in (HELD_BACK, given.without)]
    given.into.mkdir(parents=True, exist_ok=True)
    if given.adapter:
        write_adapter(fit(Material.of(chosen), given.epochs), given.into)
    elif not (given.into / ADAPTER).exists():
        shutil.copy(HERE / ADAPTER, given.into)
    write_heads(chosen, given.into)


if __name__ == "__main__":
    main()
