"""Times that hang on something remembered: "the day before my birthday", "since I moved", "after the wedding".

Only the form is read here: the relation, how far, and the words of the anchor. What these words mean is for memory
to find; no list says what can be an anchor. So the rules keep to the grammar of time: a clause in the past tense, a
noun that is somebody's, a doing ("since moving"). "Since you ask", "before I forget" and "after all" have none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from persona_cli.timewords.phrase import Direction, TimePhrase
from persona_cli.timewords.relations import DISTANCE, SIZES, Distance, Relation, read_distance
from persona_cli.timewords.scanning import scan
from persona_cli.timewords.tense import PAST_FORM, lean


@dataclass(frozen=True, slots=True)
class Anchored:
    """A time phrase whose anchor has to be looked up: text[start:end] are its words."""

    text: str
    start: int
    end: int
    relation: Relation
    distance: Distance | None
    anchor: str
    """The words to look up: "my birthday", "I moved to Lisbon"."""
    direction: Direction
    """Whether the anchor is past or to come, by its own tense or the one around it."""
    yearly: bool = False
    """The anchor comes round every year: a birthday, an anniversary."""
    time: TimePhrase | None = None
    """Words that name the time beside the anchor: in them itself ("since I moved in March"), or which year is meant."""


_NAME = r"(?-i:[A-Z][\w'’-]*[a-z](?<!['’]s))"
_OWNER = r"(?:my|our|his|her|their|(?-i:[A-Z])[\w-]+['’]s|(?:my|our)\s+\w+['’]s)"
_SUBJECT = (
    rf"(?:(?:{_NAME}|my\s+\w+)\s+and\s+)?(?:I|we|he|she|they|(?:my|our|his|her|their|the)\s+\w+(?:\s+\w+)?"
    rf"|{_NAME}(?:\s+{_NAME})?)(?:\s+and\s+(?:I|{_NAME}))?"
)
_ADVERB = r"(?:first|just|last|finally|both|all|only|really|newly|actually|had|got|was|were|still)"
_TELLING = r"(?:told|said|asked|mentioned|talked|spoke|chatted|wrote)"
_NOT_EVENTS = r"(?:wanted|thought|knew|needed|liked|loved|hated|wondered|hoped|seemed|used)"
"""States of mind: "since I wanted to ask" gives a reason, and nobody remembers the day of a wish."""
_PAST_VERB = (
    rf"(?:had\s+|got\s+)?(?!{_TELLING}\b|{_NOT_EVENTS}\b|(?:was|turned)\s+(?:\w+\s+)?\d)"
    rf"(?:(?:was|were)(?!\s+wondering)|{PAST_FORM}|had)"
)
_TAIL_END = (
    r"(?=\s*[.?!,;:\n()\"“”]|\s*$|\s+(?:what|where|who|whom|whose|which|how|why|tell|show|list)\b"
    r"|\s+(?:and|but)\s+(?:what|where|who|did|do|have|how)\b|\s+(?:before|after|since|until|while|when|because|if)\b"
    r"|\s+(?:did|do|does|have|has|had|am|are|is|was|were|will|can|could|should|would)\s+(?:I|we|he|she|they|it|my|our|the"
    r"|there|any\w*|[A-Z]\w+)\b)"
)
_CLAUSE = rf"{_SUBJECT}\s+(?:{_ADVERB}\s+){{0,2}}{_PAST_VERB}\b[^.?!,;:\n()\"“”]{{0,160}}?{_TAIL_END}"
_AHEAD = (
    rf"(?:I|we|he|she|they|{_NAME})\s+(?!was|were|{_TELLING}|know|think|want|mean|am|are|is|have|has|do|can|could"
    r"|would|will|need|like|forget|ask|say|tell|see|get\s+to)"
    rf"[a-z]+\s+(?!it\b|this\b|that\b|you\b|me\b|again\b)[^.?!,;:\n()\"“”]{{0,160}}?{_TAIL_END}"
)
_STOP = (
    r"(?:did|do|does|have|has|had|was|were|is|are|am|will|would|can|could|should|what|where|who|whom|when|how|why|which"
    r"|and|or|but|I|we|he|she|they|you|it|that|this|in|to|at|with|of|on|for|from|about|near|by|as|than|before|after|since"
    r"|until|till|during|while|because|if|then|so|please|last|next|ago|every|each|tell|show|list|again|yesterday|today|tomorrow)"
)
_WORD = rf"(?!{_STOP}\b)[\w'’-]+"
_EMPTY = (
    rf"(?!(?:{SIZES}|days|weeks|time|moment|beginning|start|end|fact|rest|past|future|others?|own|same|break|long|eyes|life"
    rf"|turn|heart)\b(?!\s+(?:of|in)\s+(?:my|our|the|{_NAME})))"
)
_NOUN = (
    rf"(?:{_OWNER}|the)\s+(?:(?:last|next)\s+)?{_EMPTY}{_WORD}(?:\s+{_WORD}){{0,3}}"
    rf"(?:\s+(?:in|to|at|with|of|for|from|about|near|on|as)\s+(?:(?:{_OWNER}|the|a|an)\s+)?{_WORD}(?:\s+{_NAME})?){{0,2}}"
)
_YEARLY = r"(?:birthday|b-?day|anniversary|name\s*day)"
_ON_NOUN = (
    rf"(?:{_OWNER}|the)\s+(?:(?:last|next)\s+)?(?:(?!{_STOP}\b)[\w'’-]+\s+){{0,3}}?"
    rf"(?:{_YEARLY}|\w*(?<!to)day|eve|night|trip|holidays?|vacation|journey|honeymoon|tour|cruise|weekend)\b"
    rf"(?:\s+(?:in|to|at|with|of|through)\s+(?:(?:{_OWNER}|the|a)\s+)?{_WORD}(?:\s+{_NAME})?)?"
)
"""What "on" and "around" make a time of: days, and ways that one is on; "on my desk" is a place."""
_DOING = (
    r"(?!going\s+to\s+bed|using|doing|being|getting|anything|something)\w{2,}ing\b(?!\s+(?:did|was|is))"
    rf"[^.?!,;:\n()]{{0,160}}?{_TAIL_END}"
)
_BARE = (
    rf"(?!(?:{_STOP}|always|forever|long|lunch|dinner|breakfast|{SIZES})\b)"
    rf"(?=(?-i:[a-z]))[\w'’-]{{3,}}{_TAIL_END}"
)


_HEAD = re.compile(
    rf"(?<![\w'’-])(?:(?:{DISTANCE})?(?P<edge>before|after)|(?P<word>ever\s+since|since|until|till|during|throughout|while|when)"
    rf"|(?:(?:in|on|during|at|around)\s+)?the\s+(?:same\s+|very\s+)?(?P<whole>{SIZES}|time)(?:\s+(?P<of>of))?"
    r"(?:\s+(?:that|when|in\s+which))?|(?P<near>around|on))\s+",
    re.IGNORECASE,
)
_AFTER_EDGE = (_CLAUSE, _AHEAD, _NOUN, _DOING)
_ANCHORS: dict[str, tuple[str, ...]] = {
    "before": _AFTER_EDGE,
    "after": _AFTER_EDGE,
    "until": (_CLAUSE, _AHEAD, _NOUN),
    "till": (_CLAUSE, _AHEAD, _NOUN),
    "since": (_CLAUSE, _NOUN, _DOING, _BARE),
    "ever since": (_CLAUSE, _NOUN, _DOING, _BARE),
    "during": (_NOUN, _BARE),
    "throughout": (_NOUN,),
    "while": (_CLAUSE, rf"(?=\w+\s+\w){_DOING}"),  # "while running" is any run
    "when": (_CLAUSE,),
    "on": (_ON_NOUN,),
    "around": (_ON_NOUN,),
    "whole": (_CLAUSE,),
    "of": (_NOUN,),
}
_RELATIONS: dict[str, Relation] = {"before": "before", "after": "after", "until": "until", "till": "until"}
_OBJECT_CLAUSE = re.compile(
    r"\b(?:know|tell\s+\w+|told\s+\w+|remember|recall|say|said|ask(?:ed)?|wonder|forg[eo]t\w*|sure|idea|guess|check|about|of|is|was)"
    r"(?:\s+exactly)?\s*$",
    re.IGNORECASE,
)
_HABIT = re.compile(
    rf"\b(?:(?:do|does|don['’]t|doesn['’]t)\s+(?:I|we|he|she|they|my\s+\w+|{_NAME})|usually|always|often|normally|every|each)\b",
    re.IGNORECASE,
)
_AHEAD_OF_US = re.compile(r"\b(?:need|have|has|want|hope|plan|planned|intend|going)\b", re.IGNORECASE)
_NEARBY = 200
"""Characters around a phrase that are read for its tense: a sentence, not the whole of a pasted text."""


def find_anchors(text: str, at: datetime) -> tuple[Anchored, ...]:
    """Return the phrases of `text` that hang on something to be looked up, in order; none overlaps another."""
    heads = list(_HEAD.finditer(text))
    if not heads:
        return ()
    times = [phrase for phrase in scan(text, at, "past") if not phrase.repeating]
    found: list[Anchored] = []
    for one in _read_all(text, heads, times):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return tuple(found)


def _read_all(text: str, heads: list[re.Match[str]], times: list[TimePhrase]) -> Iterator[Anchored]:
    for head in heads:
        anchor = _any(_ANCHORS[_kind(head)]).match(text, head.end())
        before = text[max(0, head.start() - _NEARBY) : head.start()]
        if anchor is None or (_kind(head) in {"when", "whole"} and _OBJECT_CLAUSE.search(before)):
            continue
        if any(phrase.start <= anchor.start() and anchor.end() <= phrase.end for phrase in times):
            continue  # "before last Christmas", "after 12 May"
        direction = _direction(text, head, anchor)
        if direction is not None:
            yield _anchored(head, anchor, direction, times)


def _kind(head: re.Match[str]) -> str:
    """Return the word that says what may follow, "whole" and "of" for "the day I ..." and "the day of ..."."""
    if head["of"]:
        return "of"
    return "whole" if head["whole"] else re.sub(r"\s+", " ", (head["edge"] or head["word"] or head["near"]).lower())


def _anchored(head: re.Match[str], anchor: re.Match[str], direction: Direction, times: list[TimePhrase]) -> Anchored:
    inside = next((one for one in times if anchor.start() < one.start < anchor.end()), None)
    beside = next((one for one in times if one.end <= head.start() or one.start >= anchor.end()), None)
    yearly = re.search(rf"\b{_YEARLY}\b", anchor[0], re.IGNORECASE) is not None
    return Anchored(
        text=anchor.string[head.start() : anchor.end()],
        start=head.start(),
        end=anchor.end(),
        relation=_relation(head),
        distance=_distance(head),
        anchor=anchor.string[anchor.start() : inside.start if inside else anchor.end()].strip(),
        direction=direction,
        yearly=yearly,
        time=inside or (beside if yearly else None),
    )


def _relation(head: re.Match[str]) -> Relation:
    kind = _kind(head)
    if kind == "around" or (head["whole"] or "").lower() == "time":
        return "around"
    if kind in {"since", "ever since"}:
        return "since"
    return _RELATIONS.get(kind, "during")


def _distance(head: re.Match[str]) -> Distance | None:
    if head["whole"] and head["whole"].lower() != "time":
        return Distance(head["whole"].lower())
    return read_distance(head) if head["edge"] else None


def _direction(text: str, head: re.Match[str], anchor: re.Match[str]) -> Direction | None:
    """Return which way an anchor points, None where the words tell of a habit and not of a time."""
    if _any((_CLAUSE,)).fullmatch(anchor[0]):
        return "past"
    if which := re.search(r"\b(?:last|next)\b", anchor[0], re.IGNORECASE):
        return "past" if which[0].lower() == "last" else "future"
    ahead = _any((_AHEAD,)).fullmatch(anchor[0]) is not None and _any((_DOING,)).fullmatch(anchor[0]) is None
    before, after = text[max(0, head.start() - _NEARBY) : head.start()], text[anchor.end() : anchor.end() + _NEARBY]
    around = before + after
    if not re.search("since", head[0], re.IGNORECASE) and _HABIT.search(around) and not _AHEAD_OF_US.search(around):
        return None
    if re.search("since", head[0], re.IGNORECASE):
        return "past"
    whole = before + text[head.start() : anchor.end()] + after
    return "future" if ahead else lean(whole, len(before), len(whole) - len(after))


@cache
def _any(ways: tuple[str, ...]) -> re.Pattern[str]:
    # compiled when first needed: all of them take 120 ms, and few questions have a word that calls for one
    return re.compile("|".join(f"(?:{way})" for way in ways), re.IGNORECASE)
