"""How two sentences about a life stand to each other: the same, the opposite, or one about the end of the other.

A model says what is new, seldom what becomes of the old; the words show it. Pure, and on the careful side: what
is not clearly the same or over stays as it is.
"""

from __future__ import annotations

import re

from persona_cli.agent.words import names, negative, numbers, stem, stems, supported, values, words


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
_DENIALS = _stems("not never no dislike hate detest loathe avoid stand cannot longer more")

_VERB = r"(?:\w+(?:\ (?:at|for|as|in|with|to|on))?)"
_THING = r"(?P<thing>(?:(?:my|the|an?|our|his|her|that|this|all|any|of)\ )*[\w'’-]+(?:\ [\w'’-]+){0,4}?)"
_STOPS = (
    r"(?=[,.;:!?]|$|\ (?:and|but|because|since|so|as|for|now|to|with|by|after|when|which|last|this|in|on|yesterday"
    r"|today|any\ ?more|anymore|altogether|entirely|completely|it|years?|months?|weeks?|lately|recently|instead)\b)"
)
_I = (
    r"\b(?:I|we|the\ user)(?:['’]ve|['’]m|['’]d)?\ "
    r"(?:\w+ly\ |have\ |has\ |am\ |is\ |just\ |also\ |had\ |been\ |was\ |got\ |grown\ |become\ )*"
)


_ENDINGS = tuple(
    re.compile(pattern.replace(r"\ ", r"\s+"), re.IGNORECASE)
    for pattern in (
        rf"{_I}used\ to\ (?!be\b)(?:\w+ly\ )?{_VERB}\ {_THING}{_STOPS}",
        rf"{_I}used\ to\ be\ (?:into\ |a\ fan\ of\ |fond\ of\ |mad\ about\ |keen\ on\ )?{_THING}{_STOPS}",
        rf"^{_THING}\ used\ to\ be\ (?:my|the\ user['’]s)\b",
        rf"{_I}no\ longer\ (?:\w+ly\ )?{_VERB}\ {_THING}{_STOPS}",
        rf"(?:do\ not|don['’]t|am\ not|['’]m\ not|cannot|can['’]t|does\ not|doesn['’]t)\ (?:\w+ly\ )?{_VERB}\ {_THING}"
        r"\ any\ ?more\b",
        rf"{_I}(?:switched|changed|gone|went|moved|converted)(?:\ over)?\ from\ {_THING}\ to\b",
        rf"{_I}(?:swapped|traded|exchanged)(?:\ in)?\ {_THING}\ for\b",
        rf"{_I}replaced\ {_THING}\ (?:with|by)\b",
        rf"{_I}(?:sold|ditched|dropped|cancelled|canceled|quit|gave\ up|given\ up|giving\ up|stopped|left|got\ rid\ of"
        r"|finished\ with|done\ with|swore\ off|sworn\ off|cut\ out|packed\ in|broke\ up\ with|split\ up\ with"
        r"|fell\ out\ with|gone\ off|went\ off|tired\ of|sick\ of|bored\ of|bored\ with|over|outgrown|outgrew)"
        rf"\ {_THING}{_STOPS}",
        rf"\binstead\ of\ {_THING}{_STOPS}",
    )
)
_OVER = re.compile(
    r"\b(?:used to|no longer|any ?more|formerly|former|ex-\w+|gave up|given up|stopped|quit|sold|has left|left|ended"
    r"|broke up|split up|switched|swapped|cancelled|canceled|gone off|tired of)\b",
    re.IGNORECASE,
)
_NAMING = re.compile(
    r"The user's (?:new |current |old )?(?P<role>[\w' -]+?)(?:'s name)? (?:is|are)(?: now)? (?:called |named )?\S",
    re.IGNORECASE,
)
_NOW = re.compile(r"\b(?:now|nowadays|these days|instead|new|changed|since then|from now on|lately)\b", re.IGNORECASE)
_PAST = _words(
    """
    met bought went had got was were saw ate drank ran took made found lost won gave told said felt heard read slept
    spent thought came flew drove built broke fell held kept knew paid rode sang sat spoke swam threw wore wrote
    """
)
_BESIDE = _words("near by behind beside opposite outside past about")
_LINKS = _words(
    """
    and but because since so as for now to with by after when which last this in on at a an every each per the
    from of or is are too also twice once most before during until daily weekly any again is while if all
    """
)
_VERB_PLACE = 2
"""Where the verb of "The user smokes ten a day" stands: what ends is often the doing itself."""
_MEASURES = 2
"""Values a memory may have beside the thing that ended: "three cups of coffee" is about coffee."""


