"""A question made ready: its vectors, its words, whom it asks about, and where full text has each of its words.

Each word is looked up by itself. Its scores sum to BM25 over the whole question, and kept apart they tell more:
which part of the question a memory holds, what a message and its neighbours hold together, and what a session
does. The share of a memory is its BM25 over what a memory with every word, as often as anywhere, would have; a
word that nothing holds counts too, so that a question about something never said finds no memory with all of it.

"What did Anna paint?" is answered by "I painted ...": a transcript gives every message its speaker ("Anna: I painted a
lake"), so the name says who may answer and is the lane of the person. In a question's vector it only draws it to
every message of that speaker, and to every message that greets them; there the question is put as Anna would put it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.small_talk import REQUESTING
from persona_cli.english.tokens import stem
from persona_cli.memory.retrieval.lane_weights import REQUESTS
from persona_cli.memory.retrieval.proposals import asks_proposal
from persona_cli.memory.retrieval.terms import STOP_WORDS, names_in, search_terms, speaker_of
from persona_cli.memory.store import Store
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.records import Kind
from persona_cli.timewords import find_times

Vector = NDArray[np.float32]

_WORD = re.compile(r"\w+")
_HITS = 500  # memories per word: what is in more of them says little, and the shortest of those are here
_TERMS = 200  # words of a question that are looked up: a page that is pasted has thousands, and each takes its time
_UNIQUE = 1.3  # what BM25 makes of one word in a short text, over the word's rarity
_SHARED = 0.7
"""How much of the mean of requests is taken off one. Of 60 requests (tests/data/preferences_dev.txt) 45% had their
preference among the five closest with 0.5 to 1, 38% with none."""
_NAME = re.compile(r"[^\W\d_][\w'’-]*")
_NAMES = 40  # that are looked up: a page that is pasted has hundreds of words that may be names
_OPENINGS = 3  # messages that begin with a name; "Will: " speaks, "Will you come?" does not


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """What is looked for."""

    text: str
    at: datetime
    vector: Vector
    """Of the question; compared with contents."""
    speakers: tuple[str, ...]
    """The speakers of transcripts that it names."""
    first_person: Vector
    """Of the question as those speakers would ask it; compared with messages."""
    keyword_vector: Vector
    """Of the keywords a model searches by; compared with keywords."""
    request: bool
    """It asks for a proposal ("Where should we eat?"): what somebody likes answers it, in other words and unasked."""
    terms: tuple[str, ...]
    hits: Mapping[Kind, Mapping[int, Mapping[str, float]]]
    """BM25 by word, for every memory that holds one, by kind and id."""
    peaks: Mapping[str, float]
    """By word, how much it can count: the best score any memory has for it, or what a unique word would have."""
    left_out: int = 0
    """Words of a pasted page that are not looked up."""
    words: frozenset[str] = field(init=False)
    whole: float = field(init=False)
    """What all the words count together."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(self.terms))
        object.__setattr__(self, "whole", sum(self.peaks.values()))

    def vector_for(self, kind: Kind) -> Vector:
        """Return what the contents of a kind are compared with."""
        return self.first_person if kind is Kind.MESSAGE else self.vector

    def held_by(self, text: str) -> bool:
        """Tell whether a text has any of the words, in any of their forms."""
        stems = {stem(word) for word in search_terms(text)}
        return any(stem(term) in stems for term in self.terms)

    def best(self, kind: Kind, limit: int) -> list[int]:
        """Return the ids with the largest share, best first."""
        shares = [(-sum(held.values()), row_id) for row_id, held in self.hits.get(kind, _NOTHING).items()]
        return [row_id for _, row_id in sorted(shares)[:limit]]


_NOTHING: Mapping[int, Mapping[str, float]] = {}


