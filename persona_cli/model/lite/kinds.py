"""Whether a thing is of a kind that a question asks for: olives are a food, rowing is a sport, the cello an instrument.

No list has every food. A word is of the kind whose best known members it is closest to in meaning, if it is close to
them at all; the other kinds are there to be closer. Asked only where nothing told names the kind or a listed member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import words as word_set
from persona_cli.model.lite.acts import AUX
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.ontology import KINDS
from persona_cli.model.lite.questions import Question
from persona_cli.model.lite.slots import negated
from persona_cli.model.lite.words import content_words, stem, stems

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

CLOSE = 0.34
"""Mean cosine to the three nearest members from which a word can be of a kind (tried on 70 words of twelve kinds)."""
_BEHIND = 0.02
"""How far behind the nearest other kind it may be: liver is as near to instruments as to food."""
_NEAREST = 3

_MEMBERS = {
    **{kind: " ".join(sorted(KINDS[kind])) for kind in ("instrument", "animal", "vehicle")},
    "sport": " ".join(sorted(KINDS["sport"]))
    + " fencing gymnastics wrestling sailing skating athletics fitness hiking",
    "food": " ".join(sorted(KINDS["food"])) + " sausage stew dumpling oyster egg butter sauce beans nut spice potato",
    "drink": " ".join(sorted(KINDS["drink"])) + " liquor rum soda smoothie cider",
    "fish": "salmon tuna cod trout herring sardine",
    "subject": "math physics chemistry biology history geography",
    "language": "english german french spanish italian russian",
    "illness": "diabetes insomnia asthma cancer migraine arthritis flu",
    "family": "brother sister mother father daughter son cousin",
    "device": "phone laptop tablet camera television",
    "colour": "red blue green yellow black white",
    "music": "jazz rock pop classical opera techno metal folk reggae blues",
    "vegetable": "carrot potato tomato onion cabbage spinach peas lettuce leek beans",
    "fruit": "apple banana orange grapes pear cherry mango strawberry melon plum",
    "film": "comedy thriller western horror documentary drama musical cartoon",
    "craft": "sewing pottery woodwork painting drawing crochet embroidery photography",
    "time": "Monday Friday January summer morning evening week",
    "job": "nurse engineer lawyer cook clerk teacher manager",
    "annoyance": "noise traffic queue crowds waiting paperwork rudeness rain Mondays",
}
"""Known members of each kind. What nobody asks for by its kind is there to be closer."""
_SAME_AS = {"dish": "food", "meal": "food", "snack": "food", "ingredient": "food", "genre": "music", "pet": "animal"}
_WITHIN = ({"food", "vegetable", "fruit", "fish"}, {"film", "music"})
"""Kinds that are no rivals: a vegetable is a food."""
_DONE = frozenset(("sport", "instrument", "craft"))
"""Kinds of which "do I do" or "do I play" asks what somebody does, and not what they watch."""

_ASKED = re.compile(
    rf"^(?:what|which) (?:(?:kind|sort|type|style)s? of )?(?P<which>[a-z]{{3,}}) {AUX}\b"
    r"|^(?:is|are) there (?:any|some|an?) (?:(?:kind|sort|type)s? of )?(?P<any>[a-z]{3,}) (?:that |which )?(?:i|we)\b"
    r"|^(?:what|which)(?:['’]s| is| are) (?:my|our) (?P<mine>[a-z]{3,})\W*$",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"\b(?:(?:taken?|took|taking) up|start(?:s|ed|ing)?|began|begun|play(?:s|ed|ing)?|practi[cs]\w+|joined|go(?:es)?"
    r"|went|going|do(?:es)?|learn\w*|train\w*|into|lov(?:es?|ing)|lik(?:es?|ing)|enjoy\w*|hobb(?:y|ies)|lessons?|class(?:es)?"
    r"|club|team)\b",
    re.IGNORECASE,
)
_WATCHED = re.compile(r"\b(?:watch|follow|see|seen|saw|watched|followed)\b", re.IGNORECASE)
_DOING = stems(word_set("do play practise practice train go take have make like enjoy eat drink listen watch learn"))
_NO_MEMBER = _DOING | stems(
    word_set(
        "live love hate want keep need miss use call name own wish dream be favourite favorite always "
        "city town village street garden house home flat church school beach trip letter code god neighbour neighbor"
    )
)
"""Words that come out near a kind and are of none: "lives" is near to animals, "favourite" to films, a city to food."""
_NEVER_ASKED = frozenset(("family", "time", "annoyance"))
"""Kinds that are only there to be closer: nobody asks which family they have and means a cousin."""


def asked_kind(question: Question) -> str:
    """Return the kind a question asks for a member of, "" for none."""
    match = _ASKED.match(question.text)
    if match is None or question.formerly:
        return ""
    word = next(found for found in match.groups() if found)
    kind = _SAME_AS.get(stem(word), stem(word))
    if kind in _NEVER_ASKED or (kind in _DONE and _WATCHED.search(question.text)):
        return ""
    return kind if kind in _MEMBERS else ""


def looked_for(kind: str) -> str:
    """Return words to search by: what is of a kind is told in words like these."""
    begun = "started, taken up, plays, club, " if kind in _DONE else ""
    return begun + ", ".join(_MEMBERS[kind].split()[-8:])


def without_kind(question: Question) -> Question:
    """Return a question without the word for its kind, and without the verbs that go with any member."""
    match = _ASKED.match(question.text)
    word = next((stem(found) for found in match.groups() if found), "") if match else ""
    topic = tuple(one for one in question.topic if stem(one) != word and stem(one) not in _DOING)
    return replace(question, entities=question.entities - {word}, topic=topic)


def is_done(kind: str, told: Told) -> bool:
    """Tell whether it answers what somebody does of a kind: that they do it, not that they watch it or gave it up."""
    return kind not in _DONE or (_DOES.search(told.content) is not None and not negated(told.content))


def members(kind: str, told: Sequence[Told], embed: Embed) -> list[Told]:
    """Return what of `told` speaks of a member of the kind."""
    spoken = [_things(one.content) for one in told]
    unique = sorted({thing for things in spoken for thing in things})
    if not unique:
        return []
    of_kind = dict(zip(unique, _of_kind(kind, unique, embed), strict=True))
    return [one for one, things in zip(told, spoken, strict=True) if any(of_kind[thing] for thing in things)]


def _things(content: str) -> tuple[str, ...]:
    """Return the words that may name a thing, alone and by two; names and doing-words do not."""
    words = [word for word in content_words(content) if word.islower() and stem(word) not in _NO_MEMBER]
    pairs = [f"{one} {other}" for one, other in pairwise(words) if f"{one} {other}" in content]
    return (*words, *pairs)


def _of_kind(kind: str, things: Sequence[str], embed: Embed) -> NDArray[np.bool_]:
    related = next((group for group in _WITHIN if kind in group), {kind})
    rivals = [other for other in _MEMBERS if other not in related]
    known = {one: [one, *_MEMBERS[one].split()] for one in (kind, *rivals)}
    vectors = embed([*things, *(word for words in known.values() for word in words)])
    asked, rest = vectors[: len(things)], vectors[len(things) :]
    near = []
    for words in known.values():
        near.append(np.sort(asked @ rest[: len(words)].T, axis=1)[:, -_NEAREST:].mean(axis=1))
        rest = rest[len(words) :]
    best = np.max(near[1:], axis=0)
    return np.asarray((near[0] >= CLOSE) & (near[0] >= best - _BEHIND))
