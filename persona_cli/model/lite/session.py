"""Topics of a closed session: cut where the talk turns to something else, merged where it comes back to it.

TextTiling (Hearst 1997) with sentence embeddings: the likeness of what stands before and after each gap has a
valley where the topic changes. Each topic gets keywords and what weighs most of it, in the person's own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.forms import capital
from persona_cli.english.tokens import stem, telling_words, words
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.phrases import words_of
from persona_cli.model.lite.read import said_plainly, states
from persona_cli.model.tasks import EpisodeDraft
from persona_cli.reading.statement import Statement
from persona_cli.records import Turn
from persona_cli.timewords import find_times

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

SAME_TOPIC = 0.30
"""Cosine between two stretches of talk from which they are one topic (MiniLM; unrelated small talk stays under 0.2)."""
_WINDOW = 2
_QUOTED = 2
_KEYWORDS = 8
_NAMED = 3


def summarize_episodes(turns: Sequence[Turn], listener: Listener, embed: Embed) -> tuple[EpisodeDraft, ...]:
    """Return the topics of a session, in order of their first turn; every turn belongs to exactly one."""
    if not turns:
        return ()
    vectors = embed([f"{turn.user} {turn.answer[:200]}".strip() or "a picture" for turn in turns])
    read = [listener.read(turn.user, turns[:place]) for place, turn in enumerate(turns)]
    telling = [tuple(_telling(turn)) for turn in turns]
    return tuple(_draft(turns, read, telling, group) for group in _merged(_segments(vectors), vectors))


def _segments(vectors: NDArray[np.float32]) -> list[list[int]]:
    """Cut where the turns before and after a gap have little in common."""
    segments = [[0]]
    for gap in range(1, len(vectors)):
        before = _mean(vectors[max(0, gap - _WINDOW, segments[-1][0]) : gap])
        after = vectors[gap]
        if float(before @ after) < SAME_TOPIC:
            segments.append([])
        segments[-1].append(gap)
    return segments


def _merged(segments: list[list[int]], vectors: NDArray[np.float32]) -> list[list[int]]:
    """Join the two likest groups until none are alike: people come back to a topic."""
    groups = [list(segment) for segment in segments]
    while len(groups) > 1:
        means = np.stack([_mean(vectors[group]) for group in groups])
        likeness = means @ means.T - 2 * np.eye(len(groups), dtype=np.float32)
        one, other = sorted(int(place) for place in np.unravel_index(int(likeness.argmax()), likeness.shape))
        if float(likeness[one, other]) < SAME_TOPIC + 0.1:
            break
        groups[one] = sorted(groups[one] + groups.pop(other))
    return sorted(groups)


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


def _draft(
    turns: Sequence[Turn], read: Sequence[tuple[Statement, ...]], telling: Sequence[tuple[str, ...]], group: list[int]
) -> EpisodeDraft:
    keywords = _keywords(telling, read, group)
    told = [statement for place in group for statement in read[place] if states(statement)]
    best = sorted(told, key=lambda one: -(one.worth[1] + 2 * one.worth[2] + 3 * one.worth[3]))[:_QUOTED]
    quotes = [said_plainly(statement) for statement in told if statement in best]
    return EpisodeDraft(_summary(turns[group[0]], read[group[0]], keywords, quotes), keywords, tuple(group))


def _summary(first: Turn, statements: Sequence[Statement], keywords: tuple[str, ...], quotes: Sequence[str]) -> str:
    """Return a heading and the person's own words; when it was is shown beside it everywhere."""
    topic = ", ".join(keywords[:_NAMED])
    if quotes:
        said = " ".join(f"“{quote}”" for quote in quotes)
        return f"{capital(topic)}: {said}" if topic else said
    if topic and any(statement.asked is not None for statement in statements):
        return f"Asked about {topic}."
    return f"{capital(topic)}." if topic else "Showed a picture." if first.images else "Small talk."


def _keywords(
    telling: Sequence[tuple[str, ...]], read: Sequence[tuple[Statement, ...]], group: list[int]
) -> tuple[str, ...]:
    """Return the words the topic is about, most telling first: said often here, named, and rarely elsewhere."""
    named = {stem(word) for place in group for one in read[place] for span in one.spans for word in words(span.text)}
    here = [word for place in group for word in telling[place]]
    counts = Counter(stem(word) for word in here)
    elsewhere = Counter(stem(word) for place, told in enumerate(telling) if place not in group for word in told)
    written: dict[str, str] = {}
    for word in here:
        written.setdefault(stem(word), word)
    order = {short: place for place, short in enumerate(written)}
    ranked = sorted(
        counts, key=lambda short: (-(counts[short] + (short in named)) / (1 + elsewhere[short]), order[short])
    )
    return tuple(written[short] for short in ranked[:_KEYWORDS])


def _telling(turn: Turn) -> Iterator[str]:
    """Yield the words of a message that can name a topic, no time words."""
    text = turn.user[:4_000]
    for phrase in reversed(find_times(text, turn.at)):
        text = f"{text[: phrase.start]} {text[phrase.end :]}"
    yield from (word for word in telling_words(text) if word.casefold() not in words_of("small_words"))
