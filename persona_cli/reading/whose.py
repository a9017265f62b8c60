"""Whose fact a memory is that holds several sentences: one trained line over all whom they may be about.

Each sentence is about somebody by itself (`antecedent`), but "Osei wasn't happy so I'm up to the 100. He says less
salt." is of the one who takes the tablets. The line weighs the person who speaks, everybody named, and nobody known
against each other: how probable each is in the first sentence and in the rest, where the name stands, who says "I".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import KIN
from persona_cli.english.people import SOMEBODY, USER, kin
from persona_cli.paths import shipped
from persona_cli.reading.filling import own_relative
from persona_cli.reading.heads import FOLDER
from persona_cli.reading.statement import Mention, Statement

Floats = NDArray[np.float32]

WHOSE = "whose.npz"
NAMES = (
    "speaker", "nobody", "mine first", "mine then", "theirs first", "theirs then", "early", "possessive", "beside",
    "own relative", "role", "pet", "named in", "named before", "I first", "I then", "nobody first", "nobody then",
    "she opens", "she first", "first name", "in the first", "opens", "marked", "small letters", "my opens",
)  # fmt: skip
"""The features of one of those it may be about."""
_FAINT = 0.2
"""Probability below which somebody who was named before is left out."""
_UNMARKED = 0.3
_WORD = 0.7
_I = re.compile(r"\b(?:i|me|mine|i['’]?m|ive|i['’](?:ve|ll|d)|we)\b", re.IGNORECASE)
_SHE = re.compile(r"\b(?:s?he|him|his|hers?|shes|hes)\b", re.IGNORECASE)
_SHE_OPENS = re.compile(r"^\W*(?:(?:and|but|so|oh)\s+)?(?:s?he|his|her|they|s?hes)\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"^\W*(?:(?:so|and|but|oh|well|then|now|also)\s+)?(?P<word>[a-z]+?)(?:['’]?s)?\b(?!\s+(?:and|or)\s+i\b)",
    re.IGNORECASE,
)
_MY = re.compile(r"^\W*(?:(?:so|and|but|oh|well|then|now|also)\s+)?(?:my|our)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Holder:
    """One of those some sentences may be about: what a memory calls them, and what is seen of them."""

    name: str
    key: str
    """The name in one form: in small letters, one word for all that mean the same relative."""
    seen: Floats


@cache
def open_whose(path: Path | None = None) -> Floats:
    """Return the line over `NAMES` of a file, or that which ships with the program, read once."""
    with np.load(path or shipped(FOLDER) / WHOSE, allow_pickle=False) as stored:
        return np.asarray(stored["line"], dtype=np.float32)


def whose(statements: Sequence[Statement]) -> str:
    """Return whom sentences that stand together are about: "user", "Ada", "my sister", "somebody"."""
    found = holders(statements)
    scores = np.array([holder.seen for holder in found]) @ open_whose()
    return found[int(scores.argmax())].name


def holders(statements: Sequence[Statement]) -> tuple[Holder, ...]:
    """Return all whom sentences that stand together may be about: the speaker, nobody known, each who is named."""
    first, told = statements[0].text, [bool(_I.search(statement.text)) for statement in statements]
    mine = [statement.subject.mine for statement in statements]
    speaker = _seen({
        "speaker": 1, "mine first": mine[0], "mine then": _mean(mine), "I first": told[0], "I then": _mean(told),
    })  # fmt: skip
    unknown = [_unknown(statement, place) for place, statement in enumerate(statements)]
    nobody = _seen({
        "nobody": 1, "nobody first": unknown[0], "nobody then": _mean(unknown),
        "she opens": bool(_SHE_OPENS.search(first)), "she first": bool(_SHE.search(first)) and not told[0],
    })  # fmt: skip
    return (Holder(USER, USER, speaker), Holder(SOMEBODY, SOMEBODY, nobody), *_others(statements))


def _unknown(statement: Statement, place: int) -> float:
    """Return how probable it is that a sentence is about somebody else whom those that stand together do not name."""
    known = sum(chance for mention, chance in _named(statement) if mention.back <= place)
    return statement.subject.others * max(0.0, 1 - known)


def _others(statements: Sequence[Statement]) -> Iterator[Holder]:
    met: dict[str, list[tuple[int, Mention, float]]] = defaultdict(list)
    for place, statement in enumerate(statements):
        for mention, chance in _named(statement):
            theirs = chance * statement.subject.others
            if mention.back <= place or theirs >= _FAINT:
                met[_key(mention)].append((place, mention, theirs))
    for place, statement in enumerate(statements):
        if (relative := _relative(statement.text)) is not None and _key(relative) not in met:
            met[_key(relative)].append((place, relative, max(_UNMARKED, 0.9 * statement.subject.others)))
    capitals = any(statement.text[:1].isupper() for statement in statements)
    for key, places in met.items():
        if key:
            yield Holder(_called(places), key, _of_one(statements, places, capitals=capitals))


def _of_one(statements: Sequence[Statement], places: Sequence[tuple[int, Mention, float]], *, capitals: bool) -> Floats:
    chances = [0.0] * len(statements)
    for place, _, theirs in places:
        chances[place] = max(chances[place], theirs)
    here = [(place, mention) for place, mention, _ in places if mention.back == 0]
    if not here:
        return _seen({"theirs first": chances[0], "theirs then": _mean(chances), "named before": 1})
    place, mention = here[0]
    text, in_first = statements[place].text, place == 0
    at = text.casefold().find((mention.name or mention.role).casefold())
    marked = [span.probability for span in statements[place].spans if span.text == mention.name]
    small = capitals and mention.label == "person" and mention.name[:1].islower()
    return _seen({
        "theirs first": chances[0], "theirs then": _mean(chances), "early": in_first and mention.early,
        "possessive": mention.possessive, "beside": mention.beside, "own relative": mention.mine,
        "role": mention.label == "role", "pet": mention.label == "pet",
        "named in": len({one for one, _ in here}) / len(statements), "first name": in_first and mention.first,
        "in the first": in_first, "opens": in_first and at <= 1, "marked": max(marked, default=_WORD),
        "small letters": small, "my opens": in_first and mention.first and bool(_MY.search(text)),
    })  # fmt: skip


def _named(statement: Statement) -> tuple[tuple[Mention, float], ...]:
    subject = statement.subject
    if subject.named or not subject.name:
        return subject.named
    back = 0 if subject.said else 1
    return ((Mention(subject.name, subject.label, subject.role, subject.owner, back, back == 0, early=True), 1.0),)


def _relative(text: str) -> Mention | None:
    """Return the relative that a sentence begins with, where nothing was marked: "dads in a flat now"."""
    if (own := own_relative(text)) is not None:
        role, name = own
        return Mention(name or role, "person" if name else "role", role, "me", 0, first=True, mine=True, early=True)
    match = _RELATIVE.match(text)
    if match is None or not {match["word"].casefold(), kin(match["word"])} & KIN:
        return None
    return Mention(match["word"], "role", match["word"], "me", 0, first=True, mine=True, early=True)


def _called(places: Sequence[tuple[int, Mention, float]]) -> str:
    """Return what a memory calls somebody: a name, else what they are to the speaker, or to whom they belong."""
    mention = next((mention for _, mention, _ in places if mention.label != "role"), places[0][1])
    if mention.label != "role":
        return mention.name
    role = mention.name.lower()
    return f"{mention.owner}'s {role}" if mention.owner not in ("", "me") else f"my {role}"


def _key(mention: Mention) -> str:
    words = re.sub(r"['’]s\b", "", (mention.name or mention.role).casefold()).split()
    return kin(words[-1]) if words else ""


def _seen(known: dict[str, float]) -> Floats:
    return np.array([known.get(name, 0.0) for name in NAMES], dtype=np.float32)


def _mean(values: Sequence[float]) -> float:
    """Return the mean of what stands behind the first."""
    return float(np.mean(values[1:])) if len(values) > 1 else 0.0
