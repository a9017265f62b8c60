"""What a message says is over, of whom and what; and whether a memory is about that thing, and of the one whose it was.

The ways to say it stand in endings.toml, as templates like "{who} {gave up} {thing}"; this compiles and matches them.
Only what has happened counts: to think of selling the car is not to have sold it, and not to drink coffee this week
is not to have given it up.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from persona_cli.english.lexicon import words as word_set
from persona_cli.english.people import holder, kin
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import negative, stem, stem_set, supported, values, words
from persona_cli.records import SemanticMemory
from persona_cli.remembering.rules.permanence import LINKS, happened, lasts
from persona_cli.remembering.rules.sentence import is_over
from persona_cli.remembering.rules.signs import shows

WAYS = Path(__file__).with_name("endings.toml")
_VERB_PLACE = 2
"""Where the verb of "The user smokes ten a day" stands: what ends is often the doing itself."""
_MEASURES = 3
"""Values a memory may have beside the thing that ended: "three cups of coffee" is about coffee."""


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
    endings: dict[tuple[str, str, bool], Ending] = {}
    for sentence in sentences(said):
        plain = _plain(sentence)
        if shows("unreal", plain) or (plain.rstrip().endswith("?") and not _TOPIC.search(plain)):
            continue
        for ending in _of_sentence(plain):
            endings.setdefault((ending.thing.casefold(), ending.who.casefold(), ending.aversion), ending)
    for topic in _ways().denied.finditer(_plain(said)):
        endings.setdefault((topic["thing"].casefold(), "", False), Ending(topic["thing"], sentence=said))
    return tuple(endings.values())


def for_a_while(said: str) -> bool:
    """Tell whether the words speak of an exception or a time that passes, after which all is as it was."""
    return shows("for a while", said) and not shows("for good", said)


def is_unreal(said: str) -> bool:
    """Tell whether a text speaks only of what may be: a wish, a plan, a question."""
    parts = [_plain(part) for sentence in sentences(said) for part in re.split(r"[,;] ", sentence)]
    return all(shows("unreal", part) or part.rstrip().endswith("?") for part in parts)


def is_over_with(ending: Ending, memory: SemanticMemory) -> bool:
    """Tell whether a lasting fact is about the thing that is over, and whose it was: then it is over too.

    "Drinks three cups of coffee" is about coffee; "bought a coffee table" and "met Ana at the coffee bar" are not.
    """
    content, ways = memory.content, _ways()
    if is_over(content) or bool(_AVERSE.search(content) or negative(content)) != ending.aversion:
        return False
    named = _names_for(ending.thing, content)
    if not named and not _is_theirs(ending, memory):
        return False
    # a comma ends what is said of the thing as "and" does
    spoken = [word.casefold() for word in words(re.sub(r"[,;:]", " and ", content))]
    wanted = {value for value in values(ending.thing) if value not in ways.generic} or values(ending.thing)
    places = [place for place, word in enumerate(spoken) if _means(wanted, word)]
    met = {value for value in wanted if any(_means({value}, word) for word in spoken)}
    if len(met) < len(wanted) - (len(wanted) > 2) or not places or not (named or lasts(memory)):
        return False
    after = spoken[places[-1] + 1 :][:1]
    before = [word for word in spoken[: places[0]] if word not in ("a", "an", "the", "his", "her", "their")][-1:]
    alone = named or not after or places[-1] == _VERB_PLACE or _goes_on(after[0], ending)
    beside = values(content) - supported(values(content), ending.thing)
    # shoes bought for climbing are still there when the climbing is over
    apart = ways.beside | ways.purpose if happened(spoken) else ways.beside
    return alone and not (set(before) & apart) and len(beside) <= _MEASURES


def is_of_use(memory: SemanticMemory, said: str) -> bool:
    """Tell whether the words speak of what a thing was bought for and not of it: the shoes outlast the climbing."""
    match = _BOUGHT_FOR.search(memory.content)
    return match is not None and bool(supported(values(match["use"]), said) - supported(values(match["thing"]), said))


def compile_way(template: str, parts: Mapping[str, str]) -> re.Pattern[str]:
    """Return the pattern of a template: each {name} is replaced by its part; raises `KeyError` for an unknown one."""
    grouped = re.sub(r"\((?!\?)", "(?:", template)
    filled = re.sub(r"\{([a-z ]+\*?)\}", lambda name: parts[name[1]], grouped)
    begins = "" if template.startswith(("{", ",")) else r"\b"
    return re.compile(begins + filled, re.IGNORECASE)


_AVERSE = re.compile(
    r"\b(?:afraid|scared|frightened|terrified|fear|phobia|allergic|allergy|horror of|aversion)\b", re.IGNORECASE
)
_BOUGHT_FOR = re.compile(r"\b(?:bought|got|ordered|picked up) (?P<thing>.+?) (?:for|to go with) (?P<use>.+)")
_TOPIC = re.compile(r"\?.*\b(?:any more|no longer)\b", re.IGNORECASE)
_NAMED_ONE = r"(?:called |named )?(?P<name>(?:(?:Dr|Mr|Mrs|Ms|Miss)\.? )?[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?)"
_IS_TO_USER = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^The user's (?:[\w'’-]+ ){{1,3}}?(?:name )?is {_NAMED_ONE}(?: now)?\W*$",
        r"^(?P<name>[A-Z][\w'’. -]+?) is (?:now )?the user's [\w -]+\W*$",
        rf"^The user (?:\w+ly )?(?:is|has been) (?:dating|seeing|married to|engaged to|together with"
        rf"|in a relationship with|going out with)"
        rf" (?:an? \w+ )?{_NAMED_ONE}",
        rf"^The user (?:and \w+ )?(?:has|have|adopted|got) (?:an?|the|one|two) (?:[\w-]+ ){{1,3}}?{_NAMED_ONE}\W*$",
        rf"^The user's (?:[\w-]+ ){{0,2}}(?:wife|husband|boyfriend|girlfriend|partner|fiancée?"
        rf"|fiancee?) {_NAMED_ONE}\b",
    )
)


def _goes_on(after: str, ending: Ending) -> bool:
    """Tell whether the word after a thing leaves it what it is: "coffee with milk", "iPhone 12", "piano lessons"."""
    told = after in LINKS or after.endswith("ly") or after[0].isdigit() or stem(after) in _ways().generic
    return told or bool(supported({stem(after)}, ending.sentence))


def _means(wanted: Collection[str], word: str) -> bool:
    """Tell whether a word is one of the wanted stems, or a kind of it: "steak" is meat."""
    members = _ways().members
    return bool(supported(wanted, word)) or any(stem(word) in members.get(value, ()) for value in wanted)


def _names_for(thing: str, content: str) -> bool:
    """Tell whether a sentence does nothing but say who somebody is to the user, and that is who is over."""
    return any(
        (match := pattern.search(content)) is not None and bool(supported(values(thing), match["name"]))
        for pattern in _IS_TO_USER
    )


def _is_theirs(ending: Ending, memory: SemanticMemory) -> bool:
    """Tell whether a memory is of the one whose thing is over: the user, "my daughter", "Ella", "she"."""
    mine = holder(memory.content, memory.subject)
    if not ending.who:
        return not mine
    if ending.who.casefold() in ("he", "she", "they"):
        return bool(mine)
    return bool(mine & {kin(word) for word in words(ending.who)})


_LONGEST = 1_000
"""Characters of a sentence that is read for an ending: nobody says longer ones; "I like " for ever took the square."""


def _of_sentence(plain: str) -> Iterator[Ending]:
    # one reading of a sentence goes on where it speaks of its time; "this week" is over soon
    if len(plain) > _LONGEST or for_a_while(plain):
        return
    for aversion, kind in ((False, "over"), (True, "begun")):
        for pattern in _patterns(kind):
            for match in pattern.finditer(plain):
                yield from _things(match, aversion=aversion)


def _things(match: re.Match[str], *, aversion: bool = False) -> Iterator[Ending]:
    groups = match.groupdict()
    who = groups.get("who") or ""
    thing = match["thing"].strip(" ,")
    if re.fullmatch(r"(?i)(?:I|we)?", who):
        who = ""
    if thing and thing.casefold() not in _ways().empty and thing.casefold().split()[0] not in ("i", "we"):
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


@dataclass(frozen=True, slots=True)
class _Ways:
    """The table endings.toml without its templates."""

    denied: re.Pattern[str]
    empty: frozenset[str]
    """What is no thing by itself."""
    generic: frozenset[str]
    """What says of which sort a thing is, not which one: "my HSBC account", "the Japan trip"."""
    beside: frozenset[str]
    purpose: frozenset[str]
    members: Mapping[str, frozenset[str]]


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    """Return the templates of what is "over" or has "begun" as patterns: 60 ms, which a question does not wait for."""
    table = _table()
    parts = _parts(table["around"])
    for name, phrases in table["words"].items():
        either = "|".join(re.escape(phrase.strip()).replace(r"\ ", " ") for phrase in phrases.split(","))
        parts[name] = rf"(?:{either})\b"
        parts[f"{name}*"] = rf"(?:(?:{either}) )*"
    parts["verb"] = rf"(?!{parts['aversion']})\w+(?: (?:at|for|as|in|with|to|on|of|about))?"
    return tuple(compile_way(way, parts) for family in table[kind].values() for way in family)


@cache
def _ways() -> _Ways:
    table = _table()
    things = table["things"]
    return _Ways(
        denied=re.compile(rf"{table['denied']['thing']}(?:{'|'.join(table['denied']['says'])})\b", re.IGNORECASE),
        empty=word_set(table["around"]["empty"]) | frozenset(table["around"]["no thing"]),
        generic=stem_set(things["generic"]),
        beside=word_set(things["beside"]),
        purpose=word_set(things["purpose"]),
        members={stem(kind): stem_set(members) for kind, members in table["members"].items()},
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(WAYS.read_text(encoding="utf-8"))


def _parts(around: Mapping[str, str]) -> dict[str, str]:
    """Return the parts of templates that are no lists: a thing, who ended it, where it ends."""
    before, after, verb = (
        "|".join(map(re.escape, around[name].split())) for name in ("before", "after", "before verb")
    )
    inner = r"and\b|but\b|because\b|so\b|any more\b"
    return {
        "thing": rf"(?P<thing>(?:(?:{before}) )*[\w'&-]+(?: (?!{inner})[\w'&-]+){{0,4}}?)",
        "head": r"(?<![\w'])(?P<thing>(?:(?:my|the|our|his|her|that|all|this) )*[\w'&-]+"
        r"(?: (?!and\b|but\b|is\b|has\b|are\b|does\b|I\b)[\w'&-]+){0,3}?)",
        "end": rf"(?= ?[,.;:!?)–—]| -|$| (?:{after})\b| the (?:day|moment|minute|other)\b)",
        "who": r"(?P<who>\b(?:I|we|(?:my|our) (?:[\w-]+ ){0,2}?[\w-]+|(?-i:[A-Z][\w-]+)|he|she|they))"
        rf"(?: (?:\w+ly|{verb}|have to|had to|and [A-Z]\w+))*?",
    }
