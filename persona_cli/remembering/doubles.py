"""Facts that say the same in other words and slipped in beside each other: one stays and counts the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from persona_cli.memory.store import Store
from persona_cli.model.tasks import Stop
from persona_cli.records import Author, Kind, SemanticMemory, Status
from persona_cli.remembering.same import ALIKE, says_the_same
from persona_cli.remembering.topics import go_on

_LOOKED_AT = 2000
"""Facts that are compared with all others, the latest."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Double:
    """A fact that is there twice."""

    kept: SemanticMemory
    again: SemanticMemory
    """What says the same; it stays as superseded, and holds at no time."""

    def still_holds(self, store: Store) -> bool:
        """Tell whether both are as they were."""
        return store.semantic.many([self.kept.id, self.again.id]) == tuple(
            sorted((self.kept, self.again), key=lambda one: one.id)
        )

    def settle(self, store: Store) -> None:
        """Count the one with the other."""
        store.semantic.absorb(self.kept, self.again)


def find_doubles(store: Store, embedder: str, stop: Stop) -> tuple[Double, ...]:
    """Return the active facts that another says as well, each fact in one pair at most.

    Raises `Interrupted` once `stop` returns True.
    """
    facts = store.semantic.list(Status.ACTIVE)
    disputed = {side.id for conflict in store.conflicts.open() for side in (conflict.one, conflict.other)}
    taken: set[int] = set()
    found = []
    for one, other in _close(store, embedder, [fact for fact in facts if fact.id not in disputed]):
        go_on(stop)
        if {one.id, other.id} & taken or not _is_double(one, other):
            continue
        kept, again = sorted((one, other), key=lambda fact: (fact.author is not Author.PERSON, not fact.slot, fact.id))
        if again.author is Author.MODEL and set(again.images) <= set(kept.images):
            found.append(Double(kept, again))
            taken |= {one.id, other.id}
    return tuple(found)


def _close(
    store: Store, embedder: str, facts: Sequence[SemanticMemory]
) -> Iterator[tuple[SemanticMemory, SemanticMemory]]:
    """Yield the pairs of facts that lie close together, the oldest first."""
    vectors = store.vectors.among(Kind.SEMANTIC, [fact.id for fact in facts], embedder)
    known = sorted((fact for fact in facts if fact.id in vectors), key=lambda fact: fact.id)
    if len(known) < 2:
        return
    matrix = np.stack([vectors[fact.id] for fact in known])
    first = max(0, len(known) - _LOOKED_AT)
    for start in range(first, len(known), _AT_ONCE):
        for row, column in np.argwhere(matrix[start : start + _AT_ONCE] @ matrix.T >= ALIKE):
            if column < start + row:
                yield known[column], known[start + row]


def _is_double(one: SemanticMemory, other: SemanticMemory) -> bool:
    return (
        one.subject.casefold() == other.subject.casefold()
        and (one.slot == other.slot or not one.slot or not other.slot)
        and one.event == other.event
        and says_the_same(one.content, other.content)
    )
