"""How well what was told matches a question: what the judge says of it, weighed with where and when it was found.

What was said in one message stands together: its likeliest sentence and the whole of it are judged. One trained line
puts messages in order: the judge's odds of both, closeness in meaning, the place among what was found, how new it is,
and whether it is a memory. Whether the best answers at all hangs on what the judge says of the first few.
models/answers/fit.py fits the line; what could be counted beside that (roles, names, slots, dates) brought nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.people import USER, kin
from persona_cli.english.tokens import names, stem, stems
from persona_cli.model.lite.knowledge import Known, Source
from persona_cli.model.lite.phrases import table_of, words_of
from persona_cli.paths import shipped
from persona_cli.reading.inquiry import Question
from persona_cli.reading.judging import Bearing
from persona_cli.reading.statement import Statement
from persona_cli.records import Window
from persona_cli.timewords import find_anchors, find_times

NAMES = ("odds", "cosine", "place", "newness", "memory", "odds of the whole message")
"""The features, in order."""
COEFFICIENTS = "line.npz"
FIRST, FOUND = 3, 0.6
"""So many of the first say whether anything answers: the best odds among them, and what these count."""
_MOST = 8.0
_AHEAD = 4.0
ONCE = re.compile(
    r"\b(?:used to|before|previous(?:ly)?|former(?:ly)?|old|ex|first|originally|back then|last)\b", re.IGNORECASE
)
"""What a question for what was before has in it."""
_ONE_THING = ("what", "who", "when", "where", "which", "howmany")
_OWN = re.compile(r"\b(?:i|i['’]m|my|mine|me)\b", re.IGNORECASE)
_LEANS = re.compile(r"\b(?:s?he|they|it|his|hers?|him|them|their)\b", re.IGNORECASE)
_NONE: frozenset[str] = frozenset()
_CALLED = frozenset({stem("name"), stem("called"), stem("call")})
_HELD_BY_OTHERS = frozenset({"partner", "child", "sibling", "parent", "pet", "species"})
"""Slots of the person's own that somebody else fills: "what pets do I have" is answered by what is told of a cat."""
_FIRST_PERSON = re.compile(r"\b(?:i|me|mine|myself|we|us|ours)\b", re.IGNORECASE)
_MY = re.compile(r"\b(?:my|our)\b", re.IGNORECASE)
Floats = NDArray[np.float64]
_ANY_DAY = datetime(2024, 5, 15, tzinfo=UTC)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_OF_OTHERS = re.compile(r"\b(?:[A-Z][\w-]+['’]s|[Hh]is|[Hh]er|[Tt]heir) (?:(?:older|younger|big|little|new) )?[\w-]+")
"""Whom others have: Diego's sister is no answer about one's own."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What was told at once: the sentence that stands nearest to a question, and the whole message."""

    known: Known
    bearing: Bearing
    """How the sentence stands to the question."""
    whole: Bearing
    """How the message does."""
    cosine: float
    """How close in meaning the closer of the two is."""

    @property
    def decisive(self) -> Bearing:
        """Return how that of the two stands to the question which rather answers or decides it."""
        return max(self.bearing, self.whole, key=lambda bearing: bearing.gives)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, with whom and when it is about."""

    question: Question
    statement: Statement
    window: Window | None
    names: frozenset[str]
    """Stems of what stands for whom it is about: a name, and the role that goes with it."""
    roles: frozenset[str]
    """Roles it speaks of, one word for each: "mother" for mum."""
    topic: frozenset[str]
    """Stems of its words that name something: not "do" or "happen", and no time words."""
    slots: frozenset[str] = frozenset()
    """What of the person's own is asked for and nothing else: "name", in "what's my name?"."""
    called: frozenset[str] = frozenset()
    """Stems of the names, where known, of somebody whose name alone is asked for: "what is my sister called?"."""

    @property
    def kind(self) -> str:
        """Return what kind of answer is asked for."""
        return self.question.kind.label


def understand(question: Question, statement: Statement, window: Window | None, aliases: dict[str, set[str]]) -> Asked:
    """Return a question with everything that stands for whom it is about."""
    named = [*(span.text for span in statement.spans_of("person", "pet")), *names(statement.text)]
    leans = question.subject.said or (not named and _LEANS.search(statement.text))
    if question.subject.name and leans:
        named.append(question.subject.name)
    named = [name for name in named if not re.search(rf"\bbefore (?:the )?{re.escape(name)}\b", statement.text, re.I)]
    wanted = {stem(word) for name in named for word in _WORD.findall(name)}
    roles = frozenset(roles_in(statement.text))
    for name in (*wanted, *map(stem, roles)):
        wanted |= aliases.get(name, set())
    timeless = "".join(statement.text)
    for phrase in find_times(statement.text, _ANY_DAY):
        timeless = timeless.replace(phrase.text, " ")
    topic = _topic_of(timeless)
    own = not wanted and not roles and question.kind.label in _ONE_THING and _OWN.search(statement.text)
    slots = _slots_of(topic) if own else _NONE
    mine = {stem(word) for word in _WORD.findall(statement.text) if roles_in(word)}
    called = wanted - mine - roles if roles and topic <= mine | _CALLED and _OWN.search(statement.text) else _NONE
    if window is not None:
        # "the day before my birthday" is a time where memory has dated it, and no matter
        for anchored in find_anchors(timeless, _ANY_DAY):
            timeless = timeless.replace(anchored.text, " ")
    return Asked(question, statement, window, frozenset(wanted), roles, _topic_of(timeless), slots, frozenset(called))


