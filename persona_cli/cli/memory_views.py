"""How memories are shown: one line each in a list, whole on their own, and the scores behind a search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from persona_cli.cli.invocation import Invocation
from persona_cli.cli.memory_lines import print_hit, say_under, window_words
from persona_cli.cli.render import day, plain, print_json
from persona_cli.cli.scores import print_legend, sum_of
from persona_cli.cli.writer import escaped
from persona_cli.memory.record_words import moment, words_of
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
from persona_cli.records.counting import counted

if TYPE_CHECKING:
    from persona_cli.memory import Erasure
    from persona_cli.memory.retrieval import SearchResult
    from persona_cli.memory.store import Foreseen, Receipt, Record, Store

Doubts = Mapping[Ref, Ref]
"""What may have ended, each with the later memory that makes it doubtful."""

_NAMED = 5
"""Memories that are named one by one once they are deleted; of more only the number is."""
_REPEATS = 10
"""Memories that are shown where the words of a deleted one still stand."""

USUAL = (Kind.CORE, Kind.SEMANTIC, Kind.EPISODIC, Kind.PROCEDURAL, Kind.IMAGE)
"""What `list` shows when no kind is asked for; messages would bury the rest."""


def list_records(
    store: Store, kinds: Collection[Kind], window: Window | None, limit: int | None, *, every: bool
) -> list[tuple[Ref, Record]]:
    """Return the records of some kinds, newest first."""
    found: list[tuple[Ref, Record]] = []
    if Kind.SEMANTIC in kinds:
        found += _refs(Kind.SEMANTIC, store.semantic.list(None if every else Status.ACTIVE, limit=None))
    if Kind.CORE in kinds:
        found += _refs(Kind.CORE, store.core.history() if every else store.core.current().entries)
    if Kind.PROCEDURAL in kinds:
        found += _refs(Kind.PROCEDURAL, store.habits.history() if every else store.habits.current())
    if Kind.EPISODIC in kinds:
        found += _refs(Kind.EPISODIC, store.episodes.list(every=every))
    if Kind.MESSAGE in kinds:
        found += _refs(Kind.MESSAGE, store.turns.all(window))
    if Kind.IMAGE in kinds:
        found += _refs(Kind.IMAGE, store.images.all())
    within = [(ref, record) for ref, record in found if window is None or moment(record) in window]
    return sorted(within, key=lambda pair: (moment(pair[1]), pair[0].id), reverse=True)[:limit]


def _refs(kind: Kind, records: Iterable[Record]) -> list[tuple[Ref, Record]]:
    return [(Ref(kind, record.id), record) for record in records]


def text(record: Record) -> str:
    """Return a record as words that a terminal can be shown."""
    return escaped(words_of(record))


def as_entry(ref: Ref, record: Record, doubts: Doubts | None = None) -> dict[str, Any]:
    """Return a record as the JSON object of `list` and `show`: its name, kind, time, words and every field.

    What may have ended says by which later memory.
    """
    entry = {"id": str(ref), "kind": ref.kind, "at": moment(record), "text": words_of(record), "record": plain(record)}
    later = (doubts or {}).get(ref)
    return entry if later is None else {**entry, "may_have_ended": str(later)}


def doubts_of(store: Store) -> Doubts:
    """Return what may have ended, each with the later memory that makes it doubtful; the latest where there are two."""
    doubted = (conflict for conflict in store.conflicts.open() if conflict.doubt)
    return {Ref(Kind.SEMANTIC, each.earlier.id): Ref(Kind.SEMANTIC, each.later.id) for each in doubted}


def print_found_json(found: SearchResult, doubts: Doubts) -> None:
    """Print a search as JSON."""
    print_json(
        {
            "hits": [
                {**as_entry(hit.ref, hit.memory, doubts), "score": hit.score, "lanes": dict(hit.lanes)}
                for hit in found.hits
            ],
            "window": found.window,
            "window_source": found.window_source,
            "notes": found.notes,
            "backend": found.backend,
        }
    )


def print_found(run: Invocation, found: SearchResult, doubts: Doubts, *, explain: bool) -> None:
    """Print a search as a list, with `explain` the scores by lane under each."""
    if found.window is not None:
        run.notice(f"Time: {window_words(found.window)} ({found.window_source})")
    for note in found.notes:
        run.notice(note)
    if explain:
        run.notice(f"Vectors: {found.backend}")
    if not found.hits:
        run.notice("Nothing was found.")
        return
    for hit in found.hits:
        _print_line(run, hit.ref, hit.memory, doubts)
        if explain:
            say_under(run, sum_of(hit))
    if explain:
        print_legend(run, found.hits)


def print_records(run: Invocation, rows: Sequence[tuple[Ref, Record]], doubts: Doubts | None = None) -> None:
    """Print records as a list; what may have ended is marked."""
    if not rows:
        run.notice("There is nothing yet.")
    for ref, record in rows:
        _print_line(run, ref, record, doubts or {})


def _print_line(run: Invocation, ref: Ref, record: Record, doubts: Doubts) -> None:
    print_hit(run, ref, moment(record), words_of(record), _state(record, doubts.get(ref)))


def _state(record: Record, doubted_by: Ref | None) -> str:
    parts = [f"may have ended: {doubted_by}"] if doubted_by is not None else []
    status = getattr(record, "status", Status.ACTIVE)
    if status is not Status.ACTIVE:
        parts.append(str(status.value))
    if isinstance(record, EpisodicMemory) and record.merged_into is not None:
        parts = [f"summed up in e{record.merged_into}"]
    if isinstance(record, SemanticMemory) and record.seen > 1:
        parts.append(f"said {record.seen} times")
    if isinstance(record, Image) and record.caption and record.caption_by:
        parts.append(f"described by {record.caption_by}")
    if getattr(record, "author", Author.MODEL) is Author.PERSON:
        parts.append("written by you")
    return ", ".join(parts)


def print_record(run: Invocation, store: Store, ref: Ref, record: Record) -> None:
    """Print one record whole, with the words it came from."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _fields(store, ref, record):
        table.add_row(name, Text(escaped(value)))
    run.out.print(table)


