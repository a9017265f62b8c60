"""Drafts of a turn into semantic memory: duplicates are seen again, changed facts supersede, the rest is added.

Runs inside the transaction that also marks the job done, so that a job run twice writes once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from persona_cli.english.people import SOMEBODY, USER
from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import stem, word_stems
from persona_cli.memory.store import Store
from persona_cli.memory.tables.conflicts import AT_ONCE
from persona_cli.memory.vectors.embedding import Embedder
from persona_cli.memory.vectors.known import KnownVectors
from persona_cli.model.tasks import SemanticDraft
from persona_cli.records import Author, Change, Kind, Refusal, SemanticMemory, Status, Turn
from persona_cli.remembering.change import Changes, News, Outdated, may_have_ended
from persona_cli.remembering.conflict import at_odds
from persona_cli.remembering.gate import Admitted, Refused, judge
from persona_cli.remembering.meaning import SHORT, ByMeaning, Endings, Judged, said_by
from persona_cli.remembering.profile import follow
from persona_cli.remembering.rules.endings import Ending
from persona_cli.remembering.rules.sentence import says_no_more
from persona_cli.remembering.rules.subjects import apart, as_compared, draft_as_compared, same_subject
from persona_cli.remembering.same import (
    ALIKE,
    SAME,
    fills_alike,
    same_fact,
    same_meaning,
    same_occasion,
    same_saying,
    says_the_same,
)
from persona_cli.remembering.slots import Reads, as_drafted, with_dates, with_slot
from persona_cli.timewords import event_of

Crop = Callable[[SemanticDraft], tuple[str, ...]]
"""Keeps what is to be cut from pictures for a draft; returns the SHA-256 of each crop."""

_SHORTEST = 2
_DOUBTS = 2
"""Old memories of which one turn may ask whether they still hold."""
_NEAR = 40
"""Memories that full text proposes for a comparison."""


MISNAMED = "called as the user called it"
"""The rule by which the user's own words take the place of a model's sentence."""
MOST = "a turn's share"
"""The rule that refuses what would be more than a turn may write."""
SLOT = "same slot"
EXPLICIT = "explicit ending"
SAID_AGAIN = "said again"
"""The rule by which a side of a contradiction ends when the other one is said once more."""


def _no_crop(_: SemanticDraft) -> tuple[str, ...]:
    return ()


class Outcome(StrEnum):
    """What became of a draft."""

    SAVED = "saved"
    SEEN_AGAIN = "seen again"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of one draft, and why."""

    draft: SemanticDraft
    verdict: Outcome
    reason: str = ""
    rule: str = ""
    """The name of the rule that refused it."""
    memory: int | None = None