def _topic_of(text: str) -> frozenset[str]:
    return stems(text) - {stem(word) for word in words_of("open_words")}


def fills(asked: Asked, known: Known) -> bool:
    """Tell whether something known is said to be the very thing of the person's own that is asked for, or its name."""
    if asked.called:
        named = {stem(word) for word in _WORD.findall(known.text)}
        return known.holds and bool(asked.called & named) and bool(asked.roles & roles_in(known.text))
    owner, _, slot = known.slot.partition("/")
    return owner == "user" and slot in asked.slots and known.holds


def _slots_of(topic: frozenset[str]) -> frozenset[str]:
    """Return the slots that all words of a topic stand for."""
    named = {slot: stems(f"{slot} {words}") for slot, words in table_of("looked_for").items()}
    return frozenset(slot for slot, words in named.items() if topic and topic <= words)


def roles_in(text: str) -> set[str]:
    """Return the roles a text names, one word for each."""
    found = {kin(word.rstrip("s") if kin(word) not in _wider() else word) for word in _WORD.findall(text.casefold())}
    return {word for word in found if word in _wider()}


def features(candidates: Sequence[Candidate]) -> Floats:
    """Return what is counted of things known, against each other: (n, features)."""
    odds, whole = (
        np.clip([bearing.odds for bearing in bearings], -_MOST, _MOST)
        for bearings in zip(*((one.bearing, one.whole) for one in candidates), strict=True)
    )
    said = np.array([one.known.at.timestamp() if one.known.at else np.nan for one in candidates])
    oldest, newest = (np.nanmin(said), np.nanmax(said)) if not np.isnan(said).all() else (0.0, 0.0)
    return np.column_stack(
        [
            odds,
            [one.cosine for one in candidates],
            np.log1p([one.known.place for one in candidates]),
            np.nan_to_num((said - oldest) / max(1.0, newest - oldest)),
            [one.known.source is Source.MEMORY for one in candidates],
            whole,
        ]
    ).astype(np.float64)


def scores(candidates: Sequence[Candidate]) -> list[float]:
    """Return how probable it is that each thing known is the answer, in order."""
    if not candidates:
        return []
    counted, (line, chance) = features(candidates), _lines()
    chances: list[float] = _chances(counted, line, chance).tolist()
    return chances


def evidence(counted: Floats, line: Floats) -> tuple[Floats, Floats]:
    """Return how each thing known is weighed, (n,), and what tells whether each answers: (n, 2).

    That is its weight with the best odds among the first few, and of the best how far it is ahead of the next.
    """
    weighed = counted @ line
    first = np.argsort(-weighed, kind="stable")[:FIRST]
    ahead = np.zeros(len(weighed))
    ahead[first[0]] = min(_AHEAD, weighed[first[0]] - weighed[first[1]]) if len(first) > 1 else _AHEAD
    return weighed, np.column_stack([weighed + FOUND * counted[first, 0].max(), ahead])


def _chances(counted: Floats, line: Floats, chance: Floats) -> Floats:
    _, told = evidence(counted, line)
    return np.asarray(1 / (1 + np.exp(-(told @ chance[:-1] + chance[-1]))))


@cache
def _lines() -> tuple[Floats, Floats]:
    with np.load(shipped("answers") / COEFFICIENTS, allow_pickle=False) as stored:
        return np.asarray(stored["line"], dtype=np.float64), np.asarray(stored["chance"], dtype=np.float64)


def about(asked: Asked, known: Known) -> bool:
    """Tell whether something known is of whom a question is about: of the person, or of somebody it names."""
    if not asked.names and not asked.roles:
        return not asked.slots or bool(asked.slots & _HELD_BY_OTHERS) or not _is_of_others(known)
    return _meets(asked, f"{known.message or known.text} {known.subject}")


def _is_of_others(known: Known) -> bool:
    """Tell whether only somebody else is spoken of: "my sister Lena works for a bank" is nothing about my work."""
    if known.subject.casefold() in (USER, ""):
        return False
    return _FIRST_PERSON.search(known.text) is None and len(_MY.findall(known.text)) <= 1


def _meets(asked: Asked, text: str) -> bool:
    """Tell whether a text names the one asked for, by name or role, or by a role that is one of the kind."""
    if asked.names & {stem(word) for word in _WORD.findall(text)}:
        return True
    there = roles_in(_OF_OTHERS.sub(" ", text))
    return any(role in there or there & _wider().get(role, frozenset()) for role in asked.roles)


def _wider() -> dict[str, frozenset[str]]:
    """Return each role with those that are of its kind: a partner may be a wife, a sister is nothing else."""
    return _WIDER or _filled()


_WIDER: dict[str, frozenset[str]] = {}


def _filled() -> dict[str, frozenset[str]]:
    for role, wider in table_of("roles").items():
        _WIDER.setdefault(role, frozenset())
        if wider != "other":
            _WIDER[wider] = _WIDER.get(wider, frozenset()) | {role}
    return _WIDER