def prepare(
    store: Store, embedder: Embedder, text: str, at: datetime, *, keywords: str = "", kinds: Collection[Kind]
) -> SearchQuestion:
    """Embed a question and look its words up."""
    # a question mark more or less is no other question: its vector need not be made twice
    texts = [text] if not keywords or _words(keywords) == _words(text) else [text, keywords]
    speakers = speakers_named(store, text) if Kind.MESSAGE in kinds else ()
    first_person = in_first_person(text, speakers)
    # a text costs 1 to 2 ms: for messages alone neither the question as it was asked nor keywords are compared
    content, keyed = (first_person, first_person) if set(kinds) == {Kind.MESSAGE} else (text, texts[-1])
    embedded = list(dict.fromkeys((content, first_person, keyed)))
    vectors = dict(zip(embedded, embedder.embed_query(embedded), strict=True))
    every = search_terms(*(without_times(words, at) for words in texts))
    terms = _ends(every)
    left_out = len(every) - len(terms)
    request = not speakers and asks_proposal(text, vectors[content], embedder.name)
    if request:
        vectors = {words: _off_centre(vector, embedder) for words, vector in vectors.items()}
        terms = tuple(term for term in terms if term not in REQUESTING)
    hits, peaks = _look_up(store, terms, kinds)
    return SearchQuestion(
        text,
        at,
        vectors[content],
        speakers,
        vectors[first_person],
        vectors[keyed],
        request,
        terms,
        hits,
        peaks,
        left_out,
    )


def speakers_named(store: Store, text: str) -> tuple[str, ...]:
    """Return the speakers of transcripts that a question names, folded, in its order."""
    speakers: dict[str, None] = {}
    for word in _possible_names(text)[:_NAMES]:
        for line in store.turns.lines(store.texts.messages_opening(word, _OPENINGS)):
            speaker = speaker_of(line.user)
            if speaker and names_in(speaker, frozenset({word})):
                speakers[speaker] = None
    return tuple(speakers)


def in_first_person(text: str, speakers: Iterable[str]) -> str:
    """Return a question with "I", "my" and "we" in place of those it asks about."""
    names = {part for speaker in speakers for part in (speaker, *speaker.split())}
    if not names:
        return text
    name = "(?:" + "|".join(re.escape(part) for part in sorted(names, key=len, reverse=True)) + ")"
    for pattern, word in (
        (rf"\b{name}(?:['’]s?)?,? (?:and|or) {name}['’]s?(?!\w)", "our"),
        (rf"\b{name},? (?:and|or) {name}\b", "we"),
        (rf"\b{name}['’]s?(?!\w)", "my"),
        (rf"\b{name}\b", "I"),
    ):
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text


def without_times(text: str, at: datetime) -> str:
    """Return a question without its time words: they are a window, not something to look up."""
    for phrase in reversed(find_times(text, at)):
        if not phrase.repeating:
            text = f"{text[: phrase.start]} {text[phrase.end :]}"
    return text


def _off_centre(vector: Vector, embedder: Embedder) -> Vector:
    """Return the vector of a request without most of what all requests share, which is closest to other questions."""
    moved = vector - _SHARED * _mean_request(embedder)
    return np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)


def _mean_request(embedder: Embedder) -> Vector:
    if embedder.name not in _MEANS:
        _MEANS[embedder.name] = np.asarray(embedder.embed_query(REQUESTS).mean(axis=0), dtype=np.float32)
    return _MEANS[embedder.name]


_MEANS: dict[str, Vector] = {}
"""By embedder: 26 sentences take 30 ms, once in a process."""


def _look_up(
    store: Store, terms: tuple[str, ...], kinds: Collection[Kind]
) -> tuple[dict[Kind, dict[int, dict[str, float]]], dict[str, float]]:
    """Return where each word is, with its BM25, by kind and id, and how much each word can count."""
    hits: dict[Kind, dict[int, dict[str, float]]] = {kind: {} for kind in Kind}
    peaks: dict[str, float] = {}
    wanted = None if set(kinds) == set(Kind) else kinds
    for term, places in store.texts.each(terms, wanted, _HITS).items():
        for kind, row_id, score in places:
            hits[kind].setdefault(row_id, {})[term] = score
        if places:
            peaks[term] = places[0][2]
    unheard = _UNIQUE * math.log(2 * store.turns.count() + 2)
    return hits, peaks | {term: unheard for term in terms if term not in peaks}


def _possible_names(text: str) -> tuple[str, ...]:
    """Return the words that may be names, folded: the capitalised ones, or all where nothing is capitalised."""
    words = _NAME.findall(re.sub(r"['’]s\b", "", text))
    chosen = [word for word in words if word[0].isupper()] or words
    folded = dict.fromkeys(word.casefold().strip("'’") for word in chosen)
    return tuple(word for word in folded if len(word) > 1 and word not in STOP_WORDS)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _ends(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands first and last among many words: what is asked about a page stands before or after it."""
    return terms if len(terms) <= _TERMS else (*terms[: _TERMS // 2], *terms[-_TERMS // 2 :])
