"""The eight tools of a memory: five that look, three that write, which exist only with leave.

What they return is what a person said, for a model to read: never what is in quarantine, and no message that reads
like an instruction to a model. What a client writes is a model's: it goes through the gate, secrets are taken out of
it, and it never ends, changes or deletes what the person wrote themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field

from persona_cli.errors import NotFoundError, UsageError
from persona_cli.escapes import UNSEEN
from persona_cli.memory import Memory
from persona_cli.memory.record_words import moment, words_of
from persona_cli.memory.store import Record
from persona_cli.memory.vectors.embedding import embed_few
from persona_cli.model.tasks import SemanticDraft
from persona_cli.personality import manner
from persona_cli.records import (
    Author,
    CoreEntry,
    EpisodicMemory,
    Image,
    Kind,
    ProceduralMemory,
    Ref,
    SemanticMemory,
    Status,
    Turn,
    Window,
)
from persona_cli.remembering.about import about
from persona_cli.remembering.drafts import put_written
from persona_cli.remembering.gate import Refused, judge
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.secrets import redact
from persona_cli.serve.household import Household
from persona_cli.serve.results import (
    Acquaintance,
    Corrected,
    Forgotten,
    Kept,
    Profile,
    Recent,
    Remembered,
    Search,
    Trait,
    Whole,
)
from persona_cli.timewords import query_window

MOST = 50
"""Memories one call returns at most."""
LONGEST = 2_000
"""Characters a memory may have that a client writes."""

Name = Annotated[str, Field(description="The id of a memory as the other tools return it: s12, e3, p4, c2, m120, i7.")]
Limit = Annotated[int, Field(description="How many at most, up to 50.", ge=1, le=MOST)]
When = Annotated[str | None, Field(description='A date or words: "2024-05-12", "last summer", "two weeks ago".')]
Content = Annotated[str, Field(description="One sentence, one fact, as the person said it.", max_length=LONGEST)]


class Tools:
    """What a client can ask of one person's memory, which is opened by the first call."""

    def __init__(self, household: Household) -> None:
        self._household = household

    def search_memory(
        self,
        query: Annotated[str, Field(description='A question in plain words; its time words count: "dog last summer".')],
        limit: Limit = 8,
        kinds: Annotated[list[Kind] | None, Field(description="Only memories of these kinds.")] = None,
        since: When = None,
        until: When = None,
    ) -> Search:
        """Return the best memories for a question; `since` and `until` are times in any words persona understands."""
        memory, now = self._memory, self._household.now()
        if not query.strip():
            raise UsageError("the question is empty", fix="Say what to look for.")
        embed_few(memory.store, memory.embedder)
        window = _window(since, until, now)
        found = memory.retriever.search(query, kinds=kinds or None, window=window, limit=_most(limit), at=now)
        shown = [_remembered(hit.ref, hit.memory) for hit in found.hits if _may_be_read(hit.memory)]
        notes = list(found.notes)
        if found.window is not None:
            notes.append(f"Only from {_span(found.window)} ({found.window_source}).")
        return Search(shown, notes)

    def get_memory(self, memory_id: Name) -> Whole:
        """Return one memory by its name, with the messages it came from."""
        ref, record = self._find(memory_id)
        if not _may_be_read(record):
            raise NotFoundError(f"{ref} reads like an instruction to a model and is not shown to one")
        store = self._memory.store
        turns: Collection[int] = ()
        if isinstance(record, SemanticMemory | CoreEntry) and record.turn_id is not None:
            turns = (record.turn_id,)
        elif isinstance(record, EpisodicMemory):
            turns = record.turn_ids
        elif isinstance(record, Image):
            turns = tuple(turn.id for turn in store.turns.of_image(record.hash))
        sources = [turn for turn in store.turns.many(turns) if _may_be_read(turn)][:MOST]
        return Whole(_remembered(ref, record), [_remembered(Ref(Kind.MESSAGE, turn.id), turn) for turn in sources])

    def about_person(
        self, name: Annotated[str, Field(description="Ada, or what they are: my sister, the cat.")]
    ) -> Acquaintance:
        """Return what is known of a person or a pet, under each of their names."""
        known = about(self._memory.store, name)
        return Acquaintance(
            known.name, list(known.roles), list(known.former_roles), _facts(known.facts), _facts(known.former)
        )

    def get_profile(self) -> Profile:
        """Return who the person is: their profile, their habits and goals, their traits."""
        store = self._memory.store
        traits = store.readings.latest()
        manners = manner(traits)
        return Profile(
            entries=[_remembered(Ref(Kind.CORE, entry.id), entry) for entry in store.core.current().entries],
            habits=[_remembered(Ref(Kind.PROCEDURAL, habit.id), habit) for habit in store.habits.current()],
            traits=[Trait(name, round(score, 2), manners.get(name, "")) for name, score in traits],
            turns=store.turns.count(),
        )

    def recent(self, limit: Limit = 10) -> Recent:
        """Return what was remembered last: facts, topics, habits, entries of the profile, messages."""
        store, most = self._memory.store, _most(limit)
        records: list[tuple[Ref, Record]] = [
            *((Ref(Kind.SEMANTIC, fact.id), fact) for fact in store.semantic.list(Status.ACTIVE, limit=most)),
            *((Ref(Kind.EPISODIC, topic.id), topic) for topic in store.episodes.list(limit=most)),
            *((Ref(Kind.PROCEDURAL, habit.id), habit) for habit in store.habits.current()),
            *((Ref(Kind.CORE, entry.id), entry) for entry in store.core.current().entries),
        ]
        turns = store.turns.many([line.id for line in store.turns.last_lines(most)])
        records += [(Ref(Kind.MESSAGE, turn.id), turn) for turn in turns]
        newest = sorted(records, key=lambda pair: moment(pair[1]), reverse=True)
        return Recent([_remembered(ref, record) for ref, record in newest if _may_be_read(record)][:most])

    def remember(
        self,
        content: Content,
        subject: Annotated[str, Field(description='Whom it is about: "user" for the person, else a name.')] = "user",
        quote: Annotated[str, Field(description="The person's own words it rests on.")] = "",
    ) -> Kept:
        """Keep a fact that the person has told; `quote` has their own words, by which it is then judged."""
        memory, now = self._memory, self._household.now()
        content, secrets = checked(content)
        quote, more = redact(UNSEEN.sub("", quote).strip()[:LONGEST])
        if (known := memory.store.semantic.same(content)) is not None:
            memory.store.semantic.seen_again(known.id, now)
            return Kept(f"s{known.id}", "known already", [], [])
        turn = Turn(0, 0, now, quote or content, "", "")
        judged = judge(SemanticDraft(content, (), subject=subject, quote=quote or content), turn, (), _nobody)
        if isinstance(judged, Refused):
            raise UsageError(f"it was not kept: {judged.reason}", fix="Keep what the person has said, in their words.")
        new = fact(content, subject.strip() or "user", judged.quote or quote or content, now)
        removed = list(dict.fromkeys((*secrets, *more)))
        if judged.quarantined:
            held = memory.store.semantic.add(replace(new, status=Status.QUARANTINED))
            return Kept(f"s{held.id}", "quarantined", [], removed)
        written = put_written(memory.store, new, memory.reader.read)
        embed_few(memory.store, memory.embedder)
        return Kept(f"s{written.memory.id}", "remembered", [f"s{other.id}" for other in written.contradicts], removed)

    def correct_memory(self, memory_id: Name, content: Content) -> Corrected:
        """Put new words in the place of a fact, an entry of the profile or a habit; the old ones stay as the past."""
        memory, now = self._memory, self._household.now()
        ref, record = self._find(memory_id)
        content, _ = checked(content)
        if is_instruction(content):
            raise UsageError("the new words read like an instruction to a model", fix="Say what is true of the person.")
        _check_not_written(ref, record, "edit")
        store = memory.store
        new: Record
        with store.transaction():
            match record:
                case SemanticMemory():
                    new = store.semantic.add(fact(content, record.subject, content, now, record.keywords))
                    store.semantic.supersede(record.id, new.id, now, "corrected")
                case CoreEntry():
                    new = store.core.put(record.key, content, record.aspect, now, record.turn_id)
                case ProceduralMemory():
                    new = store.habits.put(record.key, content, now, record.session_id)
                case _:
                    raise UsageError(f"{ref} is what happened and cannot be corrected", fix="Forget it instead.")
        embed_few(store, memory.embedder)
        return Corrected(_remembered(Ref(ref.kind, new.id), new), str(ref))

    def forget_memory(self, memory_id: Name) -> Forgotten:
        """Delete a memory for good, with everything made from it; what the person wrote themselves only they delete."""
        ref, record = self._find(memory_id)
        _check_not_written(ref, record, "forget")
        done = self._memory.forget(ref)
        receipt = done.receipt
        return Forgotten(
            [str(gone) for gone in receipt.refs],
            dict(receipt.counts),
            [str(again) for again in receipt.again],
            [copy.path for copy in done.copies],
        )

    @property
    def _memory(self) -> Memory:
        return self._household.memory()

    def _find(self, name: str) -> tuple[Ref, Record]:
        try:
            ref = Ref.parse(name)
        except ValueError as exc:
            raise UsageError(str(exc), fix="search_memory returns the names.") from exc
        return ref, self._memory.store.get(ref)


