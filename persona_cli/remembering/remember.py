"""Drafts of a turn into semantic memory: duplicates are seen again, changed facts supersede, the rest is added.

Runs inside the transaction that also marks the job done, so that a job run twice writes once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from persona_cli.english.people import holder, same_holder
from persona_cli.english.tokens import stem, words
from persona_cli.memory.store import Store
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Author, Change, Kind, SemanticMemory, Status, Turn
from persona_cli.remembering.change import Embed, Outdated
from persona_cli.remembering.conflict import AT_ONCE, at_odds
from persona_cli.remembering.gate import SAME, Admitted, Refused, judge, same_fact, same_occasion
from persona_cli.remembering.profile import follow
from persona_cli.remembering.same import ALIKE, fills_alike, same_meaning, same_saying, says_no_more, says_the_same
from persona_cli.remembering.slots import with_dates, with_slot

Crop = Callable[[SemanticDraft], tuple[str, ...]]
"""Keeps what is to be cut from pictures for a draft; returns the SHA-256 of each crop."""

_NEAR = 40
"""Memories that full text proposes for a comparison."""


def _no_crop(_: SemanticDraft) -> tuple[str, ...]:
    return ()


class Verdict(StrEnum):
    """What became of a draft."""

    SAVED = "saved"
    SEEN_AGAIN = "seen again"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of one draft, and why."""

    draft: SemanticDraft
    verdict: Verdict
    reason: str = ""
    memory: int | None = None


