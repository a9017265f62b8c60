"""The "I" that people leave out: "Just moved to Berlin", "Love pizza", "Feeling sad because ..."."""

from __future__ import annotations

import re

from persona_cli.model.lite.lexicon import PAST, words

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
    passed cooked baked booked joined switched stopped worked walked played missed celebrated married retired"""
)
_OTHERWISE = words("was were had used left lost made broke shot hurt cut hit beat bet lay lit")
"""Past forms that begin a sentence as participles too ("lost in thought"): they need an object after them."""

_NO_OBJECT = words("by you i he she they it in")


def with_subject(plain: str) -> str:
    """Put back the "I" a tidied clause leaves out; unchanged where another subject may be meant."""
    match = _STARTED.match(plain)
    following = plain[match.end() :].split() if match else []
    if match is None or not following:
        return plain
    verb, rest = match[1].lower(), plain[:1].lower() + plain[1:]
    if verb in PAST - _OTHERWISE or verb in _LIKINGS or (verb in _TELLING and _has_object(verb, following[0])):
        return f"I {rest}"
    if verb == "been":
        return f"I have {rest}"
    if verb == "happy" and following[0].lower() not in {"because", "that", "to", "for", "with", "about"}:
        return plain
    if verb in _GERUNDS | _FEELINGS and len(following) > 1 and not re.search(r"\b(?:is|are|was)\b", plain):
        return f"I am {rest}"
    return plain


def _has_object(verb: str, following: str) -> bool:
    return following.lower() not in _NO_OBJECT or (verb == "moved" and following.lower() == "in")