class Remembering:
    """Writes the drafts of one turn after another."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        most: int,
        crop: Crop = _no_crop,
        *,
        endings: Endings | None = None,
        read: Reads = lambda _: (),
    ) -> None:
        self._store = store
        self._vectors = KnownVectors(store, embedder)
        meaning = ByMeaning(self._vectors, endings) if endings is not None else None
        self._changes = Changes(store, self._vectors, meaning)
        self._most = most
        self._read = read
        self._changed = False
        """Whether this turn has ended or disputed a memory."""
        self._crop = crop

    def remember(self, drafts: Sequence[SemanticDraft], turn: Turn, recent: Sequence[Turn]) -> tuple[Ruling, ...]:
        """Put each draft through the gate, at most the configured number into memory; returns all rulings."""
        rulings: list[Ruling] = []
        self._changed = False
        over = self._changes.over(turn)
        for raw in (with_slot(self._as_called(draft), turn, self._read) for draft in drafts):
            written = sum(ruling.verdict in (Outcome.SAVED, Outcome.QUARANTINED) for ruling in rulings)
            judged = judge(raw, turn, recent, self._knows)
            # only now: what the user said carries "today", and no number of its date
            draft = with_dates(as_said(raw, judged), turn)
            if isinstance(judged, Refused):
                rulings.append(Ruling(draft, Outcome.REFUSED, judged.reason, judged.rule))
            elif known := self._known_as(draft):
                rulings.append(self._seen_again(draft, known, turn))
            elif written >= self._most:
                reason = f"a turn writes {self._most} memories at most"
                rulings.append(Ruling(draft, Outcome.REFUSED, reason, MOST))
            else:
                rulings.append(self._save(draft, judged, turn, over))
            if isinstance(judged, Admitted) and judged.misnamed:
                reason = f"“{judged.misnamed}” is the model's word: the user's own are kept in its place"
                self._store.refusals.add(turn.id, Refusal(raw.content, MISNAMED, reason))
        self._end_what_is_over(turn, rulings, over)
        for ruling in rulings:
            if ruling.verdict is Outcome.REFUSED:
                self._store.refusals.add(turn.id, Refusal(ruling.draft.content, ruling.rule, ruling.reason))
        return tuple(rulings)

    def _end_what_is_over(self, turn: Turn, rulings: Sequence[Ruling], over: Mapping[int, Ending]) -> None:
        """Let what the words say is over end with the memory of this turn that tells of it best."""
        told = [ruling.memory for ruling in rulings if ruling.memory is not None]
        held = [memory for memory in self._store.semantic.many(told) if memory.status is Status.ACTIVE]
        if not held:
            return
        for old in self._store.semantic.many(over):
            if old.status is Status.ACTIVE:
                new = held[0]
                if len(held) > 1:
                    ((_, new), *_) = self._vectors.ranked(f"{over[old.id].thing}: {old.content}", held)
                self._put_in_place(new, Outdated(old, EXPLICIT), turn)
        if not self._changed:
            self._end_by_meaning(turn, rulings)

    def _end_by_meaning(self, turn: Turn, rulings: Sequence[Ruling]) -> None:
        """Ask the last rule, where no other has found anything: one old memory ends, or some may have ended."""
        saved = [
            (ruling, self._store.semantic.get(ruling.memory))
            for ruling in rulings
            if ruling.memory is not None and ruling.verdict is Outcome.SAVED
        ]
        told = [(memory, self._changes.news(ruling.draft, memory.quote, turn, {})) for ruling, memory in saved]
        doubted: dict[int, tuple[Judged, int]] = {}
        for said, some in _by_words(told, turn.user).items():
            judged = self._changes.judged(said, [news for _, news in some])
            for new, news in some:
                if outdated := self._changes.outdated_in_the_end(replace(news, judged=judged)):
                    self._put_in_place(new, outdated[0], turn)
                    return
            for doubt in may_have_ended(replace(some[0][1], judged=judged)):
                if turn.at - doubt.memory.valid_from <= AT_ONCE:
                    continue  # of what was said at once nobody can say which came later
                ((_, nearest), *_) = self._vectors.ranked(doubt.memory.content, [new for new, _ in some])
                doubted[doubt.memory.id] = (doubt, nearest.id)
        for doubt, new_id in sorted(doubted.values(), key=lambda pair: -pair[0].ending)[:_DOUBTS]:
            self._store.conflicts.add(doubt.memory.id, new_id, turn.at)

    def _put_in_place(self, new: SemanticMemory, outdated: Outdated, turn: Turn) -> None:
        """Let a memory take the place of another, or dispute it where a person wrote the other."""
        old = outdated.memory
        self._changed = True
        if old.author is Author.PERSON or tells_more(old):
            self._store.conflicts.add(old.id, new.id, turn.at)
        elif old.id != new.id and old.valid_from <= turn.at:
            self._store.semantic.supersede(old.id, new.id, turn.at, outdated.rule)
            follow(self._store, old, new, turn)

    def _save(self, draft: SemanticDraft, judged: Admitted, turn: Turn, over: Mapping[int, Ending]) -> Ruling:
        news = self._changes.news(draft, judged.quote, turn, over)
        # what the words say is over ends when all drafts are there: one of them tells of it best
        outdated = [end for end in (() if judged.quarantined else self._changes.outdated(news)) if end.rule != EXPLICIT]
        memory = _memory(draft, judged, turn, _slot_of(news, outdated))
        # only what is kept is cropped
        memory = self._store.semantic.add(replace(memory, images=(*self._crop(draft), *memory.images)))
        if judged.quarantined:
            return Ruling(draft, Outcome.QUARANTINED, "it reads like an instruction", memory=memory.id)
        self._changed = self._changed or bool(outdated)
        disputed = [end.memory for end in outdated if _is_disputed(draft, end.memory, turn)]
        if not outdated:
            compared = as_compared(memory)
            near = self._changes.near(memory.content)
            disputed = [other for other in near if at_odds(as_compared(other), compared)]
        for old in disputed:
            self._store.conflicts.add(old.id, memory.id, turn.at)
        self._supersede(memory, [end for end in outdated if end.memory not in disputed], draft, turn)
        reason = "contradicts " + ", ".join(f"s{old.id}" for old in disputed) if disputed else ""
        return Ruling(draft, Outcome.SAVED, reason, memory=memory.id)

    def _supersede(
        self, memory: SemanticMemory, outdated: Sequence[Outdated], draft: SemanticDraft, turn: Turn
    ) -> None:
        for end in outdated:
            if end.memory.valid_from <= turn.at:
                self._store.semantic.supersede(end.memory.id, memory.id, turn.at, end.rule)
                follow(self._store, end.memory, memory, turn)
            elif draft.change is not Change.ENDS:
                # an older conversation imported later: what is already known is the newer fact
                self._store.semantic.supersede(memory.id, end.memory.id, end.memory.valid_from, end.rule)
                break

    def _seen_again(self, draft: SemanticDraft, known: SemanticMemory, turn: Turn) -> Ruling:
        if known.turn_id != turn.id:
            self._store.semantic.seen_again(known.id, turn.at)
            self._order(known, turn)
        return Ruling(draft, Outcome.SEEN_AGAIN, memory=known.id)

    def _order(self, known: SemanticMemory, turn: Turn) -> None:
        """Let what is said once more on another day hold against what it contradicted: now it is the later word."""
        for conflict in self._store.conflicts.of([known.id]):
            other = conflict.other if conflict.one.id == known.id else conflict.one
            if conflict.doubt:
                if conflict.earlier.id == known.id:
                    self._store.conflicts.drop(known.id, other.id)
                continue
            last = max(conflict.at, other.last_seen or other.valid_from)
            if other.author is not Author.PERSON and turn.at - last > AT_ONCE:
                self._changed = True
                self._store.semantic.supersede(other.id, known.id, turn.at, SAID_AGAIN)
                follow(self._store, other, known, turn)

    def _known_as(self, draft: SemanticDraft) -> SemanticMemory | None:
        """Return the active memory that says the same, exactly or nearly."""
        exact = self._store.semantic.same(draft.content)
        if exact is not None and exact.subject.casefold() == draft.subject.casefold() and same_occasion(draft, exact):
            return exact if not set(draft.images) - set(exact.images) else None
        if draft.images:
            return None
        new = draft_as_compared(draft)
        known = {memory.id: memory for memory in self._changes.near(draft.content, draft.slot)}
        near = [as_compared(memory) for memory in known.values() if same_occasion(draft, memory)]
        near = [memory for memory in near if not apart(new, memory)]
        mine = [memory for memory in near if same_subject(new, memory)]
        for memory in near:
            in_slot = bool(draft.slot) and memory.slot == draft.slot
            said = memory in mine and same_saying(new.content, memory.content)
            # "Stefan is the user's husband" is of Stefan, and says what "is married to Stefan" says
            said = said or same_meaning(new.content, memory.content)
            said = said or (in_slot and fills_alike(new.content, memory.content, draft.slot))
            if said or (in_slot and says_no_more(new.content, memory.content, draft.slot)):
                return known[memory.id]
        least = {memory.id: ALIKE for memory in mine if says_the_same(new.content, memory.content)}
        least |= {memory.id: SAME for memory in mine if memory.id not in least and same_fact(new, memory)}
        close = self._vectors.ranked(draft.content, [known[number] for number in least])
        return next((memory for cosine, memory in close if cosine >= least[memory.id]), None)

    def _as_called(self, draft: SemanticDraft) -> SemanticDraft:
        """Return a draft of somebody as they are called in what is known: "Jabari" for "jabari" and "Jabaris"."""
        name = draft.subject.strip()
        if name.casefold() in (USER, SOMEBODY, "") or name.casefold().startswith("my "):
            return draft
        for spelled in (name, name.removesuffix("s")):
            known = self._store.semantic.list(subject=spelled, limit=1)
            if known and len(spelled) > _SHORTEST:
                return replace(draft, subject=known[0].subject)
        return draft

    def _knows(self, name: str) -> bool:
        """Tell whether a name stands in what is already remembered of the user's life."""
        return any(
            stem(name) in word_stems(_text(self._store.get(ref)))
            for ref, _ in self._store.texts.search([name], (Kind.SEMANTIC, Kind.CORE), _NEAR)
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote, and what they wrote before that it contradicts."""

    memory: SemanticMemory
    contradicts: tuple[SemanticMemory, ...]


def put_written(store: Store, memory: SemanticMemory, read: Reads = lambda _: ()) -> Written:
    """Store what was written by itself; it ends what its slot or its words say is over, and whatever a model had noted.

    What a person wrote before is not ended by what it merely contradicts, nor ever by what a program writes: both
    stay, and they are asked.
    """
    draft = as_drafted(memory, read)
    turn = Turn(0, 0, memory.valid_from, memory.content, "", "")
    changes = Changes(store)
    with store.transaction():
        outdated = changes.outdated(changes.news(draft, memory.content, turn, changes.over(turn)))
        # what has ended fills its slot no longer
        slot = "" if draft.change is Change.ENDS else draft.slot
        event = memory.event or event_of(memory.content, memory.recorded_at)
        added = store.semantic.add(replace(memory, subject=draft.subject, slot=slot, event=event))
        by_person = memory.author is Author.PERSON
        disputed = [
            end.memory
            for end in outdated
            if end.memory.author is Author.PERSON and not (by_person and end.rule in (SLOT, EXPLICIT))
        ]
        for end in outdated:
            if end.memory not in disputed:
                store.semantic.supersede(end.memory.id, added.id, added.valid_from, end.rule)
        compared = as_compared(added)
        near = [other for other in changes.near(added.content) if at_odds(as_compared(other), compared)]
        for old in (*disputed, *near):
            store.conflicts.add(old.id, added.id, added.valid_from)
    return Written(added, (*disputed, *near))


def _memory(draft: SemanticDraft, judged: Admitted, turn: Turn, slot: str) -> SemanticMemory:
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
        # a model gives the words; when that is, the words say
        event=draft.event or event_of(judged.quote, turn.at),
        # what has ended fills its slot no longer; the next value has nothing to replace
        slot="" if draft.change is Change.ENDS else slot,
        last_seen=turn.at,
        status=Status.QUARANTINED if judged.quarantined else Status.ACTIVE,
    )


def _slot_of(news: News, outdated: Sequence[Outdated]) -> str:
    """Return the slot a new memory fills: its own, or that of the former state it returns to."""
    returned = [news.former[end.memory.id].slot for end in outdated if end.memory.id in news.former]
    return news.draft.slot or next(iter(returned), "")


def _is_disputed(draft: SemanticDraft, old: SemanticMemory, turn: Turn) -> bool:
    """Tell whether nobody can say what holds: a person wrote the old one, it tells more, or both were said at once."""
    told = draft.change is not Change.REPLACES and tells_more(old)
    return told or old.author is Author.PERSON or (draft.change is Change.ADDS and old.valid_from == turn.at)


def as_said(draft: SemanticDraft, judged: Admitted | Refused) -> SemanticDraft:
    """Return a draft in the user's own words where a model called something in it what nobody called it."""
    if isinstance(judged, Refused) or not judged.misnamed:
        return draft
    return replace(draft, content=judged.quote, quote=judged.quote)


def _by_words(
    told: Sequence[tuple[SemanticMemory, News]], message: str
) -> dict[str, list[tuple[SemanticMemory, News]]]:
    """Return what is new by the words it is judged in: the whole message where it is short."""
    by_words: dict[str, list[tuple[SemanticMemory, News]]] = {}
    for memory, news in told:
        by_words.setdefault(message if 0 < len(message) <= SHORT else said_by(memory), []).append((memory, news))
    return by_words


def tells_more(memory: SemanticMemory) -> bool:
    """Tell whether a memory has several sentences and fills no slot: one that ends leaves the others true."""
    return not memory.slot and len(sentences(memory.content)) > 1


def _text(record: object) -> str:
    return str(getattr(record, "content", None) or getattr(record, "value", ""))
