"""A question made ready: its vectors, its words, and where full text has each of them.

Each word is looked up by itself. Its scores sum to BM25 over the whole question, and kept apart they tell more:
which part of the question a memory holds, what a message and its neighbours hold together, and what a session
does. The share of a memory is its BM25 over what a memory with every word, as often as anywhere, would have; a
word that nothing holds counts too, so that a question about something never said finds no memory with all of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.embedding import Embedder
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.store import Store
from persona_cli.records import Kind, Ref
from persona_cli.timewords import find_times

Vector = NDArray[np.float32]

_HITS = 500  # memories per word: what is in more of them says little, and the shortest of those are here
_UNIQUE = 1.3  # what BM25 makes of one word in a short text, over the word's rarity


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for."""

    text: str
    at: datetime
    content: Vector
    """Of the question; compared with contents."""
    keywords: Vector
    """Of the keywords a model searches by; compared with keywords."""
    terms: tuple[str, ...]
    hits: Mapping[Ref, Mapping[str, float]]
    """BM25 by word, for every memory that holds one."""
    peaks: Mapping[str, float]
    """By word, how much it can count: the best score any memory has for it, or what a unique word would have."""

    def share(self, held: Mapping[str, float]) -> float:
        """Return the part of the question these words make up, 0 to 1."""
        whole = sum(self.peaks.values())
        return sum(held.values()) / whole if whole else 0.0

    def cover(self, held: Iterable[Collection[str]]) -> float:
        """Return the part of the question that stands in any of these, 0 to 1, however often."""
        whole = sum(self.peaks.values())
        return sum(self.peaks[word] for word in set().union(*held)) / whole if whole else 0.0

    def best(self, kind: Kind, limit: int) -> list[int]:
        """Return the ids with the largest share, best first."""
        found = [(-sum(held.values()), ref.id) for ref, held in self.hits.items() if ref.kind is kind]
        return [row_id for _, row_id in sorted(found)[:limit]]


def prepare(
    store: Store, embedder: Embedder, text: str, at: datetime, *, keywords: str = "", kinds: Collection[Kind]
) -> Asked:
    """Embed a question and look its words up."""
    texts = [text] if keywords in {"", text} else [text, keywords]
    vectors = embedder.embed(texts)
    terms = search_terms(*(without_times(one, at) for one in texts))
    hits: dict[Ref, dict[str, float]] = {}
    peaks: dict[str, float] = {}
    wanted = None if set(kinds) == set(Kind) else kinds
    for term in terms:
        for ref, score in store.texts.search([term], wanted, _HITS):
            hits.setdefault(ref, {})[term] = score
            peaks[term] = max(score, peaks.get(term, 0.0))
    unheard = _UNIQUE * math.log(2 * store.turns.count() + 2)
    peaks |= {term: unheard for term in terms if term not in peaks}
    return Asked(text, at, vectors[0], vectors[-1], terms, hits, peaks)


def without_times(text: str, at: datetime) -> str:
    """Return a question without its time words: they are a window, not something to look up."""
    for phrase in reversed(find_times(text, at)):
        if not phrase.repeating:
            text = f"{text[: phrase.start]} {text[phrase.end :]}"
    return text