def plainly(text: str) -> str:
    """Return a sentence without the words that only colour it: "really", "by the way", "one day"."""
    return _FILLER.sub("", text).strip(" ,")


def same_saying(new: str, old: str) -> bool:
    """Tell whether two sentences have the same words but for order, endings and colour, and the same polarity."""
    new, old = plainly(new), plainly(old)
    mine, theirs = sorted(stems(new)), sorted(stems(old))
    return bool(mine) and mine == theirs and negative(new) == negative(old) and numbers(new) == numbers(old)


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


def opposed(new: str, old: str) -> bool:
    """Tell whether one sentence denies what the other says: the same words with the other polarity."""
    if negative(new) == negative(old) or numbers(new) != numbers(old):
        return False
    mine, theirs = (values(plainly(text)) - _LIKING - _DENIALS - _SIDE for text in (new, old))
    return bool(mine) and supported(mine, old) == mine and supported(theirs, new) == theirs


def ended_things(said: str) -> tuple[str, ...]:
    """Return what the words say is over or was given up for something else, in the speaker's words."""
    return tuple(match["thing"].strip() for pattern in _ENDINGS if (match := pattern.search(said)))


def renames(new: str, old: str, said: str) -> bool:
    """Tell whether `new` names another for what `old` names: "my dentist is Dr Vance now", and said so."""
    mine, theirs = _NAMING.match(new), _NAMING.match(old)
    if mine is None or theirs is None or not _NOW.search(said):
        return False
    return mine["role"].casefold() == theirs["role"].casefold() and not says_no_more(new, old, mine["role"])


def revises(new: str, old: str, said: str) -> bool:
    """Tell whether `new` says how the same doing is now: "gets up at eight now" after "gets up at six"."""
    if not _NOW.search(said) or negative(new) != negative(old) or is_over(old):
        return False
    mine, theirs = (re.match(r"The user (?!is\b|has\b|was\b)(\w+)", text) for text in (plainly(new), plainly(old)))
    if mine is None or theirs is None or stem(mine[1]) != stem(theirs[1]):
        return False
    rest = stems(plainly(old)) - {stem(theirs[1])}
    return 2 * len(supported(rest, new)) >= max(len(rest), 1)


def is_over(content: str) -> bool:
    """Tell whether a sentence itself says that something has ended: nothing can end it once more."""
    return bool(_OVER.search(content))


def is_about(thing: str, content: str) -> bool:
    """Tell whether a lasting fact is about `thing`: it names it, as a thing of its own, and little else.

    "Drinks three cups of coffee" is about coffee; "bought a coffee table" and "met Ana at the coffee bar" are not.
    """
    wanted = values(thing)
    found = [word.casefold() for word in words(content)]
    if len(supported(wanted, content)) < max(1, (len(wanted) + 1) // 2) or is_over(content) or _happened(found):
        return False
    places = [place for place, word in enumerate(found) if supported(wanted, word)]
    if found[0] != "the" or not places:
        return False
    after = found[places[-1] + 1 :][:1]
    before = [word for word in found[: places[0]] if word not in ("a", "an", "the", "his", "her", "their")][-1:]
    alone = not after or after[0] in _LINKS or after[0].endswith("ly") or places[-1] == _VERB_PLACE
    beside = values(content) - supported(values(content), thing)
    return alone and not (set(before) & _BESIDE) and len(beside) <= _MEASURES and not negative(content)


def _happened(found: list[str]) -> bool:
    """Tell whether a sentence is of the past: what happened does not end."""
    verb = next((word for word in found if word not in ("the", "user", "user's", "and", "also", "once")), "")
    return verb in _PAST or (verb.endswith("ed") and len(verb) > 4)
