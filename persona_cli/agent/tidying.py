"""Tidying: old episodes of one topic become one summary, facts that say the same become one. Nothing is deleted.

`propose` does the slow part, with the model, and changes nothing; `write` stores a proposal in one transaction that the
journal can take back. What a summary tells has to stand in its parts or in what the user said in them: a sentence
with another name, number or date is left out, and where none remains the parts stay apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from persona_cli.english.sentences import sentences
from persona_cli.english.tokens import supported, values
from persona_cli.errors import FormatError
from persona_cli.memory import Memory
from persona_cli.memory.tables.journal import TakenBack
from persona_cli.memory.tables.tidies import NOWHERE, Looked
from persona_cli.memory.vectors.embedding import embed_wanted
from persona_cli.model.tasks import Model, Stop, SummaryDraft
from persona_cli.records import Author, EpisodicMemory, Kind, Status, Turn, Window
from persona_cli.remembering.gate import unsaid
from persona_cli.remembering.instructions import is_instruction
from persona_cli.remembering.same import Double, find_doubles
from persona_cli.remembering.topics import EpisodeTalk, Group, find_groups

OnProgress = Callable[[int, int], None]
"""Told how many topics of how many are summed up."""

_LOOKED_AT = 1500
"""Episodes that are compared with each other, the latest of those old enough."""
_SHARE = 16
"""Of the episodes compared before, the part that must have come to be old since: comparing grows with all of them."""
_NEAR = 50
"""Facts that are looked at for one that says the same."""
_TAKEN_BACK = "taken back by the person"


@dataclass(frozen=True, slots=True)
class Merging:
    """Several episodes that become one."""

    summary: EpisodicMemory
    """As it is to be; its id is 0 where it is new."""
    parts: tuple[EpisodicMemory, ...]
    """All of its parts, oldest first."""
    added: tuple[EpisodicMemory, ...]
    """Those that are not part of it yet."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Episodes of one topic that stay as they are, because of what the model made of them."""

    parts: tuple[EpisodicMemory, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a tidying is going to change, or has changed."""

    merged: tuple[Merging, ...] = ()
    doubles: tuple[Double, ...] = ()
    apart: tuple[Apart, ...] = ()
    rest: tuple[Group, ...] = ()
    """Topics that were found and left for another time."""
    looked: Looked = NOWHERE
    """Until where what there is has been looked at."""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to write."""
        return not (self.merged or self.doubles or self.apart)


@dataclass(frozen=True, slots=True)
class Tidying:
    """Finds and writes what can be tidied in one memory."""

    memory: Memory
    model: Model
    after: timedelta
    """How old an episode has to be."""

    def propose(
        self,
        now: datetime,
        stop: Stop,
        *,
        again: bool = False,
        most: int | None = None,
        since: Looked = NOWHERE,
        on_progress: OnProgress = lambda _done, _all: None,
    ) -> Tidied:
        """Return what could be tidied, `most` topics at most; with `again` also what was taken back before.

        With `since` facts before it are compared only with newer ones, and topics once enough have come to be old.
        """
        store = self.memory.store
        embed_wanted(store, self.memory.embedder, stop)
        old, looked = dict[int, EpisodicMemory](), since
        if self._is_worth_it(now, since):
            old = self._old(now, frozenset() if again else store.tidies.apart())
            looked = Looked(now - self.after, len(old))
        groups = self._groups(old, stop)
        found = self._summed(groups[:most], old, now, stop, on_progress)
        last = max((fact.id for fact in store.semantic.newest(0, 1)), default=0)
        doubles = find_doubles(store, self.memory.embedder.name, self._near, stop, since.fact_id)
        looked = replace(looked, fact_id=max(last, since.fact_id))
        return replace(found, doubles=doubles, looked=looked, rest=_left(groups, most))

    def go_on(self, before: Tidied, now: datetime, stop: Stop, *, most: int | None = None) -> Tidied:
        """Return what could be tidied of the topics a former proposal has left, without comparing all once more.

        A topic of which something has changed since is left out, to be found anew.
        """
        ids = {row for group in before.rest for row in group.ids}
        old = {episode.id: episode for episode in self.memory.store.episodes.many(ids)}
        groups = [group for group in before.rest if all(row in old and _is_free(old[row], group) for row in group.ids)]
        return replace(self._summed(groups[:most], old, now, stop), looked=before.looked, rest=_left(groups, most))

    def _summed(
        self,
        groups: Sequence[Group],
        old: dict[int, EpisodicMemory],
        now: datetime,
        stop: Stop,
        on_progress: OnProgress = lambda _done, _all: None,
    ) -> Tidied:
        merged: list[Merging] = []
        apart: list[Apart] = []
        for done, group in enumerate(groups):
            on_progress(done, len(groups))
            parts = tuple(sorted((old[row] for row in group.ids), key=lambda one: (one.started_at, one.id)))
            found = self._merge(parts, group.into, now, stop)
            if isinstance(found, Merging):
                merged.append(found)
            else:
                apart.append(found)
        return Tidied(tuple(merged), (), tuple(apart))

    def write(self, found: Tidied, now: datetime, session_id: int | None = None) -> Tidied:
        """Store a proposal without what somebody has changed or forgotten meanwhile; return what was done."""
        store = self.memory.store
        with store.transaction():
            merged = tuple(merging for merging in found.merged if self._still_holds(merging))
            doubles = tuple(one for one in found.doubles if one.still_holds(store))
            if merged or doubles:
                tidy = store.tidies.begin(now, session_id)
                with store.journal.caused_by(tidy_id=tidy.id):
                    merged = tuple(
                        replace(merging, summary=store.episodes.merge(merging.summary, merging.added, now))
                        for merging in merged
                    )
                    for double in doubles:
                        double.settle(store)
            for one in found.apart:
                store.tidies.set_apart([part.id for part in one.parts], one.reason)
            if not found.rest:
                store.tidies.note_looked(found.looked)
        return replace(found, merged=merged, doubles=doubles)

    def _is_worth_it(self, now: datetime, since: Looked) -> bool:
        """Tell whether so many episodes have come to be old that all are compared once more."""
        enough = since.episodes // _SHARE + 1
        return self.memory.store.episodes.count_ended(since.until, now - self.after, enough) >= enough

    def _near(self, vector: NDArray[np.float32]) -> Iterable[tuple[int, float]]:
        return self.memory.index.search(Kind.SEMANTIC, "content", vector, _NEAR)

    def _old(self, now: datetime, apart: frozenset[int]) -> dict[int, EpisodicMemory]:
        """Return the episodes that are old enough, with those that are part of a summary, by id."""
        episodes, until = self.memory.store.episodes, now - self.after
        old = [
            episode
            for episode in episodes.list(Window(None, until + timedelta.resolution), 2 * _LOOKED_AT, every=True)
            if episode.author is Author.MODEL
            and not episode.parts
            and (episode.merged_into is not None or episode.status is Status.ACTIVE)
            and episode.ended_at <= until
            and (episode.id not in apart or episode.merged_into is not None)
        ]
        # what contradicts something is told by itself until a person has settled it
        open_ = [conflict for conflict in self.memory.store.conflicts.open() if not conflict.doubt]
        disputed = {side.turn_id for conflict in open_ for side in (conflict.one, conflict.other)}
        free = [one for one in old if one.merged_into is not None or not disputed.intersection(one.turn_ids)]
        latest = {episode.id: episode for episode in free[:_LOOKED_AT]}
        # a summary that grows is told anew from all of its parts
        growing = episodes.many({one.merged_into for one in latest.values() if one.merged_into is not None})
        parts = {part for summary in growing for part in summary.parts} - latest.keys()
        return latest | {episode.id: episode for episode in episodes.many(parts)}

    def _groups(self, old: dict[int, EpisodicMemory], stop: Stop) -> list[Group]:
        """Return the topics among old episodes that have something new to merge."""
        if sum(episode.merged_into is None for episode in old.values()) == 0:
            return []
        found = find_groups(self._talks(sorted(old.values(), key=lambda one: one.id)), stop)
        return [group for group in found if any(old[row].merged_into is None for row in group.ids)]

    def _talks(self, episodes: Sequence[EpisodicMemory]) -> list[EpisodeTalk]:
        store, name = self.memory.store, self.memory.embedder.name
        turn_ids = {turn_id for episode in episodes for turn_id in episode.turn_ids}
        said = {line.id: line.user for line in store.turns.lines(turn_ids)}
        vectors = store.vectors.among(Kind.MESSAGE, turn_ids, name)
        talks = []
        for topic in episodes:
            spoken = [vectors[turn_id] for turn_id in topic.turn_ids if turn_id in vectors]
            if spoken:  # a topic of pictures alone has no words to be compared
                mean = np.mean(spoken, axis=0)
                unit = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
                texts = tuple(said[turn_id] for turn_id in topic.turn_ids if turn_id in said)
                talks.append(EpisodeTalk(topic.id, topic.keywords, texts, unit, topic.merged_into))
        return talks

    def _merge(self, parts: tuple[EpisodicMemory, ...], into: int | None, now: datetime, stop: Stop) -> Merging | Apart:
        added = tuple(part for part in parts if part.merged_into is None)
        turns = self.memory.store.turns.many({turn_id for part in parts for turn_id in part.turn_ids})
        try:
            checked = check_summary(self.model.merge_episodes(parts, stop), parts, turns)
        except FormatError as exc:
            # one topic the model cannot sum up must not keep the others from it for ever
            checked = exc.message
        if isinstance(checked, str):
            return Apart(added, checked)
        summary = EpisodicMemory(
            id=into or 0,
            session_id=parts[-1].session_id,
            summary=checked.summary,
            keywords=checked.keywords,
            turn_ids=tuple(turn.id for turn in turns),
            started_at=parts[0].started_at,
            ended_at=max(part.ended_at for part in parts),
            recorded_at=now,
            parts=tuple(part.id for part in parts),
        )
        return Merging(summary, parts, added)

    def _still_holds(self, merging: Merging) -> bool:
        store = self.memory.store
        now = {episode.id: episode for episode in store.episodes.many([part.id for part in merging.parts])}
        return all(
            part.id in now and (now[part.id].status, now[part.id].merged_into) == (part.status, part.merged_into)
            for part in merging.parts
        )


def _left(groups: Sequence[Group], most: int | None) -> tuple[Group, ...]:
    return () if most is None else tuple(groups[most:])


def _is_free(episode: EpisodicMemory, group: Group) -> bool:
    """Tell whether an episode still stands as it stood when its topic was found."""
    if episode.merged_into is None:
        return episode.status is Status.ACTIVE
    return episode.merged_into == group.into


def take_back(memory: Memory, tidy_id: int) -> TakenBack:
    """Put everything back as it was before a tidying; what it had merged is not merged again unasked."""
    store = memory.store
    with store.transaction():
        done = store.journal.take_back_tidy(tidy_id)
        parts = [
            change.after
            for change in done.changes
            if isinstance(change.after, EpisodicMemory) and change.after.merged_into
        ]
        store.tidies.set_apart([part.id for part in parts], _TAKEN_BACK)
    embed_wanted(store, memory.embedder)
    return done


def check_summary(draft: SummaryDraft, parts: Sequence[EpisodicMemory], turns: Sequence[Turn]) -> SummaryDraft | str:
    """Return what of a summary its parts and the user's words bear out; a sentence why not where that is nothing."""
    told = [(f"{part.summary} {' '.join(part.keywords)}", part.started_at) for part in parts]
    told += [(turn.user, turn.at) for turn in turns]
    known = " ".join(text for text, _ in told)
    kept, missing = [], []
    for sentence in sentences(draft.summary):
        if found := ["an instruction"] if is_instruction(sentence) else _unfounded(sentence, told, parts):
            missing += found
        else:
            kept.append(sentence)
    summary = " ".join(kept)
    if not supported(values(summary), known):
        return f"the summary tells of {', '.join(missing) or 'nothing'}, as none of them does"
    keywords = tuple(word for word in draft.keywords if supported(values(word), known) == values(word))
    return SummaryDraft(summary, keywords)


def _unfounded(sentence: str, told: Sequence[tuple[str, datetime]], parts: Sequence[EpisodicMemory]) -> list[str]:
    """Return the names, numbers and dates of a sentence that none of the texts has, each read at its own time."""
    left: dict[str, None] | None = None
    for text, at in told:
        names, counted = unsaid(sentence, text, at)
        left = {one: None for one in (*names, *counted) if left is None or one in left}
        if not left:
            return []
    days = [moment for part in parts for moment in (part.started_at, part.ended_at)]
    dated = {str(number) for day in days for number in (day.year, day.month, day.day)} | {str(len(parts))}
    dated |= {name for day in days for name in f"{day:%B %A}".casefold().split()}
    return [word for word in left or () if word.casefold() not in dated]
