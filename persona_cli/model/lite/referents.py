"""Whom "she" and "his" mean: the last person or pet the same message spoke of."""

from __future__ import annotations

import re

from persona_cli.model.lite.lexicon import NOT_NAMES, PEOPLE, PETS, words
from persona_cli.model.lite.people import people

_SHE = words(
    """sister mum mom mother wife girlfriend daughter aunt auntie niece grandma granny gran nan nana grandmother
    granddaughter fiancée stepmum stepmom stepmother stepdaughter stepsister mother-in-law sister-in-law
    daughter-in-law landlady goddaughter godmother ex-wife ex-girlfriend"""
)
_HE = words(
    """brother dad father husband boyfriend son uncle nephew grandpa granddad grandad grandfather grandson fiancé
    stepdad stepfather stepson stepbrother father-in-law brother-in-law son-in-law landlord godson godfather
    ex-husband ex-boyfriend"""
)
_MENTION = re.compile(
    rf"\b(?:my|our|an?) (?:[\w-]+"
    rf" ){{0,2}}?({'|'.join(sorted((re.escape(w) for w in PEOPLE | PETS), key=len, reverse=True))})\b(?!s)",
    re.I,
)
_START = re.compile(r"^(he|she|it|his|her|its|him|who)\b(?='s|\s)", re.I)


_GIVEN = re.compile(
    r"\b(?:named|called|christened|(?:we|I) call|are calling|am calling)"
    r" (?P<whom>her|him|it) (?P<name>(?-i:[A-Z][\w'-]+))",
    re.I,
)
_SEEING = re.compile(r"\b(?:seeing|dating|met) (?:someone|somebody|this (?:girl|guy))\b", re.I)


class Referents:
    """Remembers who was last spoken of, and puts them where a clause begins with a pronoun."""

    def __init__(self) -> None:
        self.role = ""
        self.name = ""

    def hear(self, plain: str) -> None:
        """Take note of the people and pets a clause speaks of."""
        called = re.match(r"(?i)(?:his|her|its) name is (?-i:([A-Z][\w'-]+))", plain)
        if called is not None:
            self.name, self.role = called[1], ""
        if _START.match(plain):
            return
        if _SEEING.search(plain):
            self.role, self.name = "partner", ""
            return
        match = _MENTION.search(plain)
        tag = next((tag for tag in people(plain) if tag.subject not in {"user", ""}), None)
        if match is not None:
            self.role, self.name = match[1].lower(), ""
        if tag is not None and not tag.subject.startswith("my "):
            self.name = tag.subject
            self.role = match[1].lower() if match else ""
        listed = next((tag.names for tag in people(plain) if tag.names), ())
        self.name = listed[-1] if listed else self.name

    def resolve(self, plain: str) -> str:
        """Return `plain` with the pronoun it begins with replaced, in the user's voice; unchanged when unsure."""
        given = _GIVEN.search(plain)
        if given is not None and self.role and self._fits(given["whom"].lower()):
            return f"my {self.role} is called {given['name']}"
        match = _START.match(plain)
        if match is None or not (self.role or self.name):
            return plain
        pronoun, rest = match[1].lower(), plain[match.end() :]
        if not self._fits(pronoun):
            return plain
        who = self.name or f"my {self.role}"
        return f"{who}'s{rest}" if pronoun in {"his", "her", "its"} else f"{who}{rest}"

    def _fits(self, pronoun: str) -> bool:
        if self.name.lower() in NOT_NAMES:
            return False
        female, male = pronoun in {"she", "her"}, pronoun in {"he", "his", "him"}
        if pronoun in {"it", "its"}:
            return self.role in PETS
        return not (female and self.role in _HE) and not (male and self.role in _SHE)
