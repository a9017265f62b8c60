"""Patterns for what is no longer so: switched, quit, gave up, broke up, "used to love Sprite, now it's Coke"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.model.lite.tags import END, Tag, key, trim
from persona_cli.records import Change

_X = r"(?P<old>[^.;!,]+?)"
_STOP = (
    r"(?=[.;!,]|$|,? (?:and|but|because|so|since|last|when|after|years?|months?|now|this|two|three|a"
    r" (?:week|month|year))\b)"
)

_USED_NOW = re.compile(
    r"\bI used to (?:\w+ly )?(?P<verb>love|like|enjoy|prefer|adore|hate|dislike|drink|eat|play|watch|drive|use"
    r"|work (?:at|for|as)|live in)(?: an?| the)? (?P<old>[^.;!]+?),?(?: and)?(?: but)? (?:now(?:adays)?|these"
    r" days) (?:I (?:am more of a|am into|prefer|love|like|enjoy|hate|cannot stand|drink|eat|play|watch|drive"
    r"|use|live in|work (?:at|for|as))|it is|it is all about)(?: an?| the)? (?P<new>[^.;!]+)$",
    re.I,
)
_FAVOURITE_NOW = re.compile(
    r"\bmy favourite (?P<kind>[\w' -]+?) (?:used to be|was) (?P<old>[^.;!,]+?),? (?:but |and )?now (?:it is|I"
    r" prefer|I love|I like) (?P<new>[^.;!]+)$",
    re.I,
)
_USED = re.compile(r"\bI used to (?P<verb>[\w' -]+)", re.I)
_SWITCHED = re.compile(
    rf"\bI (?:have )?(?:just |recently |finally )?(?:switched|changed|moved|converted|swapped|traded)(?:"
    rf" over)?(?: from (?P<old>[^.;!,]+?))? (?:to|for) (?P<new>[^.;!,]+?){END}",
    re.I,
)
_SUBJECT = re.compile(
    r"(?i)\b(?:science|engineering|studies|law|medicine|history|philosophy|physics|biology|maths?|mathematics"
    r"|economics"
    r"|psychology|chemistry|fine arts?|literature|architecture|sociology|geography|linguistics|pharmacy|nursing)\b"
)
_QUIT_JOB = re.compile(
    r"\b(?:I|we) (?:have )?(?:just |finally |recently |am |was |got |have been )*(?:quit|left|lost|resigned"
    r" from|resigned|am leaving|handed in my notice|fired|laid off|made redundant|let go|retired)(?: from)?(?:"
    r" (?:my|the) (?:old |current |previous )?(?:job|position|work|role))?(?: (?:at|from|with|as)"
    r" (?P<old>[^.;!,]+?))?\b"
    r"(?=[.;!,]|$|,? (?:and|but|because|so|since|last|when|after|years?|months?|now|this|two|three|a (?:week"
    r"|month|year)|today|yesterday|on|in)\b)",
    re.I,
)
_ENDED = re.compile(
    rf"\bI (?:have )?(?:just |finally |recently )?(?:quit|gave up|given up|stopped|dropped|cut out|ditched|am"
    rf" done with|swore off|packed in|kicked) (?:on )?{_X}{_STOP}",
    re.I,
)
_NO_MORE = re.compile(
    r"\b(?:I|we) (?:(?:am |are )?no longer (?P<a>[\w' -]+?)|(?:do not|cannot|am not|are not|have not)"
    r" (?P<b>[\w' -]+?) any"
    r" more)(?=[,.;!]|$| (?:because|since|but|so|and)\b)",
    re.I,
)
_PARTED = re.compile(
    r"\b(?:(?:I|we|my (?:\w+ )?(?:girlfriend|boyfriend|partner|wife|husband|fianc\w+|ex)(?: and I)?|[A-Z]\w+"
    r" and I|me and \w+(?: \w+)?) (?:\w+ )?(?:broke up|split up|have split|separated|got divorced|have broken"
    r" up|are no longer together|are not together|called it off|parted ways|are divorced|are getting divorced)"
    r"|I (?:broke up|split up) with|(?:girlfriend|boyfriend|partner|wife|husband|fianc\w+) (?:just )?(?:left"
    r"|dumped) me|I (?:just )?(?:dumped|left) my (?:girlfriend|boyfriend|partner|wife|husband)|I got dumped)\b",
    re.I,
)
_INSTEAD = re.compile(
    r"\bI (?:now )?(?:am )?(?P<verb>drink|eat|use|play|drive|watch|take|prefer|work)(?:ing)? (?P<new>[^.;!,]+?)"
    r" (?:now )?instead(?: of (?P<old>[^.;!,]+?))?$",
    re.I,
)
_LIKING = re.compile(r"(?:like|love|enjoy|care for|eat|drink|stand|a fan of|into|prefer|hate) (.+)", re.I)


def changes(plain: str) -> Iterator[Tag]:
    """Yield what a tidied clause says has changed or ended; nothing for a clause about how things are."""
    for rule in (
        _not_allergic,
        _parted,
        _favourite_now,
        _used_now,
        _quit_job,
        _no_more,
        _switched,
        _instead,
        _ended,
        _used,
    ):
        tag = rule(plain)
        if tag is not None:
            yield tag
            return


_NOT_ALLERGIC = re.compile(
    r"\bI (?:am|was) (?:not|no longer|never) (?:actually |really |even )?"
    r"(?:allergic to (?P<what>[\w -]+?)|(?P<kind>lactose|gluten) intolerant)(?: any more| after all| now)?"
    r"(?=[,.;!]|$| (?:because|since|but|so|and)\b)",
    re.I,
)


def _not_allergic(plain: str) -> Tag | None:
    match = _NOT_ALLERGIC.search(plain)
    if match is None:
        return None
    what = trim(match["what"] or match["kind"])
    return Tag("allergy", f"user/allergy/{key(what)}", what, change=Change.ENDS, replaces=what, weight=3)


def _parted(plain: str) -> Tag | None:
    return (
        Tag("separation", "user/partner", "", change=Change.ENDS, replaces="partner", weight=3)
        if _PARTED.search(plain)
        else None
    )


def _favourite_now(plain: str) -> Tag | None:
    match = _FAVOURITE_NOW.search(plain)
    if match is None:
        return None
    slot = f"user/favourite {key(match['kind'])}"
    return Tag("favourite", slot, trim(match["new"]), change=Change.REPLACES, replaces=trim(match["old"]), weight=3)


def _used_now(plain: str) -> Tag | None:
    match = _USED_NOW.search(plain)
    if match is None:
        return None
    old, new, verb = trim(match["old"]), trim(match["new"]), match["verb"].lower()
    disliked = re.search(r"(?i)now (?:I )?(?:hate|cannot stand)", plain) is not None
    slots = {"live in": "user/home", "work as": "user/job", "work at": "user/employer", "work for": "user/employer"}
    slot = slots.get(verb, f"user/likes/{key(old if new.lower() in {'it', 'them'} else new)}")
    value = ("dislikes" if disliked else "likes") if verb not in slots else new
    return Tag("change", slot, value, change=Change.REPLACES, replaces=old, weight=3)


def _quit_job(plain: str) -> Tag | None:
    match = _QUIT_JOB.search(plain)
    if match is None or not re.search(
        r"(?i)\bjob\b|\bposition\b|resigned|fired|laid off|redundant|retired|notice|let go\b", match[0]
    ):
        return None
    old = trim(match["old"] or "")
    return Tag("job", "user/job", old, change=Change.ENDS, replaces=old or "job", weight=3)


def _no_more(plain: str) -> Tag | None:
    match = _NO_MORE.search(plain)
    if match is None:
        return None
    what = (match["a"] or match["b"]).strip()
    slots = (
        (r"live (?:in|with)", "user/home"),
        (r"work (?:at|for)", "user/employer"),
        (r"an? (?:\w+ )?student$", "user/studies"),
        (r"work (?:as)|a \w+$", "user/job"),
        (r"(?:a )?(?:vegetarian|vegan|pescatarian)", "user/diet"),
        (r"(?:with|dating|married|together|engaged)", "user/partner"),
    )
    slot = next((slot for pattern, slot in slots if re.match(pattern, what, re.I)), "")
    liking = _LIKING.match(what)
    if not slot and liking:
        slot = f"user/likes/{key(liking[1])}"
    value = trim(liking[1]) if liking and slot.startswith("user/likes") else trim(what)
    return Tag("change", slot, value, change=Change.ENDS, replaces=value, weight=2.5)


def _switched(plain: str) -> Tag | None:
    match = _SWITCHED.search(plain)
    if match is None or (re.search(r"(?i)\bmoved\b", match[0]) and not match["old"]):
        return None
    if re.search(r"(?i)\bmoved\b", match[0]):
        return None
    jobs = re.search(r"(?i)jobs?|career|compan", match[0]) is not None
    if _SUBJECT.search(match["new"]) and (match["old"] is None or _SUBJECT.search(match["old"])):
        old = trim(match["old"] or "")
        return Tag("studies", "user/studies", trim(match["new"]), change=Change.REPLACES, replaces=old, weight=2.5)
    return Tag(
        "change",
        "" if jobs else f"user/likes/{key(match['new'])}",
        "likes",
        change=Change.REPLACES,
        replaces=trim(match["old"] or ""),
        weight=2.5,
    )


def _instead(plain: str) -> Tag | None:
    match = _INSTEAD.search(plain)
    return match and Tag(
        "change",
        f"user/likes/{key(match['new'])}",
        "likes",
        change=Change.REPLACES,
        replaces=trim(match["old"] or ""),
        weight=2.5,
    )


def _ended(plain: str) -> Tag | None:
    match = _ENDED.search(plain)
    if match is None or re.match(r"(?i)(?:to|by|at|at the|for|it|that|off|in)\b", match["old"]):
        return None
    old = trim(match["old"])
    return Tag("change", f"user/does/{key(old)}", old, change=Change.ENDS, replaces=old, weight=2.5)


def _used(plain: str) -> Tag | None:
    match = _USED.search(plain)
    if match is None or re.search(r"(?i)\bwhen\b|as a (?:kid|child|teenager)", plain):
        return None
    liking = _LIKING.match(match["verb"])
    slot = f"user/likes/{key(liking[1])}" if liking else ""
    return Tag("former", slot, "", change=Change.ENDS if slot else Change.ADDS, replaces=trim(match["verb"]), weight=2)


_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends?|(?:in the )?(?:mornings?|afternoons?|evenings?)"
_THING = r"^(?!(?:it|that|this|there|you)\b)[\w' -]{2,40}"
_DONE = (
    "transferred switched swapped traded pushed postponed rescheduled upgraded converted became quit cancelled deleted"
    " dropped ditched scrapped adopted retired graduated shaved dyed abandoned separated divorced replaced resigned"
)
_AGAIN = (
    "eat eating drink drinking smoke smoking play playing work working live living use using drive driving take sing"
)
_CHANGE = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"^(?:the |my )?[\w' -]{{3,40}} (?:is|are|takes place|has (?:been )?moved|has changed) (?:now |from now on )?"
        rf"(?:on |at |to )+(?:{_DAY})\b",
        r"^I am (?:so |totally |completely |really |now )*(?:off|over|done with|through with)"
        r" (?!to\b|it\b|the moon|here|work|sick|today|now\b)\w+",
        rf"{_THING} (?:is|are) (?:history|behind me|over between us|a thing of the past)\b",
        rf"{_THING} (?:do|does|is|are) not (?:[\w' ]{{1,30}} )?(?:me|my [\w' ]+) any more\b",
        rf"{_THING} (?:is|are) (?:now )?(?:all )?(?:my|the) (?:new )?"
        r"(?:thing|favourite|go-to|drink|hobby|passion)(?: now)?$",
        r"^it is all (?!good|fine|right|over|the same|you|about you)[\w' -]{3,30} (?:for me )?"
        r"(?:now|these days|nowadays)$",
        rf"^(?:I|we) (?:have |just |finally |recently |now |then )*(?:{'|'.join(_DONE.split())})"
        r" (?!it\b|that\b|off\b)\w+",
        rf"^(?:I|we) (?:am |are )?(?:{'|'.join(_AGAIN.split())}) [\w' ]+ again\b",
        r"^(?:I|we) (?:have |just )*had (?:our|my|a) (?:\w+ )?(?:baby|child|son|daughter|twins)$",
    )
)
_WORTH = 1.8


def change_worth(plain: str) -> float:
    """Return how much a clause is worth that says how something of the user's is now; 0 where it says nothing of it."""
    return _WORTH if any(pattern.search(plain) for pattern in _CHANGE) else 0.0
