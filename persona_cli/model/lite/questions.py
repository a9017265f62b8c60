"""What a question asks for.

In which form the answer is wanted, about whom or what (`entities`, which an answer must speak of), which slot of a
life it asks for, which stretch of time, and which words are left as its topic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dateutil.relativedelta import relativedelta

from persona_cli.english.lexicon import words as word_set
from persona_cli.model.lite.acts import AUX, unwrapped
from persona_cli.model.lite.ontology import EXCLUSIVE, KINDS
from persona_cli.model.lite.slots import Slot, slot_of
from persona_cli.model.lite.words import STOP, content_words, stem
from persona_cli.records import Recall, Window
from persona_cli.timewords import TimePhrase, find_anchors, find_times, query_window


class Form(StrEnum):
    """In which form an answer is wanted."""

    WHAT = "what"
    WHO = "who"
    WHEN = "when"
    WHERE = "where"
    HOW_MANY = "how many"
    HOW = "how"
    WHY = "why"
    YES_NO = "yes or no"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for."""

    text: str
    """The question without "can you tell me" around it."""
    form: Form
    of_self: bool
    """The user is its subject ("do I"), so what somebody else does is no answer."""
    personal: bool
    """About the user, by "I" or "my"; otherwise it may be about anything in the world."""
    slot: Slot | None
    entities: frozenset[str]
    """Stems an answer has to speak of: names, relations, possessions."""
    topic: tuple[str, ...]
    """The other content words, as written."""
    formerly: bool
    """Asks for how things were before."""
    of_telling: bool
    """About what was said ("what did I tell you in May"), so the day of telling counts, not the day of the event."""
    many: bool
    """Asks for everything there is."""
    time: TimePhrase | None
    """The stretch of time it asks about."""
    searched: str = ""
    """The words to search by where they are not the text: with "since I moved", which memory has looked up."""

    @property
    def open(self) -> bool:
        """True where nothing but time, or nothing at all, narrows the question."""
        return not self.entities and not self.topic and self.slot is None


_FIRST = re.compile(r"\b(?:i|i['’]m|i['’]ve|i['’]d|i['’]ll|me|my|mine|myself|we|us|our|ours)\b", re.I)
_SELF = re.compile(r"\b(?:I|we|I['’]m|I['’]ve|I['’]d|I['’]ll|we['’]re|we['’]ve)\b", re.I)
_FORMERLY = re.compile(
    r"\bused? to\b|\bformer\w*\b|\bprevious\w*\b|\bbefore\b(?! (?:i|my|the|you|\d))|\bin the past\b|\bback then\b"
    r"|\bold (?:job|home|address|flat|house)\b|\boriginally\b",
    re.I,
)
_TELLING = re.compile(
    r"\b(?:tell|told|say|said|mention\w*|talk\w*|speak|spoke|chat\w*|show(?:ed|n)?|ask(?:ed)?)\b", re.I
)
_EVERYTHING = re.compile(
    r"\b(?:everything|all|list|tell me about|know about|remember about|told you about|said about)\b"
    r"|\b(?:which|what) (?:are|were) (?:all )?(?:my|our) (?:\w+ )?\w{2,}s\b"
    r"|\b(?:which|what) (?:\w+ )?\w{2,}s\b(?<!\bis)(?<!\bwas)(?<!\bdoes)(?<!\bhas)",
    re.I,
)
_GENERIC = word_set(
    """place city town country hobby plan time year month week
    weekend day today yesterday tomorrow morning evening night afternoon tonight moment life person people number date
    way habit past future fact story news thing stuff advice idea matter favourite happen"""
)
_FORMS = (
    (Form.HOW_MANY, re.compile(r"^how (?:many|much|often)\b", re.I)),
    (Form.WHY, re.compile(r"^why\b|^what (?:for|reason)\b|^how come\b", re.I)),
    (Form.HOW, re.compile(r"^how(?:['’]s)? (?!old|long|about|tall|far|big|do i (?:spell|say))", re.I)),
    (Form.WHEN, re.compile(r"^(?:\w+ )?when\b|\b(?:what|which) (?:date|day|year|month|time)\b", re.I)),
    (Form.WHERE, re.compile(r"^(?:\w+ )?where\b", re.I)),
    (Form.WHO, re.compile(r"^(?:with )?(?:who|whom|whose)\b", re.I)),
    (Form.YES_NO, re.compile(rf"^{AUX}\b(?! you\b)", re.I)),
    (Form.LIST, re.compile(r"^(?:list|tell|everything|show|about|remind)\b|\bknow about\b|\btold you about\b", re.I)),
)


