"""How well something known matches a question: one trained line over what the answer head says and what can be counted.

The head knows meanings but is easily misled by likeness; whether the one asked for is the one told of, whether the kind
of thing that is asked for stands there, and how much the words share is plain. models/answers/fit.py fits the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.people import kin
from persona_cli.english.tokens import names, numbers, stem, stems
from persona_cli.model.lite.knowledge import Known
from persona_cli.model.lite.phrases import table_of, words_of
from persona_cli.paths import shipped
from persona_cli.reading.inquiry import Question
from persona_cli.reading.judging import Bearing
from persona_cli.reading.statement import Statement
from persona_cli.records import Window
from persona_cli.timewords import find_times

NAMES = (
    "answers", "yes", "no", "unsure", "close", "off", "cosine", "shared", "all shared", "other role", "other name",
    "same slot", "same kinds", "date for when", "person for who", "place for where", "number for how many",
    "another's", "mine of another", "place found", "asks yes or no", "neither words nor likeness",
)  # fmt: skip
"""The features, in order."""
COEFFICIENTS = "line.npz"
_OTHER_ROLE, _OTHER_NAME = NAMES.index("other role"), NAMES.index("other name")
_ANOTHERS, _COUNTED = NAMES.index("another's"), NAMES.index("number for how many")
_SHE = NAMES.index("mine of another")
_OF_ANOTHER = 0.4
ONCE = re.compile(
    r"\b(?:used to|before|previous(?:ly)?|former(?:ly)?|old|ex|first|originally|back then|last)\b", re.IGNORECASE
)
"""What a question for what was before has in it."""
_ANY_DAY = datetime(2024, 5, 15, tzinfo=UTC)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_OF_OTHERS = re.compile(r"\b(?:[A-Z][\w-]+['’]s|[Hh]is|[Hh]er|[Tt]heir) (?:(?:older|younger|big|little|new) )?[\w-]+")
"""Whom others have: Diego's sister is no answer about one's own."""
_PLACED = re.compile(r"\b(?:in|at|on|near|from|by|under|behind|next to|to) (?:the|a|an|my|our)\b", re.I)
_I = re.compile(r"\b(?:i|we|me|us)\b", re.I)
_THEY = re.compile(r"\W*(?:s?he|they|his|hers?|their)\b", re.I)
_ME = re.compile(r"\b(?:i|me|my|mine|we|our|us)\b", re.I)


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
    words: frozenset[str]
    """Stems of its words that carry meaning."""
    topic: frozenset[str]
    """Those of them that name something: not "do" or "happen", and no time words."""

    @property
    def kind(self) -> str:
        """Return what kind of answer is asked for."""
        return self.question.kind.label


def understand(question: Question, statement: Statement, window: Window | None, aliases: dict[str, set[str]]) -> Asked:
    """Return a question with everything that stands for whom it is about."""
    named = [span.text for span in statement.spans_of("person", "pet")] + names(statement.text)
    if question.subject.name and (question.subject.said or not named):
        named.append(question.subject.name)
    named = [name for name in named if not re.search(rf"\bbefore (?:the )?{re.escape(name)}\b", statement.text, re.I)]
    wanted = {stem(word) for name in named for word in _WORD.findall(name)}
    roles = frozenset(roles_in(statement.text))
    for name in (*wanted, *map(stem, roles)):
        wanted |= aliases.get(name, set())
    words = frozenset(stems(statement.text))
    timeless = "".join(statement.text)
    for phrase in find_times(statement.text, _ANY_DAY):
        timeless = timeless.replace(phrase.text, " ")
    topic = frozenset(stems(timeless)) - {stem(word) for word in words_of("open_words")}
    return Asked(question, statement, window, frozenset(wanted), roles, words, topic)


def roles_in(text: str) -> set[str]:
    """Return the roles a text names, one word for each."""
    found = {kin(word.rstrip("s") if kin(word) not in _wider() else word) for word in _WORD.findall(text.casefold())}
    return {word for word in found if word in _wider()}


def features(
    asked: Asked, known: Known, reading: tuple[Statement, ...], bearing: Bearing, cosine: float
) -> NDArray[np.float32]:
    """Return what is counted of a question and something known; `reading` is what the reader makes of its words."""
    text = f"{known.text} {known.subject}"
    theirs, chances = stems(text), bearing.probabilities
    shared = len(asked.words & theirs) / max(1, len(asked.words))
    labels = {span.label for statement in reading for span in statement.spans}
    slots = {span.slot for statement in reading for span in statement.spans if span.slot}
    kinds = {kind.label for statement in reading for kind in statement.kinds}
    wanted_kinds = {kind.label for kind in asked.statement.kinds}
    mine = not asked.names and not asked.roles and _ME.search(asked.question.text) is not None
    other_role = bool(asked.roles) and not _meets(asked, text)
    return np.array(
        [
            *(chances[label] for label in NAMES[:6]),
            cosine,
            shared,
            bool(asked.words) and asked.words <= theirs,
            other_role,
            bool(asked.names) and not asked.roles and not about(asked, known),
            bool(asked.question.slot) and asked.question.slot in slots,
            len(kinds & wanted_kinds) / max(1, len(wanted_kinds)) if wanted_kinds else 0.5,
            _sign(asked.kind == "when", "date" in labels or known.event is not None),
            _sign(asked.kind == "who", bool(labels & {"person", "role"} or roles_in(text) or names(known.text))),
            _sign(
                asked.kind == "where",
                bool(labels & {"place", "org"} or names(known.text) or _PLACED.search(known.text)),
            ),
            _sign(asked.kind == "howmany", bool(numbers(known.text))),
            mine and known.subject not in ("user", "") and _I.search(known.text) is None,
            mine and _ME.search(known.text) is None and _THEY.match(known.text) is not None,
            1 / (1 + known.place),
            asked.kind == "yesno",
            shared == 0 and cosine < 0.25,
        ],
        dtype=np.float32,
    )


def score(counted: NDArray[np.float32]) -> float:
    """Return how probable it is that what was counted is of an answer; of somebody else, or with no number, hardly."""
    line = _line()
    chance = float(1 / (1 + np.exp(-(counted @ line[:-1] + line[-1]))))
    of_another = counted[_OTHER_ROLE] or counted[_OTHER_NAME] or counted[_SHE] or counted[_ANOTHERS]
    of_another = of_another or counted[_COUNTED] < 0
    return chance * _OF_ANOTHER if of_another else chance


@cache
def _line() -> NDArray[np.float32]:
    with np.load(shipped("answers") / COEFFICIENTS, allow_pickle=False) as stored:
        return np.asarray(stored["line"], dtype=np.float32)


def _sign(wanted: bool, there: bool) -> float:
    """Return 1 where what is wanted is there, -1 where it is not, 0 where it is not wanted."""
    return (1.0 if there else -1.0) if wanted else 0.0


def about(asked: Asked, known: Known) -> bool:
    """Tell whether something known is of whom a question is about."""
    if not asked.names and not asked.roles:
        return True
    return _meets(asked, f"{known.text} {known.subject}")


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
