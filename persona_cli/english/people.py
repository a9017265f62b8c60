"""Whose a fact is: the user's own, or that of somebody of theirs, by whatever name a model gave its subject."""

from __future__ import annotations

import re

USER = "user"
_KIN = {
    other: word
    for word, others in {
        "mother": "mum mom mama mummy mommy",
        "father": "dad papa daddy",
        "grandmother": "grandma granny gran nan nana",
        "grandfather": "grandpa granddad grandad gramps",
        "neighbour": "neighbor",
        "colleague": "coworker co-worker",
        "flatmate": "roommate housemate",
        "aunt": "auntie",
    }.items()
    for other in others.split()
}
_ROLE_TEXT = """
mother father parents sister brother wife husband partner girlfriend boyfriend fiancé fiancée fiance fiancee son
daughter child children kids baby twin cousin aunt uncle niece nephew grandmother grandfather grandson granddaughter
friend boss neighbour colleague flatmate landlord landlady teacher coach doctor dentist therapist ex dog cat mate
mother-in-law father-in-law sister-in-law brother-in-law stepmother stepfather spouse tutor trainer tenant horse
"""
_ROLES = frozenset(_ROLE_TEXT.split())
_NAMED = re.compile(
    r"^(?!The |This |That |There |It |\w+ing )(?P<name>[A-Z][\w-]+)(?: [A-Z][\w-]+)?\s+(?:is|has"
    r"|was|\w+s)\b(?!.*\buser\b)"
)
_FRONT = re.compile(r"^(?:[\w ]+,\s+)?")


def kin(word: str) -> str:
    """Return one word for all that mean the same relative: "mum" is "mother"."""
    word = word.casefold()
    return _KIN.get(word, word)


def other_names(subject: str) -> tuple[str, ...]:
    """Return a subject with the other words for the same relative: "my mum", "my mother", "my mom"."""
    words = subject.split()
    last = kin(words[-1]) if words else ""
    return tuple(dict.fromkeys((subject, *(" ".join([*words[:-1], one]) for one in (last, *_KIN) if kin(one) == last))))


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
    """Tell whether two facts are of one person: both the user's, or with a name or role in common."""
    return one == other or bool(one & other)


def _of_content(content: str) -> frozenset[str]:
    text = _FRONT.sub("", content.strip(), count=1) if not content.startswith(("The user", "the user")) else content
    possessed = re.match(r"(?i)(?:the user['’]s|my|our)\s+(?P<words>.+)$", text)
    if possessed is None:
        called = _NAMED.match(text)
        return frozenset({called["name"].casefold()} if called else ())
    told = re.findall(r"[\w-]+", possessed["words"])[:5]
    place = next((at for at, word in enumerate(told) if word.casefold() not in _BEFORE_ROLES), len(told))
    role, after = told[place : place + 1], told[place + 1 : place + 2]
    if not role or kin(role[0]) not in _ROLES or (after and _is_thing(after[0])):
        return frozenset()
    return frozenset({kin(role[0]), *(word.casefold() for word in after if word[:1].isupper())})


def _is_thing(word: str) -> bool:
    """Tell whether the word after a role makes it a thing: "the user's dentist appointment" is the user's own."""
    return word.casefold() in _THINGS


_THINGS = frozenset(
    ("appointment", "visit", "friend", "house", "flat", "food", "trip", "party", "club", "walk", "class")
)
_BEFORE_ROLES_TEXT = "old older young younger little big best new twin eldest youngest late oldest good only first"
_BEFORE_ROLES = frozenset(_BEFORE_ROLES_TEXT.split())
