"""The lossless export and its way back: one JSONL file with every row of the truth and every picture.

The first line says what the file is and how much it holds; then one line per row, in an order in which they can be
written again, one per picture, and a last one with a checksum over all before it, signed by a key of this person
(`signing`). Vectors and full text are derived and left out. Exports of version 1 have no last line.

An archive is hostile until proven otherwise: `reading` checks all of it, row by row against a schema (`rows`), before
`taking` writes the first. An import goes into an empty memory only, keeps every id, and is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

FORMAT = "persona-export"
VERSION = 2

Progress = Callable[[int, int], None]
"""Told how many of how many lines are done."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """What an export wrote or an import read."""

    rows: Mapping[str, int]
    """Rows by table."""
    pictures: int
    quarantined: int = 0
    """Rows that read like instructions to a model: kept for the person to see, never recalled."""
    disowned: int = 0
    """Rows that somebody else wrote by hand: they count as a model's."""
