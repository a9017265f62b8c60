"""Old episodes of one topic in one summary: their common keywords, then their titles with dates. No word is new."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from persona_cli.model.lite.persons import capital
from persona_cli.model.lite.words import content_words, sentences, stem
from persona_cli.model.tasks import SummaryDraft
from persona_cli.records import EpisodicMemory

_KEYWORDS = 8
_NAMED = 4
_QUOTES = 6
_LONGEST = 160
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d [\d:]+ \(\w+\): ")
_TITLE = re.compile(r":? *(?=“)")
_QUOTE = re.compile(r"“([^”]+)”")


def merge_episodes(episodes: Sequence[EpisodicMemory]) -> SummaryDraft:
    """Return the summary of episodes that are of one topic, oldest first."""
    keywords = _keywords(episodes)
    told = [(episode, best) for episode in episodes if (best := _most_telling(episode, keywords))]
    dated = " ".join(f"{episode.started_at:%Y-%m-%d} {best}" for episode, best in _spread(told))
    topic = capital(", ".join(_common(keywords, episodes)))
    return SummaryDraft(f"{topic}: {dated}" if topic else dated, keywords)


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
    """Return what tells most of an episode: its title, or where that only lists words what was said."""
    title = _TITLE.split(_STAMP.sub("", episode.summary), maxsplit=1)[0].strip()
    quotes = _QUOTE.findall(episode.summary)
    listed = {word.casefold() for word in episode.keywords}
    if quotes and (not title or set(title.casefold().split(", ")) <= listed):
        return f"“{_shortened(_best(quotes, keywords))}”"
    found = sentences(title)
    return _shortened(title if len(found) < 2 else _best(found, keywords)).rstrip(".") + "." if found else ""


def _best(texts: Sequence[str], keywords: tuple[str, ...]) -> str:
    wanted = {stem(word) for word in keywords}
    return max(texts, key=lambda text: len({stem(word) for word in content_words(text)} & wanted)).strip()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]}…"


def _spread(told: list[tuple[EpisodicMemory, str]]) -> list[tuple[EpisodicMemory, str]]:
    """Return some of many, the first and the last among them, evenly between."""
    if len(told) <= _QUOTES:
        return told
    return [told[round(place * (len(told) - 1) / (_QUOTES - 1))] for place in range(_QUOTES)]
