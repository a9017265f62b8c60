"""Why an answer came out as it did, and what became of its turn: the explanation behind `why`."""

from __future__ import annotations

from dataclasses import dataclass

from persona_cli.errors import NotFoundError
from persona_cli.memory.store import Store
from persona_cli.memory.tables.journal import Changed
from persona_cli.personality import Traits
from persona_cli.records import (
    Answer,
    EpisodicMemory,
    Job,
    Notice,
    Personality,
    Reading,
    Recall,
    Refusal,
    Retrieve,
    SemanticMemory,
    Spent,
    Think,
    Turn,
)


@dataclass(frozen=True, slots=True)
class SearchMade:
    """One retrieval of a response: the thought before it, what was asked for and what came back."""

    thought: str
    retrieve: Retrieve
    recall: Recall | None
    """None when the response ended before anything came back."""


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is known about one turn."""

    turn: Turn
    searches: tuple[SearchMade, ...]
    thought: str
    """The last thought, before the answer."""
    notices: tuple[str, ...]
    """What was cut, redacted or interrupted."""
    spent: tuple[Spent, ...]
    """What each prompt of the response took of the model's context; none where the model has no prompts."""
    traits: Traits | None
    """The user's traits as the answer was made with them; None where that was not kept."""
    untoned: str
    """How the answer would read with neutral traits, where the model can tell and it differs."""
    remembered: tuple[SemanticMemory, ...]
    """What the turn left in semantic memory, also what was superseded since."""
    ended: tuple[Changed, ...]
    """The memories that it ended, each with the name of the rule that did."""
    refused: tuple[Refusal, ...]
    """What was drafted of it and not kept, each with the rule that refused it."""
    readings: tuple[Reading, ...]
    """How the turn moved the traits."""
    episodes: tuple[EpisodicMemory, ...]
    jobs: tuple[Job, ...]
    """Its update jobs: what is still queued, and what failed with which error."""


def explain(store: Store, turn_id: int | None = None) -> Why:
    """Explain a turn, by default the latest; raises `NotFoundError` when there is none."""
    turn = store.turns.get(turn_id) if turn_id is not None else store.turns.latest()
    if turn is None:
        raise NotFoundError("There is no turn yet.", fix="Say something with `persona chat` first.")
    searches, thought = _searches(turn)
    return Why(
        turn=turn,
        searches=searches,
        thought=thought,
        notices=tuple(step.text for step in turn.steps if isinstance(step, Notice)),
        spent=tuple(step for step in turn.steps if isinstance(step, Spent)),
        traits=next((step.traits for step in turn.steps if isinstance(step, Personality)), None),
        untoned=next((step.untoned for step in turn.steps if isinstance(step, Answer)), ""),
        remembered=store.semantic.of_turn(turn.id),
        ended=tuple(change for change in store.journal.of_turn(turn.id) if change.rule),
        refused=store.refusals.of_turn(turn.id),
        readings=store.readings.of_turn(turn.id),
        episodes=store.episodes.of_turns([turn.id]),
        jobs=store.jobs.of_turn(turn.id),
    )


def _searches(turn: Turn) -> tuple[tuple[SearchMade, ...], str]:
    """Put the steps of a turn together again; returns the searches and the thought that led to the answer."""
    searches: list[SearchMade] = []
    thought = ""
    for step in turn.steps:
        if isinstance(step, Think):
            thought = step.text
        elif isinstance(step, Retrieve):
            searches.append(SearchMade(thought, step, None))
            thought = ""
        elif isinstance(step, Recall) and searches:
            searches[-1] = SearchMade(searches[-1].thought, searches[-1].retrieve, step)
    return tuple(searches), thought
