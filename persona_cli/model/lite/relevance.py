"""Whether what was told answers a question: the decision on which "I don't know that yet" rests.

Three questions, in order. Does it speak of what is asked about (every entity)? Does it have the shape of the slot
asked for? Is it close enough in meaning and words? The first two are hard: embeddings alone put "your brother
is called Tom" next to a question for the sister's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import PEOPLE
from persona_cli.model.lite.acts import announces
from persona_cli.model.lite.evidence import Told
from persona_cli.model.lite.kinds import asked_kind, is_done, members, without_kind
from persona_cli.model.lite.ontology import KINDS
from persona_cli.model.lite.questions import ONE_OF, Form, Question
from persona_cli.model.lite.slots import dislikes
from persona_cli.model.lite.words import STOP, content_words, covers, kinds_of, stem, stems
from persona_cli.records import Window

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

ENOUGH = 0.55
"""Score from which something told is given as an answer."""
_CLOSE = 0.6
_FACT = 0.1
"""What puts a fact before the message it came from."""
_CERTAIN = 0.9
SAME_WORD = 0.62
"""Cosine from which two words are taken for one meaning ("film", "cinema")."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something told, with how well it answers."""

    told: Told
    score: float


def rank(question: Question, told: Sequence[Told], embed: Embed) -> tuple[Match, ...]:
    """Return what answers the question, best first; empty when nothing does.

    "Which food can't I stand?" is answered by olives, which no word says are food, where nothing else answers it.
    """
    kind = asked_kind(question)
    asked = without_kind(question) if kind else question
    if kind and not asked.topic and (question.slot is None or question.slot.name != "likes"):
        told = [one for one in told if is_done(kind, one)]
    found = _ranked(question, told, embed)
    if found or not kind:
        return found
    meant = members(kind, [one for one in told if _may_answer(asked, one)], embed)
    return _ranked(asked, meant, embed, sure=not asked.topic)


def _ranked(question: Question, told: Sequence[Told], embed: Embed, *, sure: bool = False) -> tuple[Match, ...]:
    """Return what answers the question; with `sure`, all that can, for there is nothing but its kind to go by."""
    allowed = [one for one in told if _may_answer(question, one)]
    if not allowed:
        return ()
    vectors = embed([question.text, *(one.content for one in allowed)])
    cosines = vectors[1:] @ vectors[0]
    meanings = _Meanings(embed)
    scores = [_score(question, one, float(cosine), meanings) for one, cosine in zip(allowed, cosines, strict=True)]
    if sure:
        scores = [max(score, ENOUGH + float(cosine) / 10) for score, cosine in zip(scores, cosines, strict=True)]
    matches = [Match(one, score) for one, score in zip(allowed, scores, strict=True) if score >= ENOUGH]
    return tuple(sorted(matches, key=lambda match: -match.score - (0.0 if match.told.verbatim else _FACT)))


def _may_answer(question: Question, told: Told) -> bool:
    if told.source == "episode" and not (question.open and question.time):
        return False  # a summary says what was talked about, its turns say what was told
    if told.source == "episode" and not question.of_telling and told.content.startswith("You asked"):
        return False  # what was asked is nothing that was done
    if told.source == "profile" and question.time is not None:
        return False  # the profile says how things are, not what was on a day
    if told.verbatim and announces(told.content) and not question.open:
        return False
    return _speaks_of(question, told) and _has_shape(question, told) and _in_time(question, told)


def _speaks_of(question: Question, told: Told) -> bool:
    words = told.stems | stems(content_words(told.subject)) if told.subject not in {"", "user"} else told.stems
    if not all(covers(entity, words) for entity in question.entities) or _of_another(question, told):
        return False
    other = _other_subject(told)
    if not other or question.form is Form.WHO:
        return True
    topic = stems(question.topic)
    if question.of_self:
        return bool(other & question.entities) or any(covers(word, other) for word in topic)
    return (
        bool(question.entities) or not question.personal or (bool(topic) and all(covers(w, told.stems) for w in topic))
    )


def _of_another(question: Question, told: Told) -> bool:
    """Tell whether "my brother" is asked for and a sentence speaks of Anna's."""
    own = {stem(role) for role in re.findall(r"\b(?:my|our) (?:[\w-]+ )??([\w-]+)\b", question.text, re.I)}
    asked = own & question.entities & _PEOPLE
    theirs = {stem(role) for role in _THEIRS.findall(told.content)}
    mine = {stem(role) for role in _MINE.findall(told.content)}
    return bool(asked & theirs - mine)


_THEIRS = re.compile(
    r"(?:\b(?!The\b|the\b|user\b)[\w-]+['’]s|\b(?:[Hh]is|[Hh]er|[Tt]heir))"
    r" (?:(?:older|younger|little|big|new) )?([\w-]+)"
)
_MINE = re.compile(r"\b(?:[Tt]he user['’]s|[Mm]y|[Oo]ur|[Yy]our) (?:[\w-]+ )??([\w-]+)\b")


def _other_subject(told: Told) -> frozenset[str]:
    """Return the stems of the person a sentence is about, where that is not the user."""
    match = _SUBJECT.match(told.content)
    if match is None or re.match(r"\s*and (?:I|the user)\b", told.content[match.end() :]):
        return frozenset()
    words = stems(content_words(match[0]))
    named = match["name"] is not None and match["name"].lower() not in STOP
    return words if words & _PEOPLE or named else frozenset()


_SUBJECT = re.compile(
    r"(?:(?:[Mm]y|[Oo]ur|[Tt]he user['’]s)(?: [\w-]+){1,3}?|(?P<name>[A-Z]\w+(?: [A-Z]\w+)?))"
    r"(?=(?:\s+(?:\w+ly|always|never|just|also|still))?"
    r"(?:\s+\w+(?:s|ed|was|had)\b|\s+(?:got|went|said|and|has|is|is)\b|['’]s\s))"
)


