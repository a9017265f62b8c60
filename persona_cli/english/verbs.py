"""Verbs: which forms are past, what their base is, and the form that goes with "the user" or with "you".

All irregular forms come from one table, verbs.toml. A form is turned only where turning it back gives the same word,
so that "much" never becomes "muches" and "James" never "Jame".
"""

from __future__ import annotations

import re
from functools import cache

from persona_cli.english.lexicon import ADVERBS, AUXILIARIES, tables, word_class, words

LOOKS_PAST = word_class("looks_past", "verbs")
"""Base forms that only look like a past: "need", "feed"."""
SAME_IN_PAST = word_class("same_in_past", "verbs")
"""Verbs whose past is their base: "read", "put"."""


_ROWS = tuple(line.split() for line in tables("verbs")["irregular"].strip().splitlines())
_TABLE = tuple((base, past.split("/"), done.split("/")) for base, past, done in _ROWS)

PAST = frozenset(form for _, past, _ in _TABLE for form in past) | words("was were used")
"""Past forms that do not end in -ed, those of "be" among them."""
PARTICIPLES = PAST | frozenset(form for _, _, done in _TABLE for form in done) | {"been"}
"""The same with the participles."""


BASES = frozenset(base for base, _, _ in _TABLE) | word_class("regular", "verbs") | word_class("activities") - {"am"}
"""Base forms of what people tell of themselves with; after "I" such a word is surely a verb."""


_SURE = AUXILIARIES | BASES | word_class("typed", "verbs")


@cache
def irregular_bases() -> dict[str, str]:
    """Return by irregular form the base it is compared by; forms that are more often another word have none."""
    others = word_class("other_words", "verbs")
    return {
        form: base
        for base, past, done in _TABLE
        for form in (*past, *done)
        if form not in others and form != base and base not in others
    }


def is_past(verb: str) -> bool:
    """Tell whether a finite verb is a past form by its looks."""
    lower = verb.lower()
    return lower in PAST or (len(lower) > 3 and lower.endswith("ed") and lower not in LOOKS_PAST)


def is_verb(word: str) -> bool:
    """Tell whether a word in small letters is surely a finite verb with "I" or "you", or a past form with anybody."""
    word = word.replace("’", "'")
    return word in _SURE or word.endswith(("n't", "'ve")) or word in PAST or _is_regular_past(word)


def _is_regular_past(word: str) -> bool:
    """Tell whether a word is the past of a known verb: "loved", "tried", "stopped"."""
    if not word.endswith("ed") or word in LOOKS_PAST:
        return False
    return not BASES.isdisjoint((word[:-1], word[:-2], word[:-3], word[:-3] + "y"))


def is_adverb(word: str) -> bool:
    """Tell whether a word may stand between a subject and its verb: "still", "vaguely"."""
    return word in ADVERBS or (word.endswith("ly") and word not in BASES)


@cache
def past_pattern() -> str:
    """Return a pattern of one past form, for where a text is scanned for any of them."""
    irregular = "|".join(sorted(PAST - words("was were used had did")))
    return rf"(?:{irregular}|(?!{'|'.join(sorted(LOOKS_PAST))})\w{{2,}}ed)"


_SPECIAL = {"am": "is", "are": "is", "have": "has", "do": "does", "go": "goes"}
_SPECIAL_BASE = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
_IN_E = words("ache cache psyche toe")
_NO_VERBS = words("always sometimes perhaps nowadays besides afterwards towards across as this thus its")


def singular(verb: str) -> str:
    """Return the form of a base verb that goes with "the user": "like" -> "likes"."""
    lower = verb.lower()
    if lower in _SPECIAL:
        return _SPECIAL[lower]
    if re.search(r"(?:s|x|z|ch|sh|o)$", lower):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", lower) else verb + "s"


def base_verb(verb: str) -> str:
    """Return the form of a verb that goes with "you": "likes" -> "like"; other words stay as they are."""
    negated = re.fullmatch(r"(\w+)n(['’])t", verb)
    if negated and negated[1] in _SPECIAL_BASE:
        return f"{_SPECIAL_BASE[negated[1]]}n't"
    if verb in _SPECIAL_BASE:
        return _SPECIAL_BASE[verb]
    if not re.fullmatch(r"[a-z]+s", verb) or verb.endswith("ss") or verb in _NO_VERBS or len(verb) < 4:
        return verb
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if re.search(r"(?:ch|sh|ss|x|zz|o)es$", verb) and verb[:-1] not in _IN_E:
        return verb[:-2]
    return verb[:-1]