def _check_not_written(ref: Ref, record: Record, command: str) -> None:
    """Raise `UsageError` for what the person wrote themselves: no program changes or deletes it."""
    if getattr(record, "author", Author.MODEL) is Author.PERSON:
        raise UsageError(
            f"the person wrote {ref} themselves", fix=f"Only they do that: `persona memory {command} {ref}`."
        )


def _remembered(ref: Ref, record: Record) -> Remembered:
    fact = record if isinstance(record, SemanticMemory) else None
    until = getattr(record, "valid_to", None)
    return Remembered(
        id=str(ref),
        kind=ref.kind.value,
        at=_iso(moment(record)),
        text=words_of(record),
        about=fact.subject if fact else "",
        quote=fact.quote if fact and fact.quote != fact.content else "",
        happens=_span(fact.event) if fact and fact.event else "",
        holds=until is None,
        until=_iso(until) if until is not None else "",
        replaced_by=f"s{fact.superseded_by}" if fact and fact.superseded_by else "",
    )


def _facts(memories: Iterable[SemanticMemory]) -> list[Remembered]:
    return [_remembered(Ref(Kind.SEMANTIC, memory.id), memory) for memory in memories][:MOST]


def _may_be_read(record: Record) -> bool:
    """Tell whether a model may read a record; what a person let out of quarantine or wrote is theirs to show."""
    if isinstance(record, Turn):
        return not (is_instruction(record.user) or is_instruction(record.answer))
    return getattr(record, "status", Status.ACTIVE) is not Status.QUARANTINED


