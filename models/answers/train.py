"""Train the judge: python -m models.answers.train; a quarter of an hour of a core to itself.

Each question of a life stands against memories of the same life that are easily taken for the answer: the right one
must come before them (cross entropy over the list), and whether anything answers at all is learned beside it. The
pairs of models/reading teach what decides a question and what is only of the same matter. Writes adapter.npz and
judge.npz beside this script, or `--into` a folder. The lives of one batch are left out: settings are chosen by it
(`measure`).
"""

from __future__ import annotations

import argparse
import random
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

from models.answers.judge import Judge, Pieces, odds
from models.answers.lists import Forms, Listed, asked_pieces, of_batch, of_life, pieces_of
from models.answers.lives import CHOOSING, read_lives, renamed
from models.reading.corpus import HELD_BACK, batches
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.memory.vectors.state_encoder import ADAPTER
from persona_cli.paths import shipped
from persona_cli.reading.judging import LINE
from persona_cli.reading.labels import ANSWERS

HERE = Path(__file__).parent
EPOCHS = 2
RATES, DECAY = (6e-4, 1e-3), 0.01
"""Rates of adapter and line."""
WARM_UP = 40
LISTS, WRONG, PAIRS = 6, 5, 24
"""Lists of one step, wrong memories in each, and pairs of one step."""
RIGHT = 2
"""Of several memories that answer, so many are drawn each time."""
SMOOTHING = 0.05
_FOREIGN = 0.3
_WHOLE, _NEAREST = 0.4, 0.7
_LAYERS = 6


