"""Patterns for likes and dislikes; the polarity is the value of one slot for each thing, so a change supersedes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.english.lexicon import BASE, OBJECTS
from persona_cli.english.third import third_person
from persona_cli.model.lite.tags import Tag, key, trim
from persona_cli.records import Change

_ADV = (
    r"(?:(?:really|also|absolutely|just|totally|still|always|actually|truly|quite|so|do|kind of|mostly"
    r"|secretly|particularly|especially|genuinely|now|mainly|definitely|have always|simply|honestly|fucking"
    r"|freaking|deeply|personally|generally|usually|sort of|only|have come to|came to|grew to|have grown to"
    r"|started to|am starting to) )*"
)
_THING = r"(?P<thing>(?!to (?:know|hear|ask|see you|say|talk|thank|tell|be able|think)\b)[^.;!(]+?)"
_STOP = (
    r"(?=[.;!]|$| ?\(|,? (?:but|because|so|since|although|though|when|whenever|except|unless)\b|, (?:especially"
    r"|and I|which|my|it|they|he|she)\b| and (?:I|my|we|it|he|she|they)\b)"
)

_LIKES = re.compile(
    rf"\b(?:I|we) {_ADV}(?:love|like|enjoy|adore|am (?:really |so |very |totally |super |also |quite |big"
    rf" )*(?:into|fond of|obsessed with|crazy about|passionate about|hooked on|mad about|addicted to|keen on"
    rf"|fascinated by|interested in|partial to|a sucker for)"
    rf"|am (?:really |also |such )?an? (?:(?:big|huge|massive|great|real|avid|lifelong|total|bit of a|die-hard"
    rf"|devoted) )*(?:fan of|lover of|fanatic of)|have a (?:thing|soft spot|passion|weakness|sweet spot) for"
    rf"|cannot get enough of|cannot live without|swear by|live for|have been (?:really )?(?:enjoying|loving"
    rf"|getting into)|fell in love with|am getting into|got into|have got into|could not live without) {_THING}{_STOP}",
    re.I,
)
_DISLIKES = re.compile(
    rf"\b(?:I|we) {_ADV}(?:(?:do not|did not|never|have never|cannot|am not|never really|do not really)"
    rf" (?:really |even |particularly |actually |much |ever |all that |very |that |a big |too |exactly |quite"
    rf" )*(?:like|liked|love|enjoy|care for|stand|bear|stomach|tolerate|into|fond of|a fan of|big fan of|fan of"
    rf"|keen on|get on with|see the point of|eat|drink|crazy about)"
    rf"|hate|dislike|detest|loathe|despise|am (?:sick|tired|terrified|scared|afraid|not a (?:big |huge )?fan)"
    rf" of|have an aversion to|have a fear of|am not a (?:big |huge |great |massive |real )?fan of|avoid|find)"
    rf" {_THING}{_STOP}",
    re.I,
)
_FIND = re.compile(
    r"\bfind (.+?) (?:(?:really|so|very|quite|absolutely|a bit|pretty|just) )*(disgusting|boring|awful|annoying"
    r"|gross|terrible|horrible|dull|revolting|unbearable|yucky)$",
    re.I,
)
_FAVOURITE = re.compile(
    r"\bmy (?:all[- ]time )?(?:absolute )?favourite (?P<kind>(?!is\b)[\w' -]+?)(?: (?:ever|of all time|in the"
    r" world|right now|these days))? (?:is|are|has always been|used to be|was|has to be|must be|would be|is"
    r" probably|is"
    r" definitely|will always be)(?: (?:now|definitely|probably|probably still|actually|still|always|definitely"
    r" still))? (?P<thing>[^.;!]+?)(?=[.;!]|$|,? (?:but|because|so|which|and I|and my)\b)",
    re.I,
)
_FAVOURITE_BACK = re.compile(
    r"^(?:(?:these days|nowadays|now|lately|currently),? )?"
    r"(?P<thing>[\w' -]+?) (?:is|are) (?:definitely |still |now |probably )?my (?:absolute |all[- ]time"
    r" )?favourite(?: (?P<kind>[\w' -]+?))?(?=[,.;!]|$)",
    re.I,
)
_PREFER = re.compile(
    rf"\b(?:I|we) (?:(?:much|really|would|generally|usually|always|definitely|now|still|tend to|do) )*(?:prefer"
    rf"|rather have|would rather have|choose|pick) (?P<thing>(?:not to )?[^.;!]+?)(?: (?:over|to|rather than|instead of"
    rf"|than) (?P<other>(?!\w+ (?:in|on|at) the)[^.;!]+?))?{_STOP}",
    re.I,
)
_GREW = re.compile(
    r"\bI (?:have )?(?:(?:gone|went|have gone|am going) (?:right |totally |completely )?off"
    r"|(?:am|grew|grown|got|fell) (?:out of love with|(?:so |really )?(?:tired|sick|bored) of|bored with))"
    r" (?P<thing>[^.;!]+?)" + _STOP,
    re.I,
)
_WANTS = re.compile(r"\b(?:would|might|could|will|may|used to|if|did not use to)\b", re.I)


def preferences(plain: str) -> Iterator[Tag]:
    """Yield what a tidied clause says the user likes, dislikes, prefers or calls a favourite."""
    yield from _favourites(plain)
    off = _GREW.search(plain)
    if off is not None:
        yield from _liking(plain, off["thing"], "dislikes", Change.REPLACES)
        return
    prefer = _PREFER.search(plain)
    if prefer is not None and prefer["thing"] and not _empty(prefer["thing"]):
        # to prefer not to fly is a dislike of flying, and no preference for "not"
        thing = prefer["thing"].removeprefix("not to ")
        value = "prefers" if thing == prefer["thing"] else "dislikes"
        yield Tag("preference", f"user/likes/{key(thing)}", value, weight=2, change=_now(plain))
        return
    yield from _polar(plain)


def _favourites(plain: str) -> Iterator[Tag]:
    match = _FAVOURITE.search(plain) or _FAVOURITE_BACK.search(plain)
    if match is None or _empty(match["thing"]):
        return
    past = re.search(r"\bwas\b|used to be", match[0]) is not None
    kind = key(match["kind"] or "")
    yield Tag(
        "favourite",
        f"user/favourite {kind}" if kind and not past else "",
        trim(match["thing"]),
        weight=2.2,
        change=_now(plain),
    )


def _polar(plain: str) -> Iterator[Tag]:
    dislike = _DISLIKES.search(plain)
    if dislike is not None:
        found = _FIND.search(plain)
        if not re.search(r"\bfind$", plain[: dislike.start("thing")].rstrip(), re.I) or found:
            yield from _liking(plain, found[1] if found else dislike["thing"], "dislikes", _now(plain))
            return
    like = _LIKES.search(plain)
    if (
        like is not None
        and not _WANTS.search(plain[: like.start("thing")])
        and not _RELATIVE.search(plain[: like.start()])
    ):
        yield from _liking(plain, like["thing"], "likes", _now(plain))


def _liking(plain: str, thing: str, value: str, change: Change) -> Iterator[Tag]:
    """Yield one tag for a thing, or one for each of a plain list, worded from the start of the clause."""
    if _empty(thing):
        return
    several = things(thing)
    told_once = re.search(r"\b(?:of|at|about|without) \w+ing\b", thing) or any(
        one.split()[0].lower() in BASE for one in several[1:]
    )
    plain_list = (
        not told_once
        and 1 < len(several) <= 4
        and all(len(one.split()) <= 4 and not _QUALIFIED.match(one) for one in several)
    )
    for one in several if plain_list else (thing,):
        relation = "like" if value == "likes" else "dislike"
        content = third_person(plain[: plain.index(thing)] + one) if plain_list else ""
        bare = one if plain_list else re.split(rf",? {_QUALIFIED.pattern}", one)[0]
        yield Tag(relation, f"user/likes/{key(bare or one)}", value, weight=2, change=change, content=content)


_RELATIVE = re.compile(
    r"(?i)\b(?!(?:and|but|because|so|since|think|say|that|now|honestly|also|what|actually|then|yes|well|or|guess|though"
    r"|know|suppose|is|\w+ly)\b)[\w'-]+ $"
)
"""Right before "I like": the thing itself, as in "the songs I like to the fullest"."""
_BINOMIALS = re.compile(
    r"\b(?:rock (?:and|&|n|'n') roll|mac(?:aroni)? (?:and|&|n) cheese|fish (?:and|&|n) chips|drum (?:and|&"
    r"|n) bass|rhythm and"
    r" blues|r & b|gin (?:and|&) tonics?|rum (?:and|&) coke|country and western|soul and funk"
    r"|bed and breakfasts?|arts and"
    r" crafts|bread and butter|peanut butter and (?:jelly|jam)|cheese and onion|salt and (?:vinegar|pepper)"
    r"|sweet and sour"
    r"|cookies and cream|biscuits and gravy|ham and eggs|bacon and eggs|strawberries and cream|bangers and mash|pie and"
    r" mash|rice and (?:peas|beans)|beans on toast|dungeons (?:and|&) dragons|cats and dogs|track and field|stand[- ]up"
    r"|(?-i:[A-Z]\w+ (?:and|&) [A-Z]\w+))\b",
    re.I,
)
"""One thing with an "and" in it, and two names that go together ("Simon and Garfunkel")."""
_QUALIFIED = re.compile(r"(?:mainly|mostly|especially|esp|particularly|like|such as|including|preferably)\b", re.I)


def things(text: str) -> tuple[str, ...]:
    """Return the single things of "cheese, wine and old films"."""
    whole = _BINOMIALS.sub(lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    parts = re.split(r", and |, or |, | and | or | & | n (?=\w{3})", whole)
    return tuple(part for part in (trim(part.replace("\N{NO-BREAK SPACE}", " ")) for part in parts) if part)


def _now(plain: str) -> Change:
    changed = re.search(
        r"(?i)\b(?:now(?! and (?:then|again))|any more|these days|no longer|have come to|came to|grew to|lately)\b",
        plain,
    )
    return Change.REPLACES if changed else Change.ADDS


def _empty(thing: str) -> bool:
    words = trim(thing).lower().split()
    return (
        not words
        or words[0] in OBJECTS | {"most", "about", "more", "best", "you", "your", "how", "what", "when", "if"}
        or bool({"you", "your", "chats", "chatting"} & set(words))
    )
