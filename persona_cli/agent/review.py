"""What waits to be looked at before it is remembered (`memory.review`), and what a person decided about it.

Nothing new is stored for it: the jobs stay in the queue, and what they propose is read from what was said when
somebody looks. A job is done when all its proposals are decided, in one transaction with what was accepted; left in
the middle, it waits as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from persona_cli.agent.update import REVIEWED, Draft, Proposed, Updates
from persona_cli.errors import Interrupted
from persona_cli.memory.store import Store
from persona_cli.model.tasks import CoreDraft, ProceduralDraft, SemanticDraft, Stop
from persona_cli.records import Author, Job, SemanticMemory
from persona_cli.remembering.drafts import put_written


class ReviewDecision(StrEnum):
    """What a person makes of one proposal."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job in the queue with what it proposes."""

    job: Job
    proposed: Proposed


@dataclass(frozen=True, slots=True)
class ReviewVerdict:
    """A decision, and the words a person put in the place of a proposal's."""

    decision: ReviewDecision
    words: str = ""
    """"" for the words as they were proposed."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How many proposals were kept, in whose words, and how many not."""

    accepted: int
    edited: int
    rejected: int


def look(updates: Updates, stop: Stop) -> Iterator[WaitingJob]:
    """Yield what waits, oldest first; a job that proposes nothing is done at once. Raises `Interrupted`."""
    for job in updates.store.jobs.waiting(REVIEWED):
        if stop():
            raise Interrupted("The review was interrupted; what was not decided waits.")
        proposed = updates.propose(job, stop)
        drafts = [] if proposed is None else [draft for draft in proposed.drafts if not _is_known(updates.store, draft)]
        if proposed is None or not drafts:
            updates.store.jobs.done(job.id)
        else:
            yield WaitingJob(job, replace(proposed, drafts=drafts))


def decide(store: Store, waiting: WaitingJob, verdicts: Sequence[ReviewVerdict], at: datetime) -> Decided:
    """Write what was accepted of one job and mark it done; one verdict for each of its drafts, in order.

    Somebody else may have decided it meanwhile: then nothing is written twice.
    """
    pairs = list(zip(waiting.proposed.drafts, verdicts, strict=True))
    kept = [(draft, verdict) for draft, verdict in pairs if verdict.decision is ReviewDecision.ACCEPT]
    edited = [(draft, verdict.words) for draft, verdict in kept if verdict.words not in ("", words_of(draft))]
    as_proposed = [draft for draft, verdict in kept if verdict.words in ("", words_of(draft))]
    job, turn = waiting.job, waiting.proposed.turn
    with store.transaction(), store.journal.caused_by(job.turn_id, job.session_id):
        if job.id not in {other.id for other in store.jobs.waiting((job.task,))}:
            return Decided(0, 0, 0)
        waiting.proposed.write(as_proposed)
        for draft, words in edited:
            _write_edited(store, draft, words, turn.id if job.turn_id else None, at)
        store.jobs.done(job.id)
    return Decided(len(as_proposed), len(edited), len(pairs) - len(kept))


def words_of(draft: Draft) -> str:
    """Return what a proposal says."""
    if isinstance(draft, SemanticDraft):
        return draft.content
    return draft.text if isinstance(draft, ProceduralDraft) else draft.value


def name_of(draft: Draft) -> str:
    """Return what a proposal is: a fact and of whom, an entry of the profile, a habit."""
    if isinstance(draft, SemanticDraft):
        return "fact" if draft.subject in ("", "user") else f"fact about {draft.subject}"
    return f"profile: {draft.key}" if isinstance(draft, CoreDraft) else "habit"


def _is_known(store: Store, draft: Draft) -> bool:
    if isinstance(draft, SemanticDraft):
        return store.semantic.same(draft.content) is not None
    if isinstance(draft, CoreDraft):
        return store.core.current().get(draft.key) == draft.value
    return any(habit.key == draft.key and habit.text == draft.text for habit in store.habits.current())


def _write_edited(store: Store, draft: Draft, words: str, turn_id: int | None, at: datetime) -> None:
    """Write a proposal in a person's words, as theirs: no model ever overwrites it."""
    if isinstance(draft, SemanticDraft):
        fact = SemanticMemory(
            id=0, content=words, keywords=draft.keywords, subject=draft.subject or "user", quote=draft.quote or words,
            recorded_at=at, valid_from=at, turn_id=turn_id, event=draft.event, author=Author.PERSON,
        )  # fmt: skip
        put_written(store, fact)
    elif isinstance(draft, CoreDraft):
        store.core.put(draft.key, words, draft.aspect, at, turn_id=turn_id, author=Author.PERSON)
    else:
        store.habits.put(draft.key, words, at, author=Author.PERSON)
