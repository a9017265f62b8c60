"""What a message says is over: of whom, and what, in the speaker's words.

The ways to say it stand in endings.toml, as templates like "{who} {gave up} {thing}"; this compiles and matches them.
Only what has happened counts: to think of selling the car is not to have sold it, and not to drink coffee this week
is not to have given it up.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from persona_cli.english.tokens import sentences


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that is over."""

    thing: str
    who: str = ""
    """Whose it was, as the message says it: "" for the writer, "my daughter", "Ella"."""
    aversion: bool = False
    """True when it is a dislike, a fear or an abstinence that is over: the thing itself has begun."""
    sentence: str = ""
    """The sentence that says so, in full forms."""


def ended(said: str) -> tuple[Ending, ...]:
    """Return what `said` tells is over, given up or replaced, each thing once."""
    found: dict[tuple[str, str, bool], Ending] = {}
    for sentence in sentences(said):
        plain = _plain(sentence)
        if _UNREAL.search(plain) or (plain.rstrip().endswith("?") and not _TOPIC.search(plain)):
            continue
        for ending in _of_sentence(plain):
            found.setdefault((ending.thing.casefold(), ending.who.casefold(), ending.aversion), ending)
    topics = [match["thing"] for match in _ASKED_AND_DENIED.finditer(_plain(said))]
    for thing in topics:
        found.setdefault((thing.casefold(), "", False), Ending(thing, sentence=said))
    return tuple(found.values())


def for_a_while(said: str) -> bool:
    """Tell whether the words speak of an exception or a time that passes, after which all is as it was."""
    return bool(_FOR_A_WHILE.search(said)) and not _FOR_GOOD.search(said)


def is_unreal(said: str) -> bool:
    """Tell whether a text speaks only of what may be: a wish, a plan, a question."""
    parts = [_plain(part) for sentence in sentences(said) for part in re.split(r"[,;] ", sentence)]
    return all(_UNREAL.search(part) or part.rstrip().endswith("?") for part in parts)


def _of_sentence(plain: str) -> Iterator[Ending]:
    # one reading of a sentence goes on where it speaks of its time; "this week" is over soon
    if for_a_while(plain):
        return
    for aversion, patterns in ((False, _ways().over), (True, _ways().begun)):
        for pattern in patterns:
            for match in pattern.finditer(plain):
                yield from _things(match, aversion=aversion)


def _things(match: re.Match[str], *, aversion: bool = False) -> Iterator[Ending]:
    groups = match.groupdict()
    who = groups.get("who") or ""
    thing = match["thing"].strip(" ,")
    if re.fullmatch(r"(?i)(?:I|we)?", who):
        who = ""
    if thing and thing.casefold() not in _EMPTY and thing.casefold().split()[0] not in ("i", "we"):
        yield Ending(thing, who, aversion, match.string)


_SPELLED = tuple(
    (re.compile(old, re.IGNORECASE), new)
    for old, new in (
        ("[’‘]", "'"),
        (r"\b(can)(?:'t|not)\b", "can not"),
        (r"\b(wo)n't\b", "will not"),
        (r"(\w)n't\b", r"\1 not"),
        (r"\bI'?m\b", "I am"),
        (r"\b(we|they|you)'re\b", r"\1 are"),
        (r"\b(I|we|they|you)'ve\b", r"\1 have"),
        (r"\b(he|she|it|that)'s\b", r"\1 is"),
        (r"'ll\b", " will"),
        (r"\b(I|we|he|she|they)'d\b", r"\1 would"),
        (r"\bany ?(?:more|longer)\b", "any more"),
        (r"\s+", " "),
    )
)


def _plain(text: str) -> str:
    for pattern, new in _SPELLED:
        text = pattern.sub(new, text)
    return text


_UNREAL = re.compile(
    r"\b(?:if|unless|imagine|suppose|supposing|pretend|wish|might|maybe|perhaps|should I|would|could|what if|whether"
    r"|thinking (?:of|about)|consider(?:ing)?|(?:want|wants|going|plan|plans|planning|hoping|hope|trying|try"
    r"|tempted|need"
    r"|about|not ready|unable|afraid) to(?! be\b)|almost|nearly|never|will|dream(?:t|ed)?|says? that|(?:said"
    r"|says):? [\"“])\b",
    re.IGNORECASE,
)
"""What makes a sentence tell of what may be and not of what is."""