def _fields(store: Store, ref: Ref, record: Record) -> list[tuple[str, str]]:
    rows = [("name", str(ref)), ("kind", str(ref.kind.value)), ("when", day(moment(record)))]
    if isinstance(record, Turn):
        rows += [("you", record.user), ("persona", record.answer), ("model", record.model)]
        rows += [("picture", image.hash) for image in record.images]
    else:
        rows.append(("text", text(record)))
    if isinstance(record, SemanticMemory):
        rows += _semantic_fields(store, record)
    if isinstance(record, EpisodicMemory):
        rows.append(("keywords", ", ".join(record.keywords)))
        if record.merged_into is not None:
            rows.append(("summed up in", f"e{record.merged_into}"))
        rows += [(f"topic e{part.id}", part.summary) for part in store.episodes.many(record.parts)]
        rows += [(f"turn m{turn.id}", turn.user) for turn in store.turns.many(record.turn_ids)]
    if isinstance(record, Image):
        if record.caption:
            rows.append(("described by", f"{record.caption_by}: not your words" if record.caption_by else "you"))
        rows += [("size", f"{record.width} x {record.height}, {record.mime}"), ("file", record.hash)]
        rows += [(f"turn m{turn.id}", turn.user) for turn in store.turns.of_image(record.hash)]
        rows += [(f"memory s{memory.id}", memory.content) for memory in store.semantic.of_image(record.hash)]
    if isinstance(record, (CoreEntry, ProceduralMemory)) and record.valid_to is not None:
        rows.append(("until", day(record.valid_to)))
    if state := _state(record, doubts_of(store).get(ref)):
        rows.append(("state", state))
    return rows


def _semantic_fields(store: Store, memory: SemanticMemory) -> list[tuple[str, str]]:
    rows = [("about", memory.subject), ("keywords", ", ".join(memory.keywords)), ("your words", memory.quote)]
    if memory.turn_id is not None:
        rows += [("from turn", f"m{turn.id}, {day(turn.at)}") for turn in store.turns.many([memory.turn_id])]
    if memory.event is not None:
        rows.append(("happens", window_words(memory.event)))
    if memory.valid_to is not None:
        rows.append(("valid", f"{day(memory.valid_from)} to {day(memory.valid_to)}"))
    if memory.superseded_by is not None:
        rows.append(("replaced by", f"s{memory.superseded_by}"))
    return rows


def print_foreseen(run: Invocation, store: Store, foreseen: Foreseen, most: int) -> None:
    """Print what a deletion would delete besides, and what would hold again; at most so many of each."""
    for words, refs in (("With it goes:", foreseen.gone), ("This will hold again:", foreseen.again)):
        if refs:
            run.notice(words)
            print_records(run, _found(store, refs[:most]))
        if len(refs) > most:
            run.notice(f"and {len(refs) - most} more.")


def print_receipt(run: Invocation, store: Store, receipt: Receipt) -> None:
    """Print what a deletion deleted, and what holds again."""
    parts = ", ".join(counted(count, name) for name, count in receipt.counts.items())
    named = ", ".join(map(str, receipt.refs)) if len(receipt.refs) <= _NAMED else counted(len(receipt.refs), "memories")
    is_are = "is" if len(receipt.refs) == 1 else "are"
    run.notice(f"{named or 'Everything'} {is_are if named else 'is'} deleted: {parts or 'nothing was there'}.")
    if receipt.rewritten:
        run.notice(f"Topics and habits of {counted(receipt.rewritten, 'sessions')} will be written again without it.")
    if again := _found(store, receipt.again):
        run.notice("This holds again:")
        print_records(run, again)


def print_elsewhere(run: Invocation, forgotten: Erasure) -> None:
    """Print what became of the backups, and which copies no forgetting reaches."""
    if forgotten.rewritten:
        run.notice(f"Backups written again without it: {', '.join(forgotten.rewritten)}.")
    if forgotten.dropped:
        run.notice(f"Backups deleted: {', '.join(forgotten.dropped)}.")
    if forgotten.copies:
        run.notice("Copies outside the home, which may still have it; delete or write them again yourself:")
        for copy in forgotten.copies:
            run.notice(f"  {copy.path}, of {copy.at[:10]}{', sealed with a passphrase' if copy.sealed else ''}")


def print_repeated(run: Invocation, store: Store, receipt: Receipt) -> None:
    """Print what says what was deleted in the same words, so that a person can delete it too."""
    from persona_cli.memory.repeats import repeated

    refs = repeated(store, [receipt])
    if not refs:
        return
    run.notice("It came from these messages, or the same words still stand in them:")
    print_records(run, _found(store, refs[:_REPEATS]))
    if len(refs) > _REPEATS:
        run.notice(f"and in {len(refs) - _REPEATS} more.")
    run.notice(f"`persona memory forget {' '.join(map(str, refs[:_REPEATS]))}` deletes these too.")


def _found(store: Store, refs: Sequence[Ref]) -> list[tuple[Ref, Record]]:
    records = store.find(refs)
    return [(ref, records[ref]) for ref in refs if ref in records]
