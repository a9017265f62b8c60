"""Patterns for people and pets: who they are to the user, what they are called, and what happens to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.english.lexicon import BASE, KIN, NAME, NOT_NAMES, PARTNERS, PEOPLE, PETS, SPEAKING, STOP, words
from persona_cli.english.verbs import is_adverb
from persona_cli.model.lite.tags import Tag, named

_ROLE = "|".join(sorted((re.escape(word) for word in PEOPLE | PETS), key=len, reverse=True))
_MANY = r"(?:" + _ROLE + r")(?:e?s)?"
_TITLE = (
    r"((?!(?:and|but|is|was|who|that|in|at|on|to|for|from|has|had|got|with|the|a|an|of|as|i|he|she|it|they"
    r"|we|so|or|says?|loves?|likes?|my|food|walker|years?|today|yesterday|because|when|will|can|would|does"
    r"|did|do|are|were|just|also|works?|lives?|not|about|by|moved|went|came|called|named|really|always"
    r"|never)\b)[^\W\d_][\w'-]*)"
)
_ADJ = r"(?:(?!name\b|is\b|and\b)[\w'-]+ ){0,3}?"
_LIST = r"([^\W\d_][\w'-]*(?:(?:, and |, | and | & )[^\W\d_][\w'-]*)*)"

_CALLED = re.compile(
    rf"\b(?:my|our|a|an|the|\d|two|three|four|one|this) (?P<adjectives>{_ADJ})(?P<role>{_MANY})\b(?:(?! (?:a|an"
    rf"|and|my|the|has|have|with)\b|'s )[^,.;]){{0,40}}?,? (?:is |are |was "
    rf"|were |who is |which is )?(?:called|named|name is|names are) (?P<names>{_LIST})",
    re.I,
)
_NAME_OF = re.compile(
    rf"\b(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_MANY})(?:'s|s'|s)? names? (?:is|are|was) (?P<names>{_LIST})", re.I
)
_BESIDE = re.compile(rf"\b(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE}) (?P<names>{NAME})", re.I)
_BESIDE_COMMA = re.compile(
    rf"\b(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE})(?:, | \()(?P<names>{NAME})(?=[,)]|$|\.| (?:and|is"
    rf"|was|has))",
    re.I,
)
_LOWER = re.compile(
    rf"\b(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{'|'.join(sorted(KIN | PETS | {'friend'}))}) (?P<names>{_TITLE})(?="
    rf" (?:is|was|has|had|got|works|lives"
    rf"|loves|likes|and I|moved|just|hates|plays|turned|who)\b|$)",
    re.I,
)
_GIVING = re.compile(
    r"\b(?:teach|taught|read|buy|bought|give|gave|show|showed|feed|fed|make|made|cook|cooked|sing|sang|tell|told|send|sent"
    r"|lend|lent|bring|brought|get|got|order|ordered|offer|offered|pay|paid|owe|cost)(?:s|ing)? $",
    re.I,
)
"""Verbs with two objects: what stands after the person is a thing, not a name."""
_APPOSED = re.compile(
    rf"(?P<names>\b{NAME}),? (?:is |was |and |who is )?(?:my|our)"
    rf" (?P<adjectives>{_ADJ})(?P<role>{_ROLE})\b",
    re.I,
)
_IS_ROLE = re.compile(
    rf"^(?P<names>{NAME}) is (?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE})(?: dog| cat)?$",
    re.I,
)
_REL_IS = re.compile(rf"^(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE}) is (?P<names>{NAME})(?=[,.]|$)", re.I)
_AGED = r"[A-Z][\w'-]+(?: ?\(\d+\)|,? (?:aged )?\d+)?"
_HAVE = re.compile(
    rf"\b(?:I|we) (?:also )?(?:have|have got|got|adopted|own|just got|just adopted|bought|rescued|have adopted"
    rf"|had)(?: (?:just|recently|also|finally))?(?: us| me)? "
    rf"((?:an?|one|two|three|four|five|six|seven|\d+|some|no|twin) ({_ADJ})({_MANY}))(?: (?:called|named"
    rf"|\w+ing)?\b|:|,|$)[ ,:–—-]*(?:called |named )?(?-i:({_AGED}(?:(?:, and |, | and | & ){_AGED})*))?",
    re.I,
)
_HAVE_NOT = re.compile(
    rf"\b(?:I|we) (?:do not|have never|never) (?:actually )?(?:have|had|own|got) (?:an?|any) ({_ADJ})({_MANY})\b", re.I
)
_SHOWN = re.compile(
    r"^(?:(?:this|that|these|those|it|here|left|right|on the (?:left|right))(?: (?:one|guy|little guy|picture"
    r"|photo))? (?:is|are|was)|meet|say (?:hi|hello) to|look at|check out|here comes|here,) (?P<who>.+)$",
    re.I,
)
KIN_OF = re.compile(
    rf"^(?P<who>(?:(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE})(?: (?P<name>{NAME}))?"
    rf"|(?P<alone>{NAME}))'s (?:{_ADJ})(?P<of>{_ROLE})(?:,? (?P<names>(?-i:[A-Z][\w-]+)))?) \w+",
    re.I,
)
_THEIR = re.compile(rf"^(?P<name>{NAME})'s (?P<what>(?:[\w'-]+ ){{1,3}}?)(?:is|was|are|were|has|had|will)\b", re.I)
_OWN_THINGS = words(
    """birthday wedding anniversary party funeral job surgery operation name house flat hobby favourite school team
    dream car shop company band boat garden address number age baby graduation exam interview appointment"""
)
"""What is said of these after a name is said of a person: "Marnie's birthday", not "Netflix's prices"."""
_EVENT = re.compile(rf"^(?:my|our) (?P<adjectives>{_ADJ})(?P<role>{_ROLE})(?:'s)? ", re.I)
_THIRD = re.compile(
    rf"^(?P<names>{NAME}) (?:(?:just|also|really|recently|finally|already|still|always|never"
    r"|sometimes|often)"
    r" )*(?:is (?:my|getting|moving|coming|visiting|going|having|pregnant|turning|starting|expecting|staying|in"
    r" hospital|ill|sick|a |an |\d)|"
    r"got|loves|likes|hates|moved|works|lives|started|turned|plays|broke|passed|had|has|was born|died|graduated"
    r"|finished|lost|quit|bought|adopted|called me|gave me|proposed|married|studies|wants|speaks|ran|won|"
    r"failed|retired|left|joined|came|went|invited|prefers|enjoys|needs|used to|cannot|does not|will|learned"
    r"|learnt|told|sleeps|eats|barks|chewed|visited|helped|taught|introduced)\b"
)


def people(plain: str, known: frozenset[str] = frozenset()) -> Iterator[Tag]:
    """Yield the people and pets a tidied clause names, says it has, or tells something of."""
    found = [*_introductions(plain), *_owned(plain)]
    yield from found
    if not found or all(tag.aside for tag in found):
        yield from _told_of(plain, known)


_HAD_BY_ANOTHER = re.compile(
    rf"(?:(?i:my|our) (?:(?!and (?:I|me)\b)[\w'-]+ ){{1,4}}?|(?!I\b|We\b|My\b|Our\b){NAME} )"
    r"(?:(?:also|just|recently|now) )*(?:has|have|had|got|adopted|bought|owns)\b"
)
_OWNING = re.compile(r"\b(?:I|my|our|we|me|us|mine)\b|^(?:his|her) name", re.I)


def _introductions(plain: str) -> Iterator[Tag]:
    for pattern, whole in ((_CALLED, True), (_NAME_OF, True), (_REL_IS, True), (_IS_ROLE, True)):
        match = pattern.search(plain)
        if match and _is_of_another(plain, match):
            continue
        if match and " not " in plain[match.start() : match.start("names")]:
            return
        if match and (called := _names(match["names"])):
            yield _naming(match, called, whole=whole)
            return
    seen: set[str] = set()
    for match in (match for pattern in (_BESIDE, _BESIDE_COMMA, _LOWER, _APPOSED) for match in pattern.finditer(plain)):
        if match.re is _LOWER and _GIVING.search(plain[: match.start()]):
            continue  # "I teach my son chess"
        if called := _names(match["names"]):
            if called[0] in seen or seen & {match["role"].lower()} or "'s " in match["adjectives"]:
                continue
            seen |= {called[0], match["role"].lower()}
            whole = match.span() == (0, len(plain))
            yield _naming(match, called, whole=whole)
            if match.start() == 0 and not whole and not re.match(r",? and (?:I|me|my)\b|'s ", plain[match.end() :]):
                yield Tag("about", subject=called[0], weight=2.4, names=called)


def _is_of_another(plain: str, match: re.Match[str]) -> bool:
    """Tell whether somebody named is not the user's: "a father named Chris", "my sister has a dog"."""
    had = _HAD_BY_ANOTHER.match(plain)
    beside = had is not None and had.end() <= match.start("role")
    return beside or _OWNING.search(plain, 0, match.end()) is None or "'s " in match["adjectives"]


