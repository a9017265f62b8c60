"""What the rules make of words that came without a slot or a date: a person's sentence, or a language model's draft.

The published format has no slots, and people write none. The user's own words are read once more by the rules of the
built-in model, so that every value of one attribute meets the others, whoever noted it.
"""

from __future__ import annotations

from dataclasses import replace

from persona_cli.english.people import holder, same_holder
from persona_cli.english.tokens import negative, supported, values
from persona_cli.model.lite.facts import Fact, find_facts
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Change, SemanticMemory, Turn
from persona_cli.timewords import find_times, settle

_MORE = 1
"""Values a draft may have beyond the fact whose slot it gets: one that tells more must not end with it."""


def as_drafted(memory: SemanticMemory) -> SemanticDraft:
    """Return what a person wrote as the draft that the same words would get from a model, with its slot."""
    draft = SemanticDraft(memory.content, memory.keywords, subject=memory.subject)
    facts = find_facts(memory.content, memory.valid_from)
    if len(facts) != 1 or not facts[0].slot:
        return draft
    (fact,) = facts
    subject = fact.subject if memory.subject == "user" else memory.subject
    return replace(draft, subject=subject, slot=fact.slot, change=fact.change, replaces=fact.replaces)


def with_slot(draft: SemanticDraft, turn: Turn) -> SemanticDraft:
    """Return a draft with the slot and the change of the fact that the rules read in the same words, if any."""
    if draft.slot or draft.quote or draft.replaces or draft.change is not Change.ADDS or draft.images:
        return draft
    same = [fact for fact in find_facts(turn.user, turn.at) if fact.slot and _is_of(draft, fact)]
    # who somebody is is no value that another one replaces: two pets may be called Tom
    if len(same) != 1 or same[0].slot.endswith(("/species", "/relation")):
        return draft
    return replace(draft, slot=same[0].slot, change=same[0].change, replaces=same[0].replaces)


def with_dates(draft: SemanticDraft, turn: Turn) -> SemanticDraft:
    """Return a draft with the dates its time words mean: in a year nobody knows which day "yesterday" was.

    The built-in model writes them itself; the published prompts do not ask for them.
    """
    phrases = find_times(draft.content, turn.at)
    return replace(draft, content=settle(draft.content, phrases)) if phrases else draft


def _is_of(draft: SemanticDraft, fact: Fact) -> bool:
    """Tell whether a draft says what a fact says, and hardly more."""
    told = values(fact.content)
    both = supported(told, draft.content)
    more = values(draft.content) - supported(values(draft.content), f"{fact.content} {fact.slot}")
    named = fact.value in ("likes", "dislikes", "prefers") or values(fact.value) == supported(
        values(fact.value), draft.content
    )
    return (
        named
        and 2 * len(both) >= len(told)
        and len(more) <= _MORE
        and negative(draft.content) == negative(fact.content)
        and same_holder(holder(draft.content, draft.subject), holder(fact.content, fact.subject))
    )
