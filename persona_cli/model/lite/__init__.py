"""The built-in model: every task of the loop by the trained reader and the sentence embedding; no weights of its own.

It generates nothing: what it keeps are the person's own sentences, what it answers is one of them. It says so when it
was not told, and is there at once. Each task has its own module; this one only joins them to the `Model` protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cached_property

from persona_cli.errors import Interrupted
from persona_cli.model.lite.listener import Listener
from persona_cli.model.lite.merging import merge_episodes
from persona_cli.model.lite.portrait import update_core, update_habits
from persona_cli.model.lite.read import draft_memories
from persona_cli.model.lite.reply import Decision, decide
from persona_cli.model.lite.session import Embed, summarize_episodes
from persona_cli.model.lite.traits import TraitHeads
from persona_cli.model.tasks import (
    CoreDraft,
    EpisodeDraft,
    Fact,
    ProceduralDraft,
    SemanticDraft,
    Situation,
    Stop,
    SummaryDraft,
)
from persona_cli.personality import Traits
from persona_cli.reading.reader import Reader
from persona_cli.records import (
    Answer,
    AnswerDelta,
    CoreMemory,
    EpisodicMemory,
    Piece,
    ProceduralMemory,
    Think,
    ThinkDelta,
    Turn,
)

NAME = "lite"
_WORDS_AT_ONCE = 3
_SHOWING = ("tell", "keep", "correct")
"""What a sentence does that shows anything of who says it: no question, no wish, no greeting does."""


class LiteModel:
    """A `Model` that reads with trained heads and finds words to quote."""

    name = NAME

    def __init__(self, embed: Embed, open_reader: Callable[[], Reader]) -> None:
        self._embed = embed
        self._listener = Listener(open_reader)

    @cached_property
    def _heads(self) -> TraitHeads:
        return TraitHeads.load()

    def about(self) -> tuple[Fact, ...]:
        """Return that there is nothing to load or to put on a GPU."""
        return (
            Fact("model", "the built-in one: trained heads over the sentence encoder, on the processor"),
            Fact("offload", "nothing: it has no weights of its own; `persona model list` shows models that have"),
        )

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield one honest line of thinking, then a search or the answer."""
        _check(stop)
        decision = decide(situation, self._listener, self._embed)
        yield ThinkDelta(decision.thought)
        yield Think(decision.thought)
        if decision.next is not None:
            yield decision.next
        else:
            yield from _speak(decision, stop)

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the answer that what is already known allows."""
        _check(stop)
        yield from _speak(decide(situation, self._listener, self._embed, may_search=False), stop)

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the traits the words of one turn show; 3 is no evidence."""
        _check(stop)
        read = self._listener.read(turn.user, recent)
        said = [one.text for one in read if one.own and one.act.label in _SHOWING]
        return self._heads.score(self._embed(said), said) if said else Traits()

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return the facts of one turn."""
        _check(stop)
        return draft_memories(self._listener, turn, recent)

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics of a closed session."""
        _check(stop)
        return summarize_episodes(turns, self._listener, self._embed)

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Return habits and goals that were said to be such."""
        _check(stop)
        return update_habits(self._listener, turns, current)

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Return what a session adds to the profile."""
        _check(stop)
        return update_core(self._listener, turns, current)

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Return what old episodes of one topic tell together, in their own words."""
        _check(stop)
        return merge_episodes(episodes)

    def close(self) -> None:
        """Free nothing: the embedding belongs to the memory."""


def open_lite(embed: Embed, open_reader: Callable[[], Reader]) -> LiteModel:
    """Return the built-in model over an embedding and the reader, which is opened when something is read."""
    return LiteModel(embed, open_reader)


def _speak(decision: Decision, stop: Stop) -> Iterator[Piece]:
    """Yield an answer in groups of words; the pieces joined are its text."""
    words = re.findall(r"\S+\s*", decision.answer)
    for first in range(0, len(words), _WORDS_AT_ONCE):
        _check(stop)
        yield AnswerDelta("".join(words[first : first + _WORDS_AT_ONCE]))
    yield Answer(decision.answer, decision.untoned)


def _check(stop: Stop) -> None:
    if stop():
        raise Interrupted("The answer was stopped.")
