"""The "I" that people leave out: "Just moved to Berlin", "Love pizza", "Feeling sad because ..."."""

from __future__ import annotations

import re

from persona_cli.english.lexicon import words
from persona_cli.english.verbs import PAST, SAME_IN_PAST

_STARTED = re.compile(
    r"(?:(?:just|finally|really|also|still|recently|totally|absolutely|already|literally|never) )*([a-z]+)\b", re.I
)
_GERUNDS = words(
    """feeling working moving living planning thinking training studying learning trying going getting hoping starting
    looking saving"""
)
_FEELINGS = words("excited nervous sad happy proud worried anxious allergic scared afraid addicted obsessed")
_LIKINGS = words("love hate adore prefer can't cannot enjoy")
_TELLING = words(
    """was had used made lost broke left visited moved started finished adopted turned signed watched tried graduated
    ditched dropped quit cancelled canceled sold swapped traded bought deleted dumped upgraded transferred gave
    passed cooked baked booked joined switched stopped worked walked played missed celebrated married retired"""
)
_OTHERWISE = words("was were had used left lost made broke shot hurt cut hit beat bet lay lit")
"""Past forms that begin a sentence as participles too ("lost in thought"): they need an object after them."""

_NO_OBJECT = words("by you i he she they it in")


def with_subject(plain: str) -> str:
    """Put back the "I" a tidied clause leaves out; unchanged where another subject may be meant."""
    if re.match(r"(?i)pronouns are\b", plain):
        return f"my {plain[:1].lower()}{plain[1:]}"
    if re.match(r"(?i)took (?:a (?:bit|lot|while|long)|some|ages|time|forever|me)\b", plain):
        return plain  # "it took"
    match = _STARTED.match(plain)
    following = plain[match.end() :].split() if match else []
    if match is None or not following:
        return plain
    lead = "I am" if _NO_FAN.match(plain) else _lead(match[1].lower(), following, plain)
    return f"{lead} {plain[:1].lower()}{plain[1:]}" if lead else plain


_NO_FAN = re.compile(r"not (?:really )?(?:a (?:big |huge )?fan of|into|keen on|fond of) ", re.I)
_WISHED = words("new birthday easter holidays friday christmas anniversary")
"""After "happy": what is wished, not felt."""


def _lead(verb: str, following: list[str], plain: str) -> str:
    """Return the words in front of a verb that begins a clause: "I", "I am", "I have", or "" for none."""
    if (
        verb in PAST - SAME_IN_PAST - _OTHERWISE
        or verb in _LIKINGS
        or (verb in _TELLING and _has_object(verb, following[0]))
    ):
        return "I"
    if verb == "been":
        return "I have"
    told = len(following) > 1 and following[0].lower() not in _WISHED and not re.search(r"\b(?:is|are|was)\b", plain)
    return "I am" if verb in _GERUNDS | _FEELINGS and told else ""


def _has_object(verb: str, following: str) -> bool:
    return following.lower() not in _NO_OBJECT or (verb == "moved" and following.lower() == "in")
