"""Train the successor head: python -m models.successors.train.

Reads domains.txt, makes pairs of an old statement and a newer one, and fits a logistic line by Newton's method: the
same vectors give the same coefficients. Prints how well pairs of domains that were left out are told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.vectors import minilm_files
from persona_cli.memory.vectors.transformers_embedding import open_folder
from persona_cli.remembering.successor import COEFFICIENTS, SuccessorHead, features

HERE = Path(__file__).parent
PENALTY = 30.0
ALIKE = 0.2
"""Cosine below which a change of a domain is taken to speak of something else in it."""
_FOREIGN = 4
"""Changes of other domains, the closest ones, that each statement is set against."""
_FOREIGN_WEIGHT = 0.7
_FOLDS = 6
_STEPS = 12

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Domain:
    """One matter of a life: how things stand, what changes them, what leaves them standing."""

    states: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Features, labels (1: the new one ends the old one) and weights."""

    seen: Floats
    ends: Floats
    weight: Floats


def read_domains(path: Path = HERE / "domains.txt") -> list[Domain]:
    """Return the domains of a file."""
    domains: list[Domain] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            domains.append(Domain())
        elif line[:2] in ("o ", "c ", "k "):
            {"o": domains[-1].states, "c": domains[-1].changes, "k": domains[-1].remarks}[line[0]].append(line[2:])
    return domains


class Vectors:
    """The vector of each statement."""

    def __init__(self, domains: Sequence[Domain]) -> None:
        texts = [text for domain in domains for text in (*domain.states, *domain.changes, *domain.remarks)]
        embedder = open_folder(minilm_files.source_folder(), name=minilm_files.NAME)
        self._of: dict[str, NDArray[np.float32]] = dict(zip(texts, embedder.embed(texts), strict=True))
        embedder.close()

    def __getitem__(self, text: str) -> NDArray[np.float32]:
        return self._of[text]


def pairs_of(domains: Sequence[Domain], chosen: Sequence[int], vectors: Vectors) -> Pairs:
    """Return the pairs of the chosen domains; changes of all the others serve as what has nothing to do with them."""
    found: list[tuple[NDArray[np.float32], NDArray[np.float32], float, float]] = []
    for number in chosen:
        foreign = [change for other, domain in enumerate(domains) if other != number for change in domain.changes]
        matrix = np.array([vectors[change] for change in foreign])
        for state in domains[number].states:
            old = vectors[state]
            found += [(old, vectors[one], 1.0, 1.0) for one in domains[number].changes if old @ vectors[one] >= ALIKE]
            found += [(old, vectors[remark], 0.0, 1.0) for remark in domains[number].remarks]
            closest = np.argsort(-(matrix @ old))[:_FOREIGN]
            found += [(old, matrix[row], 0.0, _FOREIGN_WEIGHT) for row in closest]
    old, new = (np.array([pair[side] for pair in found]) for side in (0, 1))
    return Pairs(features(old, new), np.array([pair[2] for pair in found]), np.array([pair[3] for pair in found]))


def fit(pairs: Pairs) -> SuccessorHead:
    """Return the line with the least penalised loss, both labels weighing the same."""
    seen = np.hstack([pairs.seen, np.ones((len(pairs.seen), 1))])
    share = float(np.average(pairs.ends, weights=pairs.weight))
    weight = pairs.weight * np.where(pairs.ends > 0, 0.5 / share, 0.5 / (1 - share))
    penalty = np.full(seen.shape[1], PENALTY)
    penalty[-1] = 0.0
    line = np.zeros(seen.shape[1])
    for _ in range(_STEPS):
        guess = 1 / (1 + np.exp(-seen @ line))
        slope = seen.T @ (weight * (guess - pairs.ends)) + penalty * line
        curve = (seen * (weight * guess * (1 - guess))[:, None]).T @ seen + np.diag(penalty + 1e-9)
        line -= np.linalg.solve(curve, slope)
    return SuccessorHead(line)


def ranked_right(scores: Floats, ends: Floats) -> float:
    """Return the share of pairs of an ending and a staying one whose scores stand in the right order."""
    order = np.argsort(np.argsort(scores)) + 1
    ending = ends > 0
    count = int(ending.sum())
    return float((order[ending].sum() - count * (count + 1) / 2) / (count * (len(ends) - count)))


def unseen(domains: Sequence[Domain], vectors: Vectors) -> float:
    """Return how well pairs are told apart in domains that were not fitted on."""
    scores, labels = [], []
    for part in range(_FOLDS):
        inside = [number for number in range(len(domains)) if number % _FOLDS != part]
        outside = [number for number in range(len(domains)) if number % _FOLDS == part]
        head, test = fit(pairs_of(domains, inside, vectors)), pairs_of(domains, outside, vectors)
        # what has nothing to do with a statement is told by the cosine, not by the head
        own = test.weight == 1.0
        scores.append((test.seen @ head.line[:-1] + head.line[-1])[own])
        labels.append(test.ends[own])
    return ranked_right(np.concatenate(scores), np.concatenate(labels))


def main() -> None:
    """Fit on every domain, write the coefficients and print what unseen domains give."""
    domains = read_domains()
    vectors = Vectors(domains)
    print(f"pairs of unseen domains in the right order: {unseen(domains, vectors):.3f}")
    fit(pairs_of(domains, range(len(domains)), vectors)).save(HERE / COEFFICIENTS)


if __name__ == "__main__":
    main()
