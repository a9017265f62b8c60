"""Whether a memory is over with what a message says is over: about that thing, and of the one whose it was."""

from __future__ import annotations

import re
from collections.abc import Collection

from persona_cli.english.people import holder, kin
from persona_cli.english.tokens import negative, stem, supported, values, words
from persona_cli.records import SemanticMemory
from persona_cli.remembering.endings import Ending
from persona_cli.remembering.lasting import happened, lasts
from persona_cli.remembering.same import LINKS, is_over


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


_BESIDE = frozenset(["near", "by", "behind", "beside", "opposite", "outside", "past", "about"])
_PURPOSE = frozenset(["for", "with", "at", "in", "on"])
_VERB_PLACE = 2
"""Where the verb of "The user smokes ten a day" stands: what ends is often the doing itself."""
_MEASURES = 3
"""Values a memory may have beside the thing that ended: "three cups of coffee" is about coffee."""
_AVERSE = re.compile(
    r"\b(?:afraid|scared|frightened|terrified|fear|phobia|allergic|allergy|horror of)\b", re.IGNORECASE
)
_GENERIC_THINGS = _stems(
    "account membership trip plan plans everything diet lessons lesson class classes course hobby collection"
    " thing stuff habit"
    " subscription contract visit visits stay party society job follow following"
)
"""What says of which sort a thing is, not which one: "my HSBC account", "the Japan trip"."""
_MEMBERS = {
    stem(kind): _stems(members)
    for kind, members in {
        "meat": "steak bacon ham beef pork chicken sausage sausages burger burgers lamb turkey salami meatballs"
        " barbecue veal duck",
        "alcohol": "beer wine gin whisky whiskey vodka rum cider cocktail cocktails champagne prosecco ale lager",
        "wine": "alcohol",
        "beer": "alcohol",
        "dairy": "cheese milk butter yoghurt yogurt cream",
        "caffeine": "coffee espresso cappuccino latte",
        "sweets": "chocolate candy cake cakes biscuits cookies",
        "smoking": "cigarette cigarettes smokes smoke",
        "cigarettes": "smoke smokes smoking",
    }.items()
}
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


def is_over_with(ending: Ending, memory: SemanticMemory) -> bool:
    """Tell whether a lasting fact is about the thing that is over, and whose it was: then it is over too.

    "Drinks three cups of coffee" is about coffee; "bought a coffee table" and "met Ana at the coffee bar" are not.
    """
    content = memory.content
    if is_over(content) or bool(_AVERSE.search(content) or negative(content)) != ending.aversion:
        return False
    named = _names_for(ending.thing, content)
    if not named and not _is_theirs(ending, memory):
        return False
    # a comma ends what is said of the thing as "and" does
    found = [word.casefold() for word in words(re.sub(r"[,;:]", " and ", content))]
    wanted = {one for one in values(ending.thing) if one not in _GENERIC_THINGS} or values(ending.thing)
    places = [place for place, word in enumerate(found) if _means(wanted, word)]
    if len({one for one in wanted if any(_means({one}, word) for word in found)}) < len(wanted) - (len(wanted) > 2):
        return False
    if not places or not (named or lasts(memory)):
        return False
    after = found[places[-1] + 1 :][:1]
    before = [word for word in found[: places[0]] if word not in ("a", "an", "the", "his", "her", "their")][-1:]
    alone = named or not after or places[-1] == _VERB_PLACE or _goes_on(after[0], ending)
    beside = values(content) - supported(values(content), ending.thing)
    # shoes bought for climbing are still there when the climbing is over
    apart = _BESIDE | _PURPOSE if happened(found) else _BESIDE
    return alone and not (set(before) & apart) and len(beside) <= _MEASURES


def is_of_use(memory: SemanticMemory, said: str) -> bool:
    """Tell whether the words speak of what a thing was bought for and not of it: the shoes outlast the climbing."""
    match = _BOUGHT_FOR.search(memory.content)
    return match is not None and bool(supported(values(match["use"]), said) - supported(values(match["thing"]), said))


_BOUGHT_FOR = re.compile(r"\b(?:bought|got|ordered|picked up) (?P<thing>.+?) (?:for|to go with) (?P<use>.+)")


def _goes_on(after: str, ending: Ending) -> bool:
    """Tell whether the word after a thing leaves it what it is: "coffee with milk", "iPhone 12", "piano lessons"."""
    told = after in LINKS or after.endswith("ly") or after[0].isdigit() or stem(after) in _GENERIC_THINGS
    return told or bool(supported({stem(after)}, ending.sentence))


def _means(wanted: Collection[str], word: str) -> bool:
    """Tell whether a word is one of the wanted stems, or a kind of it: "steak" is meat."""
    return bool(supported(wanted, word)) or any(stem(word) in _MEMBERS.get(one, ()) for one in wanted)


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
