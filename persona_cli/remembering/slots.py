"""What words that came without a slot or a date fill, and when: a person's sentence, or a language model's draft.

The published format has no slots, and people write none. The user's own words are read once more, so that every value
of one attribute meets the others, whoever noted it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from persona_cli.english.people import SOMEBODY, USER, holder, same_holder
from persona_cli.english.tokens import negative, supported, values
from persona_cli.model.tasks import SemanticDraft
from persona_cli.reading.filling import filled_slot, subject_name
from persona_cli.reading.statement import Span, Statement
from persona_cli.records import Change, SemanticMemory, Turn
from persona_cli.timewords import find_times, settle

Reads = Callable[[str], Sequence[Statement]]
"""Reads a message."""

_MORE = 2
"""Values a draft may have beyond what fills its slot: one that tells more must not end with it."""


def as_drafted(memory: SemanticMemory, read: Reads) -> SemanticDraft:
    """Return what a person wrote as the draft that the same words would get from a model, with its slot."""
    draft = SemanticDraft(memory.content, memory.keywords, subject=memory.subject)
    statements = read(memory.content)
    if len(statements) != 1:
        return draft
    (statement,) = statements
    filled = filled_slot(statement)
    said = subject_name(statement) if filled is None else filled[0].partition("/")[0]
    # what is told of the user in the third person is theirs, whoever else is in it
    own = memory.subject != USER or said == SOMEBODY or memory.content.startswith("The user ")
    subject = memory.subject if own else said
    return replace(draft, subject=subject, slot="" if filled is None else filled[0])


def with_slot(draft: SemanticDraft, turn: Turn, read: Reads) -> SemanticDraft:
    """Return a draft with the slot that the same words of the user fill, if any."""
    if draft.slot or draft.quote or draft.replaces or draft.change is not Change.ADDS or draft.images:
        return draft
    filled = [(statement, *slot) for statement in read(turn.user) if (slot := filled_slot(statement)) is not None]
    same = [slot for statement, slot, span in filled if _is_of(draft, statement, slot, span)]
    # who somebody is is no value that another one replaces: two pets may be called Tom
    return draft if len(same) != 1 or same[0].endswith("/species") else replace(draft, slot=same[0])


def with_dates(draft: SemanticDraft, turn: Turn) -> SemanticDraft:
    """Return a draft with the dates its time words mean: in a year nobody knows which day "yesterday" was.

    What stands in the user's own words stays as it was said: the day of saying stands beside it.
    """
    if draft.quote and " ".join(draft.content.split()).casefold() in " ".join(draft.quote.split()).casefold():
        return draft
    phrases = find_times(draft.content, turn.at)
    return replace(draft, content=settle(draft.content, phrases)) if phrases else draft


def _is_of(draft: SemanticDraft, statement: Statement, slot: str, span: Span) -> bool:
    """Tell whether a draft says what fills a slot, and hardly more."""
    told = values(span.text)
    more = values(draft.content) - supported(values(draft.content), f"{span.text} {slot}")
    whose = holder(draft.content, draft.subject)
    return (
        bool(told)
        and supported(told, draft.content) == told
        and len(more) <= _MORE
        and negative(draft.content) == negative(statement.text)
        and same_holder(whose, holder("", slot.partition("/")[0]))
    )
