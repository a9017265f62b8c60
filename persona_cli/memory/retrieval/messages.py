"""Which messages answer a question: by themselves, and by what stands around them.

A message is rarely a whole statement. It answers the question before it, is explained by the one after it, and
shares its topic with its session; so each of these lends it some of their own evidence. All candidates are
weighed at once, as arrays with one row per message and a last row of nothing for the neighbour that is not there.

And its form counts. "When did she leave?" wants a time and "What is the dog called?" a name; a message that has none
answers neither, however close it is in meaning. One that gives times and names tells more, whatever is asked, than one
that only asks, or only greets what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.lexicon import word_class
from persona_cli.english.small_talk import only_asks, says_nothing
from persona_cli.english.tokens import DAYS, MONTHS, negative
from persona_cli.memory.retrieval.lane_weights import LaneWeights
from persona_cli.memory.retrieval.lanes import Column, Evidence
from persona_cli.memory.retrieval.question import SearchQuestion
from persona_cli.memory.retrieval.terms import names_in, speaker_of
from persona_cli.memory.tables.turns import MessageLine

REACH = 2
"""How far around a message its neighbours are looked at."""

# looked for in small letters, and only where one of its first letters is: a third of the time, and there are hundreds
_TIME_WORDS = "|".join([*sorted(word_class("dating")), *DAYS, *MONTHS])
_TIME = re.compile(rf"(?=[adfjlmnorstwy\d])\b(?:{_TIME_WORDS}|\d{{4}}|\d+(?:st|nd|rd|th))\b")
# not where a capital only begins a sentence; the capital stands first, as most letters are none
_NAME = re.compile(r"[A-Z](?<!^[A-Z])(?<!\w[A-Z])(?<![.!?:\]]\s[A-Z])[a-z]+")
_REACTION = re.compile(
    r"(?:thanks|thank you|wow|yeah|yep|absolutely|definitely|that's|sounds|great|cool|awesome|totally)\b", re.IGNORECASE
)
_WHEN = re.compile(r"when\b|how long\b|(?:in |on )?(?:what|which) (?:year|month|date|day|time)\b", re.IGNORECASE)
_WHICH = re.compile(
    r"\b(?:where|names?|called|title)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:book|song|movie|film|band|game|city|country|place|state|town)\b",
    re.IGNORECASE,
)


class TurnVoice(Enum):
    """Who says what was looked for in a turn."""

    USER = "user"
    ASSISTANT = "assistant"
    NOBODY = "nobody"


class Dialogue:
    """The candidates among the messages with their neighbours, and what each lane says of them."""

    def __init__(
        self, question: SearchQuestion, lines: Sequence[MessageLine], evidence: Evidence, weights: LaneWeights
    ) -> None:
        """Take the candidates, by id, and the evidence for each, in the same order."""
        self._question = question
        self._lines = lines
        self._evidence = evidence
        self._weights = weights
        self._cosine = np.append(evidence.content, weights.noise.mean)
        self._held = np.vstack([evidence.held, np.zeros((1, len(question.terms)))])
        self._forms = [form_of(line.user) for line in lines]
        self._ids = np.array([line.id for line in lines], dtype=np.int64)
        self._sessions = np.array([line.session_id for line in lines], dtype=np.int64)

    def lanes(self) -> dict[str, Column]:
        """Return what each lane adds to the score of each message."""
        weights, above = self._weights, self._cosine - self._weights.noise.mean
        here, beside = np.arange(len(self._lines)), {step: self._beside(step) for step in range(-REACH, REACH + 1)}
        before = beside[-1]
        asks = np.array([form.asks for form in self._forms] + [False])
        holds = self._held > 0
        own, part = self._evidence.cover, self._evidence.part
        around = part(np.logical_or.reduce([holds[row] for row in beside.values()]) @ self._evidence.peaks)
        return {
            "dense": self._evidence.content,
            "text": weights.text * self._evidence.share + weights.around * own,
            "neighbours": weights.around * (around - own)
            + (weights.before + weights.reply * asks[before]) * above[before],
            "session": self._session(above[here]),
            "person": self._person(),
            "answer": self._answer(),
            "form": self._form(),
        }

    def _beside(self, step: int) -> NDArray[np.int64]:
        """Return the row of the message `step` further in the same session, the row of nothing where there is none."""
        nothing = len(self._ids)
        rows = np.searchsorted(self._ids, self._ids + step)
        rows[rows == nothing] = 0
        beside = (self._ids[rows] == self._ids + step) & (self._sessions[rows] == self._sessions)
        return np.where(beside, rows, nothing)

    def _session(self, above: Column) -> Column:
        """Return for each message what its session holds of the question, and how close its closest message is."""
        _, group = np.unique(self._sessions, return_inverse=True)
        best = np.zeros((int(group.max()) + 1, len(self._question.terms)))
        np.maximum.at(best, group, self._held[:-1])
        closest = np.full(len(best), -np.inf)
        np.maximum.at(closest, group, above)
        value = self._weights.session * self._evidence.part(best.sum(axis=1)) + self._weights.session_dense * closest
        return np.asarray(value[group])

    def _person(self) -> Column:
        words = self._question.words
        named = {name for name in {form.speaker for form in self._forms} if name and names_in(name, words)}
        # with two people named the question is about both, and who speaks tells nothing
        speaks = [len(named) == 1 and form.speaker in named for form in self._forms]
        return self._weights.person * np.array(speaks, dtype=np.float64)

    def _answer(self) -> Column:
        """Return what each message gains by having the kind of thing that is asked for."""
        value = np.zeros(len(self._forms))
        if wants_time(self._question.text):
            value += self._weights.time * np.array([form.dated for form in self._forms])
        if wants_name(self._question.text):
            value += self._weights.name * (self._named() | np.array([form.quotes for form in self._forms]))
        return value

    def _form(self) -> Column:
        weights = self._weights
        value = weights.dated * np.array([form.dated for form in self._forms]) + weights.named * self._named()
        value -= weights.question * np.array([form.asks for form in self._forms])
        return np.asarray(value - weights.reaction * np.array([form.reacts for form in self._forms]))

    def _named(self) -> NDArray[np.bool_]:
        speakers = frozenset(form.speaker for form in self._forms)
        return np.array([form.named(speakers) for form in self._forms])


@dataclass(frozen=True, slots=True)
class MessageForm:
    """What a message is like."""

    speaker: str
    """Who speaks in a transcript, folded; else ""."""
    asks: bool
    """It ends in a question."""
    reacts: bool
    """It begins with thanks, praise or assent."""
    dated: bool
    """It has a time in it."""
    names: frozenset[str]
    """The names in it, folded."""
    quotes: bool
    """It has something in quotation marks: most often a title."""

    def named(self, speakers: frozenset[str]) -> bool:
        """Tell whether it names anything but the ones who speak to each other."""
        return not self.names <= speakers


@lru_cache(maxsize=20_000)
def form_of(text: str) -> MessageForm:
    """Return what a message is like."""
    said = text.partition(": ")[2] if (speaker := speaker_of(text)) else text
    return MessageForm(
        speaker=speaker,
        asks=said.rstrip().endswith("?"),
        reacts=_REACTION.match(said) is not None,
        dated=_TIME.search(said.lower()) is not None,
        names=frozenset(name.casefold() for name in _NAME.findall(said)),
        quotes='"' in said or "“" in said,
    )


def voice_of(said: str, answer: str, question: SearchQuestion, *, close: bool) -> TurnVoice:
    """Return who says what was looked for: the user; the assistant alone; or nobody, where it refused or was polite.

    `close` says that the user's words are close in meaning to it.
    """
    if not answer:
        return TurnVoice.USER
    if not close and not question.held_by(said) and question.held_by(answer):
        return TurnVoice.NOBODY if says_nothing(answer, said) else TurnVoice.ASSISTANT
    if not only_asks(said):
        return TurnVoice.USER
    return TurnVoice.NOBODY if says_nothing(answer, said) and negative(answer) else TurnVoice.ASSISTANT


def wants_time(question: str) -> bool:
    """Tell whether a question asks when."""
    return _WHEN.match(question) is not None


def wants_name(question: str) -> bool:
    """Tell whether a question asks for a place, a title or what somebody is called."""
    return _WHICH.search(question) is not None