class Remembering:
    """Writes the drafts of one turn after another."""

    def __init__(self, store: Store, embed: Embed, most: int, crop: Crop = _no_crop) -> None:
        self._store = store
        self._outdated = Outdated(store, embed)
        self._most = most
        self._replaced = 0
        """Memories that this turn has ended or disputed."""
        self._crop = crop

    def remember(self, drafts: Sequence[SemanticDraft], turn: Turn, recent: Sequence[Turn]) -> tuple[Ruling, ...]:
        """Put each draft through the gate, at most the configured number into memory; returns all rulings."""
        rulings: list[Ruling] = []
        self._replaced = 0
        for raw in (with_slot(draft, turn) for draft in drafts):
            written = sum(ruling.verdict in (Verdict.SAVED, Verdict.QUARANTINED) for ruling in rulings)
            judged = judge(raw, turn, recent, self._knows)
            # only now: what the user said carries "today", and no number of its date
            draft = with_dates(raw, turn)
            if isinstance(judged, Refused):
                rulings.append(Ruling(draft, Verdict.REFUSED, judged.reason))
            elif known := self._known_as(draft):
                rulings.append(self._seen_again(draft, known, turn))
            elif written >= self._most:
                rulings.append(Ruling(draft, Verdict.REFUSED, f"a turn writes {self._most} memories at most"))
            else:
                rulings.append(self._save(draft, judged, turn))
        self._end_what_is_over(turn, [ruling.memory for ruling in rulings if ruling.memory is not None])
        return tuple(rulings)

    def _end_what_is_over(self, turn: Turn, told: Sequence[int]) -> None:
        """Let what the words say is over end with the memory of this turn that tells of it best."""
        held = [one for one in self._store.semantic.many(told) if one.status is Status.ACTIVE]
        if not held:
            return
        over = [(old, ending.thing) for old, ending in self._outdated.by_words(turn)]
        for old, thing in over:
            ((_, new), *_) = self._outdated.ranked(f"{thing}: {old.content}", held)
            self._put_in_place(new, old, turn)
        if over or self._replaced:
            return
        # only where no rule has found anything: the surest of the new memories, and one at most
        for new in held:
            if new.turn_id == turn.id and (found := self._outdated.by_meaning(new, turn)):
                self._put_in_place(new, found[0], turn)
                return

    def _put_in_place(self, new: SemanticMemory, old: SemanticMemory, turn: Turn) -> None:
        """Let a memory take the place of another, or dispute it where a person wrote the other."""
        self._replaced += 1
        if old.author is Author.PERSON:
            self._store.conflicts.add(old.id, new.id, turn.at)
        elif old.id != new.id and old.valid_from <= turn.at:
            self._store.semantic.supersede(old.id, new.id, turn.at)
            follow(self._store, old, new, turn)

    def _save(self, draft: SemanticDraft, judged: Admitted, turn: Turn) -> Ruling:
        outdated = () if judged.quarantined else self._outdated.by_draft(draft, judged.quote, turn)
        memory = _memory(draft, judged, turn)
        # only what is kept is cropped
        memory = self._store.semantic.add(replace(memory, images=(*self._crop(draft), *memory.images)))
        if judged.quarantined:
            return Ruling(draft, Verdict.QUARANTINED, "it reads like an instruction", memory.id)
        self._replaced += len(outdated)
        disputed = [old for old in outdated if _is_disputed(draft, old, turn)]
        if not outdated:
            disputed = [one for one in self._outdated.near(memory.content) if at_odds(one, memory)]
        for old in disputed:
            self._store.conflicts.add(old.id, memory.id, turn.at)
        for old in outdated:
            if old in disputed:
                continue
            if old.valid_from <= turn.at:
                self._store.semantic.supersede(old.id, memory.id, turn.at)
                follow(self._store, old, memory, turn)
            elif draft.change is not Change.ENDS:
                # an older conversation imported later: what is already known is the newer fact
                self._store.semantic.supersede(memory.id, old.id, old.valid_from)
                break
        reason = "contradicts " + ", ".join(f"s{old.id}" for old in disputed) if disputed else ""
        return Ruling(draft, Verdict.SAVED, reason, memory.id)

    def _seen_again(self, draft: SemanticDraft, known: SemanticMemory, turn: Turn) -> Ruling:
        if known.turn_id != turn.id:
            self._store.semantic.seen_again(known.id, turn.at)
            self._order(known, turn)
        return Ruling(draft, Verdict.SEEN_AGAIN, memory=known.id)

    def _order(self, known: SemanticMemory, turn: Turn) -> None:
        """Let what is said once more on another day hold against what it contradicted: now it is the later word."""
        for conflict in self._store.conflicts.open():
            sides = {conflict.one.id: conflict.one, conflict.other.id: conflict.other}
            if sides.pop(known.id, None) is None:
                continue
            (other,) = sides.values()
            last = max(conflict.at, other.last_seen or other.valid_from)
            if other.author is not Author.PERSON and turn.at - last > AT_ONCE:
                self._replaced += 1
                self._store.semantic.supersede(other.id, known.id, turn.at)
                follow(self._store, other, known, turn)

    def _known_as(self, draft: SemanticDraft) -> SemanticMemory | None:
        """Return the active memory that says the same, exactly or nearly."""
        exact = self._store.semantic.same(draft.content)
        if exact is not None and exact.subject.casefold() == draft.subject.casefold() and same_occasion(draft, exact):
            return exact if not set(draft.images) - set(exact.images) else None
        if draft.images:
            return None
        near = [memory for memory in self._outdated.near(draft.content, draft.slot) if same_occasion(draft, memory)]
        whose = holder(draft.content, draft.subject)
        mine = [memory for memory in near if same_holder(whose, holder(memory.content, memory.subject))]
        for memory in near:
            in_slot = bool(draft.slot) and memory.slot == draft.slot
            said = memory in mine and same_saying(draft.content, memory.content)
            # "Stefan is the user's husband" is of Stefan, and says what "is married to Stefan" says
            said = said or same_meaning(draft.content, memory.content)
            said = said or (in_slot and fills_alike(draft.content, memory.content, draft.slot))
            if said or (in_slot and says_no_more(draft.content, memory.content, draft.slot)):
                return memory
        least = {memory.id: ALIKE for memory in mine if says_the_same(draft.content, memory.content)}
        least |= {memory.id: SAME for memory in mine if memory.id not in least and same_fact(draft, memory)}
        close = self._outdated.ranked(draft.content, [memory for memory in mine if memory.id in least])
        return next((memory for cosine, memory in close if cosine >= least[memory.id]), None)

    def _knows(self, name: str) -> bool:
        """Tell whether a name stands in what is already remembered of the user's life."""
        return any(
            stem(name) in {stem(word) for word in words(_text(self._store.get(ref)))}
            for ref, _ in self._store.texts.search([name], (Kind.SEMANTIC, Kind.CORE), _NEAR)
        )


def _memory(draft: SemanticDraft, judged: Admitted, turn: Turn) -> SemanticMemory:
    shown = {image.hash for image in turn.images}
    return SemanticMemory(
        id=0,
        content=draft.content.strip(),
        keywords=draft.keywords,
        subject=draft.subject.strip() or "user",
        quote=judged.quote,
        recorded_at=turn.at,
        valid_from=turn.at,
        turn_id=turn.id,
        images=tuple(hash_ for hash_ in draft.images if hash_ in shown),
        event=draft.event,
        # what has ended fills its slot no longer; the next value has nothing to replace
        slot="" if draft.change is Change.ENDS else draft.slot,
        last_seen=turn.at,
        status=Status.QUARANTINED if judged.quarantined else Status.ACTIVE,
    )


def _is_disputed(draft: SemanticDraft, old: SemanticMemory, turn: Turn) -> bool:
    """Tell whether nobody can say which of two holds: a person wrote the old one, or both were said at once."""
    return old.author is Author.PERSON or (draft.change is Change.ADDS and old.valid_from == turn.at)


def _text(record: object) -> str:
    return str(getattr(record, "content", None) or getattr(record, "value", ""))
