"""One clause that tells several things, as the plain clauses it could have been said in.

"I have a cat called Tofu and a brother Ben who lives in Oslo" is three facts: each can be asked for, and change,
without the others. Every word of a part is a word of the clause, but for the subject that is said again.
"""

from __future__ import annotations

import re

from persona_cli.english.lexicon import BASE, NAME, PEOPLE, PETS
from persona_cli.english.verbs import PAST, is_past

_ROLES = "|".join(sorted((re.escape(w) for w in PEOPLE | PETS), key=len, reverse=True))
_ONE = r"(?:an?|my|our|his|her|their|the|one|two|three|four|five|\d+)"
_SOMEBODY = rf"{_ONE} (?:(?!and\b|who\b|is\b|with\b)[\w'-]+ ){{0,2}}?(?:{_ROLES})(?:e?s)?\b"
_WHO = re.compile(
    rf"(?P<who>(?:my|our|an?|{NAME}'s) (?:(?!and\b|with\b)[\w'-]+ ){{0,2}}?(?P<role>{_ROLES}))(?: (?:called |named"
    rf" )?(?P<name>{NAME}))?(?P<comma>,?) (?:who|that) (?P<rest>(?!I\b|we\b|you\b|my\b)[^,;]+?)(?P<close>,|$)",
    re.I,
)
_HAVING = re.compile(
    r"^(?P<lead>(?:I|we) (?:(?:also|now|just|recently|already|still) )*(?:have|have got|got|had))\b", re.I
)
_NEXT_ONE = re.compile(rf"(?:, and |,? and |, |,? plus |,? as well as )(?={_SOMEBODY})", re.I)
_NEXT_VERB = re.compile(r"(?P<cut>,? and then |,? then |, and |, | and )(?P<verb>[a-z]+) (?=\S+ ?)", re.I)
_BRIDGED = re.compile(
    r", (?:and )?the (?P<thing>(?:(?:new|old) )?(?:flat|house|apartment|place|room|garden|job|office|commute|boss|team"
    r"|car|bike|baby|school|landlord|neighbours)) (?=(?:is|are|was|has|have|comes|needs|looks|does|came|had)\b)",
    re.I,
)


def unfold(plain: str) -> tuple[str, ...]:
    """Return the clauses that a tidied clause joins, most of the time itself alone."""
    parts: list[str] = []
    for told in _of_oneself(plain) or _apposed(plain) or _bridged(plain):
        main, relative = _without_relative(told)
        parts += [one for verbs in _by_object(main) for one in _by_verb(verbs)]
        parts += relative
    return tuple(dict.fromkeys(parts))


def _of_oneself(plain: str) -> tuple[str, ...]:
    """Cut "I am Priya, 29, living in Bristol" and "41, divorced, dad of one": each part is what the user is."""
    parts = re.split(r",? and (?=\w+ing\b)|, (?:and )?", plain)
    if not re.match(rf"I am (?:{NAME}(?: {NAME})?|\d\d)$|\d\d$", parts[0], re.I) or len(parts) < 2:
        return ()
    said = [_SELF.match(part) for part in parts[1:]]
    if not all(said):
        return ()
    first = parts[0] if parts[0][:1] == "I" else f"I am {parts[0]}"
    return (first, *(_own(match, part) for match, part in zip(said, parts[1:], strict=True) if match))


def _own(match: re.Match[str], part: str) -> str:
    if match["verb"]:
        return f"I {part}"
    return f"I am a {part}" if match["role"] else f"I am {part}"


_SELF = re.compile(
    r"(?:\d\d(?: years old)?|(?:now |currently |originally )?(?:\w+ing|from|based) .+|(?:happily |recently )?(?:single"
    r"|married|divorced|engaged|widowed|retired|separated)|an? [\w' -]+"
    r"|(?P<role>(?:dad|mum|mom|mother|father|parent|\w+er|nurse|vet) (?:of|in|from|at) .+"
    r"|\w+(?:er|or|ist|ian))|(?P<verb>(?:work|live|study) .+))$",
    re.I,
)


def _apposed(plain: str) -> tuple[str, ...]:
    """Take "which is Gertrude" off what is the user's, and say it of that."""
    match = re.search(r"\b(?P<what>(?:my|our) [\w' -]+), which (?P<rest>(?:is|was|are) [^,;]+)$", plain, re.I)
    return (plain[: match.end("what")], f"{match['what']} {match['rest']}") if match else ()


def _bridged(plain: str) -> tuple[str, ...]:
    """Cut "I moved, the new flat has a balcony", where "the" is the user's."""
    match = _BRIDGED.search(plain)
    if match is None or not re.match(r"(?:I|we|my|our)\b", plain, re.I):
        return (plain,)
    return (plain[: match.start()], f"my {match['thing']} {plain[match.end() :]}")


def _without_relative(plain: str) -> tuple[str, list[str]]:
    """Take "who lives in Oslo" off somebody, and say it of them."""
    match = _WHO.search(plain)
    if match is None or re.search(r"\b(?:not|no|never)\b", plain[: match.start()], re.I):
        return plain, []
    who = match["who"]
    if re.match(r"(?i)an? ", who):
        who = f"my {match['role']}"
    told = f"{who} {match['name']} {match['rest']}" if match["name"] else f"{who} {match['rest']}"
    told = re.sub(r"(?i)^(.*?) am\b", r"\1 is", told)
    left = plain[: match.start()] + re.sub(r",? (?:who|that) .*$", "", match[0])
    rest = plain[match.end() :]
    if match.start() == 0:
        return f"{left} {rest.strip()}" if rest.strip() else told, [told] if rest.strip() else []
    return left + (f",{rest}" if match["close"] and rest else rest), [told]


def _by_object(plain: str) -> tuple[str, ...]:
    """Cut "I have a cat called Tofu and a brother Ben" at the second that is had."""
    lead = _HAVING.match(plain)
    first = re.search(_SOMEBODY, plain[lead.end() :], re.I) if lead else None
    if lead is None or first is None or first.start() > 1:
        return (plain,)
    cuts = [match.span() for match in _NEXT_ONE.finditer(plain, lead.end())]
    spans = zip([lead.end(), *(end for _, end in cuts)], [*(start for start, _ in cuts), len(plain)], strict=True)
    return tuple(f"{lead['lead']} {plain[start:end].strip()}" for start, end in spans)


def _by_verb(plain: str) -> tuple[str, ...]:
    """Cut "I quit my job, took a month off and started a band" where the subject is left out."""
    subject = re.match(r"(?:(?:so|then|now) )?(I|we) (?:\w+ly |just |also |then )?(?P<verb>\w+) ", plain, re.I)
    if subject is None or not _finite(subject["verb"]):
        return (plain,)
    past = is_past(subject["verb"])
    parts, at = [], 0
    for match in _NEXT_VERB.finditer(plain, subject.end()):
        verb = match["verb"].lower()
        same = (is_past(verb) and verb not in _PARTICIPLES) if past else verb in BASE
        least = 2 if match["cut"].startswith(",") else 3 if past else 99
        if same and len(plain[match.end() :].split()) > 1 and len(plain[at : match.start()].split()) > least:
            parts.append(plain[at : match.start()])
            at = match.start("verb")
    whole = [*parts, plain[at:]]
    return (whole[0], *(f"{subject[1]} {part}" for part in whole[1:]))


_PARTICIPLES = frozenset(["called", "named", "based", "left", "made", "born", "followed", "known", "used"])


def _finite(verb: str) -> bool:
    return is_past(verb) or verb.lower() in BASE | PAST
