"""Old episodes of one topic in one summary: their common keywords, then their titles with dates. No word is new."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from persona_cli.english.forms import capital
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import stem, stems
from persona_cli.model.tasks import SummaryDraft
from persona_cli.records import EpisodicMemory

_KEYWORDS = 8
_NAMED = 2
_QUOTES = 6
_LONGEST = 160
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d [\d:]+ \(\w+\): ")
_TITLE = re.compile(r":? *(?=“)")
_QUOTE = re.compile(r"“([^”]+)”")


def merge_episodes(episodes: Sequence[EpisodicMemory]) -> SummaryDraft:
    """Return the summary of episodes that are of one topic, oldest first, as a person would note it down."""
    keywords = _keywords(episodes)
    named = {word for episode in episodes for word in episode.keywords if word[:1].isupper()}
    told = [_uncapital(best, named) for episode in episodes if (best := _most_telling(episode, keywords))]
    told = _spread(list(dict.fromkeys(told)))
    topic = capital(" and ".join(_common(keywords, episodes)))
    heading = ", ".join(part for part in (topic, _span(episodes[0].started_at, episodes[-1].ended_at)) if part)
    return SummaryDraft(f"{heading}: {'; '.join(told)}{'' if told[-1:] and told[-1].endswith('”') else '.'}", keywords)


def _span(start: datetime, end: datetime) -> str:
    """Return the time of a topic: "March 2024", "March to May 2024", "March 2024 to May 2025"."""
    if (start.year, start.month) == (end.year, end.month):
        return f"{start:%B %Y}"
    return f"{start:%B}{'' if start.year == end.year else f' {start.year}'} to {end:%B %Y}"


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
    shared = tuple(word for word in keywords if counts[stem(word)] > 1) or keywords[:1]
    return shared[:1] if shared and shared[0][0].isupper() else shared[:_NAMED]


def _uncapital(text: str, named: set[str]) -> str:
    """Return a title for the middle of a sentence: with its capital only where that is of a name."""
    first = re.split(r"\W", text, maxsplit=1)[0]
    return text if first in named or first.isupper() else text[:1].lower() + text[1:]


def _most_telling(episode: EpisodicMemory, keywords: tuple[str, ...]) -> str:
    """Return what tells most of an episode: its title, or where that only lists words what was said."""
    title = _TITLE.split(_STAMP.sub("", episode.summary), maxsplit=1)[0].strip()
    quotes = _QUOTE.findall(episode.summary)
    listed = {word.casefold() for word in episode.keywords}
    if quotes and (not title or set(title.casefold().split(", ")) <= listed):
        return f"“{_shortened(_best(quotes, keywords))}”"
    found = sentences(title)
    return _shortened(title if len(found) < 2 else _best(found, keywords)).rstrip(".") if found else ""


def _best(texts: Sequence[str], keywords: tuple[str, ...]) -> str:
    wanted = {stem(word) for word in keywords}
    return max(texts, key=lambda text: len(stems(text) & wanted)).strip()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]}…"


def _spread(told: list[str]) -> list[str]:
    """Return some of many, the first and the last among them, evenly between."""
    if len(told) <= _QUOTES:
        return told
    return [told[round(place * (len(told) - 1) / (_QUOTES - 1))] for place in range(_QUOTES)]
