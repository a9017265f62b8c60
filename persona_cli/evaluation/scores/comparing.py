"""What stands beside a run: the rows that were published, and the wins of one subject's answers over another's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from persona_cli.evaluation.judging.pairwise import CRITERIA, Comparison
from persona_cli.evaluation.scores.intervals import Interval, resample


@dataclass(frozen=True, slots=True)
class Published:
    """A row of the paper's tables, in per cent; None where it has no number."""

    name: str
    context: str = ""
    overall: float | None = None
    alignment: float | None = None
    aspects: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wins:
    """How often one subject's answers were better, by one criterion; ties are what is left."""

    name: str
    against: str
    criterion: str
    won: Interval
    lost: Interval
    unjudged: int


def published_rows(dataset: str, contexts: Sequence[str]) -> tuple[Published, ...]:
    """Return the published rows of a data set, of the contexts that were run; a tiny set has none to stand beside."""
    rows = tomllib.loads((Path(__file__).parent / "published.toml").read_text(encoding="utf-8"))["rows"]
    mine = [row for row in rows if row["dataset"] == dataset and row.get("context", "") in {*contexts, ""}]
    return tuple(Published(**{name: value for name, value in row.items() if name != "dataset"}) for row in mine)


def wins_of(compared: Mapping[str, Sequence[Comparison]], name: str) -> list[Wins]:
    """Return the wins of a subject against each other, by criterion."""
    wins = []
    for other, comparisons in compared.items():
        judged = [comparison for comparison in comparisons if not comparison.failed]
        keys = [comparison.key for comparison in judged]
        for criterion in CRITERIA:
            verdicts = [comparison.verdicts[criterion] for comparison in judged]
            won = resample([float(verdict == 1) for verdict in verdicts], keys)
            lost = resample([float(verdict == -1) for verdict in verdicts], keys)
            if won is not None and lost is not None:
                wins.append(Wins(name, other, criterion, won, lost, len(comparisons) - len(judged)))
    return wins
