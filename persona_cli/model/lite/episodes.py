"""Topics of a closed session: cut where the talk turns to something else, merged where it comes back to it.

TextTiling (Hearst 1997) with sentence embeddings: the likeness of what stands before and after each gap has a
valley where the topic changes. Each topic gets a title, the user's own words for it, and keywords.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.forms import capital
from persona_cli.english.lexicon import words as word_set
from persona_cli.english.sentences import sentences
from persona_cli.model.lite.acts import Act, act_of, announces
from persona_cli.model.lite.facts import find_facts
from persona_cli.model.lite.relevance import Embed
from persona_cli.model.lite.titles import entitle
from persona_cli.model.lite.words import content_words, stem, tokens
from persona_cli.model.tasks import EpisodeDraft
from persona_cli.records import Turn
from persona_cli.timewords import find_times

SAME_TOPIC = 0.30
"""Cosine between two stretches of talk from which they are one topic (MiniLM; unrelated small talk stays under 0.2)."""
_WINDOW = 2
_QUOTED = 2
_KEYWORDS = 8
_NAMED = 4
_TALK = word_set(
    "yes yeah no good great nice thank thanks sure okay ok hello hi hey well really lot today tomorrow yesterday"
    " tonight morning afternoon evening friend advice suggestion suggestions idea recently lately talk chat right"
    " course"
)
"""Words of the conversation itself: every session has them, none is its topic."""


def summarize_episodes(turns: Sequence[Turn], embed: Embed) -> tuple[EpisodeDraft, ...]:
    """Return the topics of a session, in order of their first turn; every turn belongs to exactly one."""
    if not turns:
        return ()
    vectors = embed([_spoken(turn) for turn in turns])
    groups = _merged(_segments(vectors), vectors)
    return tuple(_draft(turns, group, vectors) for group in groups)


def _spoken(turn: Turn) -> str:
    return f"{turn.user} {turn.answer[:200]}".strip() or "a picture"


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


def _draft(turns: Sequence[Turn], group: list[int], vectors: NDArray[np.float32]) -> EpisodeDraft:
    facts = [fact for place in group for fact in find_facts(turns[place].user, turns[place].at)]
    keywords = _keywords(turns, group, {fact.subject for fact in facts})
    centre = _mean(vectors[group])
    told = [
        (place, sentence)
        for place in group
        for sentence in sentences(turns[place].user)
        if act_of(sentence) is Act.STATEMENT and len(content_words(sentence)) > 1
    ]
    best = sorted(told, key=lambda one: -_weight(one[1], keywords, float(vectors[one[0]] @ centre)))[:_QUOTED]
    title = entitle(facts, turns[group[0]].at)
    quotes = [sentence for _, sentence in sorted(best, key=told.index) if not _says(title, sentence)]
    return EpisodeDraft(_summary(turns[group[0]], title, keywords, quotes), keywords, tuple(group))


def _summary(first: Turn, title: str, keywords: tuple[str, ...], quotes: Sequence[str]) -> str:
    """Return a heading and the user's own words; when it was is shown beside it everywhere."""
    topic = ", ".join(keywords[:_NAMED])
    if not title and not quotes:
        asked = any(act_of(one) is Act.QUESTION for one in sentences(first.user))
        if topic and asked:
            return f"Asked about {topic}."
        return "Showed a picture." if first.images else "Small talk."
    heading = title or (capital(topic) if topic else "Said")
    said = " ".join(f"“{quote}”" for quote in quotes)
    return f"{heading}: {said}" if said else f"{heading}."


def _says(title: str, sentence: str) -> bool:
    """Tell whether a title says all that a sentence does."""
    words = {stem(word) for word in _telling(sentence, datetime(2000, 1, 1))}
    return bool(title) and words <= {stem(word) for word in content_words(title)}


def _keywords(turns: Sequence[Turn], group: list[int], named: Collection[str]) -> tuple[str, ...]:
    """Return the words the topic is about, most telling first: said often here, names, and rarely elsewhere."""
    here = [word for place in group for word in _telling(turns[place].user, turns[place].at, named)]
    counts = Counter(stem(word) for word in here)
    elsewhere = Counter(
        stem(word)
        for place, turn in enumerate(turns)
        if place not in group
        for word in _telling(turn.user, turn.at, named)
    )
    shown: dict[str, str] = {}
    for word in here:
        shown.setdefault(stem(word), word if word[0].isupper() and not word.isupper() else word.lower())
    order = {short: place for place, short in enumerate(shown)}
    ranked = sorted(
        counts, key=lambda short: (-(counts[short] + shown[short][0].isupper()) / (1 + elsewhere[short]), order[short])
    )
    return tuple(shown[short] for short in ranked[:_KEYWORDS])


def _telling(text: str, at: datetime, named: Collection[str] = ()) -> list[str]:
    """Return the words that can name a topic, no time words; a first word is a name only where it is one of `named`."""
    found = []
    for phrase in reversed(find_times(text, at)):
        text = f"{text[: phrase.start]} {text[phrase.end :]}"
    for sentence in sentences(text):
        words = content_words(sentence)
        first = next(iter(tokens(sentence)), "")
        found += [
            word.lower() if word == first and word not in named else word for word in words if word.lower() not in _TALK
        ]
    return found


def _weight(sentence: str, keywords: tuple[str, ...], likeness: float) -> float:
    words = {stem(word) for word in content_words(sentence)}
    if announces(sentence) or re.search(r"\byou(?:r|['’]re)?\b", sentence, re.I):
        likeness -= 0.4  # said to the assistant, not of a life
    shared = len(words & {stem(word) for word in keywords})
    return likeness + 0.15 * shared - 0.002 * max(0, len(sentence) - 120)