def _names_somebody(question: Question, told: Told) -> bool:
    """Tell whether a sentence names a person that the question does not."""
    names = {stem(name) for name in _NAMES.findall(told.content)}
    people = told.stems & _PEOPLE
    return bool((names | people) - question.entities) or bool(people & question.entities)


_NAMES = re.compile(r"(?<=[\w,;] )[A-Z][\w'’-]+|^(?!I\b|The\b|My\b|We\b)[A-Z][\w'’-]+")
_PLACE = re.compile(
    r"\b(?:in|at|to|near|from|by|inside|outside|behind|under|next to|on|into|through|around|off|left|visit\w*)\s+"
    r"(?:(?:the|a|an|my|our|his|her|their|the user['’]s|your|some)\s+"
    r"(?!morning|evening|afternoon|weekend|day|week|month)\w+|[A-Z]\w+|home|work|bed)"
)
_PEOPLE = stems(PEOPLE)


def _has_shape(question: Question, told: Told) -> bool:
    if question.form is Form.WHERE and not _PLACE.search(told.content):
        return False
    if question.form is Form.WHO and not _names_somebody(question, told):
        return False
    if question.slot is None:
        return True
    if not question.slot.told.search(told.content):
        return False
    if question.slot.name == "likes":
        wants = dislikes(question.text)
        return question.form is Form.YES_NO or dislikes(told.content) == wants
    return True


def _in_time(question: Question, told: Told) -> bool:
    if question.time is None:
        return True
    window = question.time.window if question.of_telling else question.time.wide
    if question.of_telling and told.at is not None and told.at in question.time.window:
        return True
    if told.event is not None and not _hazy(question, told.event):
        return _overlap(window, told.event)
    return told.at is not None and told.at in window


def _hazy(question: Question, event: Window) -> bool:
    """Tell whether an event's time is much wider than what is asked: "recently" is no day of April."""
    asked = _length(question.time.window) if question.time else None
    lasted = _length(event)
    return asked is not None and lasted is not None and lasted > max(3 * asked, _A_WEEK)


def _length(window: Window) -> timedelta | None:
    return window.end - window.start if window.start is not None and window.end is not None else None


_A_WEEK = timedelta(days=8)


def _overlap(one: Window, other: Window) -> bool:
    starts_before = other.start is None or one.end is None or other.start < one.end
    ends_after = other.end is None or one.start is None or other.end > one.start
    return starts_before and ends_after


def _score(question: Question, told: Told, cosine: float, meanings: _Meanings) -> float:
    hits = [meanings.covered(word, told) for word in question.topic]
    if question.form is Form.YES_NO and any(hit < _CERTAIN for hit in hits):
        return 0.0  # "do I have a garden?" is not answered by a balcony, however near the two are
    if not hits:
        return cosine + _bare(question, told) + _value(question, told) - _vague(told)
    coverage = sum(hits) / len(hits)
    if question.form is Form.WHO and coverage < _CERTAIN and cosine < _CLOSE:
        return 0.0  # who did it is known only where it was told that it was done
    score = cosine + 0.5 * coverage - (0.05 if coverage >= _CERTAIN else 0.2)
    score -= _vague(told)
    return score + (0.1 if question.slot is not None else 0.0) + _value(question, told)


def _bare(question: Question, told: Told) -> float:
    """Return what a question without topic words is worth: what it asks for was checked by then, so much."""
    if question.slot is not None and not question.entities:
        return 0.5
    if question.open and question.time is not None:
        return 0.8 if (told.source == "episode") == question.of_telling else 0.6
    if question.open and question.form is Form.LIST:
        return _STANDING.get(told.source, 0.0)
    return 0.4 if question.entities or question.form is Form.LIST else 0.0


_STANDING = {"profile": 1.0, "habit": 0.8, "fact": 0.6}
"""What "tell me about myself" is answered from, first the profile."""


def _vague(told: Told) -> float:
    """Return what a sentence loses that points at one that is not there ("these help me a lot")."""
    return 0.35 if re.match(r"(?:These|Those|This|That|It|They|He|She)\b", told.content) else 0.0


def _value(question: Question, told: Told) -> float:
    """Return a bonus where a member of the kind that is asked for is named: "a Volvo" rather than "my car"."""
    if question.form is Form.WHO and not question.topic and told.stems & _PEOPLE:
        return 0.2  # "who is Rui?" wants "my cousin Rui"
    asked = ONE_OF.match(question.text)
    if asked is not None and covers(stem(asked[1]), told.stems):
        return 0.2  # "which dish" need not hear the word, but is best met where it does
    kinds = [KINDS[one] for one in question.entities if one in KINDS]
    return 0.1 if any(kind & told.stems for kind in kinds) else 0.0


class _Meanings:
    """Likeness of single words, embedded once each."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, NDArray[np.float32]] = {}

    def covered(self, word: str, told: Told) -> float:
        """Return 1 where what was told speaks of `word`, less where it has a word of like meaning, else 0."""
        short = stem(word)
        if covers(short, told.stems):
            return 1.0
        if kinds_of(short) or not told.stems:
            return 0.0
        others = sorted(told.stems)
        missing = [one for one in (word.lower(), *others) if one not in self._known]
        if missing:
            self._known.update(zip(missing, self._embed(missing), strict=True))
        best = max(float(self._known[word.lower()] @ self._known[other]) for other in others)
        return 0.8 if best >= SAME_WORD else 0.0
