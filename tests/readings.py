"""Sentences as the reader might read them, written by hand, for tests that need no trained head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from persona_cli.model.lite.listener import Listener
from persona_cli.reading.judging import Bearing
from persona_cli.reading.labels import ANSWERS, STANCES, Guess
from persona_cli.reading.reader import locate
from persona_cli.reading.stance import Stance
from persona_cli.reading.statement import Span, Statement, Subject

WORTH = {0: (1.0, 0.0, 0.0, 0.0), 1: (0.1, 0.9, 0.0, 0.0), 2: (0.0, 0.1, 0.9, 0.0), 3: (0.0, 0.0, 0.1, 0.9)}


def read_as(
    text: str,
    act: str = "tell",
    *,
    worth: int = 2,
    who: str = "me",
    name: str = "",
    label: str = "person",
    asked: str = "",
    speaker: str = "own",
    unsure: float = 0.0,
    negative: float = 0.0,
    kinds: Sequence[str] = (),
    spans: Sequence[tuple[str, str, str]] = (),
    start: int = 0,
    goes_on: bool = False,
) -> Statement:
    """Return a sentence with what was read of it; a span is (words, label, slot).

    What is worth 2 or 3 is worth keeping, and what `goes_on` belongs to the sentence before it.
    """
    marked = [
        Span(words, text.index(words), text.index(words) + len(words), kind, 1.0, slot, 1.0 if slot else 0.0)
        for words, kind, slot in spans
    ]
    return Statement(
        text,
        start,
        start + len(text),
        Guess(act, 1.0),
        Guess(asked, 1.0) if asked else None,
        Guess(speaker, 1.0),
        unsure,
        negative,
        WORTH[worth],
        tuple(Guess(kind, 1.0) for kind in kinds),
        tuple(marked),
        Subject(Guess(who, 1.0), name, label, probability=1.0, said=bool(name)),
        keep=(0.0, 0.3, 1.0, 1.0)[worth],
        apart=0.0 if goes_on else 1.0,
    )


class HandReader:
    """A reader of what is written down; of any other sentence it makes small talk, or a question."""

    def __init__(
        self,
        *known: Statement,
        bearings: Mapping[tuple[str, str], str] | None = None,
        stances: Mapping[str, str] | None = None,
    ) -> None:
        self._known = {statement.text: statement for statement in known}
        self._bearings = bearings or {}
        self._stances = stances or {}

    def read(self, message: str, before: Sequence[Statement] = ()) -> tuple[Statement, ...]:
        """Return the sentences of a message."""
        return tuple(self._read(text, start) for text, start in locate(message))

    def read_all(self, messages: Sequence[str], before: Sequence[Statement] = ()) -> tuple[tuple[Statement, ...], ...]:
        """Return the sentences of messages."""
        return tuple(self.read(message) for message in messages)

    def bearings(self, question: str, memories: Sequence[str]) -> tuple[Bearing, ...]:
        """Return how memories stand to a question: as written down, else off."""
        labels = [self._bearings.get((question, memory), "off") for memory in memories]
        return tuple(Bearing(Guess(label, 1.0), {name: float(name == label) for name in ANSWERS}) for label in labels)

    def stance(self, message: str) -> Stance:
        """Return how a message is meant: as written down for a sentence in it, else a plain fact."""
        found = next((stance for text, stance in self._stances.items() if text in message), "plain")
        label, _, strong = found.partition(" ")
        return Stance({name: float(name == label) for name in STANCES}, float(bool(strong)))

    def _read(self, text: str, start: int) -> Statement:
        known = self._known.get(text)
        if known is None:
            asks = text.endswith("?")
            known = read_as(text, "ask" if asks else "chat", asked="what" if asks else "", worth=0, who="none")
        from dataclasses import replace

        return replace(known, start=start, end=start + len(text))


def listening(
    *known: Statement,
    bearings: Mapping[tuple[str, str], str] | None = None,
    stances: Mapping[str, str] | None = None,
) -> Listener:
    """Return a listener that reads by hand; stances are by a part of the message."""
    reader = HandReader(*known, bearings=bearings, stances=stances)
    return Listener(lambda: reader)  # type: ignore[arg-type,return-value]  # reads and judges, as a reader does
