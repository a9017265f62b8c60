"""Whether a sentence tells of an event, and when it says that was.

"We moved to Lisbon in March" tells of "I moved to Lisbon"; "Anna moved to Lisbon", "I would love to move to Lisbon"
and "Since I moved to Lisbon I sleep well" do not, and "I bought a dress for the wedding yesterday" tells no time of
the wedding. The time is the one the words name; what is told as having just happened was at about the time of
telling, and what is told in the plain past without a time some time before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from persona_cli.english.tokens import stem
from persona_cli.english.verbs import past_pattern
from persona_cli.memory.retrieval.terms import search_terms
from persona_cli.records import Window
from persona_cli.timewords import TimePhrase, find_anchors, find_times, lasting
from persona_cli.timewords.patterns import late

_DAY = timedelta(days=1)
_FIRST = frozenset({"i", "i'm", "i've", "i'd", "we", "we're", "we've", "we'd", "user"})
_OTHERS = frozenset({"he", "she", "they", "it", "you", "he's", "she's", "they've", "who", "who's"})
_OWNERS = re.compile(r"(?:['’]s|s['’])$|^(?:his|her|their|your)$", re.IGNORECASE)
_WORD = re.compile(r"[\w]+(?:['’-]\w+)*['’]?")
_UNSURE = re.compile(
    r"n['’]t\b|\b(?:not|never|want\w*|wish\w*|hop(?:e|es|ing)|would|could|might|maybe|perhaps|if|dream\w*|imagine"
    r"|used to|going to|about to|planning|almost|nearly)\b|['’]d (?:love|like)\b",
    re.IGNORECASE,
)
_PAST = late(rf"\b(?:was|were|had|{past_pattern()})\b")
_JUST = re.compile(
    r"\b(?:just|finally|at last|right now|now|back from|(?:have|has) (?!been to)\w+|\w+['’](?:ve|s) \w+ed)\b"
    r"|\b(?:I['’]m|I am|we['’]re|we are) (?:in|at|on|back|here)\b",
    re.IGNORECASE,
)
_IS_SO = re.compile(r"\b(?:I['’]m|I am|we['’]re|we are) (?!\w+ing\b)", re.IGNORECASE)
_MATTER = re.compile(r"\b(?:about|of) $", re.IGNORECASE)
"""Before a time that is what the sentence is about, and not when it was: "scared about tomorrow"."""
_ASIDE = frozenset({"for", "about", "before", "after", "until", "since", "towards", "because", "of"})
_BESIDE = 3
_OPENS = re.compile(r"\w+ly|just|then|now|yesterday|today|back|and|but|so", re.IGNORECASE)
_VERB = late(rf"\b(?:was|were|had|{past_pattern()})\b|is|has|will")
_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]*")


class Surety(IntEnum):
    """How well the time of an event is known, best first."""

    NAMED = 0
    JUST = 1
    VAGUE = 2


@dataclass(frozen=True, slots=True)
class Event:
    """What has to be told: the words of the anchor, and whose deed or matter it is."""

    terms: tuple[str, ...]
    names: frozenset[str]
    """The words that are names, stemmed: nothing like them will do."""
    subject: frozenset[str]
    """Stems of who does it; empty for the user, or where it is a thing and not a deed."""
    clause: bool
    """It is a deed ("I moved") and not a thing ("my wedding")."""
    own: bool
    """The user's: "I moved", "my wedding"."""
    lasts: bool = False
    """It is a state or a thing, and may go on for days: "I was in Rome", "our holiday"."""


@dataclass(frozen=True, slots=True)
class EventTime:
    """A time that was told for an event."""

    window: Window
    soft: timedelta
    surety: Surety


def read_anchor(anchor: str) -> Event:
    """Return what a sentence must hold to tell of the anchor "I moved to Lisbon", "my sister's wedding"."""
    anchor = re.sub(r"^((?:my|our|the) )(?:last|next) ", r"\1", anchor, flags=re.IGNORECASE)
    words = _WORD.findall(anchor)
    folded = [word.casefold().replace("’", "'") for word in words]
    first, terms = folded[0] if folded else "", search_terms(anchor)
    names = frozenset(stem(word) for word in words if word[0].isupper() and word.casefold() not in _FIRST)
    verb = next((place for place, word in enumerate(words) if _PAST().fullmatch(word)), 0)
    if first in _OTHERS:
        return Event((), names, frozenset(), clause=True, own=False)  # nobody knows who "she" is
    if first in _FIRST or (first.endswith("ing") and len(words) > 1):
        lasts = folded[1:2] in (["was"], ["were"]) or first.endswith("ing")
        return Event(terms, names, frozenset(), clause=True, own=True, lasts=lasts)
    thing = first in {"my", "our", "his", "her", "their", "the"} or first.endswith("'s") or len(words) == 1
    if verb == 0 and thing:
        return Event(terms, names, frozenset(), clause=False, own=first in {"my", "our"} and not _of_another(folded))
    subject = frozenset(stem(word) for word in search_terms(" ".join(words[: verb or 1])))
    return Event(terms, names, subject, clause=True, own=False)


def _of_another(folded: list[str]) -> bool:
    return len(folded) > 1 and folded[1].endswith("'s")


