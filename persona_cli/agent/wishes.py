"""Wishes about memory that are spoken in talk, fulfilled as the commands would: with a receipt.

A message that is to be kept out, or that says what is to be forgotten, is kept nowhere: its words would tell it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persona_cli.errors import NotFoundError
from persona_cli.memory import Erasure, Memory
from persona_cli.records import Fulfilled, Kind, Query, Ref, SemanticMemory, Status, Want, Wish
from persona_cli.records.counting import counted
from persona_cli.remembering.about import about

_MOST = 400
"""Memories of a person that are looked at to tell what is known of them."""


class Wishes:
    """The wishes of one query."""

    def __init__(self, memory: Memory, query: Query) -> None:
        self._memory = memory
        self._query = query
        self.kept_out = False
        """True once nothing of the query may be stored."""

    def fulfil(self, wish: Wish) -> Fulfilled:
        """Do what is wanted, and return what came of it."""
        match wish.want:
            case Want.KEEP_OUT:
                self.kept_out = True
                return Fulfilled(wish, ("Nothing of this message is stored.",))
            case Want.FORGET:
                return self._forget(wish)
            case Want.ABOUT:
                return self._about(wish)
            case Want.MYSELF:
                held = self._memory.store.semantic.list(Status.ACTIVE)
                return Fulfilled(wish, memories=tuple(sorted(held[:_MOST], key=_told)))

    def _forget(self, wish: Wish) -> Fulfilled:
        there = self._memory.store.find(wish.refs)
        # in private nothing is changed, and nothing may be said to have been
        if not there or not self._memory.lasting:
            return Fulfilled(wish)
        forgotten = self._memory.forget(*(ref for ref in wish.refs if ref in there))
        self.kept_out = True
        return Fulfilled(wish, tuple(_lines(self._memory, forgotten)))

    def _about(self, wish: Wish) -> Fulfilled:
        try:
            known = about(self._memory.store, wish.name)
        except NotFoundError:
            return Fulfilled(wish)
        memories = sorted((*known.facts, *known.former), key=_told)
        return Fulfilled(wish, memories=tuple(memories), names=(known.name, *known.roles, *known.former_roles))


def _told(memory: SemanticMemory) -> tuple[float, int]:
    return memory.valid_from.timestamp(), memory.id


def _lines(memory: Memory, forgotten: Erasure) -> Iterator[str]:
    """Yield what a deletion did, in the words of `persona memory forget`."""
    from persona_cli.memory.repeats import repeated

    receipt = forgotten.receipt
    counts = ", ".join(counted(count, name) for name, count in receipt.counts.items())
    are = "is" if len(receipt.refs) == 1 else "are"
    yield f"{', '.join(map(str, receipt.refs))} {are} deleted: {counts}."
    if receipt.again:
        yield f"This holds again: {', '.join(map(str, receipt.again))}."
    if forgotten.copies:
        yield f"Copies outside the home may still have it: {', '.join(copy.path for copy in forgotten.copies)}."
    if refs := repeated(memory.store, [receipt]):
        yield f"The same words still stand in {_some(refs)}; `persona memory forget` deletes those too."


def _some(refs: Sequence[Ref]) -> str:
    messages = [ref for ref in refs if ref.kind is Kind.MESSAGE]
    named = ", ".join(map(str, (messages or list(refs))[:5]))
    return named if len(refs) <= 5 else f"{named} and {len(refs) - 5} more"
