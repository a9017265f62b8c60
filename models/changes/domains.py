"""Pairs of plain sentences about one matter of a life (domains.txt): how it stands, then a change or a remark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.reading.corpus import Pair

HERE = Path(__file__).parent
_EACH = 3
"""Changes and remarks that each state of a matter is set beside."""


def plain_pairs(path: Path = HERE / "domains.txt") -> Iterator[Pair]:
    """Yield pairs of plain sentences about one matter of a life: how it stands ("o"), then a change or a remark."""
    states: list[str] = []
    others: dict[str, list[str]] = {"c": [], "k": []}
    for line in [*path.read_text(encoding="utf-8").splitlines(), "@"]:
        if line.startswith("@"):
            for place, state in enumerate(states):
                for label, texts in (("ends", others["c"]), ("adds", others["k"])):
                    yield from (Pair(label, state, texts[(place + 5 * step) % len(texts)]) for step in range(_EACH))
            states, others = [], {"c": [], "k": []}
        elif line.startswith("o "):
            states.append(line[2:])
        elif line[:2] in ("c ", "k "):
            others[line[0]].append(line[2:])
