"""Which of the memories held to be true a new statement makes outdated, whatever model proposed it.

Four ways, from the surest on: a slot has another value now; the user's own words say that a thing is over
(endings.py); the new sentence denies, renames or reschedules what an old one says (standing.py); and a new state
rules an old one out (states.py). What none of them shows stays as it is: a change that is missed can be said again,
a memory ended by mistake is gone from every answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.people import holder, other_names, same_holder
from persona_cli.english.tokens import names, stem, stems, supported, values, words
from persona_cli.memory.store import Store
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Change, Kind, SemanticMemory, Status, Turn
from persona_cli.remembering.endings import Ending, ended, for_a_while, is_unreal
from persona_cli.remembering.lasting import corrects, lasts
from persona_cli.remembering.over import is_of_use, is_over_with
from persona_cli.remembering.same import (
    is_over,
    names_role,
    opposed,
    recovers,
    renames,
    reschedules,
    revises,
    says_no_more,
)
from persona_cli.remembering.states import rules_out, state_words
from persona_cli.remembering.successor import needed, open_head

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

ALIKE = 0.47
"""Cosine of the words of two statements, with its share of the head's score, from which they can be of one matter."""
SCORE_COUNTS = 0.1
MEANT = 0.6
"""Cosine from which a memory without a slot is taken to be the one a change speaks of."""
_SHORT = 160
_NEWEST = 60
"""Memories of the same person that are compared whatever their words."""
_NEAR = 60
"""Memories that full text proposes for a comparison."""


class Outdated:
    """Finds what no longer holds among the active memories of a store."""

    def __init__(self, store: Store, embed: Embed) -> None:
        self._store = store
        self._embed = embed

    def by_draft(self, draft: SemanticDraft, quote: str, turn: Turn) -> tuple[SemanticMemory, ...]:
        """Return the active memories that `draft` replaces or ends."""
        slotted = self._store.semantic.active_in_slot(draft.slot) if draft.slot else ()
        if draft.change is Change.ENDS:
            slotted = tuple(memory for memory in slotted if _ends(draft, memory))
        elif draft.change is Change.ADDS:
            # what only says more of the same ("my brother Owen lives in Dublin") leaves the old one standing
            told = [memory for memory in slotted if not says_no_more(memory.content, draft.content, draft.slot)]
            if len(told) < len(slotted):
                return tuple(told)
            slotted = tuple(told)
        found = {memory.id: memory for memory in slotted}
        if not for_a_while(quote):
            found |= {memory.id: memory for memory in self._contradicted(draft, quote, turn)}
        return tuple(found.values()) or self._meant(draft, turn)

    def by_meaning(self, new: SemanticMemory, turn: Turn) -> tuple[SemanticMemory, ...]:
        """Return the one memory whose place `new` takes by its meaning, where its words speak of a change."""
        said = _words_of(new, turn)
        enough = needed(said)
        if math.isinf(enough) or for_a_while(said) or is_unreal(said):
            return ()
        mine = holder(new.content, new.subject)
        old = [
            one
            for one in self._alike(new, turn)
            if _may_end(one, new)
            and not is_of_use(one, said)
            and (same_holder(mine, holder(one.content, one.subject)) or (not mine and names_role(one.content)))
        ]
        if not old:
            return ()
        vectors = self._embed([said, *(one.quote or one.content for one in old)])
        cosines = vectors[1:] @ vectors[0]
        best = int(np.argmax(cosines))
        (score,) = open_head().score(vectors[1 + best : 2 + best], vectors[:1])
        alike = cosines[best] + SCORE_COUNTS * min(max(score, 0.0), 1.5)
        return (old[best],) if score >= enough and alike >= ALIKE else ()

    def _alike(self, new: SemanticMemory, turn: Turn) -> list[SemanticMemory]:
        """Return active memories of earlier turns that may be of the same matter: by words, and the newest ones."""
        found = {one.id: one for one in self.near(f"{new.content} {turn.user}")}
        for name in other_names(new.subject):
            found |= {one.id: one for one in self._store.semantic.list(subject=name, limit=_NEWEST)}
        return [one for one in found.values() if one.turn_id != turn.id and one.valid_from < turn.at]

    def by_words(self, turn: Turn) -> tuple[tuple[SemanticMemory, Ending], ...]:
        """Return the active memories of earlier turns about what the user's words say is over."""
        found: dict[int, tuple[SemanticMemory, Ending]] = {}
        for ending in ended(turn.user):
            for memory in self.near(f"{ending.thing} {ending.who}"):
                if memory.turn_id != turn.id and is_over_with(ending, memory):
                    found.setdefault(memory.id, (memory, ending))
        return tuple(found.values())

    def near(self, text: str, slot: str = "") -> list[SemanticMemory]:
        """Return active memories that share words with `text`, or its slot."""
        found = self._store.texts.search([word for word in words(text) if stems(word)], (Kind.SEMANTIC,), _NEAR)
        memories = self._store.semantic.many([ref.id for ref, _ in found])
        slotted = self._store.semantic.active_in_slot(slot) if slot else ()
        unique = {memory.id: memory for memory in (*memories, *slotted) if memory.status is Status.ACTIVE}
        return list(unique.values())

    def ranked(self, text: str, memories: Sequence[SemanticMemory]) -> list[tuple[float, SemanticMemory]]:
        """Return the memories by cosine to `text`, closest first."""
        if not memories:
            return []
        vectors = self._embed([text, *(memory.content for memory in memories)])
        cosines = vectors[1:] @ vectors[0]
        return sorted(zip(map(float, cosines), memories, strict=True), key=lambda pair: -pair[0])

    def _contradicted(self, draft: SemanticDraft, quote: str, turn: Turn) -> list[SemanticMemory]:
        """Return what the new sentence itself denies, renames, reschedules or rules out."""
        said = quote or draft.content
        earlier = [
            one
            for one in self._candidates(draft)
            if one.turn_id != turn.id and not is_over(one.content) and (lasts(one) or corrects(turn.user))
        ]
        mine = holder(draft.content, draft.subject)
        return [
            one
            for one in earlier
            if renames(draft.content, one.content, said)
            or (
                same_holder(mine, holder(one.content, one.subject))
                and (
                    (one.event is None and opposed(draft.content, one.content))
                    or (one.event is None and revises(draft.content, one.content, said))
                    or reschedules(draft.content, one.content, turn.user)
                    or rules_out(draft.content, one.content)
                    or (one.event is None and recovers(draft.content, one.content))
                )
            )
        ]

    def _candidates(self, draft: SemanticDraft) -> list[SemanticMemory]:
        """Return what may speak of the same: by shared words, and the newest of the same person by what they are."""
        found = {memory.id: memory for memory in self.near(f"{draft.content} {draft.replaces}", draft.slot)}
        for memory in self.near(state_words(draft.content)):
            found.setdefault(memory.id, memory)
        for name in other_names(draft.subject):
            for memory in self._store.semantic.list(subject=name, limit=_NEWEST):
                found.setdefault(memory.id, memory)
        return list(found.values())

    def _meant(self, draft: SemanticDraft, turn: Turn) -> tuple[SemanticMemory, ...]:
        """Return the one memory a model says is replaced or over, where it names no slot."""
        if draft.change is Change.ADDS:
            return ()
        meant = draft.replaces or draft.content
        lasting = [
            one
            for one in self.near(f"{draft.replaces} {draft.content}")
            if one.turn_id != turn.id
            and one.event is None
            and (lasts(one) or corrects(turn.user))
            and not is_of_use(one, turn.user)
            and one.subject.casefold() == draft.subject.casefold()
            and _speaks_of(draft, one)
        ]
        named = [one for one in lasting if one.slot in ("", draft.slot) and supported(values(meant), one.content)]
        ranked = self.ranked(meant, [one for one in named if not is_over(one.content)])
        return (ranked[0][1],) if ranked and ranked[0][0] >= MEANT else ()


