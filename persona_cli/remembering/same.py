"""How two sentences about a life stand to each other: the same, the opposite, or one about the end of the other.

A model says what is new, seldom what becomes of the old; the words show it. Pure, and on the careful side: what
is not clearly the same or over stays as it is.
"""

from __future__ import annotations

import re
from itertools import pairwise

from persona_cli.english.people import kin
from persona_cli.english.tokens import names, negative, numbers, stem, stems, supported, values, words
from persona_cli.remembering.lasting import PAST, happened


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


_FILLER = re.compile(
    r"""[,\s]*\b(?:by\ the\ way|btw|you\ know|as\ you\ know|to\ be\ honest|honestly|actually|in\ fact|of\ course
        |I\ think|believe\ it\ or\ not|these\ days|nowadays|at\ the\ moment|right\ now|currently|presently
        |(?:one|some)\ day|really|very|so\ much|a\ lot|absolutely|totally|completely|truly|definitely|simply|just|quite
        |still|also|too|as\ well|now|again|after\ all|once\ more|to\ bits|anyway)\b,?
      | \b(?:huge|big|massive|great|real)\b(?=\ (?:\w+\ )?(?:fan|lover|admirer)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_GENERIC = _stems("turn born birthday become name call has have got go goes is")
_LIKING = _stems("love like enjoy adore prefer fond into keen fan favourite favorite")
_SIDE = _stems("handle take eat eaten drink drunk since almost every nearly mostly any")
_WISHING = _stems("want hope plan wish intend dream would could consider think try")
_DENIALS = _stems("not never no dislike hate detest loathe avoid stand cannot longer more")

_OVER = re.compile(
    r"\b(?:used to|no longer|any ?more|formerly|former|ex-\w+|gave up|given up|stopped|quit|sold|has left|left|ended"
    r"|broke up|split up|switched|swapped|cancelled|canceled|gone off|tired of)\b",
    re.IGNORECASE,
)
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
_NOW = re.compile(r"\b(?:now|nowadays|these days|instead|new|changed|since then|from now on|lately)\b", re.IGNORECASE)
LINKS = _words(
    """
    and but because since so as for now to with by after when which last this in on at a an every each per the
    from of or is are too also twice once most before during until daily weekly any again is while if all
    """
)
_SAME_WORDS = """
like love enjoy adore fond keen into fan admirer lover support supporter follow enthusiast
marry married husband wife spouse
allergy allergic allergies intolerant intolerance
train training prepare preparing
live living home reside based
work working job employ employed employer
car drive driving
speak speaking fluent fluently
swim swimming swims
collect collecting collection collector
cook cooking
bake baking
fear afraid scared scare terrified frightened
born birthday
flat apartment
film movie
child children kid kids
bed bedtime
call called name named
study studies studying student
play plays playing player
"""
_ONE_NAME = {stem(word): stem(line.split()[0]) for line in _SAME_WORDS.strip().splitlines() for word in line.split()}
_BEING = _words("is are was were has have name named called married work works")
"""What is the same from either side: "Rex is the user's husband" and "the user is married to Rex"."""
_EMPTY_WORDS = _stems("every each something thing hobby big huge great get got do does go goes going come comes")
_TYPED = {
    "day": _words(
        "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays"
        " thursdays fridays saturdays"
        " sundays weekend weekends weekdays"
    ),
    "month": _words(
        "january february march april may june july august september october november december"
        " spring summer autumn winter"
    ),
    "colour": _words(
        "red blue green yellow black white purple orange pink brown grey gray turquoise blond blonde ginger silver gold"
    ),
    "place": _words("first second third fourth fifth sixth seventh eighth ninth tenth ground top"),
    "part": _words(
        "morning mornings afternoon afternoons evening evenings night nights noon midday midnight lunchtime"
    ),
}
_MOVED = re.compile(
    r"\b(?:now|nowadays|these days|instead|new|changed|since then|from now on|lately|again|moved|pushed"
    r"|postponed|rescheduled|brought"
    r" forward|shifted|switched|delayed|put (?:off|back)|down to|up to|scratch that|correction|wrong|actually"
    r"|sorry|i meant|not \w+"
    r"|no longer|any ?more|turned out|make that|rather|dyed|gone up|gone down)\b",
    re.IGNORECASE,
)
_SAME_THING = (
    _stems("wedding married marry marriage"),
    _stems("bedtime bed"),
    _stems("swim swimming"),
    _stems("wake up get"),
    _stems("weigh kilos kg pounds stone"),
)


ALIKE = 0.88
"""Cosine from which two sentences can say the same in other words; "likes jazz" and "plays jazz" have 0.89."""


def plainly(text: str) -> str:
    """Return a sentence without the words that only colour it: "really", "by the way", "one day"."""
    return _FILLER.sub("", text).strip(" ,")


def same_saying(new: str, old: str) -> bool:
    """Tell whether two sentences have the same words but for order, endings and colour, and the same polarity."""
    new, old = plainly(new), plainly(old)
    mine, theirs = sorted(stems(new)), sorted(stems(old))
    if _other_way_round(new, old):
        return False
    return bool(mine) and mine == theirs and negative(new) == negative(old) and numbers(new) == numbers(old)


def same_meaning(new: str, old: str) -> bool:
    """Tell whether two sentences say the same in other common words: "is a fan of jazz" and "loves jazz"."""
    new, old = plainly(new), plainly(old)
    if negative(new) != negative(old) or numbers(new) != numbers(old):
        return False
    if _other_way_round(new, old):
        return False
    before = [happened([word.casefold() for word in words(text)]) for text in (new, old)]
    return before[0] == before[1] and bool(_meant(new)) and _meant(new) == _meant(old)


def _other_way_round(new: str, old: str) -> bool:
    """Tell whether one sentence has the user do what the other has somebody do: who gives is not who is given."""
    return any(
        re.match(r"[Tt]he user (?!and\b)", own) is not None
        and (first := re.match(r"[A-Z][\w-]+", other)) is not None
        and first[0] in names(own)
        and not _BEING & {word.casefold() for word in (*words(own), *words(other))}
        for own, other in ((new, old), (old, new))
    )


def _meant(text: str) -> frozenset[str]:
    """Return the words of a sentence, each by one name for all that mean the same."""
    found = {_ONE_NAME.get(one, one) for word in words(text) for one in stems(kin(word))}
    return frozenset(found) - _EMPTY_WORDS


def fills_alike(new: str, old: str, slot: str) -> bool:
    """Tell whether two sentences give one slot the same value: the same feeling, hour or day."""
    if negative(new) != negative(old) or is_over(new) != is_over(old):
        return False
    if "/likes/" in slot:
        return not {"prefers", "prefer"} & {word.casefold() for word in (*words(new), *words(old))}
    return slot.rpartition("/")[2] in _COUNTED and bool(numbers(new)) and numbers(new) == numbers(old)


_COUNTED = frozenset(("waking", "bedtime", "weight", "age", "birthday"))
"""Slots whose value is a number."""


def says_no_more(new: str, old: str, slot: str = "") -> bool:
    """Tell whether all that is specific in `new` stands in `old` too: names, numbers, values, polarity.

    Words that only name the attribute both fill, the `slot`, count neither way.
    """
    new = plainly(new)
    if negative(new) != negative(old) or not numbers(new) <= numbers(old):
        return False
    if not {stem(name) for name in names(new)} <= {stem(word) for word in words(old)}:
        return False
    wanted = {one for one in stems(new) if one not in _GENERIC | stems(slot.replace("/", " "))}
    wanted = (wanted & values(new)) or wanted
    return (bool(wanted) or bool(numbers(new))) and supported(wanted, old) == wanted


def says_the_same(new: str, old: str) -> bool:
    """Tell whether two sentences whose vectors are as close as `ALIKE` say the same of the same, in whatever words.

    All that is specific stands in both, one is as much wish, liking or past as the other, and both are about the
    user, or begin with the same name.
    """
    return (
        _opening(new) == _opening(old)
        and _mood(new) == _mood(old)
        and says_no_more(new, old)
        and says_no_more(old, new)
    )


def _opening(text: str) -> str:
    first = [word for word in words(text) if word.casefold() not in ("the", "a", "an")][:1]
    return first[0].casefold() if first else ""


def _mood(text: str) -> frozenset[str]:
    """Return how a sentence means what it says: "wants to live" and "lives", "likes jazz" and "plays jazz" differ."""
    found = [word.casefold() for word in words(text)]
    wishes = {stem(word) for word in found} & _WISHING
    likes = {stem(word) for word in found} & _LIKING and not wishes
    past = any(
        (word in PAST or (word.endswith("ed") and len(word) > 4)) and before not in LINKS
        for before, word in pairwise(["", *found])
    )
    return frozenset(name for name, holds in (("wish", wishes), ("liking", likes), ("past", past)) if holds)


def opposed(new: str, old: str) -> bool:
    """Tell whether one sentence denies what the other says: the same words with the other polarity."""
    if negative(new) == negative(old) or numbers(new) != numbers(old):
        return False
    mine, theirs = (values(plainly(text)) - _LIKING - _DENIALS - _SIDE for text in (new, old))
    return bool(mine) and supported(mine, old) == mine and supported(theirs, new) == theirs


def renames(new: str, old: str, said: str) -> bool:
    """Tell whether `new` names another for what `old` names: "my dentist is Dr Vance now", and said so."""
    mine, theirs = _naming(new), _naming(old)
    if mine is None or theirs is None or not _NOW.search(said):
        return False
    role = mine["role"].casefold()
    if role.split()[-1] in _SEVERAL and not role.startswith(("best", "favourite", "oldest", "closest")):
        return False
    return role == theirs["role"].casefold() and not says_no_more(new, old, mine["role"])


_SEVERAL = _words(
    "neighbour neighbor friend colleague coworker brother sister cousin aunt uncle son daughter child nephew"
    " niece cat dog pet"
    " classmate flatmate roommate teammate grandmother grandfather student client mate hobby horse twin"
)
"""Whom people have more than one of: another one takes nobody's place."""


def names_role(content: str) -> bool:
    """Tell whether a sentence says who somebody is to the user: that is a fact of the user's too."""
    return _naming(content) is not None


def _naming(content: str) -> re.Match[str] | None:
    return next((match for pattern in _NAMING if (match := pattern.search(content))), None)


def revises(new: str, old: str, said: str) -> bool:
    """Tell whether `new` says how the same doing is now: "gets up at eight now" after "gets up at six"."""
    if not _NOW.search(said) or negative(new) != negative(old) or is_over(old):
        return False
    mine, theirs = (re.match(r"The user (?!is\b|has\b|was\b)(\w+)", text) for text in (plainly(new), plainly(old)))
    if mine is None or theirs is None or stem(mine[1]) != stem(theirs[1]):
        return False
    rest = stems(plainly(old)) - {stem(theirs[1])}
    return 2 * len(supported(rest, new)) >= max(len(rest), 1)


def recovers(new: str, old: str) -> bool:
    """Tell whether `new` says that what hurts or is broken in `old` is well again."""
    return (
        bool(_WELL.search(new))
        and bool(_UNWELL.search(old))
        and bool(supported(_parts(old), new))
        and not negative(old)
    )


def _parts(text: str) -> set[str]:
    return {
        stem(word) for word in re.findall(r"(?i)\b(?:the user['’]s|a|an|the) (\w+)", text) if word.casefold() != "user"
    }


_WELL = re.compile(
    r"\b(?:(?:fine|well|good|ok|okay|better|healthy|healed|mended|repaired|fixed) (?:again|now)|(?:has"
    r"|have) (?:healed|recovered|mended)"
    r"|fully (?:healed|recovered)|(?:stopped|no longer) hurt(?:s|ing)?|pain-free|works again|is fixed"
    r"|not hurt any ?more)\b",
    re.IGNORECASE,
)
_UNWELL = re.compile(
    r"\b(?:hurts?|hurting|aches?|aching|painful|sore|broken|broke|broken down|injured|sprained|ill|sick|swollen"
    r"|infected|bad|pain)\b",
    re.IGNORECASE,
)


def reschedules(new: str, old: str, said: str) -> bool:
    """Tell whether `new` gives another day, number or colour for what `old` gives one for, and the words say so.

    "Swimming is now on Thursdays" after "goes swimming on Mondays".
    """
    if not _MOVED.search(said) or negative(new) != negative(old):
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


def _typed(text: str, kind: str) -> frozenset[str]:
    """Return the values of one kind in a sentence, as comparable words."""
    if kind == "number":
        return frozenset(map(str, numbers(text)))
    return frozenset(word.removesuffix("s") for word in map(str.casefold, words(text)) if word in _TYPED[kind])


def _topic(text: str) -> frozenset[str]:
    typed = frozenset(stem(word) for group in _TYPED.values() for word in group)
    typed |= {stem(word) for word in words(text) if numbers(word)}
    return frozenset(
        one for one in values(plainly(text)) - typed - _GENERIC if one not in _CHANGING and not one[0].isdigit()
    )


_CHANGING = _stems(
    "move push postpone reschedule shift change switch bring brought forward back new down up put delay half"
    " past quarter clock hour week"
    " day month every each cannot instead appointment"
)


def is_over(content: str) -> bool:
    """Tell whether a sentence itself says that something has ended: nothing can end it once more."""
    return bool(_OVER.search(content))
