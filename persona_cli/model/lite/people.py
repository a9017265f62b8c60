"""Patterns for people and pets: who they are to the user, what they are called, and what happens to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.model.lite.lexicon import KIN, NOT_NAMES, PARTNERS, PEOPLE, PETS, STOP
from persona_cli.model.lite.tags import Tag, named

_ROLE = "|".join(sorted((re.escape(word) for word in PEOPLE | PETS), key=len, reverse=True))
_MANY = r"(?:" + _ROLE + r")(?:e?s)?"
_TITLE = (
    r"((?!(?:and|but|is|was|who|that|in|at|on|to|for|from|has|had|got|with|the|a|an|of|as|i|he|she|it|they"
    r"|we|so|or|says?|loves?|likes?|my|food|walker|years?|today|yesterday|because|when|will|can|would|does"
    r"|did|do|are|were|just|also|works?|lives?|not|about|by|moved|went|came|called|named|really|always"
    r"|never)\b)[^\W\d_][\w'-]*)"
)
_ADJ = r"(?:(?!name\b|is\b|and\b)[\w'-]+ ){0,3}?"
_LIST = r"([^\W\d_][\w'-]*(?:(?:, and |, | and | & )[^\W\d_][\w'-]*)*)"

_CALLED = re.compile(
    rf"\b(?:my|our|a|an|the|\d|two|three|four|one|this) ({_ADJ})({_MANY})\b[^,.;]{{0,40}}?,? (?:is |are |was "
    rf"|were |who is |which is )?(?:called|named|name is|names are) {_LIST}",
    re.I,
)
_NAME_OF = re.compile(rf"\b(?:my|our) ({_ADJ})({_MANY})(?:'s|s'|s)? names? (?:is|are|was) {_LIST}", re.I)
_BESIDE = re.compile(rf"\b(?:my|our) ({_ADJ})({_ROLE}) (?-i:([A-Z][\w'-]+))")
_BESIDE_COMMA = re.compile(rf"\b(?:my|our) ({_ADJ})({_ROLE}), (?-i:([A-Z][\w'-]+))(?=,|$|\.| (?:and|is|was|has))", re.I)
_LOWER = re.compile(
    rf"\bmy ({_ADJ})({'|'.join(sorted(KIN | PETS | {'friend'}))}) {_TITLE}(?= (?:is|was|has|had|got|works|lives"
    rf"|loves|likes|and I|moved|just|hates|plays|turned|who)\b|$)",
    re.I,
)
_APPOSED = re.compile(rf"(?-i:\b([A-Z][\w'-]+)),? (?:is |was |and |who is )?(?:my|our) ({_ADJ})({_ROLE})\b", re.I)
_REL_IS = re.compile(rf"^(?:my|our) ({_ADJ})({_ROLE}) is (?-i:([A-Z][\w'-]+))(?=[,.]|$)", re.I)
_HAVE = re.compile(
    rf"\b(?:I|we) (?:also )?(?:have|have got|got|adopted|own|just got|just adopted|bought|rescued|have adopted"
    rf"|had)(?: (?:just|recently|also|finally))?(?: us| me)? "
    rf"((?:an?|one|two|three|four|five|six|seven|\d+|some|no|twin) ({_ADJ})({_MANY}))(?: (?:called|named"
    rf"|\w+ing)?\b|:|,|$)[ ,:–—-]*(?:called |named )?(?-i:([A-Z][\w'-]+(?:(?:, and |, | and | & )[A-Z][\w'-]+)*))?",
    re.I,
)
_HAVE_NOT = re.compile(
    rf"\b(?:I|we) (?:do not|have never|never) (?:actually )?(?:have|had|own|got) (?:an?|any) ({_ADJ})({_MANY})\b", re.I
)
_SHOWN = re.compile(
    r"^(?:(?:this|that|these|those|it|here|left|right|on the (?:left|right))(?: (?:one|guy|little guy|picture"
    r"|photo))? (?:is|are|was)|meet|say (?:hi|hello) to|look at|check out|here comes|here,) (?P<who>.+)$",
    re.I,
)
_EVENT = re.compile(rf"^(?:my|our) ({_ADJ})({_ROLE})(?:'s)? ", re.I)
_THIRD = re.compile(
    r"^(?-i:([A-Z][\w'-]+)) (?:(?:just|also|really|recently|finally|already|still|always|never|sometimes|often)"
    r" )*(?:is (?:my|getting|moving|coming|visiting|going|having|pregnant|turning|starting|expecting|staying|in"
    r" hospital|ill|sick|a |an |\d)|"
    r"got|loves|likes|hates|moved|works|lives|started|turned|plays|broke|passed|had|has|was born|died|graduated"
    r"|finished|lost|quit|bought|adopted|called me|gave me|proposed|married|studies|wants|speaks|ran|won|"
    r"failed|retired|left|joined|came|went|invited|prefers|enjoys|needs|used to|cannot|does not|will|learned"
    r"|learnt|told|sleeps|eats|barks|chewed|visited|helped|taught|introduced)\b"
)


def people(plain: str, known: frozenset[str] = frozenset()) -> Iterator[Tag]:
    """Yield the people and pets a tidied clause names, says it has, or tells something of."""
    found = [*_introductions(plain), *_owned(plain)]
    yield from found
    if not found:
        yield from _told_of(plain, known)


def _introductions(plain: str) -> Iterator[Tag]:
    for pattern, backwards in (
        (_CALLED, False),
        (_NAME_OF, False),
        (_REL_IS, False),
        (_BESIDE, False),
        (_BESIDE_COMMA, False),
        (_LOWER, False),
        (_APPOSED, True),
    ):
        match = pattern.search(plain)
        if match is None:
            continue
        adjectives, role, names = (match[2], match[3], match[1]) if backwards else (match[1], match[2], match[3])
        called = _names(names)
        if called:
            yield from _introduced(plain, adjectives, role.lower(), called)
            return


def _introduced(plain: str, adjectives: str, role: str, called: tuple[str, ...]) -> Iterator[Tag]:
    pet = _root(role) in PETS
    slot, value = (f"{called[0]}/species", _root(role)) if pet else (f"{called[0]}/relation", _root(role))
    if _root(role) in PARTNERS and not re.search(r"\bex\b", adjectives):
        slot, value = "user/partner", called[0]
    if len(called) > 1:
        slot, value = "", ", ".join(called)
    yield Tag(
        "pet" if pet else _root(role),
        slot,
        value,
        subject=called[0] if len(called) == 1 else "user",
        weight=3,
        names=called,
    )


def _owned(plain: str) -> Iterator[Tag]:
    none = _HAVE_NOT.search(plain)
    if none is not None:
        yield Tag("pet" if _root(none[2]) in PETS else "people", f"user/has/{_root(none[2])}", "none", weight=2)
        return
    match = _HAVE.search(plain)
    if (
        match is None
        or _CALLED.search(plain)
        or re.search(r"\b(?:might|may|will|could|maybe)\b", plain[: match.start(1)])
    ):
        return
    names = _names(match[4] or "")
    role = _root(match[3])
    yield Tag(
        "pet" if role in PETS else role, f"user/has/{role}" if not names else "", match[1], weight=2.5, names=names
    )


def _told_of(plain: str, known: frozenset[str]) -> Iterator[Tag]:
    match = _EVENT.match(plain)
    if match is not None and len(plain.split()) > 3:
        yield Tag("about", subject=f"my {match[2].lower()}", weight=1.5)
        return
    match = _THIRD.match(plain)
    first = re.match(r"([A-Z][\w'-]+) ", plain)
    if match is None and first and first[1] in known and len(plain.split()) > 2:
        match = first
    if match is not None and match[1].lower() not in NOT_NAMES:
        yield Tag("about", subject=match[1], weight=1.5)


def shown(plain: str) -> str:
    """Return what "this is ..." or "meet ..." says a picture shows, "" where it says nothing of one."""
    match = _SHOWN.match(plain)
    return match["who"].strip() if match else ""


def _names(text: str) -> tuple[str, ...]:
    parts = re.split(r", and |, | and | & ", text)
    good = [
        part
        for part in parts
        if part and part.lower() not in NOT_NAMES | STOP | PEOPLE and not part.lower().endswith("ing")
    ]
    return tuple(named(part) for part in good) if good and good[0] == parts[0] else ()


def _root(role: str) -> str:
    """Return the singular of a role: "dogs" is "dog", "puppies" "puppy", "wives" "wife"."""
    word = role.lower().removesuffix("'s").removesuffix("'")
    if word in {"kids", "children", "kid"}:
        return "child"
    for end, new in (("ies", "y"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(end) and word[: -len(end)] + new in PEOPLE | PETS:
            return word[: -len(end)] + new
    return word
