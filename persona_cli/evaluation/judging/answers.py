"""Judging without a judge: whether the words of a gold answer are in a reply, and how many (LoCoMo's F1).

It is stricter than a judge where a reply says the same in other words, and laxer where it says the words and more. What
it is good for: no server is needed, the same reply gets the same mark, and tiny sets can be marked by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from persona_cli.english.tokens import stem, stems, supported, word_stems, words

COVERED = 0.6
"""Share of the words of a point that a memory must have to be it: names and persons differ ("Mara", "you", "I")."""
_ARTICLES = frozenset(("a", "an", "the", "and"))
_UNKNOWN = (
    re.compile(r"\b(?:do|does)(?:n['’]?t| not) (?:know|have)\b", re.I),
    re.compile(r"\bno (?:information|mention|record|idea)\b|\bnothing you told\b", re.I),
    re.compile(
        r"\b(?:not|never|haven['’]?t|hasn['’]?t|wasn['’]?t) (?:been )?(?:told|said|mentioned|specified)\b", re.I
    ),
    re.compile(r"\b(?:not sure|can(?:no|['’])t say) (?:that )?I was told\b", re.IGNORECASE),
)
"""How a reply says that it was never told."""


def says_unknown(reply: str) -> bool:
    """Tell whether a reply says that it was never told."""
    return not reply.strip() or any(form.search(reply) for form in _UNKNOWN)


def contains(reply: str, gold: str) -> bool:
    """Tell whether all words of the gold answer that carry meaning are in the reply, in any form of them."""
    wanted = stems(gold) or word_stems(gold)
    if not wanted:
        return False
    # "No, I am retired" answers "no": the first word of a yes or no is looked at by itself
    verdict = next(iter(words(gold.casefold())), "")
    if verdict in ("yes", "no"):
        other = {"yes": "no", "no": "yes"}[verdict]
        return next(iter(words(reply.casefold())), "") != other and supported(wanted - {verdict}, reply) == wanted - {
            verdict
        }
    return supported(wanted, reply) == wanted


def f1(reply: str, gold: str) -> float:
    """Return the F1 of stemmed words without articles, as LoCoMo scores; a gold list by commas is its own affair."""
    said, wanted = Counter(_plain(reply)), Counter(_plain(gold))
    common = (said & wanted).total()
    if not common:
        return 0.0
    precision, recall = common / said.total(), common / wanted.total()
    return 2 * precision * recall / (precision + recall)


def covers(memory: str, point: str) -> float:
    """Return the share of a point's words that a memory has."""
    wanted = stems(point)
    return len(supported(wanted, memory)) / len(wanted) if wanted else 0.0


def held(point: str, memories: Iterable[str]) -> bool:
    """Tell whether one of the memories is the point."""
    return any(covers(memory, point) >= COVERED for memory in memories)


def rests_on(memory: str, sources: Collection[str]) -> bool:
    """Tell whether what a memory says stands in one of its possible sources."""
    return any(covers(source, memory) >= COVERED for source in sources)


def stale(memories: Iterable[str], new: str, former: Iterable[str]) -> bool:
    """Tell whether a memory still says what held before, and not the new."""
    olds = tuple(former)
    for memory in memories:
        now = covers(memory, new)
        if any((before := covers(memory, old)) >= COVERED and before > now for old in olds):
            return True
    return False


def _plain(text: str) -> list[str]:
    return [stem(word) for word in words(text.replace(",", "")) if word.casefold() not in _ARTICLES]
