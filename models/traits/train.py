"""Train the trait heads: python -m models.traits.train [--ipip FOLDER] (the folder with the public-domain items).

Closed form throughout, so the same vectors give the same coefficients. The sign head is a quadratic kernel machine
per trait on the items and on our own statements, reduced to its strongest directions. The relevance head tells a
trait's statements from those of the others; a line of its own tells whether a sentence speaks of any, its threshold set
on plain sentences it was not fitted on. Beside the statements stand lines of chat (models/reading/*/traits.txt).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.reading.corpus import HELD_BACK, batches
from persona_cli.memory.vectors.minilm import MiniLM
from persona_cli.model.lite.traits import COEFFICIENTS, Floats, SignHead, TraitHeads, features
from persona_cli.personality import TRAITS

HERE = Path(__file__).parent
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
PENALTY = 2.0
PLAIN_WEIGHT = 2.0
CURVE_PENALTY = 0.5
CURVES = 16
"""Directions kept of each trait's quadratic form."""
CONSTANT = 0.7
QUIET = 0.94
"""Share of plain sentences, unseen by the fit, that must be kept at no evidence."""
TENTH = 10
"""Of the sentences of messages every so many are taken for plain ones: the rest are like them."""
_LETTERS = {name[0].upper(): name for name in TRAITS}


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, the trait it speaks of, the pole (+1 or -1), and the theme or facet it belongs to."""

    trait: str
    key: int
    text: str
    theme: str


def read_own() -> list[Statement]:
    """Return the statements written for this project."""
    with (HERE / "statements.tsv").open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Statement(row["trait"], 1 if row["key"] == "+" else -1, row["statement"], row["theme"]) for row in rows]


def read_everyday() -> list[str]:
    """Return sentences that say nothing about anyone's traits."""
    return (HERE / "everyday.txt").read_text(encoding="utf-8").splitlines()


def read_chat() -> tuple[list[Statement], list[str]]:
    """Return the lines of chat that show traits, one for each of them, and plain ones; not of the held-back batch."""
    shown: list[Statement] = []
    plain: list[str] = []
    for batch in (batch for batch in batches() if batch.name != HELD_BACK):
        for poles, text in batch.traits:
            marks = [] if poles == "-" else poles.split()
            shown += [Statement(_LETTERS[mark[0]], 1 if mark[1] == "+" else -1, text, "chat") for mark in marks]
            plain += [text] if not marks else []
        said = [example for message in batch.messages for example in message if not example.traits]
        plain += [example.text for example in said[::TENTH]]
    return shown, plain


def read_ipip(folder: Path) -> list[Statement]:
    """Return the public-domain items of mpi_1k.csv and ipip-neo-120.en.json, in the first person."""
    with (folder / "mpi_1k.csv").open(encoding="utf-8") as lines:
        long = [
            Statement(_LETTERS[row["label_ocean"]], int(row["key"]), _first_person(row["text"]), row["label_raw"])
            for row in csv.DictReader(lines)
            if row["key"] in {"1", "-1"}
        ]
    neo = json.loads((folder / "ipip-neo-120.en.json").read_text(encoding="utf-8"))
    return long + [
        Statement(
            _LETTERS[row["domain"]], 1 if row["keyed"] == "plus" else -1, _first_person(row["text"]), str(row["facet"])
        )
        for row in neo
    ]


def fit_sign(statements: Sequence[Statement], seen: Floats) -> SignHead:
    """Return the curved sign head of every trait, rounded as it is stored."""
    keys = np.array([statement.key for statement in statements], dtype=np.float64)
    of_trait = [np.array([statement.trait == trait for statement in statements]) for trait in TRAITS]
    fitted = [_bend(seen[chosen], keys[chosen]) for chosen in of_trait]
    linear, curve, scale = (np.array(each) for each in zip(*fitted, strict=True))
    return SignHead(linear, curve, scale)


