"""`Reader`: a message as statements, what a new one means for an old memory, how a memory stands to a question.

A message is looked at in one pass of the encoder, a long one in a few; every sentence is judged beside its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.sentences import sentence_spans
from persona_cli.reading.antecedent import Antecedents, open_antecedents
from persona_cli.reading.encoder import Encoder, Part
from persona_cli.reading.heads import SENTENCE, Heads, open_heads, sentence_input
from persona_cli.reading.intent import judge as intent_of
from persona_cli.reading.intent import may_ask, meant
from persona_cli.reading.introduction import introduced
from persona_cli.reading.judging import Bearing, Judge
from persona_cli.reading.keeping import in_context, open_keeping
from persona_cli.reading.labels import Guess
from persona_cli.reading.mentions import candidates_for, mentions
from persona_cli.reading.stance import Stance, open_stances
from persona_cli.reading.statement import Mention, Span, Statement, Subject
from persona_cli.reading.surface import sentence_features
from persona_cli.reading.tagging import find_spans
from persona_cli.timewords import is_length

Floats = NDArray[np.float32]

_HELD = 0.5
ALONE = 1.5
"""What the worth of a sentence that is said alone counts, beside the line that sees its neighbours."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads messages; any thread may call it."""

    encoder: Encoder
    heads: Heads
    judging: Judge
    antecedents: Antecedents = field(default_factory=open_antecedents)

    def read(self, message: str, before: Sequence[Statement] = ()) -> tuple[Statement, ...]:
        """Return the sentences of a message in order; `before` are those said before it, for whom "she" stands."""
        return self.read_all([message], before)[0]

    def read_all(self, messages: Sequence[str], before: Sequence[Statement] = ()) -> tuple[tuple[Statement, ...], ...]:
        """Read messages that have nothing to do with each other, all after the same `before`."""
        located = [locate(message) for message in messages]
        passages = self.encoder.encode([[text for text, _ in sentences] for sentences in located if sentences])
        parts = iter(passages)
        return tuple(self.judge(places, next(parts).parts, before) if places else () for places in located)

    def endings(self, said: str, older: Sequence[str]) -> Floats:
        """Return how probable it is that what is said ends each of some earlier statements: (n,); one pass for each."""
        return self.judging.endings(said, older)

    def bearings(self, question: str, memories: Sequence[str]) -> tuple[Bearing, ...]:
        """Return how each memory stands to a question, in order; one pass for each that was not judged lately."""
        return self.judging.bearings(question, memories)

    def stance(self, message: str) -> Stance:
        """Return how a message is meant, as a whole."""
        sentences = [text for text, _ in locate(message)] or [message]
        (passage,) = self.encoder.encode([sentences])
        return open_stances().judge(self.heads, passage, sentences)

    def judge(
        self, located: Sequence[tuple[str, int]], parts: Sequence[Part], before: Sequence[Statement]
    ) -> tuple[Statement, ...]:
        """Return the statements of sentences, given with their places in the message and as the encoder saw them."""
        count = len(located)
        inputs = [
            sentence_input(part, sentence_features(text, place, count))
            for place, ((text, _), part) in enumerate(zip(located, parts, strict=True))
        ]
        judged = self.heads.judge(np.array(inputs))
        context = in_context(inputs, judged)
        keeping, intents = open_keeping().judge(context).tolist(), intent_of(context)
        read: list[Statement] = []
        for row, ((text, start), part) in enumerate(zip(located, parts, strict=True)):
            chances = {name: scores[row] for name, scores in judged.items()}
            spans = find_spans(self.heads, text, part)
            keep, apart = keeping[row]
            chances["told"] = intents[row]
            plain = count == 1 and not text.rstrip().endswith(("?", "?!"))
            statement = self._statement(text, start, chances, spans, (*before, *read), plain=plain)
            # what is said alone is judged as the corpus of the reader judges it: the marked messages are mostly diaries
            alone = 0.0 if is_length(text) else min(1.0, ALONE * statement.lasting)
            read.append(replace(statement, keep=alone if count == 1 else keep, apart=apart))
        return tuple(read)

    def _statement(
        self,
        text: str,
        start: int,
        chances: dict[str, Floats],
        spans: tuple[Span, ...],
        before: Sequence[Statement],
        *,
        plain: bool,
    ) -> Statement:
        act = meant(_best("act", chances), chances["told"], plain=plain)
        asks = may_ask(act, chances["told"]) if plain else 0.0
        nothing, passing, lasting, weighty = map(float, chances["worth"])
        kinds = [
            Guess(label, float(chance))
            for label, chance in zip(SENTENCE["kinds"], chances["kinds"], strict=True)
            if chance >= _HELD
        ]
        candidates = candidates_for(mentions(text, spans), before)
        statement = Statement(
            text,
            start,
            start + len(text),
            act,
            _best("asked", chances) if act.label == "ask" else None,
            _best("speaker", chances),
            float(chances["unsure"][0]),
            float(chances["negative"][0]),
            (nothing, passing, lasting, weighty),
            tuple(sorted(kinds, key=lambda guess: -guess.probability)),
            spans,
            self._subject(text, candidates, before, chances),
            told=float(chances["told"][0]),
            perhaps=Guess(_best("asked", chances).label, asks) if asks else None,
        )
        return introduced(statement, lambda word: self.antecedents.namely(self.encoder, word))

    def _subject(
        self, text: str, candidates: Sequence[Mention], before: Sequence[Statement], chances: dict[str, Floats]
    ) -> Subject:
        said = [statement.text for statement in before]
        who = _best("who", chances)
        return self.antecedents.choose(self.encoder, text, candidates, said, who, chances=chances["who"].tolist())


def open_reader(encoder: Encoder, judge: Judge) -> Reader:
    """Return a reader with the heads that ship with the program."""
    return Reader(encoder, open_heads(), judge)


def locate(message: str) -> list[tuple[str, int]]:
    """Return the sentences of a message, each with the place where it begins."""
    return [(message[start:end], start) for start, end in sentence_spans(message)]


def _best(name: str, chances: dict[str, Floats]) -> Guess:
    best = int(chances[name].argmax())
    return Guess(SENTENCE[name][best], float(chances[name][best]))