@dataclass(frozen=True, slots=True)
class Group:
    """A question, a memory that answers it (or nothing), some that do not, and in which form they stand."""

    listed: Listed
    right: Forms
    wrong: tuple[Forms, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is trained on."""

    lists: tuple[tuple[Listed, ...], ...]
    """Each question in its versions: a life, and the same with other names."""
    pairs: tuple[tuple[Pieces, int], ...]
    """Two texts, and the number of their label."""

    @classmethod
    def gathered(cls, without: str, embedder: MiniLM) -> Material:
        """Return all lives but those of a batch, and all pairs but that batch's and those held back."""
        lists: list[tuple[Listed, ...]] = []
        dice, pairs = random.Random(2), []
        for life in read_lives():
            if life.name[0] != without:
                both = (life, renamed(life, dice))
                lists += zip(*(of_life(version, embedder) for version in both), strict=True)
        for batch in batches():
            if batch.name not in (HELD_BACK, without):
                lists += [(listed,) for listed in of_batch(batch, embedder)]
                pairs += [((asked_pieces(p.first), pieces_of(p.second)), ANSWERS.index(p.label)) for p in batch.answers]
        return cls(tuple(lists), tuple(pairs))

    def steps(self, dice: random.Random) -> list[list[Group] | list[tuple[Pieces, int]]]:
        """Return the steps of one epoch in a random order; what is of like length stands together."""
        groups = [group for versions in self.lists for group in self._groups(dice.choice(versions), dice)]
        dice.shuffle(groups)
        groups.sort(key=lambda group: sum(len(forms[0]) for forms in group.wrong) // 60 + 2 * dice.random())
        pairs = sorted(self.pairs, key=lambda pair: sum(map(len, pair[0])) // 20 + dice.random())
        steps: list[list[Group] | list[tuple[Pieces, int]]] = []
        steps += [groups[at : at + LISTS] for at in range(0, len(groups), LISTS)]
        steps += [pairs[at : at + PAIRS] for at in range(0, len(pairs), PAIRS)]
        dice.shuffle(steps)
        return steps

    def _groups(self, listed: Listed, dice: random.Random) -> Iterator[Group]:
        if listed.alone and dice.random() < 0.5:
            return
        for right in dice.sample(listed.right, min(RIGHT, len(listed.right))) or [()]:
            likely = [1 / (2 + place) for place in range(len(listed.wrong))]
            drawn: set[int] = set()
            while len(drawn) < min(WRONG + (not right), len(listed.wrong)):
                drawn.update(dice.choices(range(len(listed.wrong)), likely))
            wrong = [listed.wrong[place] for place in sorted(drawn)]
            if dice.random() < _FOREIGN:
                wrong[-1] = dice.choice(dice.choice(self.lists)[0].wrong)
            yield Group(listed, right, tuple(wrong), dice.random() < _WHOLE)


def fit(material: Material, epochs: int = EPOCHS) -> Judge:
    """Return the judge after so many epochs; prints the mean loss of the lists in each."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    with np.load(shipped("reading") / ADAPTER) as reader:
        judge = Judge(reader)
    parts, dice = (judge.trained(), list(judge.line.parameters())), random.Random(1)
    groups = [{"params": weights, "lr": rate} for weights, rate in zip(parts, RATES, strict=True)]
    optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
    done, total, began = 0, 0, time.monotonic()
    for epoch in range(epochs):
        judge.train()
        steps, losses = material.steps(dice), list[float]()
        total = total or len(steps) * epochs
        for step in steps:
            share = min(1.0, done / WARM_UP) * max(0.02, 1 - done / total)
            for group, rate in zip(optimizer.param_groups, RATES, strict=True):
                group["lr"] = rate * share
            listed = isinstance(step[0], Group)
            loss = _list_loss(judge, step, dice) if listed else _pair_loss(judge, step)  # type: ignore[arg-type]  # of one kind
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            clip_grad_norm_([weight for weights in parts for weight in weights], 1.0)
            optimizer.step()
            done += 1
            losses += [loss.item()] if listed else []
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.monotonic() - began:.0f} s", flush=True)
    return judge.eval()


def write(judge: Judge, folder: Path) -> None:
    """Write the adapter and the line into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter: dict[str, Any] = {"layers": np.int64(_LAYERS), **judge.adapter()}
    np.savez_compressed(folder / ADAPTER, **adapter)
    np.savez_compressed(folder / LINE, line=judge.written_line())


def _list_loss(judge: Judge, step: Sequence[Group], dice: random.Random) -> Tensor:
    likeliest = _likeliest(judge, step)
    pairs: list[Pieces] = []
    for place, group in enumerate(step):
        if group.right:
            pairs.append((group.listed.asked, likeliest.get(place) or group.right[0]))
        pairs += [(group.listed.asked, _form_of(forms, group, dice)) for forms in group.wrong]
    scores = judge(pairs)
    given, loss, at = odds(scores), torch.zeros(()), 0
    for group in step:
        count = len(group.wrong) + bool(group.right)
        mine, wanted = given[at : at + count], torch.zeros(count)
        if group.right:
            wanted[0] = 1.0
            loss = loss - functional.log_softmax(mine, 0)[0]
        if group.right and group.listed.verdict:
            label = torch.tensor([ANSWERS.index(group.listed.verdict)])
            loss = loss + 0.5 * functional.cross_entropy(scores[at : at + 1], label)
        each = functional.binary_cross_entropy_with_logits(mine, wanted, reduction="none")
        loss = loss + 0.5 * (each[0] + each[1:].mean() if group.right else each.mean() + each.max())
        at += count
    return loss / len(step)


def _likeliest(judge: Judge, step: Sequence[Group]) -> dict[int, list[int]]:
    """Return which sentence of a memory answers, by the place of its group: nobody said, so the likeliest so far."""
    several = [place for place, group in enumerate(step) if not group.whole and len(group.right) > 1]
    if not several:
        return {}
    judge.eval()
    with torch.no_grad():
        every = [(step[place].listed.asked, form) for place in several for form in step[place].right[1:]]
        scored = iter(odds(judge(every)).tolist())
    judge.train()
    return {place: max(step[place].right[1:], key=lambda _: next(scored)) for place in several}


def _form_of(forms: Forms, group: Group, dice: random.Random) -> list[int]:
    if group.whole or len(forms) == 1:
        return forms[0]
    return forms[1] if dice.random() < _NEAREST else dice.choice(forms[1:])


def _pair_loss(judge: Judge, step: Sequence[tuple[Pieces, int]]) -> Tensor:
    labels = torch.tensor([label for _, label in step])
    return functional.cross_entropy(judge([pair for pair, _ in step]), labels, label_smoothing=SMOOTHING)


def main() -> None:
    """Train and write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--without", default=CHOOSING, help="the batch of lives to leave out")
    options.add_argument("--into", type=Path, default=HERE)
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as weights:
        embedder = MiniLM(Path(weights), print)
        material = Material.gathered(given.without, embedder)
        embedder.close()
    print(f"{len(material.lists)} questions, {len(material.pairs)} pairs")
    write(fit(material), given.into)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
