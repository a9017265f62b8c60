"""Reading a letter out of a reply: as published, and strictly.

As published: the character before the first ")", lower case, or the last character where there is none. PERSONAMEM
takes what follows <final_answer>. The strict reading wants a reply that is a letter and nothing else that could be
one.
"""

from __future__ import annotations

import re

_FINAL = re.compile(r"<final_answer>", re.I)
_LETTER = re.compile(r"\(([a-j])\)", re.I)
_ALONE = re.compile(r"\s*(?:(?:the )?answer(?: is)?:?\s*)?\(?([a-j])\)?(?:[.:)]|\s*$)", re.I)


def first_letter(reply: str) -> str:
    """Return the letter as the published evaluation reads it; "" for an empty reply, or one that begins with ")"."""
    said = str(_FINAL.split(reply)[-1]).strip()
    before, bracket, _ = said.partition(")")
    if not bracket:
        return said[-1:].lower().strip("*.\"'") or said.rstrip("*.\"' ")[-1:].lower()
    return before[-1:].lower()


def strict_letter(reply: str) -> str:
    """Return the one letter a reply commits itself to: "(a)", "a.", "The answer is (a)"; "" where it is not clear."""
    said = _FINAL.split(reply)[-1].strip()
    named: set[str] = {letter.lower() for letter in _LETTER.findall(said)}
    if len(named) == 1:
        return named.pop()
    alone = _ALONE.match(said)
    return str(alone[1]).lower() if alone and not named else ""
