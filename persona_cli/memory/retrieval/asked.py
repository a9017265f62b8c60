"""A question made ready: its vectors, its words, and where full text has each of them.

Each word is looked up by itself. Its scores sum to BM25 over the whole question, and kept apart they tell more:
which part of the question a memory holds, what a message and its neighbours hold together, and what a session
does. The share of a memory is its BM25 over what a memory with every word, as often as anywhere, would have; a
word that nothing holds counts too, so that a question about something never said finds no memory with all of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.memory.retrieval.told import as_told, speakers_named
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.records import Kind
from persona_cli.timewords import find_times

Vector = NDArray[np.float32]

_WORD = re.compile(r"\w+")
_HITS = 500  # memories per word: what is in more of them says little, and the shortest of those are here
_TERMS = 200  # words of a question that are looked up: a page that is pasted has thousands, and each takes its time
_UNIQUE = 1.3  # what BM25 makes of one word in a short text, over the word's rarity


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for."""

    text: str
    at: datetime
    content: Vector
    """Of the question; compared with contents."""
    speakers: tuple[str, ...]
    """The speakers of transcripts that it names."""
    told: Vector
    """Of the question as those speakers would ask it; compared with messages."""
    keywords: Vector
    """Of the keywords a model searches by; compared with keywords."""
    terms: tuple[str, ...]
    hits: Mapping[Kind, Mapping[int, Mapping[str, float]]]
    """BM25 by word, for every memory that holds one, by kind and id."""
    peaks: Mapping[str, float]
    """By word, how much it can count: the best score any memory has for it, or what a unique word would have."""
    words: frozenset[str] = field(init=False)
    whole: float = field(init=False)
    """What all the words count together."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(self.terms))
        object.__setattr__(self, "whole", sum(self.peaks.values()))

    def content_for(self, kind: Kind) -> Vector:
        """Return what the contents of a kind are compared with."""
        return self.told if kind is Kind.MESSAGE else self.content

    def best(self, kind: Kind, limit: int) -> list[int]:
        """Return the ids with the largest share, best first."""
        found = [(-sum(held.values()), row_id) for row_id, held in self.hits.get(kind, _NOTHING).items()]
        return [row_id for _, row_id in sorted(found)[:limit]]


_NOTHING: Mapping[int, Mapping[str, float]] = {}


def prepare(
    store: Store, embedder: Embedder, text: str, at: datetime, *, keywords: str = "", kinds: Collection[Kind]
) -> Asked:
    """Embed a question and look its words up."""
    # a question mark more or less is no other question: its vector need not be made twice
    texts = [text] if not keywords or _words(keywords) == _words(text) else [text, keywords]
    speakers = speakers_named(store, text) if Kind.MESSAGE in kinds else ()
    told = as_told(text, speakers)
    # a text costs 1 to 2 ms: for messages alone neither the question as it was asked nor keywords are compared
    content, keyed = (told, told) if set(kinds) == {Kind.MESSAGE} else (text, texts[-1])
    embedded = list(dict.fromkeys((content, told, keyed)))
    terms = _ends(search_terms(*(without_times(one, at) for one in texts)))
    hits: dict[Kind, dict[int, dict[str, float]]] = {kind: {} for kind in Kind}
    peaks: dict[str, float] = {}
    wanted = None if set(kinds) == set(Kind) else kinds
    for term, found in store.texts.each(terms, wanted, _HITS).items():
        for kind, row_id, score in found:
            hits[kind].setdefault(row_id, {})[term] = score
        if found:
            peaks[term] = found[0][2]
    vectors = dict(zip(embedded, embedder.embed_query(embedded), strict=True))
    unheard = _UNIQUE * math.log(2 * store.turns.count() + 2)
    peaks |= {term: unheard for term in terms if term not in peaks}
    return Asked(text, at, vectors[content], speakers, vectors[told], vectors[keyed], terms, hits, peaks)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _ends(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands first and last among many words: what is asked about a page stands before or after it."""
    return terms if len(terms) <= _TERMS else (*terms[: _TERMS // 2], *terms[-_TERMS // 2 :])


def without_times(text: str, at: datetime) -> str:
    """Return a question without its time words: they are a window, not something to look up."""
    for phrase in reversed(find_times(text, at)):
        if not phrase.repeating:
            text = f"{text[: phrase.start]} {text[phrase.end :]}"
    return text
