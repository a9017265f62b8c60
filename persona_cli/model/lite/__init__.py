"""The built-in model: every task of the loop by rule and embedding, with no weights of its own.

It generates nothing. It answers from what it was told, says so when it was not told, and is there at once.
Each task has its own modules; this one only joins them to the `Model` protocol.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property

from persona_cli.english.sentences import sentences
from persona_cli.errors import Interrupted
from persona_cli.model.lite.core import update_core
from persona_cli.model.lite.episodes import summarize_episodes
from persona_cli.model.lite.facts import extract_semantic
from persona_cli.model.lite.habits import update_procedural
from persona_cli.model.lite.merging import merge_episodes
from persona_cli.model.lite.relevance import Embed
from persona_cli.model.lite.response import Decision, decide
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


class LiteModel:
    """A `Model` that works by rule and embedding."""

    name = NAME

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    @cached_property
    def _heads(self) -> TraitHeads:
        return TraitHeads.load()

    def about(self) -> tuple[Fact, ...]:
        """Return that there is nothing to load or to put on a GPU."""
        return (
            Fact("model", "the built-in one: rules, and the sentence embedding on the processor"),
            Fact("offload", "nothing: it has no weights of its own; `persona model list` shows models that have"),
        )

    def reason(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield one honest line of thinking, then a search or the answer."""
        _check(stop)
        decision = decide(situation, self._embed)
        yield ThinkDelta(decision.thought)
        yield Think(decision.thought)
        if decision.retrieve is not None:
            yield decision.retrieve
        else:
            yield from _speak(decision, stop)

    def answer(self, situation: Situation, stop: Stop) -> Generator[Piece, None, None]:
        """Yield the answer that what is already known allows."""
        _check(stop)
        yield from _speak(decide(situation, self._embed, may_search=False), stop)

    def infer_personality(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Traits:
        """Return the traits the words of one turn show; 3 is no evidence."""
        _check(stop)
        said = sentences(turn.user)
        return self._heads.score(self._embed(said), said) if said else Traits()

    def extract_semantic(self, turn: Turn, recent: Sequence[Turn], stop: Stop) -> Sequence[SemanticDraft]:
        """Return the facts of one turn."""
        _check(stop)
        return extract_semantic(turn, recent)

    def summarize_episodes(self, turns: Sequence[Turn], stop: Stop) -> Sequence[EpisodeDraft]:
        """Return the topics of a closed session."""
        _check(stop)
        return summarize_episodes(turns, self._embed)

    def update_procedural(
        self, turns: Sequence[Turn], current: Sequence[ProceduralMemory], stop: Stop, history: Sequence[Turn] = ()
    ) -> Sequence[ProceduralDraft]:
        """Return habits and goals that were stated or repeated."""
        _check(stop)
        return update_procedural(turns, current, history, self._embed)

    def update_core(self, turns: Sequence[Turn], current: CoreMemory, stop: Stop) -> Sequence[CoreDraft]:
        """Return what a session adds to the profile."""
        _check(stop)
        return update_core(turns, current)

    def merge_episodes(self, episodes: Sequence[EpisodicMemory], stop: Stop) -> SummaryDraft:
        """Return what old episodes of one topic tell together, in their own words."""
        _check(stop)
        return merge_episodes(episodes)

    def close(self) -> None:
        """Free nothing: the embedding belongs to the memory."""


def open_lite(embed: Embed) -> LiteModel:
    """Return the built-in model over an embedding."""
    return LiteModel(embed)


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
