"""What an episode is called: its weightiest facts, as short as a title. Every word of it is a fact's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from persona_cli.english.forms import capital
from persona_cli.english.lexicon import PEOPLE, PETS, words
from persona_cli.english.verbs import PAST
from persona_cli.model.lite.facts import Fact
from persona_cli.timewords import find_times

LONGEST = 70
"""Characters of a title; a second fact is named where both fit."""
_CUT = re.compile(r",? (?:because|since|so|which|who|although|but|when|while|after|before|except)\b.*$|[,;(].*$", re.I)
_SUBJECT = re.compile(r"^The user(?: and [^,]{1,30}?)? (?:(?:is|are|was|were|has been|have been) )?(?=\w)")
_ASIDE = re.compile(r"^(?P<name>[A-Z][\w'-]+) is the user's (?P<role>[\w' -]+)\.$")


def entitle(facts: Sequence[Fact], at: datetime) -> str:
    """Return the title of what `facts` tell, seen from `at`; "" where they tell nothing."""
    ranked = sorted(facts, key=lambda fact: (_ASIDE.match(fact.content) is not None, -fact.weight))
    titles = list(dict.fromkeys(title for fact in ranked if (title := shortened(fact.content, at))))
    if not titles:
        return ""
    known = titles[0].lower()
    fitting = (
        one for one in titles[1:] if len(titles[0]) + len(one) < LONGEST and one.split(",")[0].lower() not in known
    )
    second = next(fitting, "")
    return f"{titles[0]}; {second[:1].lower() + second[1:] if _is_phrase(second) else second}" if second else titles[0]


def shortened(content: str, at: datetime) -> str:
    """Return a fact without "the user", its date, and what follows its main clause."""
    if (person := _ASIDE.match(content)) is not None:
        return f"{person['name']}, {person['role']}"
    text = re.sub(r" ([.,;])", r"\1", _undated(content, at)).strip(" .,")
    cut = _CUT.sub("", text)
    text = cut if len(cut.split()) > 2 else text
    text = re.sub(r"^(?:[Tt]he user's )", "", _SUBJECT.sub("", text)).replace("the user's ", "").strip(" .,")
    return capital(text) if len(text) <= LONGEST and not re.search(r"(?i)the user\b|^\W*\d*\W*$", text) else ""


def _undated(content: str, at: datetime) -> str:
    """Leave out when it was, which is shown beside the title, unless the sentence is about just that."""
    left = content
    for phrase in reversed([one for one in find_times(content, at) if not one.repeating]):
        before = re.sub(
            r"(?:\b(?:in|on|at|since|around|of|from|until|by|the|last)\s*)+$", "", left[: phrase.start].rstrip()
        )
        left = f"{before.rstrip()} {left[phrase.end :].lstrip()}"
    return content if re.search(r"\b(?:is|was|are|were|has|of)\W*$", left) else left


def _is_phrase(title: str) -> bool:
    """Tell whether a title begins with a word that has its capital only for being first."""
    first = title.split(maxsplit=1)[0] if title else ""
    return first.lower() in _PLAIN or first.endswith(("ing", "ed", "s"))


_PLAIN = PEOPLE | PETS | PAST | words("a an the new old in at on to not best")
