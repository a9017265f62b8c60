"""What still says what a person has forgotten: the message it came from, and whatever holds the same words.

A plain rule that anybody can check: all words of a forgotten text that mean something, in any form, in one message
with its answer or in one memory. What says the same in other words is not found.
"""

from __future__ import annotations

from collections.abc import Iterable

from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.store import Receipt, Store
from persona_cli.records import Kind, Ref

MOST = 100
_ONE_WORD = 1


def repeated(store: Store, receipts: Iterable[Receipt]) -> tuple[Ref, ...]:
    """Return what repeats the forgotten, messages first and in their order."""
    found: set[Ref] = set()
    for receipt in receipts:
        found.update(receipt.sources)
        for text in receipt.words:
            words = search_terms(text)
            # "thanks" is repeated everywhere, and tells nothing
            if words and len(text.split()) > _ONE_WORD:
                found.update(store.texts.holding_all(words, MOST))
    return tuple(sorted(store.find(found), key=lambda ref: (ref.kind is not Kind.MESSAGE, ref.kind, ref.id)))
