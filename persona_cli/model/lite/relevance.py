"""Whether what was told answers a question: the decision on which "I don't know that yet" rests.

Three questions, in order. Does it speak of what is asked about (every entity)? Does it have the shape of the slot
asked for? Is it close enough in meaning and words? The first two are hard: embeddings alone put "your brother
is called Tom" next to a question for the sister's name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.questions import Form, Question
from persona_cli.model.lite.slots import dislikes
from persona_cli.model.lite.words import EXCLUSIVE, KINDS, covers, kinds_of, stem
from persona_cli.records import Window

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

ENOUGH = 0.55
"""Score from which something told is given as an answer."""
SAME_WORD = 0.62
"""Cosine from which two words are taken for one meaning ("film", "cinema")."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something told, with how well it answers."""

    told: Told
    score: float


def rank(question: Question, told: Sequence[Told], embed: Embed) -> tuple[Match, ...]:
    """Return what answers the question, best first; empty when nothing does."""
    allowed = [
        one for one in told if _speaks_of(question, one) and _has_shape(question, one) and _in_time(question, one)
    ]
    if not allowed:
        return ()
    vectors = embed([question.text, *(one.content for one in allowed)])
    cosines = vectors[1:] @ vectors[0]
    meanings = _Meanings(embed)
    matches = [
        Match(one, _score(question, one, float(cosine), meanings)) for one, cosine in zip(allowed, cosines, strict=True)
    ]
    return tuple(sorted((m for m in matches if m.score >= ENOUGH), key=lambda m: -m.score))


def _may_answer(question: Question, told: Told) -> bool:
    return _speaks_of(question, told) and _has_shape(question, told) and _in_time(question, told)


def _speaks_of(question: Question, told: Told) -> bool:
    words = told.stems | ({stem(told.subject)} if told.subject else frozenset())
    if not all(covers(entity, words) for entity in question.entities):
        return False
    if not question.entities and question.personal and question.form is not Form.WHO:
        return _about_user(told)
    return True


def _about_user(told: Told) -> bool:
    """Tell whether a fact is the user's own: a question without a name in it is not about their sister's job."""
    if told.subject:
        return told.subject.lower() in {"user", "i", "me"} or stem(told.subject.split()[-1]) not in EXCLUSIVE
    first = told.content.split(" ", 4)[:4]
    opening = {stem(word.rstrip(",.")) for word in first}
    starts_with_my = first[0].lower() in {"my", "our"} or told.content.lower().startswith("the user's")
    return not (starts_with_my and opening & (_PEOPLE))


_PEOPLE = KINDS["relative"] | KINDS["colleague"] | KINDS["friend"] | {"friend", "colleague"}


def _has_shape(question: Question, told: Told) -> bool:
    if question.slot is None:
        return True
    if not question.slot.told.search(told.content):
        return False
    if question.slot.name == "likes":
        wants = dislikes(question.text)
        return question.form is Form.YES_NO or dislikes(told.content) == wants
    return True


def _in_time(question: Question, told: Told) -> bool:
    if question.time is None:
        return True
    window = question.time.wide
    if told.event is not None:
        return _overlap(window, told.event)
    return told.at is not None and told.at in window


def _overlap(one: Window, other: Window) -> bool:
    starts_before = other.start is None or one.end is None or other.start < one.end
    ends_after = other.end is None or one.start is None or other.end > one.start
    return starts_before and ends_after


def _score(question: Question, told: Told, cosine: float, meanings: _Meanings) -> float:
    topic = [stem(word) for word in question.topic]
    hits = [1.0 if covers(word, told.stems) else 0.0 for word in topic]
    for at, word in enumerate(question.topic):
        if not hits[at]:
            hits[at] = meanings.likeness(word, told)
    coverage = sum(hits) / len(hits) if hits else None
    score = cosine
    if coverage is None:
        score += 0.3 if question.slot or question.entities or question.time else 0.1
    else:
        score += 0.5 * coverage - 0.2
    if question.slot is not None:
        score += 0.1
    return score


class _Meanings:
    """Likeness of single words, embedded once each."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, NDArray[np.float32]] = {}

    def likeness(self, word: str, told: Told) -> float:
        """Return 0.8 where a word of what was told means the same as `word`, else 0."""
        others = sorted(told.stems)
        missing = [one for one in (word.lower(), *others) if one not in self._known]
        if missing:
            self._known.update(zip(missing, self._embed(missing), strict=True))
        if kinds_of(stem(word)) or not others:
            return 0.0
        best = max(float(self._known[word.lower()] @ self._known[other]) for other in others)
        return 0.8 if best >= SAME_WORD else 0.0
