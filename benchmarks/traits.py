"""Accuracy of the trait heads' sign: python -m benchmarks.traits [--ipip FOLDER].

Cross-validated by theme or facet, so that near-duplicates never sit on both sides; with the public-domain items at
hand also across origins, which is the harder and more honest test.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.traits.train import Embed, Statement, fit_sign, open_embed, read_ipip, read_own
from persona_cli.model.lite.traits import features
from persona_cli.personality import TRAITS

FOLDS = 5
Counts = dict[str, list[bool]]


def judge(fitted: Sequence[Statement], unseen: Sequence[Statement], embed: Embed) -> Counts:
    """Return, per trait, whether each unseen statement's sign was told."""
    texts, others = [each.text for each in fitted], [each.text for each in unseen]
    sign = fit_sign(fitted, features(embed(texts), texts))
    raw = sign.read(features(embed(others), others))
    told: Counts = {trait: [] for trait in TRAITS}
    for row, each in zip(raw, unseen, strict=True):
        told[each.trait].append(bool(row[TRAITS.index(each.trait)] * each.key > 0))
    return told


def cross_validate(statements: Sequence[Statement], embed: Embed) -> Counts:
    """Return the same with whole themes held out, five folds."""
    themes = sorted({(statement.trait, statement.theme) for statement in statements})
    fold = {theme: at % FOLDS for at, theme in enumerate(themes)}
    told: Counts = {trait: [] for trait in TRAITS}
    for out in range(FOLDS):
        unseen = [statement for statement in statements if fold[statement.trait, statement.theme] == out]
        fitted = [statement for statement in statements if fold[statement.trait, statement.theme] != out]
        for trait, right in judge(fitted, unseen, embed).items():
            told[trait] += right
    return told


def remember(embed: Embed) -> Embed:
    """Return the same, embedding every text once only: the folds share nearly all of them."""
    known: dict[str, NDArray[np.float32]] = {}

    def embed_new(texts: Sequence[str]) -> NDArray[np.float32]:
        unknown = [text for text in dict.fromkeys(texts) if text not in known]
        if unknown:
            known.update(zip(unknown, embed(unknown), strict=True))
        return np.array([known[text] for text in texts])

    return embed_new


def show(name: str, told: Counts) -> None:
    """Print one line of the table, in percent."""
    shares = [100 * float(np.mean(told[trait])) for trait in TRAITS]
    print(f"{name:24}" + "".join(f"{share:8.1f}" for share in shares) + f"{np.mean(shares):8.1f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ipip", type=Path, help="folder with mpi_1k.csv and ipip-neo-120.en.json")
    folder = options.parse_args(arguments).ipip
    embed, own = remember(open_embed()), read_own()
    print(" " * 24 + "".join(f"{trait[:6]:>8}" for trait in TRAITS) + "    mean")
    if not folder:
        show("own, unseen themes", cross_validate(own, embed))
    else:
        items = read_ipip(folder)
        show("own to items", judge(own, items, embed))
        show("items to own", judge(items, own, embed))
        show("all, unseen themes", cross_validate([*items, *own], embed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
