"""Old episodes of one topic in one summary: their dates, common keywords and sentences of theirs. No word is new."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from persona_cli.model.lite.words import content_words, sentences, stem
from persona_cli.model.tasks import SummaryDraft
from persona_cli.records import EpisodicMemory

_KEYWORDS = 8
_NAMED = 4
_QUOTES = 6
_LONGEST = 160
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d [\d:]+ \(\w+\): ")
_QUOTE = re.compile(r"“([^”]+)”")


def merge_episodes(episodes: Sequence[EpisodicMemory]) -> SummaryDraft:
    """Return the summary of episodes that are of one topic, oldest first."""
    keywords = _keywords(episodes)
    told = [(episode, best) for episode in episodes if (best := _most_telling(episode, keywords))]
    quotes = " ".join(f"{episode.started_at:%Y-%m-%d} “{best}”" for episode, best in _spread(told))
    topic = ", ".join(_common(keywords, episodes))
    said = f" about {topic}" if topic else ""
    days = f"{episodes[0].started_at:%Y-%m-%d} to {episodes[-1].ended_at:%Y-%m-%d}"
    return SummaryDraft(f"{days}: the user talked{said}: {quotes}".removesuffix(": "), keywords)


def _keywords(episodes: Sequence[EpisodicMemory]) -> tuple[str, ...]:
    """Return the keywords that most episodes have, in the form that comes first."""
    counts: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for episode in episodes:
        counts.update({stem(word) for word in episode.keywords})
        for word in episode.keywords:
            shown.setdefault(stem(word), word)
    order = list(shown)
    ranked = sorted(counts, key=lambda short: (-counts[short], order.index(short)))
    return tuple(shown[short] for short in ranked[:_KEYWORDS])


def _common(keywords: tuple[str, ...], episodes: Sequence[EpisodicMemory]) -> tuple[str, ...]:
    """Return the keywords that more than one episode has, else the first: what the topic is called."""
    counts = Counter(short for episode in episodes for short in {stem(word) for word in episode.keywords})
    return tuple(word for word in keywords if counts[stem(word)] > 1)[:_NAMED] or keywords[:1]


def _most_telling(episode: EpisodicMemory, keywords: tuple[str, ...]) -> str:
    """Return the sentence of an episode that has most of the keywords; what it quotes before what is told of it."""
    summary = _STAMP.sub("", episode.summary)
    wanted = {stem(word) for word in keywords}
    found = [quote.strip() for quote in _QUOTE.findall(summary)] or sentences(summary)
    best = max(found, key=lambda one: len({stem(word) for word in content_words(one)} & wanted), default="")
    return best if len(best) <= _LONGEST else f"{best[:_LONGEST].rsplit(' ', 1)[0]}…"


def _spread(told: list[tuple[EpisodicMemory, str]]) -> list[tuple[EpisodicMemory, str]]:
    """Return some of many, the first and the last among them, evenly between."""
    if len(told) <= _QUOTES:
        return told
    return [told[round(place * (len(told) - 1) / (_QUOTES - 1))] for place in range(_QUOTES)]
