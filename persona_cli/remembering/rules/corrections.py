"""Corrections: another name, another way of doing, another day, number or colour for what there is one of.

The words of the message have to say so, unless the sentence can be of nothing else.
"""

from __future__ import annotations

import re

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.tokens import negative, numbers, stem, stem_set, stems, supported, values, words
from persona_cli.remembering.rules.sentence import UNTELLING, is_over, plainly, says_no_more
from persona_cli.remembering.rules.signs import shows

_NAME = r"(?P<name>(?:(?:Dr|Mr|Mrs|Ms|Miss)\.? )?[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?)"

_ROLE = r"(?:new |current |old )?(?P<role>(?:best |favourite |team |head |line |family )?[a-z][\w-]*?)"

_NAMING = tuple(
    re.compile(pattern)
    for pattern in (
        r"[Tt]he user's (?:new |current |old )?(?P<role>[\w' -]+?)(?:'s name)? (?:is|are)(?: now)? (?:called "
        r"|named |now )?(?P<name>\S.*)",
        rf"[Tt]he user has (?:got )?an? {_ROLE}(?:,| called| named| is)+ {_NAME}",
        rf"\b{_NAME} is (?:now )?the user's {_ROLE}(?= now|[.,]|$)",
        rf"\bcalled {_NAME} is (?:now )?the user's {_ROLE}(?= now|[.,]|$)",
    )
)

_SEVERAL = word_set(
    "neighbour neighbor friend colleague coworker brother sister cousin aunt uncle son daughter child nephew"
    " niece cat dog pet"
    " classmate flatmate roommate teammate grandmother grandfather student client mate hobby horse twin"
)
"""Whom people have more than one of: another one takes nobody's place."""

_TYPED = {
    "day": word_set(
        "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays"
        " thursdays fridays saturdays"
        " sundays weekend weekends weekdays"
    ),
    "month": word_set(
        "january february march april may june july august september october november december"
        " spring summer autumn winter"
    ),
    "colour": word_set(
        "red blue green yellow black white purple orange pink brown grey gray turquoise blond blonde ginger silver gold"
    ),
    "place": word_set("first second third fourth fifth sixth seventh eighth ninth tenth ground top"),
    "part": word_set(
        "morning mornings afternoon afternoons evening evenings night nights noon midday midnight lunchtime"
    ),
}

_SAME_THING = (
    stem_set("wedding married marry marriage"),
    stem_set("bedtime bed"),
    stem_set("swim swimming"),
    stem_set("wake up get"),
    stem_set("weigh kilos kg pounds stone"),
)

_CHANGING = stem_set(
    "move push postpone reschedule shift change switch bring brought forward back new down up put delay half"
    " past quarter clock hour week"
    " day month every each cannot instead appointment"
)


def names_role(content: str) -> bool:
    """Tell whether a sentence says who somebody is to the user: that is a fact of the user's too."""
    return _naming(content) is not None


def renames(new: str, old: str, said: str) -> bool:
    """Tell whether `new` names another for what `old` names: "my dentist is Dr Vance now", and said so."""
    mine, theirs = _naming(new), _naming(old)
    if mine is None or theirs is None or not shows("now", said):
        return False
    role = mine["role"].casefold()
    if role.split()[-1] in _SEVERAL and not role.startswith(("best", "favourite", "oldest", "closest")):
        return False
    return role == theirs["role"].casefold() and not says_no_more(new, old, mine["role"])


def revises(new: str, old: str, said: str) -> bool:
    """Tell whether `new` says how the same doing is now: "gets up at eight now" after "gets up at six"."""
    if not shows("now", said) or negative(new) != negative(old) or is_over(old):
        return False
    mine, theirs = (re.match(r"The user (?!is\b|has\b|was\b)(\w+)", text) for text in (plainly(new), plainly(old)))
    if mine is None or theirs is None or stem(mine[1]) != stem(theirs[1]):
        return False
    rest = stems(plainly(old)) - {stem(theirs[1])}
    return 2 * len(supported(rest, new)) >= max(len(rest), 1)


def reschedules(new: str, old: str, said: str) -> bool:
    """Tell whether `new` gives another day, number or colour for what `old` gives one for, and the words say so.

    "Swimming is now on Thursdays" after "goes swimming on Mondays".
    """
    if not shows("moved", said) or negative(new) != negative(old):
        return False
    differing = [
        kind
        for kind in (*_TYPED, "number")
        if (mine := _typed(new, kind)) and (other := _typed(old, kind)) and not mine & other
    ]
    if not differing:
        return False
    topic, theirs = (_topic(text) for text in (new, old))
    shared = {
        one
        for one in theirs
        if one in supported(theirs, new) or any(one in same and same & topic for same in _SAME_THING)
    }
    return bool(shared) and 2 * len(shared) >= min(len(theirs), len(topic) or 1)


def _naming(content: str) -> re.Match[str] | None:
    return next((match for pattern in _NAMING if (match := pattern.search(content))), None)


def _typed(text: str, kind: str) -> frozenset[str]:
    """Return the values of one kind in a sentence, as comparable words."""
    if kind == "number":
        return frozenset(map(str, numbers(text)))
    return frozenset(word.removesuffix("s") for word in map(str.casefold, words(text)) if word in _TYPED[kind])


def _topic(text: str) -> frozenset[str]:
    typed = frozenset(stem(word) for group in _TYPED.values() for word in group)
    typed |= {stem(word) for word in words(text) if numbers(word)}
    return frozenset(
        one for one in values(plainly(text)) - typed - UNTELLING if one not in _CHANGING and not one[0].isdigit()
    )
