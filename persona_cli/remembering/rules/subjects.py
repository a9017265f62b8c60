"""Statements as the rules compare them: in the third person, whatever form they were given, and whose each one is."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.people import holder, same_holder
from persona_cli.english.sentences import sentences
from persona_cli.english.third import third_person, tidy
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import SemanticMemory

_FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|myself|we|us|our|ours)\b|\bi(?:'|’)?(?:m|ve|d|ll)?\b", re.IGNORECASE)
_USER = re.compile(r"\bthe user\b", re.IGNORECASE)
_OWNED = re.compile(
    r"(?:[\w ]+, )?(?:the user['’]s|my|our|the user (?:and others )?ha(?:s|ve) an?) (?P<between>(?:[\w-]+ ){0,2})",
    re.IGNORECASE,
)
_KEPT = 4096
"""Contents whose third person is kept: those compared with one message are a few hundred, mostly the same again."""
_TELLING_APART = word_set(
    "other another second third fourth younger older elder youngest eldest oldest middle little big twin half late"
)
"""Words that say which one is meant, where there are several: "my other sister"."""


class Claim(Protocol):
    """What is compared: a draft or a memory."""

    @property
    def content(self) -> str:
        """What it says."""

    @property
    def subject(self) -> str:
        """Whom it is about."""


@lru_cache(_KEPT)
def in_third_person(content: str) -> str:
    """Return what is said in the first person as a sentence about "the user"; any other sentence as it is."""
    if _USER.search(content) or not _FIRST_PERSON.search(content):
        return content
    return " ".join(third_person(tidy(sentence)) for sentence in sentences(content))


def as_compared(memory: SemanticMemory) -> SemanticMemory:
    """Return a memory with its content in the third person."""
    content = in_third_person(memory.content)
    return memory if content == memory.content else replace(memory, content=content)


def draft_as_compared(draft: SemanticDraft) -> SemanticDraft:
    """Return a draft with what it says, and says to be replaced, in the third person."""
    return replace(draft, content=in_third_person(draft.content), replaces=in_third_person(draft.replaces))


def same_subject(new: Claim, old: Claim) -> bool:
    """Tell whether two statements in the third person are of one person or thing."""
    return same_holder(_holder(new), _holder(old)) and not apart(new, old)


def of_user(statement: Claim) -> bool:
    """Tell whether a statement is of the user's own life."""
    return not _holder(statement)


def apart(new: Claim, old: Claim) -> bool:
    """Tell whether two statements say themselves that they are of two: "my other sister", "my sister Nora"."""
    mine, theirs = _holder(new), _holder(old)
    named = bool(mine & theirs and mine - theirs and theirs - mine)
    return named or _which(new.content) != _which(old.content)


def _holder(statement: Claim) -> frozenset[str]:
    return holder(statement.content, statement.subject)


def _which(content: str) -> frozenset[str]:
    match = _OWNED.match(content)
    return frozenset(match["between"].casefold().split()) & _TELLING_APART if match else frozenset()
