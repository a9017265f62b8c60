"""Checks: a label rests on its turn, no question has its answer, nothing stands there twice, shares are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Protocol, TypeVar

from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Turn
from persona_cli.remembering.gate import Refused, judge
from persona_cli.synthesis.dialogue import SpokenTurn, TurnLabel
from persona_cli.synthesis.lifeplan import Act

PAPER = {"reasoning": 0.436, "personality": 0.103, "memory": 0.461}
"""Shares of the published training set."""
PICTURED = 0.15
"""Share of turns with a picture there, at least."""
TELLING = 0.6
"""Of the rows of a kind, those that find something: of four messages in five nothing can be read of a trait, and a
model that sees them as they come learns to say nothing."""
KINDS = {
    "reason": "reasoning",
    "answer": "reasoning",
    "infer_personality": "personality",
    "extract_semantic": "memory",
    "summarize_episodes": "memory",
    "update_procedural": "memory",
    "update_core": "memory",
    "locate_object": "memory",
    "merge_episodes": "memory",
}


class CountedRow(Protocol):
    """What can be counted and chosen."""

    @property
    def task(self) -> str:
        """Return the program's task."""
        ...

    @property
    def same(self) -> str:
        """Return what two rows that teach the same share."""
        ...

    @property
    def telling(self) -> bool:
        """Tell whether its reply finds something: a trait, a memory, an answer."""
        ...


R = TypeVar("R", bound=CountedRow)


def refusal(label: TurnLabel, turn: Turn, recent: Sequence[Turn], knows: Callable[[str], bool]) -> str:
    """Return the rule by which the gate refuses a label, as it would a model's draft; "" where it rests on its turn."""
    if not label.content:
        return ""
    images = tuple(image.hash for image in turn.images)
    draft = SemanticDraft(label.content, label.keywords, label.reason, label.subject, images=images)
    ruling = judge(draft, turn, recent, knows)
    if isinstance(ruling, Refused):
        return ruling.rule
    return "reads like an instruction" if ruling.quarantined else ""


def leaks(said: SpokenTurn) -> bool:
    """Tell whether a question has its own answer in it."""
    asked = said.asked
    if asked is None or not asked.value or asked.letter or said.beat.act is Act.USE:
        return False
    return (asked.was or asked.value).casefold() in said.user.casefold()


def without_twins(rows: Iterable[R]) -> list[R]:
    """Return the rows without those that teach what one before teaches."""
    kept: dict[str, R] = {}
    for row in rows:
        kept.setdefault(row.same, row)
    return list(kept.values())


def balanced(rows: Sequence[R], seed: str, most: int = 0) -> list[R]:
    """Return as many rows as there can be in the shares of the paper, at most `most` where that is given.

    Of each task there is at least one.
    """
    by_kind: dict[str, list[R]] = {kind: [] for kind in PAPER}
    for row in rows:
        by_kind[KINDS[row.task]].append(row)
    there = {kind: mine for kind, mine in by_kind.items() if mine}
    if not there:
        return []
    whole = int(min(len(mine) / PAPER[kind] for kind, mine in there.items()))
    whole = min(whole, most) if most else whole
    rng = Random(f"{seed}:shares")  # noqa: S311 - chance that can be repeated
    kept: set[int] = set()
    for kind, mine in there.items():
        count = min(len(mine), max(1, round(whole * PAPER[kind])))
        first = list({row.task: row for row in mine}.values())[:count]
        rest = [row for row in mine if all(row is not other for other in first)]
        kept |= {id(row) for row in (*first, *_drawn(rest, count - len(first), rng))}
    return [row for row in rows if id(row) in kept]


def _drawn(rows: Sequence[R], count: int, rng: Random) -> list[R]:
    """Return so many rows, of which those that find something are `TELLING`, where there are as many."""
    found = [row for row in rows if row.telling]
    empty = [row for row in rows if not row.telling]
    wanted = max(min(len(found), round(count * TELLING)), count - len(empty))
    return rng.sample(found, wanted) + rng.sample(empty, count - wanted)


def shares(rows: Iterable[CountedRow]) -> Mapping[str, float]:
    """Return what part of the rows each kind of the paper has."""
    counts = Counter(KINDS[row.task] for row in rows)
    return {kind: counts[kind] / max(1, counts.total()) for kind in PAPER}