def event_time(
    said: str, at: datetime, wanted: Event, event: Window | None = None, *, close: bool = False
) -> EventTime | None:
    """Return when a text said at that moment tells the event was, None where it does not tell of it.

    `event` is the time that is known already for a fact. With `close` the text means the same by its vector, and
    only the names have to be in it.
    """
    sentences = (match[0].strip() for match in _SENTENCE.finditer(said))
    times = [time for sentence in sentences if (time := _time_in(sentence, at, wanted, event, close=close))]
    return min(times, key=lambda time: (time.surety, time.soft), default=None)


def _time_in(said: str, at: datetime, wanted: Event, event: Window | None, *, close: bool) -> EventTime | None:
    if said.endswith("?") or _UNSURE.search(said) or not said:
        return None
    places = _places(said, wanted, close=close)
    if not places or not _fits(said, places, wanted) or _given(said, at, wanted):
        return None
    every = [phrase for phrase in find_times(said, at) if not phrase.repeating]
    phrases = [phrase for phrase in every if not _MATTER.search(said[: phrase.start])]
    event = None if every and not phrases else event
    near = min(phrases, key=lambda phrase: min(_apart(phrase, place) for place in places), default=None)
    if not wanted.clause and _aside(said, places) and not (near and _dates(near, places)):
        return None
    if event is not None or near is not None:
        when = event or (near.window if near else Window())
        return EventTime(_for_long(said, when), near.soft if near else _softness(when), Surety.NAMED)
    return _undated(said, at, wanted, places)


def _for_long(said: str, event: Window) -> Window:
    """Return an event with how long it lasts, where the sentence says so: "on 28 March for a week"."""
    length = lasting(said)
    if length is None or event.start is None or event.end is None:
        return event
    return Window(event.start, max(event.end, event.start + length))


def _undated(said: str, at: datetime, wanted: Event, places: list[tuple[int, int]]) -> EventTime | None:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if _JUST.search(said) or (wanted.clause and wanted.lasts and _IS_SO.search(said)):
        return EventTime(Window(day, day + _DAY), 3 * _DAY, Surety.JUST)
    after = said[max(end for _, end in places) :]
    if _PAST().search(said) and (wanted.clause or re.match(r"\W*(?:\w+\W+){0,3}?(?:was|were|went)\b", after)):
        return EventTime(Window(day - 14 * _DAY, day + _DAY), 21 * _DAY, Surety.VAGUE)
    return None


def _places(said: str, wanted: Event, *, close: bool) -> list[tuple[int, int]]:
    """Return where the words of the anchor stand, [] where one is missing that must be there."""
    found: dict[str, tuple[int, int]] = {}
    for match in _WORD.finditer(said):
        short = stem(re.sub(r"['’]s?$", "", match[0]))
        found.setdefault(short, match.span())
    stems = [stem(term) for term in wanted.terms]
    held = [found[short] for short in stems if short in found]
    if len(held) == len(stems) and stems:
        return held
    if close and all(name in found for name in wanted.names):
        return held or [(0, len(said))]
    return []


def _fits(said: str, places: list[tuple[int, int]], wanted: Event) -> bool:
    """Tell whether it is about the same person: the nearest who before the words, or the owner of the thing."""
    place = min(start for start, _ in places)
    before = _WORD.findall(said[:place])
    if not wanted.clause:
        return not wanted.own or not any(_OWNERS.search(word) for word in before[-2:])
    if wanted.subject:
        held = {stem(re.sub(r"['’]s$", "", word)) for word in _WORD.findall(said)}
        return wanted.subject <= held
    following = said[place:].split(maxsplit=1)[0]
    for number in reversed(range(len(before))):
        word, folded = before[number], before[number].casefold().replace("’", "'")
        if folded in _FIRST:
            return True
        named = word[0].isupper() and stem(word) not in wanted.names
        if number == 0:  # "Anna moved", but "Went to Rome", "Yesterday we ..."
            named = named and _VERB().fullmatch(following) is not None and not _OPENS.fullmatch(word)
        if folded in _OTHERS or named:
            return False
        following = word
    return not before or before[0].casefold() not in {"my", "our", "the", "his", "her", "their"} | _OTHERS


def _given(said: str, at: datetime, wanted: Event) -> bool:
    """Tell whether the sentence takes the event as known: "since I moved to Lisbon I sleep well"."""
    stems = {stem(term) for term in wanted.terms}
    return any(
        anchor.time is None and stems <= {stem(word) for word in _WORD.findall(anchor.anchor)}
        for anchor in find_anchors(said, at)
    )


def _aside(said: str, places: list[tuple[int, int]]) -> bool:
    """Tell whether a thing only gives the purpose or the matter of something else: "a dress for the wedding"."""
    before = [word.casefold() for word in _WORD.findall(said[: min(start for start, _ in places)])]
    return not _ASIDE.isdisjoint(before[-3:])


def _dates(phrase: TimePhrase, places: list[tuple[int, int]]) -> bool:
    """Tell whether a date belongs to the words it follows: "for my exam on Friday", not "for the wedding yesterday"."""
    own = re.match(r"(?:on|in|at|next|tomorrow|\d)", phrase.text, re.IGNORECASE) is not None
    return own and any(0 <= phrase.start - end < _BESIDE for _, end in places)


def _apart(phrase: TimePhrase, place: tuple[int, int]) -> int:
    """Return how many characters lie between a time phrase and a word; what comes after it is closer."""
    return phrase.start - place[1] if phrase.start >= place[1] else 10 + place[0] - phrase.end


def _softness(event: Window) -> timedelta:
    if event.start is None or event.end is None:
        return 7 * _DAY
    return max(_DAY / 4, (event.end - event.start) / 6)