def fit_relevance(statements: Sequence[Statement], vectors: Floats, plain: Floats) -> tuple[Floats, Floats]:
    """Return a row of coefficients per trait, and that of speaking of any trait, its threshold taken off."""
    every = np.vstack([vectors, plain])
    weights = np.r_[np.ones(len(vectors)), np.full(len(plain), PLAIN_WEIGHT)]
    of_text: dict[str, set[str]] = {}
    for each in statements:
        of_text.setdefault(each.text, set()).add(each.trait)
    none = np.zeros(len(plain))
    rows = [
        _ridge(every, np.r_[[float(trait in of_text[each.text]) for each in statements], none], weights)
        for trait in TRAITS
    ]
    target = np.r_[np.ones(len(vectors)), none]
    folds = np.r_[np.full(len(vectors), -1), np.arange(len(plain)) % 5]
    unseen = np.empty(len(plain))
    for fold in range(5):
        kept = folds != fold
        head = _ridge(every[kept], target[kept], weights[kept])
        unseen[~kept[len(vectors) :]] = every[~kept] @ head[:-1] + head[-1]
    anything = _ridge(every, target, weights)
    anything[-1] -= np.quantile(unseen, QUIET)
    return np.array(rows), anything


def train(statements: Sequence[Statement], plain: Sequence[str], embed: Embed) -> TraitHeads:
    """Return all heads."""
    texts = [each.text for each in statements]
    vectors = embed(texts)
    rows, anything = fit_relevance(statements, vectors.astype(np.float64), embed(plain).astype(np.float64))
    return TraitHeads(fit_sign(statements, features(vectors, texts)), rows, anything)


def open_embed() -> Embed:
    """Open all-MiniLM-L6-v2 as it runs in the program, in 8 bits; it needs no home with converted files."""
    return MiniLM(Path(), print, keep=False).embed


def _bend(seen: Floats, keys: Floats) -> tuple[Floats, Floats, Floats]:
    # A quadratic kernel machine, then the strongest directions of its quadratic form: 90 kB instead of megabytes.
    wide = np.hstack([seen, np.full((len(seen), 1), CONSTANT)])
    kernel = (wide @ wide.T) ** 2
    balance = 2 * np.where(keys > 0, np.mean(keys > 0), np.mean(keys < 0))
    dual = np.linalg.solve(kernel + np.diag(CURVE_PENALTY * balance), keys)
    values, rows = _strongest((seen * dual[:, None]).T @ seen)
    step = np.abs(rows).max(axis=1, keepdims=True) / 127
    curve = np.rint(rows / step)
    scale = values * step[:, 0] ** 2
    rest = kernel @ dual - ((seen @ curve.T) ** 2) @ scale
    return _ridge(seen, rest, np.ones(len(seen))), curve, scale


def _strongest(form: Floats) -> tuple[Floats, Floats]:
    # Subspace iteration from a fixed start: ten times faster here than all the eigenvectors of the form.
    basis = np.random.default_rng(0).normal(size=(len(form), 4 * CURVES))
    for _ in range(12):
        basis = np.linalg.qr(form @ basis)[0]
    values, axes = np.linalg.eigh(basis.T @ form @ basis)
    kept = np.argsort(-np.abs(values))[:CURVES]
    return values[kept], (basis @ axes[:, kept]).T


def _ridge(seen: Floats, target: Floats, weights: Floats) -> Floats:
    wide = np.hstack([seen, np.full((len(seen), 1), 0.5)])
    left = wide.T @ (wide * weights[:, None]) + PENALTY * np.eye(wide.shape[1])
    solved = np.asarray(np.linalg.solve(left, wide.T @ (weights * target)), dtype=np.float64)
    solved[-1] *= 0.5
    return solved


def _first_person(item: str) -> str:
    text = item.strip().rstrip(".")
    text = re.sub(r"^are\b", "am", text[0].lower() + text[1:])
    for second, first in (("your", "my"), ("yourself", "myself"), ("you", "I")):
        text = re.sub(rf"\b{second}\b", first, text)
    return f"I {text}."


def main() -> None:
    """Train and write the coefficients beside this script."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ipip", type=Path, help="folder with mpi_1k.csv and ipip-neo-120.en.json")
    folder = options.parse_args().ipip
    chat, plain = read_chat()
    statements = [*(read_ipip(folder) if folder else []), *read_own(), *chat]
    train(statements, [*read_everyday(), *plain], open_embed()).save(HERE / COEFFICIENTS)
    print(f"trained on {len(statements)} statements")


if __name__ == "__main__":
    main()
