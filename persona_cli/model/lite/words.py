"""Words as the built-in model compares them: tokens, stems, and what covers what (ontology.py has the tables).

Embeddings tell what two sentences have in common, but hardly tell a sister from a brother or a car from a bike,
and those are the mistakes that make a memory lie. So the nouns that people ask for are kept here by kind:
a question for the kind ("pet") is met by any of its members ("dog"), a question for one member by no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import snowballstemmer

from persona_cli.model.lite.ontology import EXCLUSIVE, IRREGULAR, KINDS, SIGNS, SYNONYMS

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


_NONE: frozenset[str] = frozenset()


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text as a set, for tables."""
    return frozenset(words.split())


STOP = word_set(
    """
    first last today friend talk talked talking discuss discussed chat chatted wrong problem trouble issue
    matter current use used uses before after since ago anymore a an the and or but if so as of at by for from
    in into on onto to up with about over under than then that this these those there here it its is am are was
    were be been being do does did done doing have has had having will would can could should shall may might
    must not no nor i me my mine myself we us our ours you your yours he him his she her hers they them their
    theirs what which who whom whose when where why how all any some each every both more most much many other
    another such only own same too very just also again ever still already now yet please tell remember know say
    said mention mentioned remind told recall let think thing things anything something everything user one ones
    really actually quite lot lots kind sort bit off out get got gets getting go goes going went gone while
    because don't doesn't didn't isn't aren't wasn't weren't haven't hasn't won't can't couldn't i'm i've i'll
    i'd it's that's what's who's where's when's how's you're we're they're he's she's there's let's like hey hi
    hello oh well ok okay call called name named usually normally often currently nowadays these recently lately
    exactly maybe always
    """
)
"""Words that carry no topic. "like", "name" and "go" are left to the slots of questions.py."""

_stemmer = snowballstemmer.stemmer("english")
_SYNONYMS = {
    form: group.split()[0]
    for group in SYNONYMS
    for word in group.split()
    for form in (word, str(_stemmer.stemWord(word)))
}


def tokens(text: str) -> list[str]:
    """Return the words of `text` as written, without possessive endings."""
    return [re.sub(r"['’]s?$", "", token) for token in TOKEN.findall(text)]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the form by which two words are compared: base form, then one name per meaning, then stem."""
    word = word.lower().replace("’", "'")
    word = IRREGULAR.get(word, word)
    for form in (word, _singular(word)):
        if form in _SYNONYMS:
            return _SYNONYMS[form]
        if form in EXCLUSIVE:
            return form
    short = str(_stemmer.stemWord(word))
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


def sentences(text: str) -> list[str]:
    """Split a message into sentences, the marks at their ends kept."""
    parts = re.split(
        r"(?<=[.!?…])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bProf\.)\s+(?=[\"'“‘(]?[\w¿¡])|\n+",
        text.strip(),
    )
    return [part.strip() for part in parts if part.strip()]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
