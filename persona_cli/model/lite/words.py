"""Words as the built-in model compares them: tokens, stems, and what covers what (ontology.py has the tables).

Embeddings tell what two sentences have in common, but hardly tell a sister from a brother or a car from a bike,
and those are the mistakes that make a memory lie. So the nouns that people ask for are kept here by kind:
a question for the kind ("pet") is met by any of its members ("dog"), a question for one member by no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from persona_cli.english import lexicon
from persona_cli.english.tokens import base_form
from persona_cli.english.tokens import stem as english_stem
from persona_cli.model.lite.ontology import DERIVED, EXCLUSIVE, KINDS, SIGNS, SYNONYMS

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


_NONE: frozenset[str] = frozenset()


STOP = lexicon.STOP | lexicon.ASKING | lexicon.TALKING
"""Words that carry no topic."""

_SYNONYMS = {
    form: group.split()[0] for group in SYNONYMS for word in group.split() for form in (word, english_stem(word))
}


def tokens(text: str) -> list[str]:
    """Return the words of `text` as written, without possessive endings."""
    return [re.sub(r"['’]s?$", "", token) for token in TOKEN.findall(text)]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the form by which two words are compared: base form, then one name per meaning, then stem."""
    word = word.lower().replace("’", "'")
    word = DERIVED.get(base := base_form(word), base)
    for form in (word, _singular(word)):
        if form in _SYNONYMS:
            return _SYNONYMS[form]
        if form in EXCLUSIVE:
            return form
    short = english_stem(word)
    return _SYNONYMS.get(short, short)


@lru_cache(maxsize=1)
def _implied() -> dict[str, frozenset[str]]:
    return {stem(word): frozenset(stem(sign) for sign in signs.split()) for word, signs in SIGNS.items()}


def content_words(text: str) -> tuple[str, ...]:
    """Return the words that carry the topic, as written, each once."""
    found = dict.fromkeys(
        word for word in tokens(text) if word.lower() not in STOP and (len(word) > 1 or word.isdigit())
    )
    return tuple(found)


def stems(words: Iterable[str]) -> frozenset[str]:
    """Return the stems of `words`."""
    return frozenset(stem(word) for word in words)


def kinds_of(word: str) -> frozenset[str]:
    """Return the kinds a stem is a member of."""
    return frozenset(kind for kind, members in KINDS.items() if word in members)


def covers(asked: str, told: frozenset[str]) -> bool:
    """Tell whether what was told speaks of the stem that is asked for: itself, or a member of that kind."""
    return asked in told or bool((KINDS.get(asked, _NONE) | _implied().get(asked, _NONE)) & told)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
