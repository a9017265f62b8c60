"""Which old episodes are of one topic: closeness of what was said, a word they share, and no other name. Pure.

A false merge is worse than a missed one, so each of the three must hold. Closeness is measured with what all of a
person's episodes have in common taken out: everybody's talk is alike in being their talk. The thresholds come from
two years of made-up conversations and from real ones (benchmarks/LOG.md): episodes of different topics reach 0.38
there, those of one topic have 0.56 in the mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import names, negative, stem, stemmed, stems, words
from persona_cli.errors import Interrupted
from persona_cli.model.tasks import Stop

CLOSE = 0.5
"""Mean cosine between two groups of episodes from which they can be one topic."""
LEAST_CLOSE = 0.3
"""Cosine that any two episodes of a topic must have."""
LEAST_ALIKE = 0.4
"""The same before what all episodes have in common is taken out."""
SHARED = 0.75
"""Share of a topic's episodes that must have its word."""
MOST = 12
"""Episodes of one summary: more of a topic begin another."""

_COMMON = 0.25  # share of all episodes from which a word tells no topic
_ANYWAY = 5  # episodes that a word may always be in
_DAMPING = 10  # episodes as many as which count as having nothing in common
_VERY_CLOSE = 0.6  # from where on one shared word makes a topic of two episodes, below that it takes two
_LONG = 4  # turns from which two episodes are worth a summary
_UNTELLING = stemmed("talking") | stemmed("asking") | stemmed("topicless")

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeTalk:
    """What is known of one episode: its keywords, what the user said in it, and the mean vector of that."""

    id: int
    keywords: tuple[str, ...]
    said: tuple[str, ...]
    vector: Vector
    """Of length 1."""
    group: int | None = None
    """The summary it is part of already."""


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes of one topic."""

    ids: tuple[int, ...]
    into: int | None = None
    """The summary that some of them are part of already."""


def find_groups(talks: Sequence[EpisodeTalk], stop: Stop = lambda: False) -> tuple[Group, ...]:
    """Return the topics worth a summary, by their first episode: of three episodes, or of two long ones.

    Summaries that are there only grow. Asked again with what it returned merged, it returns the same. Raises
    `Interrupted` once `stop` returns True: 1,500 episodes take some seconds.
    """
    found: tuple[Group, ...] = ()
    while len(talks) > 1:
        ground = _Ground(talks, stop)
        groups = [group for part in ground.components() for group in _grown(part, ground, stop)]
        worth = [sorted(group) for group in groups if len(group) > 1 and ground.is_worth_it(group)]
        again = tuple(Group(tuple(group), ground.into(group)) for group in sorted(worth))
        if [group.ids for group in again] == [group.ids for group in found]:
            break
        # what made no topic with each other may be of one that others have made
        found = again
        home = {row: group.into or -place for place, group in enumerate(found, 1) for row in group.ids}
        talks = [replace(talk, group=home.get(talk.id, talk.group)) for talk in talks]
    return tuple(replace(group, into=group.into if (group.into or 0) > 0 else None) for group in found)


def go_on(stop: Stop) -> bool:
    """Return True, to be asked between two steps; raises `Interrupted` once `stop` returns True."""
    if stop():
        raise Interrupted("The tidying was interrupted; nothing was changed.")
    return True


def _grown(groups: list[list[int]], ground: _Ground, stop: Stop) -> list[list[int]]:
    """Join the two closest groups until none are of one topic."""
    groups = list(groups)
    alive = set(range(len(groups)))
    scores: dict[tuple[int, int], float] = {}

    def compare(one: int, other: int) -> None:
        if score := ground.closeness(groups[one], groups[other]):
            scores[one, other] = score

    for one, others in ground.beside(groups).items():
        go_on(stop)
        for other in others:
            if one < other:
                compare(one, other)
    while scores:
        go_on(stop)
        (one, other), _ = max(scores.items(), key=lambda pair: (pair[1], pair[0]))
        groups.append(sorted(groups[one] + groups[other]))
        alive -= {one, other}
        scores = {pair: score for pair, score in scores.items() if not {one, other} & set(pair)}
        for place in alive:
            compare(place, len(groups) - 1)
        alive.add(len(groups) - 1)
    return [groups[place] for place in sorted(alive)]


class _Ground:
    """What episodes are compared by: their vectors less what all share, the words that can tell a topic, names."""

    def __init__(self, talks: Sequence[EpisodeTalk], stop: Stop) -> None:
        self._talks = {talk.id: talk for talk in talks}
        self._place = {talk.id: place for place, talk in enumerate(talks)}
        vectors = np.stack([talk.vector for talk in talks])
        centred = vectors - vectors.sum(axis=0) / (len(talks) + _DAMPING)
        centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        self._alike = vectors @ vectors.T
        self._close = centred @ centred.T
        said = {talk.id: _said(talk) for talk in talks if go_on(stop)}
        spread = Counter(word for counts in said.values() for word in counts)
        most = max(_ANYWAY, _COMMON * len(talks))
        self._words = {
            talk.id: {
                word
                for word, count in said[talk.id].items()
                if (count > 1 or word in _stems(talk.keywords)) and spread[word] <= most and word not in _UNTELLING
            }
            for talk in talks
        }
        self._stands = {talk.id: _stands(talk) for talk in talks if go_on(stop)}
        self._names = {
            talk.id: {name for text in talk.said for name in map(stem, names(text)) if spread[name] <= most}
            for talk in talks
            if go_on(stop)
        }

    def components(self) -> Iterator[list[list[int]]]:
        """Yield what can be of one topic at all, as groups to begin with: summaries whole, other episodes alone."""
        summed: dict[int, list[int]] = {}
        alone = []
        for talk in self._talks.values():
            if talk.group is not None:
                summed.setdefault(talk.group, []).append(talk.id)
            elif self._words[talk.id]:
                alone.append([talk.id])
        groups = [sorted(group) for group in summed.values()] + alone
        beside = self.beside(groups)
        waiting = set(range(len(groups)))
        while waiting:
            part, reached = [], [waiting.pop()]
            while reached:
                place = reached.pop()
                part.append(groups[place])
                reached += beside[place] & waiting
                waiting -= beside[place]
            yield sorted(part)

    def beside(self, groups: list[list[int]]) -> dict[int, set[int]]:
        """Return by the place of each group which others have an episode that is close to one of its own."""
        home = {self._place[row]: place for place, group in enumerate(groups) for row in group}
        found = {}
        for place, group in enumerate(groups):
            close = np.flatnonzero((self._close[[self._place[row] for row in group]] >= CLOSE).any(axis=0))
            found[place] = {home[other] for other in close.tolist() if other in home} - {place}
        return found

    def closeness(self, one: list[int], other: list[int]) -> float:
        """Return the mean cosine of two groups that can be one topic; 0 where they cannot."""
        close = self._block(self._close, one, other)
        mean = float(close.mean())
        if mean < CLOSE or close.min() < LEAST_CLOSE or self._block(self._alike, one, other).min() < LEAST_ALIKE:
            return 0.0
        both = one + other
        if len(both) > MOST or (self.into(one) is not None and self.into(other) is not None):
            return 0.0
        mine, theirs = self._named(one), self._named(other)
        if mine and theirs and not mine & theirs:
            return 0.0
        topic = self.topic(both)
        agreed = len(topic) > 1 or (len(topic) == 1 and (len(both) > 2 or mean >= _VERY_CLOSE))
        return mean if agreed and not self._at_odds(one, other, topic) else 0.0

    def topic(self, ids: list[int]) -> tuple[str, ...]:
        """Return the stems that nearly all of the episodes have, the commonest first."""
        counts = Counter(word for row in ids for word in self._words[row])
        return tuple(word for word, count in sorted(counts.items(), key=_often) if count >= SHARED * len(ids))

    def is_worth_it(self, ids: list[int]) -> bool:
        """Tell whether so many episodes, or so long ones, are better told as one."""
        return len(ids) > 2 or self.into(ids) is not None or all(len(self._talks[row].said) >= _LONG for row in ids)

    def into(self, ids: list[int]) -> int | None:
        """Return the summary that some of the episodes are part of already."""
        return next((group for row in ids if (group := self._talks[row].group) is not None), None)

    def _at_odds(self, one: list[int], other: list[int], topic: Sequence[str]) -> bool:
        """Tell whether a word of the topic is only denied in one group and only affirmed in the other."""
        stands = [[set().union(*(self._stands[row][sign] for row in ids)) for sign in (0, 1)] for ids in (one, other)]
        (yes, no), (their_yes, their_no) = stands
        return any(
            (word in no - yes and word in their_yes - their_no) or (word in yes - no and word in their_no - their_yes)
            for word in topic
        )

    def _named(self, ids: list[int]) -> set[str]:
        counts = Counter(name for row in ids for name in self._names[row])
        return {name for name, count in counts.items() if 2 * count >= len(ids)}

    def _block(self, matrix: Vector, one: list[int], other: list[int]) -> Vector:
        return matrix[np.ix_([self._place[row] for row in one], [self._place[row] for row in other])]


def _often(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _said(talk: EpisodeTalk) -> Counter[str]:
    """Return in how many turns of an episode each stem occurs."""
    return Counter(word for text in talk.said for word in stems(text) if len(word) > 2)


def _stands(talk: EpisodeTalk) -> tuple[set[str], set[str]]:
    """Return the stems of what an episode affirms, and of what it denies."""
    affirmed: set[str] = set()
    denied: set[str] = set()
    for sentence in (one for text in talk.said for one in sentences(text)):
        (denied if negative(sentence) else affirmed).update(stems(sentence))
    return affirmed, denied


def _stems(keywords: Sequence[str]) -> set[str]:
    return {stem(word) for keyword in keywords for word in words(keyword)}