def fact(content: str, subject: str, quote: str, now: datetime, keywords: tuple[str, ...] = ()) -> SemanticMemory:
    """Return a fact as a program gives it, not stored yet."""
    return SemanticMemory(
        id=0, content=content, keywords=keywords, subject=subject, quote=quote, recorded_at=now, valid_from=now
    )


def checked(content: str) -> tuple[str, tuple[str, ...]]:
    """Return words fit to be remembered, and what secrets were taken out of them; raises `UsageError`."""
    text = " ".join(UNSEEN.sub("", content).split())
    if not text or len(text) > LONGEST:
        raise UsageError("a memory has 1 to 2,000 characters", fix="Send one sentence for each fact.")
    return redact(text)


def _most(limit: int) -> int:
    return max(1, min(limit, MOST))


def _window(since: str | None, until: str | None, now: datetime) -> Window | None:
    if not since and not until:
        return None
    start = _moment(since, now).start if since else None
    end = _moment(until, now).end if until else None
    if start is not None and end is not None and start >= end:
        raise UsageError(f"since {since} is not before until {until}", fix="Exchange the two.")
    return Window(start, end)


def _moment(text: str, now: datetime) -> Window:
    phrase = query_window(text, now)
    if phrase is None:
        raise UsageError(f"{text!r} is no time persona understands", fix='Try 2024-05-12 or "two weeks ago".')
    return phrase.window


def _span(window: Window) -> str:
    return "/".join(_iso(side) if side is not None else ".." for side in (window.start, window.end))


def _iso(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="minutes")


def _nobody(_: str) -> bool:
    return False