_FOR_A_WHILE = re.compile(
    r"\b(?:this (?:week|weekend|month|morning|evening|afternoon|time)|today|tonight|tomorrow|yesterday|for (?:a"
    r"|the|two"
    r"|three|four|five|some|a few|a couple of) ?(?:next |of )?(?:few )?(?:day|week|month|bit|while|time|moment)s?"
    r"|for now|for once|temporarily|at the moment|until|till|just now|on holiday|during|in lent|in january only"
    r"|(?:day|week|month) off|day out|a break from)\b",
    re.IGNORECASE,
)
_FOR_GOOD = re.compile(
    r"\b(?:passed away|-free\b|for good|for ever|forever|any more|no longer|from now on|permanently|quit|gave up"
    r"|given up|sold|divorced"
    r"|broke up|split up|cancelled|died|retired|moved|left|over|done with|cut|bought|deleted|dropped|switched|closed"
    r"|joined|started|new|got rid)\b",
    re.IGNORECASE,
)
_EMPTY_TEXT = """
it them this that these those everything something anything him her me us you the all one things work time way and
home early bed lot town school house out off on a an there here job office late up down
"""
_EMPTY = frozenset(_EMPTY_TEXT.split()) | {
    *("my job", "a job", "the job", "the office", "my mind", "the house", "the same", "my own", "the first", "a lot"),
}
WAYS = Path(__file__).with_name("endings.toml")
_BEFORE_THING = """
my the a an our his her their that this all any some of being playing doing going to for watching eating drinking
having taking using wearing everything on with at in from old beloved whole entire learning studying following reading
listening practising practicing driving riding visiting seeing dating working as
"""
_AFTER_THING = """
and but because since so as for now to with by after when which last this in on yesterday today any more altogether
entirely completely it year years month months week weeks lately recently instead at these nowadays ages long two three
due behind forever once during before over then from against who that until again put took while where if about a while
"""
_BEFORE_VERB = """
just also now even since have has had am is are was were be been got grown become go went gone became already long all
basically totally really so right both do does did decided made me
"""


def _any(text: str) -> str:
    return "|".join(map(re.escape, text.split()))


_THING = rf"(?:(?:{_any(_BEFORE_THING)}) )*[\w'&-]+(?: (?!and\b|but\b|because\b|so\b|any more\b)[\w'&-]+){{0,4}}?"
_PARTS = {
    "thing": rf"(?P<thing>{_THING})",
    "head": r"(?<![\w'])(?P<thing>(?:(?:my|the|our|his|her|that|all|this) )*[\w'&-]+"
    r"(?: (?!and\b|but\b|is\b|has\b|are\b|does\b|I\b)[\w'&-]+){0,3}?)",
    "end": rf"(?= ?[,.;:!?)–—]| -|$| (?:{_any(_AFTER_THING)})\b| the (?:day|moment|minute|other)\b)",
    "who": r"(?P<who>\b(?:I|we|(?:my|our) (?:[\w-]+ ){0,2}?[\w-]+|(?-i:[A-Z][\w-]+)|he|she|they))"
    rf"(?: (?:\w+ly|{_any(_BEFORE_VERB)}|have to|had to|and [A-Z]\w+))*?",
}


@dataclass(frozen=True, slots=True)
class _Ways:
    over: tuple[re.Pattern[str], ...]
    begun: tuple[re.Pattern[str], ...]


@cache
def _ways() -> _Ways:
    """Return the templates of endings.toml as patterns, compiled at the first use."""
    told = tomllib.loads(WAYS.read_text(encoding="utf-8"))
    parts = dict(_PARTS)
    for name, phrases in told["words"].items():
        either = "|".join(re.escape(phrase.strip()).replace(r"\ ", " ") for phrase in phrases.split(","))
        parts[name] = rf"(?:{either})\b"
        parts[f"{name}*"] = rf"(?:(?:{either}) )*"
    parts["verb"] = rf"(?!{parts['aversion']})\w+(?: (?:at|for|as|in|with|to|on|of|about))?"
    over, begun = (
        tuple(compile_way(way, parts) for family in told[kind].values() for way in family) for kind in ("over", "begun")
    )
    return _Ways(over, begun)


def compile_way(template: str, parts: dict[str, str]) -> re.Pattern[str]:
    """Return the pattern of a template: each {name} is replaced by its part; raises `KeyError` for an unknown one."""
    grouped = re.sub(r"\((?!\?)", "(?:", template)
    filled = re.sub(r"\{([a-z ]+\*?)\}", lambda name: parts[name[1]], grouped)
    begins = "" if template.startswith(("{", ",")) else r"\b"
    return re.compile(begins + filled, re.IGNORECASE)


_TOPIC = re.compile(r"\?.*\b(?:any more|no longer)\b", re.IGNORECASE)
_ASKED_AND_DENIED = re.compile(
    r"(?:^|[.!?]\s+)(?P<thing>[\w'&][\w'& -]{1,40}?)\?\s+(?:(?:that|it) is\s+)?(?:(?:no|nope|nah"
    r"|sorry)[,.]?\s+)?(?:not"
    r" (?:me|for me|my thing|mine|us|any ?more|these days|now)|no longer|never again|over it|over that"
    r"|been there|done with"
    r" (?:it|that)|gone off (?:it|that|them)|I am (?:over|done|off)|history|I (?:quit|gave (?:it|that|them) up"
    r"|stopped)|can"
    r" not stand|I (?:have )?(?:given|dropped|sold|ditched|left))\b",
    re.IGNORECASE,
)