def _naming(match: re.Match[str], called: tuple[str, ...], *, whole: bool) -> Tag:
    adjectives, role = match["adjectives"], _root(match["role"])
    pet = role in PETS
    slot, value = f"{called[0]}/{'species' if pet else 'relation'}", role
    if role in PARTNERS and not re.search(r"\b(?:ex|former|late|friend's)\b", adjectives):
        slot, value = "user/partner", called[0]
    if len(called) > 1:
        slot, value = "", ", ".join(called)
    aside = "" if whole else f"{' and '.join(called)} is the user's {adjectives}{match['role'].lower()}."
    subject = called[0] if len(called) == 1 else "user"
    return Tag("pet" if pet else role, slot, value, subject, weight=2.6, content=aside, names=called, aside=not whole)


def _owned(plain: str) -> Iterator[Tag]:
    none = _HAVE_NOT.search(plain)
    if none is not None:
        yield Tag("pet" if _root(none[2]) in PETS else "people", f"user/has/{_root(none[2])}", "none", weight=2)
        return
    match = _HAVE.search(plain)
    if (
        match is None
        or _CALLED.search(plain)
        or re.search(r"\b(?:might|may|will|could|maybe)\b", plain[: match.start(1)])
    ):
        return
    names = _names(re.sub(r" ?\(\d+\)|,? (?:aged )?\d+", "", match[4] or ""))
    role = _root(match[3])
    for name, age in re.findall(r"([A-Z][\w'-]+)(?: ?\(|,? (?:aged )?)(\d+)", match[4] or ""):
        yield Tag("age", f"{name}/age", age, name, weight=2, content=f"{name} is {age}.", names=(name,))
    kind = "pet" if role in PETS else role
    if len(names) == 1 and re.match(r"(?i)(?:an?|one) ", match[1]) and role not in PARTNERS:
        slot = f"{names[0]}/{'species' if role in PETS else 'relation'}"
        yield Tag(kind, slot, role, names[0], weight=2.6, names=names)
        return
    yield Tag(kind, f"user/has/{role}" if not names else "", match[1], weight=2.5, names=names)


