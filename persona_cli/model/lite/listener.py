"""The trained reader as the built-in model asks it: each message read once, however many tasks look at it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from threading import Lock

from persona_cli.model.lite.language import ENGLISH, language_of
from persona_cli.model.lite.phrases import phrases_of, without_opening
from persona_cli.reading.judging import Bearing
from persona_cli.reading.labels import Guess
from persona_cli.reading.reader import Reader
from persona_cli.reading.stance import Stance
from persona_cli.reading.statement import Statement
from persona_cli.records import Turn

LONGEST = 6_000
"""Characters of a message that are read; what is pasted may be longer, and hardly ever tells of a life behind that."""
_KEPT = 600
_BRIEF = 6
"""Words up to which each part of a wish that only points back has."""
_BEFORE = 3
"""Turns before a message in which "she" may have been named."""

KEEPING = ("tell", "keep", "correct", "remind")
"""What a sentence may do and be evidence."""

_QUOTES = re.compile(r"[\"“”«»>:]|\b(?:said|says|say|like|goes|went|told|asked|wrote|texted|replied)\b", re.I)
_PASTED = re.compile(r"[>{}=;<|_\"“”]|\w:(?: |$)|^\s+\S|\d\d:\d\d")


class Listener:
    """Reads messages and questions; any thread may call it."""

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        self.open_reader = open_reader
        self._read: OrderedDict[tuple[str, str], tuple[Statement, ...]] = OrderedDict()
        self._lock = Lock()

    def read(self, text: str, recent: Sequence[Turn] = ()) -> tuple[Statement, ...]:
        """Return the sentences of a message after those of the turns before it; of another language none."""
        text = text[:LONGEST]
        if not text.strip() or language_of(text) != ENGLISH:
            return ()
        before = [statement for turn in recent[-_BEFORE:] for statement in self._plainly(turn.user[:LONGEST])]
        return self._once(text, tuple(before))

    def read_all(self, texts: Sequence[str]) -> dict[str, tuple[Statement, ...]]:
        """Return the sentences of messages that have nothing to do with each other, by text."""
        wanted = {text[:LONGEST] for text in texts if text.strip()}
        fresh = [text for text in wanted if (text, "") not in self._read and language_of(text) == ENGLISH]
        if fresh:
            for text, statements in zip(fresh, self._reader.read_all(fresh), strict=True):
                self._keep((text, ""), statements)
        return {text: self._read.get((text[:LONGEST], ""), ()) for text in texts}

    def judge(self, question: str, memories: Sequence[str]) -> tuple[Bearing, ...]:
        """Return how each memory stands to a question."""
        return self._reader.bearings(question, memories)

    def stance(self, text: str) -> Stance:
        """Return how a message is meant."""
        return self._reader.stance(text[:LONGEST])

    def _plainly(self, text: str) -> tuple[Statement, ...]:
        return self._once(text, ()) if text.strip() and language_of(text) == ENGLISH else ()

    def _once(self, text: str, before: tuple[Statement, ...]) -> tuple[Statement, ...]:
        key = (text, "\n".join(statement.text for statement in before))
        with self._lock:
            if key in self._read:
                self._read.move_to_end(key)
                return self._read[key]
        return self._keep(key, self._reader.read(text, before))

    def _keep(self, key: tuple[str, str], statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        lines = "\n" in key[0].strip()
        statements = tuple(as_worded(as_formed(statement, lines=lines)) for statement in statements)
        with self._lock:
            self._read[key] = statements
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return statements

    @cached_property
    def _reader(self) -> Reader:
        return self.open_reader()


def as_formed(statement: Statement, *, lines: bool) -> Statement:
    """Return a sentence as the person's own where nothing in its form, or in the `lines` of its message, says else."""
    speaker, text = statement.speaker.label, statement.text
    formed = _QUOTES.search(text) if speaker == "quoted" else lines or _PASTED.search(text)
    if text.lstrip().startswith(">"):
        return replace(statement, speaker=Guess("pasted", 1.0))
    if speaker != "own" and not formed:
        statement = replace(statement, speaker=Guess("own", 1 - statement.speaker.probability))
    return statement


def as_worded(statement: Statement) -> Statement:
    """Return a sentence with the act that its wording leaves no doubt of, whatever the head made of it."""
    words = without_opening(statement.text, "fillers").casefold()
    return _as_wish(statement, words) or statement


def _as_wish(statement: Statement, words: str) -> Statement | None:
    """Return a sentence that wishes something of memory as such: to remind, to keep, to forget, to put right."""
    act = statement.act.label
    for meant, opening in (("remind", "reminding"), ("keep", "keeping")):
        match = phrases_of(opening).match(words)
        if match is not None and act in ("ask", "request", "tell", "chat", "correct", "keep", "remind"):
            rest = words[match.end() :].strip(" ,:")
            if len(rest.split()) > 1 and not phrases_of("asking_words").match(rest):
                return replace(statement, act=Guess(meant, 1.0), asked=None)
    if points_back(words):
        return replace(statement, act=Guess("forget", 1.0), asked=None)
    denies = len(without_opening(words, "denying").split()) < len(words.split())
    if (act in ("chat", "tell", "ask", "forget") and denies) or (
        act in ("chat", "tell", "ask") and phrases_of("correcting").match(statement.text.strip())
    ):
        return replace(statement, act=Guess("correct", 1.0), asked=None)
    return None


def points_back(words: str) -> bool:
    """Tell whether a sentence wants nothing but what was said just before forgotten: "please erase that"."""
    parts = [without_opening(part.strip(), "asking").strip(" .!?") for part in words.split(",")]
    return all(len(part.split()) < _BRIEF for part in parts) and any(map(_forgets_that, parts))


def _forgets_that(words: str) -> bool:
    if (wish := phrases_of("forgetting").match(words)) is None:
        return False
    rest = words[wish.end() :].removesuffix("please").strip()
    return phrases_of("back").fullmatch(rest) is not None or (not rest and words[: wish.end()].endswith(" that"))
