"""Patterns for circumstances a person has one of at a time: a car, a bedtime, a weight, a bank, an employer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from persona_cli.model.lite.tags import END, Tag, named, trim
from persona_cli.records import Change

_COLOURS = "red|blue|green|black|white|purple|orange|pink|brown|gr[ea]y|blond|blonde|ginger|silver|auburn|dark|fair"
_CLOCK = (
    r"(?P<value>(?:half past |quarter (?:past|to) |around |about )?(?:\d{1,2}(?:[:.]\d\d)?|one|two|three|four"
    r"|five|six|seven"
    r"|eight|nine|ten|eleven|twelve|noon|midnight)(?: ?[ap]\.?m\.?| o'clock| thirty)?)(?! (?:days|times|weeks"
    r"|hours|minutes))"
)
_FIRM = r"(?P<value>(?:the |an? )?[\w'&.-]+(?: (?!as\b|now\b)[\w'&.-]+){0,3}?)"
_RULES = tuple(
    (slot, re.compile(pattern, re.IGNORECASE))
    for slot, pattern in (
        (
            "employer",
            rf"(?:\bI\b.*|^my (?:new |current )?)\b(?:job|position|role|post)"
            rf" (?:at|with) (?!the moment|home\b|night|least){_FIRM}{END}",
        ),
        ("employer", rf"\bI (?:have )?(?:just |recently |finally )?joined {_FIRM} as (?:an?|the|their)\b"),
        ("employer", r"^(?P<value>[A-Z][\w'&.-]+(?: [A-Z][\w'&.-]+)*) is (?:now )?my (?:new )?employer\b"),
        ("employer", rf"\bmy (?:new )?employer is (?:now )?{_FIRM}{END}"),
        (
            "car",
            rf"\bI (?:now |only |mostly )*drive (?:an? |my )(?!taxi|bus\b|lorry|truck for|van for"
            rf"|car\b){_FIRM}{END}",
        ),
        ("car", rf"\bmy (?:new )?car is (?:now )?(?:an? )(?!bit\b|mess\b|wreck\b){_FIRM}{END}"),
        ("bedtime", rf"\bI (?:now |usually |always |normally )*(?:go to bed|am in bed) (?:at|by) {_CLOCK}"),
        ("bedtime", rf"\bmy bedtime (?:is|has moved to|has become|has changed to|is now)(?: now)? (?:at )?{_CLOCK}"),
        ("waking", rf"\bI (?:now |usually |always |normally )*(?:get|wake) up at {_CLOCK}"),
        ("waking", rf"\bmy alarm (?:goes off|is set|rings) (?:for|at) {_CLOCK}"),
        (
            "weight",
            r"\bI (?:now |only |still )*weigh (?:in at )?(?:about "
            r"|around )?(?P<value>\d+(?:\.\d+)? ?(?:kilos?|kg|pounds?|lbs?|stone))",
        ),
        ("weight", r"\bI am (?:now )?(?:down|up) to (?P<value>\d+(?:\.\d+)? ?(?:kilos?|kg|pounds?|lbs?|stone))"),
        ("hair colour", rf"\bI have (?:now )?(?:got )?(?:\w+ )?(?P<value>{_COLOURS}) hair\b"),
        ("hair colour", rf"\bmy hair is (?:now |naturally )?(?P<value>{_COLOURS})\b"),
        ("hair colour", rf"\b(?:dyed|coloured) my hair (?P<value>{_COLOURS})\b"),
        ("bank", rf"\bI (?:now )?bank with {_FIRM}{END}"),
        ("bank", rf"\bmy bank is (?:now )?{_FIRM}{END}"),
        ("browser", rf"\bI (?:am )?(?:now )?us(?:e|ing) {_FIRM} as my (?:web )?browser"),
        ("browser", rf"\bmy (?:web )?browser is (?:now )?{_FIRM}{END}"),
    )
)
_CHANGED = re.compile(
    r"\b(?:now|new|just started|these days|nowadays|from now on|any more|instead|again|moved|changed|dyed"
    r"|down to|up to|since)\b",
    re.IGNORECASE,
)
_QUALIFIED = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends?|weekdays|today|tomorrow|yesterday|tonight|when"
    r"|if|this morning"
    r"|last|next|used to|once|sometimes|might|may|could|would|as a (?:child|kid|student))\b",
    re.IGNORECASE,
)
"""What makes it hold on a day or in a case only: then it is no value of the one slot."""


def belongings(plain: str) -> Iterator[Tag]:
    """Yield what a tidied clause says of the user's circumstances."""
    if _QUALIFIED.search(plain):
        return
    for slot, pattern in _RULES:
        match = pattern.search(plain)
        value = trim(match["value"]) if match else ""
        if value:
            change = Change.REPLACES if _CHANGED.search(plain) else Change.ADDS
            names = (named(value),) if slot in {"employer", "bank"} and value[:1].isupper() else ()
            yield Tag(slot, f"user/{slot}", value, weight=2.4, change=change, names=names)
            return