def _told_of(plain: str, known: frozenset[str]) -> Iterator[Tag]:
    if re.match(r"(?:my|our) [\w' -]{1,40}? and (?:I|me)\b", plain, re.I):
        return
    match = KIN_OF.match(plain)
    if match is not None and (match["alone"] is None or match["alone"].lower() not in NOT_NAMES):
        names = tuple(name for name in (match["name"], match["alone"], match["names"]) if name)
        yield Tag("kin", subject=match["names"] or match["who"], weight=1.8, names=names)
        return
    match = _THEIR.match(plain)
    if match is not None and (match["name"] in known or _OWN_THINGS & set(match["what"].lower().split())):
        yield Tag("about", subject=match["name"], weight=1.6, names=(match["name"],))
        return
    match = _EVENT.match(plain)
    if match is not None and len(plain.split()) > 3:
        yield Tag("about", subject=f"my {match['role'].lower()}", weight=1.5)
        return
    aged = re.match(
        r"(?-i:([A-Z][\w'-]+)) (?:is|turned|just turned) (\d{1,3}|one|two|three|four|five|six|seven|eight|nine"
        r"|ten)\b(?! (?:weeks|months|minutes))",
        plain,
    )
    if aged and aged[1].lower() not in NOT_NAMES:
        yield Tag("age", f"{aged[1]}/age", aged[2], aged[1], weight=2)
        return
    match = _THIRD.match(plain)
    first = re.match(r"([A-Z][\w'-]+) ", plain)
    if match is None and first and first[1] in known and len(plain.split()) > 2:
        match = first
    if match is not None and match[1].lower() not in NOT_NAMES:
        yield Tag("about", subject=match[1], weight=1.5)


_COUNT = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def as_if_own(plain: str, subject: str) -> str:
    """Return "Anna lives in Rome" as "I live in Rome", so that one set of patterns reads both; "" if it cannot be."""
    who = subject if not subject.startswith("my ") else rf"(?:my|our) (?:[\w'-]+ ){{0,3}}?{re.escape(subject[3:])}"
    match = re.match(rf"(?:(?:my|our) (?:[\w'-]+ ){{0,3}}?)?{who}(?P<owning>'s)? (?P<rest>.+)$", plain, re.I)
    if match is None:
        return ""
    words = match["rest"].split()
    if match["owning"]:
        return " ".join(["my", *words])
    if words[-1].lower() in _COUNT and len(words) == 2:
        words[-1] = str(_COUNT.index(words[-1].lower()) + 1)
    place = next((i for i, word in enumerate(words) if not is_adverb(word.lower())), 0)
    verb = words[place].lower()
    words[place] = {"is": "am", "has": "have", "does": "do"}.get(verb) or _bare(verb)
    return " ".join(["I", *words])


def _bare(verb: str) -> str:
    ends = (("ies", "y"), ("es", ""), ("s", ""))
    return next(
        (verb[: -len(end)] + new for end, new in ends if verb.endswith(end) and verb[: -len(end)] + new in BASE), verb
    )


def shown(plain: str) -> str:
    """Return what "this is ..." or "meet ..." says a picture shows, "" where it says nothing of one."""
    match = _SHOWN.match(plain)
    return match["who"].strip() if match else ""


def _names(text: str) -> tuple[str, ...]:
    parts = re.split(r", and |, | and | & ", text)
    good = [
        part
        for part in parts
        if part and part.lower() not in NOT_NAMES | STOP | PEOPLE | SPEAKING and not part.lower().endswith("ing")
    ]
    if text[:1].isupper():
        good = [part for part in good if not part[0].islower()]  # "called Rosa and lives with us"
    return tuple(named(part) for part in good) if good and good[0] == parts[0] else ()


def _root(role: str) -> str:
    """Return the singular of a role: "dogs" is "dog", "puppies" "puppy", "wives" "wife"."""
    word = role.lower().removesuffix("'s").removesuffix("'")
    if word in {"kids", "children", "kid"}:
        return "child"
    for end, new in (("ies", "y"), ("ves", "fe"), ("es", ""), ("s", "")):
        if word.endswith(end) and word[: -len(end)] + new in PEOPLE | PETS:
            return word[: -len(end)] + new
    return word
