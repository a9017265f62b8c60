"""Whose a fact is: the user's own, or that of somebody of theirs, by whatever name a model gave its subject."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from persona_cli.english.kept_texts import kept
from persona_cli.english.lexicon import PEOPLE, tables, word_class
from persona_cli.english.tokens import stem, word_stems

USER = "user"
SOMEBODY = "somebody"
"""Whose a fact is of which nobody can say whose it is."""
_NAMED = re.compile(
    r"^(?!The |This |That |There |It |\w+ing )(?P<name>[A-Z][\w-]+)(?: [A-Z][\w-]+)?\s+(?:is|has"
    r"|was|\w+s)\b(?!.*\buser\b)"
)
_FRONT = re.compile(r"^(?:[\w ]+,\s+)?")


def kin(word: str) -> str:
    """Return one word for all that mean the same relative: "mum" is "mother"."""
    word = word.casefold()
    return _one_relative().get(word, word)


def full_names(name: str) -> frozenset[str]:
    """Return the names that one may be short for, itself among them, in small letters: "Lex" is "alexander" too."""
    return frozenset((name.casefold(), *_nicknames().get(name.casefold(), ())))


def unsaid_attributes(content: str, said: str) -> frozenset[str]:
    """Return the stems of what a sentence says a value is to somebody, a job or a home, and `said` does not."""
    return _unsaid(_attributes(), content, said)


def unsaid_relatives(content: str, said: str) -> frozenset[str]:
    """Return the stems of who a sentence says somebody is, a sister or a friend, and `said` does not."""
    return _unsaid(_relatives(), content, said)


def other_names(subject: str) -> tuple[str, ...]:
    """Return a subject with the other words for the same relative: "my mum", "my mother", "my mom"."""
    words = subject.split()
    last = kin(words[-1]) if words else ""
    same = (word for word in _one_relative() if kin(word) == last)
    return tuple(dict.fromkeys((subject, *(" ".join([*words[:-1], word]) for word in (last, *same)))))


def holder(content: str, subject: str = USER) -> frozenset[str]:
    """Return the words that say whose a fact is: empty for the user's own, else names and roles in small letters."""
    told = _of_content(content)
    if subject.casefold() in (USER, "the user", ""):
        return told
    if re.match(r"The user (?!['’])", content):
        return frozenset()  # "the user adopted a dog named Rex" is of the user's doing, though of Rex too
    named = {kin(word) for word in re.findall(r"[\w-]+", re.sub(r"(?i)^(?:my|the user['’]s|our)\s+", "", subject))}
    return frozenset(named | told if named & told else named)


def same_holder(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two facts are of one person: both the user's, or with a name, its short form or a role in common."""
    return one == other or bool(_all_names(one) & _all_names(other))


def _all_names(holders: frozenset[str]) -> frozenset[str]:
    return frozenset(name for holder_ in holders for name in full_names(holder_))


@cache
def _one_relative() -> dict[str, str]:
    lines = (line.split() for line in tables("people")["one_relative"].strip().splitlines())
    return {other: word for word, *others in lines for other in others}


def _unsaid(alikes: Sequence[frozenset[str]], content: str, said: str) -> frozenset[str]:
    there, spoken = word_stems(content), word_stems(said)
    return frozenset().union(*(there & alike for alike in alikes if spoken.isdisjoint(alike)))


@cache
def _attributes() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(map(stem, line.split())) for line in tables("words")["attributes"].strip().splitlines())


@cache
def _relatives() -> tuple[frozenset[str], ...]:
    alikes: dict[str, set[str]] = {}
    for word in PEOPLE:
        alikes.setdefault(kin(word), {kin(word)}).add(word)
    return tuple(frozenset(map(stem, alike)) for alike in alikes.values())


@cache
def _nicknames() -> dict[str, tuple[str, ...]]:
    """Return the full names by their short forms."""
    short: dict[str, tuple[str, ...]] = {}
    for line in tables("people")["nicknames"].strip().splitlines():
        name, *others = line.split()
        for other in others:
            short[other] = (*short.get(other, ()), name)
    return short


@kept
def _of_content(content: str) -> frozenset[str]:
    text = _FRONT.sub("", content.strip(), count=1) if not content.startswith(("The user", "the user")) else content
    possessed = re.match(r"(?i)(?:the user['’]s|my|our)\s+(?P<words>.+)$", text)
    if possessed is None:
        called = _NAMED.match(text)
        return frozenset({called["name"].casefold()} if called else ())
    told = re.findall(r"[\w-]+", possessed["words"])[:5]
    place = next(
        (at for at, word in enumerate(told) if word.casefold() not in word_class("before_role", "people")), len(told)
    )
    role, after = told[place : place + 1], told[place + 1 : place + 2]
    thing = bool(after) and after[0].casefold() in word_class("things", "people")  # "the user's dentist appointment"
    if not role or thing or not {role[0].casefold(), kin(role[0])} & (PEOPLE | word_class("held", "people")):
        return frozenset()
    return frozenset({kin(role[0]), *(word.casefold() for word in after if word[:1].isupper())})