def _speaks_of(draft: SemanticDraft, memory: SemanticMemory) -> bool:
    """Tell whether the names in what is said to end are those of the memory."""
    over = replace(draft, content=draft.replaces) if draft.replaces else draft
    said = {stem(name) for name in names(over.content)} - {stem(word) for word in words(draft.subject)}
    return draft.change is not Change.ENDS or supported(said, memory.content) == said


def _ends(draft: SemanticDraft, memory: SemanticMemory) -> bool:
    """Tell whether the memory of a slot is the one that is said to end: "my job" is any, "the brewery" only that."""
    said = values(draft.replaces) if draft.replaces else set()
    generic = said <= stems(draft.slot.replace("/", " "))
    return _speaks_of(draft, memory) and (generic or bool(supported(said, memory.content)))


def _words_of(new: SemanticMemory, turn: Turn) -> str:
    """Return what was said around a memory: the whole message where it is short, else the words it rests on."""
    return turn.user if len(turn.user) <= _SHORT or not new.quote else new.quote


def _may_end(old: SemanticMemory, new: SemanticMemory) -> bool:
    """Tell whether an old memory is of something that lasts, and not of what happened once."""
    if is_over(old.content) or not lasts(old) or says_no_more(new.content, old.content, new.slot):
        return False
    kept = old.slot.rpartition("/")[2] in _KEPT
    # a favourite gives way to a favourite only
    favourite = "/favourite " in old.slot and not re.search(r"(?i)favou?rite|best|prefer|number one", new.quote)
    happened = old.event is not None and old.event.end is not None and old.event.end <= new.valid_from
    return not (kept or favourite or happened)


_KEPT = frozenset(("relation", "species", "name", "birthday", "origin", "age", "gender"))
"""Attributes that change, if ever, by their own slot alone."""
