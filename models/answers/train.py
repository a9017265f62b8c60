"""Train the judge: python -m models.answers.train; an hour of a core to itself.

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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from models.answers.judge import Judge, odds
from models.answers.lists import Forms, Listed, Pieces, asked_pieces, of_batch, of_life, pieces_of
from models.answers.lives import CHOOSING, read_lives, renamed
from models.answers.news import News, ending_pairs, news_of
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
_PLAIN = 0.25
"""Share of the messages that change nothing that are drawn each time."""
_KEPT_WHOLE = 0.5
_TOLD = 100


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message, what it ends, and what it does not, each in one form."""

    said: list[int]
    right: tuple[Forms, ...]
    wrong: tuple[list[int], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A question, a memory that answers it (or nothing), some that do not, and in which form they stand."""

    listed: Listed
    right: Forms
    wrong: tuple[Forms, ...]
    whole: bool


Step = partial[Tensor]
"""Returns the loss of a judge on some examples."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that is trained on."""

    lists: tuple[tuple[Listed, ...], ...]
    """Each question in its versions: a life, and the same with other names."""
    pairs: tuple[tuple[Pieces, int], ...]
    """Two texts, and the number of their label."""
    news: tuple[tuple[News, ...], ...]
    """Each message in its versions."""
    endings: tuple[tuple[Pieces, bool], ...]
    """A new and an old statement, and whether the one ends the other."""

    @classmethod
    def gathered(cls, without: str, embedder: MiniLM) -> Material:
        """Return all lives but those of a batch, and all pairs but that batch's and those held back."""
        lists: list[tuple[Listed, ...]] = []
        dice, pairs, news = random.Random(2), [], list[tuple[News, ...]]()
        for life in read_lives():
            if life.name[0] != without:
                both = (life, renamed(life, dice))
                lists += zip(*(of_life(version, embedder) for version in both), strict=True)
                if life.kind == "diary":
                    news += zip(*(news_of(version, embedder) for version in both), strict=True)
        written = [batch for batch in batches() if batch.name not in (HELD_BACK, without)]
        for batch in written:
            lists += [(listed,) for listed in of_batch(batch, embedder)]
            pairs += [((asked_pieces(p.first), pieces_of(p.second)), ANSWERS.index(p.label)) for p in batch.answers]
        return cls(tuple(lists), tuple(pairs), tuple(news), tuple(ending_pairs(written)))

    def steps(self, dice: random.Random) -> list[Step]:
        """Return the steps of one epoch in a random order; what is of like length stands together."""
        groups = [group for versions in self.lists for group in self._groups(dice.choice(versions), dice)]
        dice.shuffle(groups)
        groups.sort(key=lambda group: sum(len(forms[0]) for forms in group.wrong) // 60 + 2 * dice.random())
        news = [drawn for versions in self.news if (drawn := _drawn(dice.choice(versions), dice)) is not None]
        news.sort(key=lambda drawn: len(drawn.said) // 10 + dice.random())
        pairs, endings = (
            sorted(some, key=lambda pair: sum(map(len, pair[0])) // 20 + dice.random())
            for some in (self.pairs, dice.sample(self.endings, len(self.endings) // 2))
        )
        steps: list[Step] = [partial(_list_loss, step=some, dice=dice) for some in _batches(groups, LISTS)]
        steps += [partial(_pair_loss, step=some) for some in _batches(pairs, PAIRS)]
        steps += [partial(_news_loss, step=some) for some in _batches(news, LISTS)]
        steps += [partial(_ending_loss, step=some) for some in _batches(endings, PAIRS)]
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


def _drawn(news: News, dice: random.Random) -> Drawn | None:
    """Return a message beside some of what it may end; of those that end nothing and tempt nobody a few are enough."""
    if not (news.right or news.tempting) and dice.random() > _PLAIN:
        return None
    likely, drawn = [1 / (1 + place) for place in range(len(news.wrong))], set[int]()
    while len(drawn) < min(WRONG, len(news.wrong)):
        drawn.update(dice.choices(range(len(news.wrong)), likely))
    wrong = (news.wrong[place] for place in sorted(drawn))
    right = tuple(forms[:1] if dice.random() < _KEPT_WHOLE else forms[1:] or forms for forms in news.right)
    return Drawn(
        news.said[0], right, tuple(forms[0] if dice.random() < _KEPT_WHOLE else dice.choice(forms) for forms in wrong)
    )


def _batches(every: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (every[at : at + size] for at in range(0, len(every), size))


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
        steps, losses = material.steps(dice), defaultdict[str, list[float]](list)
        total = total or len(steps) * epochs
        for step in steps:
            share = min(1.0, done / WARM_UP) * max(0.02, 1 - done / total)
            for group, rate in zip(optimizer.param_groups, RATES, strict=True):
                group["lr"] = rate * share
            loss = step(judge)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            clip_grad_norm_([weight for weights in parts for weight in weights], 1.0)
            optimizer.step()
            done += 1
            losses[step.func.__name__].append(loss.item())
            if done % _TOLD == 0:
                told = ", ".join(f"{name[1:]} {np.mean(some):.3f}" for name, some in sorted(losses.items()))
                print(f"epoch {epoch + 1}, {done} of {total}: {told}, {time.monotonic() - began:.0f} s", flush=True)
    return judge.eval()


def write(judge: Judge, folder: Path) -> None:
    """Write the adapter and the line into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter: dict[str, Any] = {"layers": np.int64(_LAYERS), **judge.adapter()}
    np.savez_compressed(folder / ADAPTER, **adapter)
    np.savez_compressed(folder / LINE, line=judge.written_line())


def _news_loss(judge: Judge, step: Sequence[Drawn]) -> Tensor:
    """Of what a message is set beside it ends what it should, or nothing, which always has a score of 0."""
    right = _likeliest_ended(judge, step)
    scores = judge([(drawn.said, old) for drawn, met in zip(step, right, strict=True) for old in (*met, *drawn.wrong)])[
        :, -1
    ]
    loss, at = torch.zeros(()), 0
    for drawn in step:
        mine = scores[at : at + len(drawn.right) + len(drawn.wrong)]
        at += len(mine)
        wanted = torch.zeros(len(mine))
        wanted[: len(drawn.right)] = 1.0
        chosen = torch.cat([mine, torch.zeros(1)])
        meant = chosen[: len(drawn.right)] if drawn.right else chosen[-1:]
        loss = loss + chosen.logsumexp(0) - meant.logsumexp(0)
        loss = loss + functional.binary_cross_entropy_with_logits(mine, wanted)
    return loss / len(step)


def _likeliest_ended(judge: Judge, step: Sequence[Drawn]) -> list[list[list[int]]]:
    """Return one form of each that ends, by message: of several sentences nobody said which, so the likeliest."""
    pairs = [(drawn.said, form) for drawn in step for forms in drawn.right if len(forms) > 1 for form in forms]
    scored = iter(())
    if pairs:
        judge.eval()
        with torch.no_grad():
            scored = iter(judge(pairs)[:, -1].tolist())
        judge.train()
    return [
        [forms[0] if len(forms) == 1 else max(forms, key=lambda _: next(scored)) for forms in drawn.right]
        for drawn in step
    ]


def _ending_loss(judge: Judge, step: Sequence[tuple[Pieces, bool]]) -> Tensor:
    wanted = torch.tensor([float(ends) for _, ends in step])
    scores = judge([pair for pair, _ in step])[:, -1]
    return functional.binary_cross_entropy_with_logits(scores, wanted * (1 - SMOOTHING) + SMOOTHING / 2)


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
            loss = loss + 0.5 * functional.cross_entropy(scores[at : at + 1, :-1], label)
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
    scores = judge([pair for pair, _ in step])[:, :-1]
    return functional.cross_entropy(scores, labels, label_smoothing=SMOOTHING)


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
    counts = (len(some) for some in (material.lists, material.pairs, material.news, material.endings))
    print("{} questions, {} pairs, {} messages, {} endings".format(*counts))
    write(fit(material), given.into)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
