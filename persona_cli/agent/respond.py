"""The Response stage: reason, retrieve, reason again, answer. A generator of typed steps.

Nothing is stored here; what to keep of a response, also of one that was cut short, is the assistant's part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from persona_cli.errors import FormatError
from persona_cli.model.tasks import Model, SearchRound, Situation, Stop
from persona_cli.records import Answer, Fulfilled, Kind, Query, Recall, Ref, Retrieve, Step, Think, Turn, Wish
from persona_cli.records.counting import counted
from persona_cli.remembering.instructions import is_instruction

Searches = Callable[[Query, Retrieve, Collection[Ref]], Recall]
"""Searches long-term memory for a query and what the model asked for, without what was shown before."""

Fulfils = Callable[[Wish], Fulfilled]
"""Does with memory what the person wants done."""

_MOST_WISHES = 4
"""Wishes of one message; a model that speaks more of them is going round in circles."""


@dataclass(frozen=True, slots=True)
class RespondOptions:
    """How one response is made."""

    force_retrieve: bool = False
    """Retrieve once with the words of the query before the model decides anything."""
    reasoning: bool | None = None
    """False: retrieve once with the words of the query, then answer in one call. None: as the model does better."""


def respond(
    search: Searches,
    fulfil: Fulfils,
    model: Model,
    situation: Situation,
    *,
    options: RespondOptions,
    most: int,
    stop: Stop,
) -> Iterator[Step]:
    """Yield the steps of a response, the `Answer` last; at most `most` retrievals are made."""
    if options.force_retrieve or options.reasoning is False:
        situation = yield from _retrieve(search, situation, "", Retrieve(situation.query.text))
    while options.reasoning is not False and len(situation.exchanges) < most:
        thought, wish = yield from _reason(model, situation, stop)
        if wish is None:
            return
        if isinstance(wish, Wish):
            if len(situation.fulfilled) == _MOST_WISHES:
                break
            yield wish
            situation = replace(situation, fulfilled=(*situation.fulfilled, fulfil(wish)))
            continue
        if any(_same(wish, exchange.retrieve) for exchange in situation.exchanges):
            # it has seen what there is: the same search finds nothing that it was not shown
            break
        situation = yield from _retrieve(search, situation, thought, wish)
    yield from model.answer(situation, stop)


def shown_refs(situation: Situation) -> tuple[Ref, ...]:
    """Return everything the model was shown in this response."""
    return tuple(dict.fromkeys(ref for exchange in situation.exchanges for ref in recalled_refs(exchange.recall)))


def without_instructions(recall: Recall) -> Recall:
    """Leave out the messages that read like instructions to a model: a person can search for them, no prompt has them.

    What a person wrote into memory, or let out of quarantine, stays.
    """
    messages = tuple(hit for hit in recall.messages if not _instructs(hit.memory))
    topics = tuple(
        replace(topic, turns=tuple(turn for turn in topic.turns if not _instructs(turn))) for topic in recall.episodic
    )
    images = tuple(
        replace(image, turn=None) if image.turn is not None and _instructs(image.turn) else image
        for image in recall.images
    )
    before = sum(len(topic.turns) for topic in recall.episodic) + len(recall.messages)
    left = before - len(messages) - sum(len(topic.turns) for topic in topics)
    if not left and images == recall.images:
        return recall
    note = f"{counted(left or 1, 'messages')} left out, reading like instructions to a model."
    return replace(recall, messages=messages, episodic=topics, images=images, notes=(*recall.notes, note))


def recalled_refs(recall: Recall) -> Iterator[Ref]:
    """Yield what a recall holds: its hits, and each turn of its topics."""
    for hits in (recall.semantic, recall.procedural, recall.messages):
        yield from (hit.ref for hit in hits)
    yield from (image.hit.ref for image in recall.images)
    for topic in recall.episodic:
        yield topic.hit.ref
        yield from (Ref(Kind.MESSAGE, turn.id) for turn in topic.turns)


def _instructs(turn: Turn) -> bool:
    return is_instruction(turn.user) or is_instruction(turn.answer)


def _reason(
    model: Model, situation: Situation, stop: Stop
) -> Generator[Step, None, tuple[str, Retrieve | Wish | None]]:
    """Yield one round of reasoning; return the thought, and the retrieval or wish it ended in, if any."""
    thought = ""
    # closed at once: what the model holds for its stream is free before the search and the next round
    with closing(model.reason(situation, stop)) as pieces:
        for piece in pieces:
            if isinstance(piece, Retrieve | Wish):
                return thought, piece
            yield piece
            if isinstance(piece, Think):
                thought = piece.text
            elif isinstance(piece, Answer):
                return thought, None
    raise FormatError("The model neither answered nor asked for a retrieval.")


def _same(wish: Retrieve, before: Retrieve) -> bool:
    """Tell whether two searches are for the same words in the same span of time."""
    spans = (wish.start, wish.end) == (before.start, before.end)
    return spans and set(wish.keywords.casefold().split()) == set(before.keywords.casefold().split())


def _retrieve(search: Searches, situation: Situation, thought: str, wish: Retrieve) -> Generator[Step, None, Situation]:
    yield wish
    recall = without_instructions(search(situation.query, wish, shown_refs(situation)))
    yield recall
    return replace(situation, exchanges=(*situation.exchanges, SearchRound(thought, wish, recall)))