def understand(sentence: str, at: datetime, known_names: frozenset[str] = frozenset()) -> Question:
    """Return what a question asks for; `known_names` are names however they are typed."""
    text = unwrapped(sentence)
    slot = slot_of(text)
    slot_words = slot.words if slot else frozenset()
    entities, topic = [], []
    phrases = [phrase for phrase in find_times(text, at) if not _names_a_thing(text, phrase)]
    often = {word.lower() for phrase in phrases if phrase.repeating for word in content_words(phrase.text)}
    for word in content_words(without(text, [phrase for phrase in phrases if not phrase.repeating])):
        short = stem(word)
        if word.lower() in often:
            topic.append(word)
        elif short in slot_words or (short in _GENERIC and short not in EXCLUSIVE):
            continue
        elif _is_entity(word, short, text, known_names):
            entities.append(short)
        else:
            topic.append(word)
    asked_for = ONE_OF.match(text)
    if asked_for is not None and stem(asked_for[1]) not in KINDS and len(entities) + len(topic) > _ENOUGH_BESIDES:
        entities = [short for short in entities if short != stem(asked_for[1])]
        topic = [word for word in topic if word != asked_for[1]]
    return Question(
        text,
        next((form for form, pattern in _FORMS if pattern.search(text)), Form.WHAT),
        _SELF.search(without_people(text)) is not None,
        _FIRST.search(text) is not None,
        slot,
        frozenset(entities),
        tuple(topic),
        _FORMERLY.search(text) is not None,
        _TELLING.search(text) is not None,
        _EVERYTHING.search(text) is not None,
        query_window(text, at) if phrases else None,
    )


def understand_looked_up(
    sentence: str, at: datetime, known_names: frozenset[str], recalls: Sequence[Recall]
) -> Question | None:
    """Return what a question asks for whose time memory has looked up, "the day before my birthday"; else None."""
    for anchored in find_anchors(sentence, at):
        windows = [one.window for one in recalls if one.window and one.window_source.startswith(anchored.text)]
        if windows:
            rest = " ".join(f"{sentence[: anchored.start]} {sentence[anchored.end :]}".split())
            rest = re.sub(r"^\W+|\s+(?=[?!.])", "", rest)
            time = TimePhrase(
                anchored.text, anchored.start, anchored.end, windows[-1], timedelta(0), anchored.direction
            )
            return replace(understand(rest, at, known_names), time=time, searched=sentence)
    return None


def other_years(question: Question) -> tuple[Question, ...]:
    """Return the question for the years before, where it names a day or month and no year: "on 28 April"."""
    time = question.time
    if time is None or question.searched or _YEAR.search(time.text) or not _MONTH.search(time.text):
        return ()
    return tuple(replace(question, time=replace(time, window=_earlier(time.window, years))) for years in (1, 2, 3))


def _earlier(window: Window, years: int) -> Window:
    start, end = window.start, window.end
    back = relativedelta(years=years)
    return Window(start and start - back, end and end - back)


_YEAR = re.compile(r"\b(?:\d{4}|this|last|next|past|since|ago)\b", re.I)
_MONTH = re.compile(
    r"\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:uary|ruary|ch|il|ust|ember|tember|ober)?\b", re.I
)
ONE_OF = re.compile(rf"^(?:what|which) ([a-z]{{3,}}) (?:{AUX})\b", re.I)
_ENOUGH_BESIDES = 2
"""Words a "which dish" needs besides the dish: what answers it is the dish's name, and need not say "dish"."""


def _names_a_thing(text: str, phrase: TimePhrase) -> bool:
    """Tell "the Christmas concert" from "at Christmas": a time word between an article and a noun is part of a name."""
    before = re.search(r"\b(?:the|a|an|my|our|his|her|their|\w+['’]s)(?: [a-z]\w*)? $", text[: phrase.start], re.I)
    after = re.match(r" ([a-z]\w+)", text[phrase.end :])
    named = re.fullmatch(r"[A-Za-z' .]+", phrase.text) is not None and not re.match(
        r"(?i)(?:last|next|this|past|other|first|previous|coming)\b", phrase.text
    )
    return bool(before and after and named and after[1] not in STOP)


def without_people(text: str) -> str:
    """Return `text` without "my sister and I", whose deeds are told of either."""
    return re.sub(r"\b(?:my \w+|[A-Z]\w+) and I\b|\bI and my \w+\b", " ", text)


def without(text: str, phrases: Sequence[TimePhrase]) -> str:
    """Return `text` with the time words blanked out."""
    for phrase in phrases:
        text = text[: phrase.start] + " " * (phrase.end - phrase.start) + text[phrase.end :]
    return text


def _is_entity(word: str, short: str, text: str, known_names: frozenset[str]) -> bool:
    if short in EXCLUSIVE or word.lower() in known_names:
        return True
    is_name = word[0].isupper() and not word.isupper() and word.lower() not in STOP
    return is_name and (not text.startswith(word) or re.match(rf"{re.escape(word)}['’]s\b", text) is not None)
