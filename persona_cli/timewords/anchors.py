"""Times that hang on something remembered: "the day before my birthday", "since I moved", "after the wedding".

Only the form is read here: the relation, how far, and the words of the anchor. What these words mean is for memory
to find; no list says what can be an anchor. So the rules keep to the grammar of time: a clause in the past tense, a
noun that is somebody's, a doing ("since moving"). "Since you ask", "before I forget" and "after all" have none of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from persona_cli.english.verbs import past_pattern
from persona_cli.timewords.atoms import NUMBER, number
from persona_cli.timewords.patterns import expand, late, read_table
from persona_cli.timewords.phrase import Direction, TimePhrase
from persona_cli.timewords.relations import DISTANCE, Distance, Relation, read_distance
from persona_cli.timewords.scanning import scan, unread
from persona_cli.timewords.tense import lean


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
    ages: tuple[int, int] | None = None
    """From what age to what age, the last exclusive, where the anchor is a birth: "in my twenties" is 20 to 30."""


_AFTER_EDGE = ("clause", "ahead", "noun", "doing")
_ANCHORS: dict[str, tuple[str, ...]] = {
    "before": _AFTER_EDGE,
    "after": _AFTER_EDGE,
    "until": ("clause", "ahead", "noun"),
    "till": ("clause", "ahead", "noun"),
    "since": ("clause", "noun", "doing", "bare"),
    "ever since": ("clause", "noun", "doing", "bare"),
    "during": ("noun", "bare"),
    "throughout": ("noun",),
    "while": ("clause", "doing_more"),  # "while running" is any run
    "when": ("clause",),
    "on": ("on_noun",),
    "around": ("on_noun",),
    "whole": ("clause",),
    "of": ("noun",),
}
"""What may follow a word, as parts of anchors.toml: "whole" and "of" stand for "the day I ..." and "the day of ..."."""
_RELATIONS: dict[str, Relation] = {"before": "before", "after": "after", "until": "until", "till": "until"}
_OBJECT_CLAUSE = re.compile(
    r"\b(?:know|tell\s\w+|told\s\w+|remember|recall|say|said|ask(?:ed)?|wonder|forg[eo]t\w*|sure|idea|guess|check|about"
    r"|of|is|was)(?:\sexactly)?\s?$",
    re.IGNORECASE,
)
_HABIT = re.compile(
    r"\b(?:(?:do|does|don['’]t|doesn['’]t)\s(?:I|we|he|she|they|my\s\w+|(?-i:[A-Z])\w+)|usually|always|often|normally"
    r"|every|each)\b",
    re.IGNORECASE,
)
_AHEAD_OF_US = re.compile(r"\b(?:need|have|has|want|hope|plan|planned|intend|going)\b", re.IGNORECASE)
_HEAD_HAS = late(r"\b(?:before|after|since|until|till|during|throughout|while|when|the|around|on)\b")
_AGE_HAS = late(r"ties\b|0s\b|teen|\bwas\b|\bage\b|child|kid|boy|girl|toddler")
"""Words without which a text has no `head` and no `age`: these two take ten times as long to compile."""
_NEARBY = 200
"""Characters around a phrase that are read for its tense: a sentence, not the whole of a pasted text."""


def find_anchors(text: str, at: datetime) -> tuple[Anchored, ...]:
    """Return the phrases of `text` that hang on something to be looked up, in order; none overlaps another.

    Of a text longer than is read for time words none is looked for: it is a page, not a question.
    """
    if unread(text):
        return ()
    heads = list(pattern("head").finditer(text)) if _HEAD_HAS().search(text) else []
    ages = list(find_ages(text))
    if not heads and not ages:
        return ()
    times = [phrase for phrase in scan(text, at, "past") if not phrase.repeating]
    anchored: list[Anchored] = []
    for phrase in sorted((*ages, *_read_all(text, heads, times)), key=lambda phrase: phrase.start):
        if not anchored or phrase.start >= anchored[-1].end:
            anchored.append(phrase)
    return tuple(anchored)


def find_ages(text: str) -> Iterator[Anchored]:
    """Yield how old somebody was, as a time that hangs on their birthday: "in my twenties", "when I was 12"."""
    for match in pattern("age").finditer(text) if _AGE_HAS().search(text) else ():
        ages = _ages(match)
        if ages is not None:
            owner = match["owner"] or match["whose"] or "my"
            word = match[0].split(maxsplit=1)[0].lower()
            yield Anchored(
                text=match[0],
                start=match.start(),
                end=match.end(),
                relation=_AGE_RELATIONS.get(word, "during"),
                distance=None,
                anchor=f"{owner} birthday",
                direction="any",
                ages=ages,
            )


_AGE_RELATIONS: dict[str, Relation] = {"since": "since", "until": "until", "by": "until", "before": "before"}
_CHILDHOOD = {"teen": (13, 20), "teenager": (13, 20), "teenage years": (13, 20), "toddler": (1, 4)}
_TENS = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")


def _ages(match: re.Match[str]) -> tuple[int, int] | None:
    """Return from what age to what age, the last exclusive."""
    if word := match["decade"]:
        word = word.lower()
        if word == "teens":
            return 13, 20
        first = int(word[0]) * 10 if word[0].isdigit() else 20 + 10 * _TENS.index(word)
        return {"early": (first, first + 4), "mid": (first + 3, first + 7), "late": (first + 6, first + 10)}.get(
            (match["part"] or "").lower(), (first, first + 10)
        )
    if years := match["years"] or match["aged"]:
        age = number(years)
        return (age, age + 1) if 2 <= age <= 110 else None
    return _CHILDHOOD.get((match["as"] or match["was"] or match["childhood"]).lower(), (3, 13))


def _read_all(text: str, heads: list[re.Match[str]], times: list[TimePhrase]) -> Iterator[Anchored]:
    starts = [phrase.start for phrase in times]
    for head in heads:
        anchor = _any(_ANCHORS[_kind(head)]).match(text, head.end())
        before = text[max(0, head.start() - _NEARBY) : head.start()]
        if anchor is None or (_kind(head) in {"when", "whole"} and _OBJECT_CLAUSE.search(before)):
            continue
        around = bisect_right(starts, anchor.start()) - 1
        if around >= 0 and anchor.end() <= times[around].end:
            continue  # "before last Christmas", "after 12 May"
        direction = _direction(text, head, anchor)
        if direction is not None:
            yield _anchored(head, anchor, direction, times, starts)


def _kind(head: re.Match[str]) -> str:
    """Return the word that says what may follow, "whole" and "of" for "the day I ..." and "the day of ..."."""
    if head["of"]:
        return "of"
    return "whole" if head["whole"] else re.sub(r"\s+", " ", (head["edge"] or head["word"] or head["near"]).lower())


def _anchored(
    head: re.Match[str], anchor: re.Match[str], direction: Direction, times: list[TimePhrase], starts: list[int]
) -> Anchored:
    first = bisect_right(starts, anchor.start())
    inside = times[first] if first < len(times) and starts[first] < anchor.end() else None
    ends = bisect_left(starts, anchor.end())
    beside = times[0] if times and times[0].end <= head.start() else times[ends] if ends < len(times) else None
    yearly = re.search(rf"\b{_parts()['yearly']}\b", anchor[0], re.IGNORECASE) is not None
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
    if pattern("clause").fullmatch(anchor[0]):
        return "past"
    if which := re.search(r"\b(?:last|next)\b", anchor[0], re.IGNORECASE):
        return "past" if which[0].lower() == "last" else "future"
    ahead = pattern("ahead").fullmatch(anchor[0]) is not None and pattern("doing").fullmatch(anchor[0]) is None
    before, after = text[max(0, head.start() - _NEARBY) : head.start()], text[anchor.end() : anchor.end() + _NEARBY]
    around = before + after
    if not re.search("since", head[0], re.IGNORECASE) and _HABIT.search(around) and not _AHEAD_OF_US.search(around):
        return None
    if re.search("since", head[0], re.IGNORECASE):
        return "past"
    whole = before + text[head.start() : anchor.end()] + after
    return "future" if ahead else lean(whole, len(before), len(whole) - len(after))


def pattern(name: str) -> re.Pattern[str]:
    """Return a part of anchors.toml as a pattern of its own, compiled when it is first needed."""
    return _any((name,))


@cache
def _any(names: tuple[str, ...]) -> re.Pattern[str]:
    # compiled when first needed: all of them take 120 ms, and few questions have a word that calls for one
    parts = _parts()
    return re.compile("|".join(f"(?:{expand(parts[name], parts)})" for name in names), re.IGNORECASE)


@cache
def _parts() -> Mapping[str, str]:
    parts: Mapping[str, str] = read_table("anchors")["parts"]
    return {**parts, "distance": DISTANCE, "number": NUMBER, "past_form": past_pattern()}
