"""From a question to the words worth looking up: no stop words, no possessive, each once, in order."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from persona_cli.english import lexicon
from persona_cli.memory.schema.gram_tables import LETTERS
from persona_cli.memory.tables.grams import pieces, runs_together

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_LETTER = rf"(?:(?![{LETTERS}])\w)"
_POSSESSIVE = re.compile(r"['’]s\b|s['’](?=\s|$)")
_SPEAKER = re.compile(r"\s*([A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,2}):\s")

STOP_WORDS = lexicon.STOP_WORDS | lexicon.ASKING
"""Words that say how a question is asked and not what about."""


def search_terms(*texts: str) -> tuple[str, ...]:
    """Return the words of the texts that can tell one memory from another."""
    found: dict[str, None] = {}
    for text in texts:
        for word in (_word_or_run() if runs_together(text) else _WORD).findall(_POSSESSIVE.sub(" ", text)):
            if runs_together(word):
                found |= dict.fromkeys(pieces(word))
                continue
            folded = word.casefold().replace("’", "'")
            if folded not in STOP_WORDS and (len(folded) > 1 or not folded.isascii() or folded.isdigit()):
                found[folded] = None
    return tuple(found)


def speaker_of(text: str) -> str:
    """Return who speaks where a message is written like a transcript ("Anna: ..."), folded; else ""."""
    match = _SPEAKER.match(text) if ":" in text else None
    return match[1].casefold() if match else ""


def names_in(name: str, words: frozenset[str]) -> bool:
    """Tell whether any word of a person's name, or of "my brother", is among the words of a question."""
    return not words.isdisjoint(_words_of(name))


@cache
def _word_or_run() -> re.Pattern[str]:
    return re.compile(rf"[{LETTERS}]+|{_LETTER}+(?:['’-]{_LETTER}+)*")


@lru_cache(maxsize=1_024)
def _words_of(name: str) -> tuple[str, ...]:
    return search_terms(name)
