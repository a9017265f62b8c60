"""How another program words what it notes of a person, brought to how they would say it themselves.

ChatGPT notes "User's dog is called Max", mem0 "Prefers window seats" and "Favorite color is green", Claude calls the
person by their name. Memory holds what people say: "My dog is called Max" is read as their own sentence would be, fills
its slot, is of whom it tells, and answers a question just as what was said here does: of 18 questions the same ones.
What is not certain stays as it was noted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from persona_cli.english.forms import to_first
from persona_cli.english.lexicon import PEOPLE, PETS, words
from persona_cli.english.verbs import BASES, base_verb, is_adverb, is_past, singular

_USER = re.compile(r"(?:The )?[Uu]ser(?=\s|['’]s\s)")
_FIRST_WORD = re.compile(r"[A-Z][a-z]*(?=['’\s])")
_AGREEING = words("is has does was isn't hasn't doesn't wasn't")
_STATES = words(
    "married engaged divorced widowed single retired pregnant based interested experienced allergic vegetarian vegan"
    " fluent left-handed"
)
"""What is said of a person without "is": "Allergic to peanuts"."""
_OWNED = words("name nickname age birthday favourite favorite job occupation profession hobby hobbies pronouns")
"""What is said of a person without "their": "Favorite color is green"."""


def in_own_words(note: str, name: str = "") -> str:
    """Return a note as the person would say it; `name` is what the program calls them."""
    about = _about_user(note, name)
    return to_first(about) or about


def is_worded(line: str) -> bool:
    """Tell whether a line is in the words of a program that notes something of a person."""
    return _about_user(line, "") != line or _USER.match(line) is not None


def _about_user(note: str, name: str) -> str:
    """Return a note with "the user" in it where it is about them."""
    if begun := _USER.match(note):
        return f"The user{note[begun.end() :]}"
    if name and (begun := re.match(rf"{re.escape(name)}(?=\s|['’]s\s)", note)):
        return re.sub(rf"\b{re.escape(name)}\b", "the user", f"The user{note[begun.end() :]}")
    found = _FIRST_WORD.match(note)
    if found is None:
        return note
    word, following = found[0].lower(), note[found.end() :].split()
    before = _left_out(word, following)
    return f"{before} {word}{note[found.end() :]}" if before else note


def _left_out(word: str, following: Sequence[str]) -> str:
    """Return what a note leaves out before its first word; "" where that is not certain."""
    if word in PEOPLE | PETS | _OWNED:
        return "The user's"
    if word == "born":
        return "The user was"
    if word in _STATES or (word.endswith("ing") and not BASES.isdisjoint((word[:-3], f"{word[:-3]}e", word[:-4]))):
        return "" if "is" in following else "The user is"
    verb = next((follower for follower in (word, *following) if not is_adverb(follower)), "")
    return "The user" if _is_finite(verb) else ""


def _is_finite(word: str) -> bool:
    """Tell whether a word is a verb that goes with "the user": "prefers", "does", "moved"."""
    base = base_verb(word)
    return word in _AGREEING or (base in BASES and base != word and singular(base) == word) or is_past(word)
